//! The policy's own words beside the document's: `openapi_options`, `routes` by id, and the policy
//! that comes of it.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::body::finding::push_token;
use crate::policy::fault::Faults;

/// Names that a document does not declare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Undeclared {
    /// Pass, unless the document says otherwise.
    AsDocumented,
    /// Query parameters that are not declared are refused; objects are as documented.
    RefuseInQuery,
    /// Objects too: one that lists its properties and says nothing of others has no others.
    Refuse,
}

/// What is done about answers that are not as the document says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Responses {
    /// Answers are not read.
    Off,
    /// It is told.
    Observe,
    /// They are kept back.
    Enforce,
}

/// `openapi_options`.
pub(super) struct Options<'a> {
    /// Members of a route for every operation that does not say them.
    pub(super) defaults: Option<&'a Map<String, Value>>,
    /// In place of the path of the document's first server.
    pub(super) base_path: Option<&'a str>,
    pub(super) undeclared: Undeclared,
    /// Whether `security` of the document says who may call.
    pub(super) reads_security: bool,
    /// `None`: not said.
    pub(super) responses: Option<Responses>,
    /// The policy's only origin.
    pub(super) origin: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// Fails with a pointer and one sentence.
    pub(super) fn read(policy: &'a Map<String, Value>) -> Result<Self, (String, String)> {
        let given = policy.get("openapi_options");
        let told = |name: &str| given.and_then(|given| given.get(name));
        let wrong = |name: &str| {
            let problem = "not one of the known values".to_owned();
            (format!("/openapi_options/{name}"), problem)
        };
        let undeclared = match told("undeclared").map(Value::as_str) {
            None | Some(Some("refuse_in_query")) => Undeclared::RefuseInQuery,
            Some(Some("as_documented")) => Undeclared::AsDocumented,
            Some(Some("refuse")) => Undeclared::Refuse,
            Some(_) => return Err(wrong("undeclared")),
        };
        let reads_security = match told("security").map(Value::as_str) {
            None | Some(Some("document")) => true,
            Some(Some("defaults")) => false,
            Some(_) => return Err(wrong("security")),
        };
        let responses = match told("responses").map(Value::as_str) {
            None => None,
            Some(Some("observe")) => Some(Responses::Observe),
            Some(Some("enforce")) => Some(Responses::Enforce),
            Some(Some("off")) => Some(Responses::Off),
            Some(_) => return Err(wrong("responses")),
        };
        let origins = policy.get("origins").and_then(Value::as_object);
        let mut names = origins.into_iter().flat_map(Map::keys);
        let origin = names.next().filter(|_| names.next().is_none());
        Ok(Self {
            defaults: told("defaults").and_then(Value::as_object),
            base_path: told("base_path").and_then(Value::as_str),
            undeclared,
            reads_security,
            responses,
            origin: origin.map(String::as_str),
        })
    }
}

/// Lays `over` on `under`: objects member by member, anything else in whole.
pub(super) fn lay(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            // A schema is one rule: half of one and half of another is neither.
            (Some(Value::Object(below)), Value::Object(above)) if !is_schema(name) => {
                lay(below, above);
            }
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
    }
    // The two ways to say what content is like exclude each other.
    if over.contains_key("body") {
        under.shift_remove("bodies");
    }
    if over.contains_key("bodies") {
        under.shift_remove("body");
        under.shift_remove("content_types");
    }
}

fn is_schema(name: &str) -> bool {
    matches!(
        name,
        "body" | "bodies" | "query" | "headers" | "cookies" | "path"
    )
}

/// What a document became.
pub(super) struct Became {
    pub(super) routes: Vec<Value>,
    pub(super) schemas: Map<String, Value>,
    pub(super) closed_paths: Vec<String>,
}

/// The policy with what its document became in place of `openapi`.
pub(super) fn policy(
    written: &Map<String, Value>,
    Became {
        routes,
        schemas,
        closed_paths,
    }: Became,
    faults: &mut Faults,
) -> Value {
    let mut made = written.clone();
    made.shift_remove("openapi");
    made.shift_remove("openapi_options");
    let of = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
    let known: HashSet<String> = routes.iter().filter_map(of).collect();
    let mut all = routes;
    let own = written.get("routes").and_then(Value::as_array);
    for (index, entry) in own.into_iter().flatten().enumerate() {
        // Those of an operation are laid on it already.
        if of(entry).is_some_and(|id| known.contains(&id)) {
            continue;
        }
        if entry.get("match").is_none() {
            let mut pointer = String::from("/routes");
            push_token(&mut pointer, &index.to_string());
            push_token(&mut pointer, "id");
            let problem = "no operation of this id was imported, and the route says no `match`";
            let fix = "Write an operationId of the document, or say match and origin";
            faults.add_at(pointer, problem, fix);
        }
        all.push(entry.clone());
    }
    made.insert("routes".into(), Value::Array(all));
    if !closed_paths.is_empty() {
        let closed = made.entry("closed_paths").or_insert_with(|| json!([]));
        if let Some(closed) = closed.as_array_mut() {
            let own: HashSet<Value> = closed.iter().cloned().collect();
            let more = closed_paths.into_iter().map(Value::String);
            closed.extend(more.filter(|path| !own.contains(path)));
        }
    }
    if !schemas.is_empty() {
        let own = made.entry("schemas").or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            own.extend(schemas);
        }
    }
    Value::Object(made)
}

/// The schemas that routes lead to. What was made for an operation that is left out is not needed.
pub(super) fn reached(routes: &[Value], named: &Map<String, Value>) -> HashSet<String> {
    let mut reached = HashSet::new();
    let mut rest: Vec<&Value> = routes.iter().collect();
    while let Some(value) = rest.pop() {
        let name = value.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|name| name.strip_prefix("#/schemas/"));
        if let Some((name, schema)) = name.and_then(|name| named.get_key_value(name))
            && reached.insert(name.clone())
        {
            rest.push(schema);
        }
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => rest.extend(members.values()),
            _ => {}
        }
    }
    reached
}
