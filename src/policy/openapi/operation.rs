//! Operations as routes: path, caller, parameters, content.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::facts::Method;
use crate::policy::fault::Faults;
use crate::policy::openapi::answers;
use crate::policy::openapi::content;
use crate::policy::openapi::deprecation;
use crate::policy::openapi::entry::{self, Made, Written, inner};
use crate::policy::openapi::merge::{Became, Options, Responses, lay, reached};
use crate::policy::openapi::parameters::{Rules, gather};
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{Schemas, safe};
use crate::policy::openapi::security;
use crate::policy::openapi::source::{Documents, Node, misplaced};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// Longest id of a route, in bytes.
const ID_BYTES_MAX: usize = 128;

pub(super) struct Operations<'a> {
    documents: &'a Documents<'a>,
    options: &'a Options<'a>,
    policy: &'a Map<String, Value>,
    report: &'a mut Report,
    schemas: Schemas<'a>,
    ids: HashSet<String>,
    made: Vec<Made>,
    /// How many the document has, those too that a `$ref` leads to.
    operations: usize,
}

impl<'a> Operations<'a> {
    pub(super) fn new(
        documents: &'a Documents<'a>,
        options: &'a Options<'a>,
        policy: &'a Map<String, Value>,
        report: &'a mut Report,
    ) -> Self {
        let own = policy.get("schemas").and_then(Value::as_object);
        Self {
            documents,
            options,
            policy,
            report,
            schemas: Schemas::new(documents, options.undeclared, own),
            ids: HashSet::new(),
            made: Vec::new(),
            operations: answers::count(documents, &METHODS),
        }
    }

    pub(super) fn run(mut self, faults: &mut Faults) -> Became {
        let root = self.documents.root().clone();
        for word in ["webhooks", "callbacks"] {
            if let Some(node) = root.get(word) {
                self.report.note(
                    &node.place(),
                    format!("`{word}` are not requests to the API"),
                );
            }
        }
        let paths = root.get("paths");
        for (template, item) in paths.iter().flat_map(Node::members) {
            if template.starts_with("x-") {
                continue;
            }
            let item = match self.documents.follow(&item) {
                Ok(item) => item,
                Err(problem) => {
                    self.made.push(Made {
                        id: String::new(),
                        name: template.to_owned(),
                        place: item.place(),
                        path: placed(&self.base(&item, &item), template),
                        methods: METHODS.iter().filter_map(|name| parsed(name)).collect(),
                        route: Err(problem),
                    });
                    continue;
                }
            };
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    self.report.operations += 1;
                    self.operation(template, method, &item, &operation, faults);
                }
            }
        }
        let mut named = self.schemas.named;
        let (routes, closed_paths) = entry::enter(self.made, &named, self.report, faults);
        let reached = reached(&routes, &named);
        named.retain(|name, _| reached.contains(name));
        Became {
            routes,
            schemas: named,
            closed_paths,
        }
    }

    fn operation(
        &mut self,
        template: &str,
        method: &str,
        path: &Node<'a>,
        operation: &Node<'a>,
        faults: &mut Faults,
    ) {
        let said = operation.text("operationId").map(str::to_owned);
        let said = said.unwrap_or_else(|| {
            let plain: String = template
                .chars()
                .filter(|one| !"{}".contains(*one))
                .collect();
            format!("{method}{plain}")
        });
        let id = safe(&said, &['_', '.', ':', '/', '-'], ID_BYTES_MAX);
        let name = format!("{} {template}", method.to_ascii_uppercase());
        let is_first = self.ids.insert(id.clone());
        let asked_at = placed(&self.base(path, operation), template);
        let route = match is_first {
            true => self.route(&id, &asked_at, method, path, operation),
            false => Err(format!("another operation has the id `{id}`")),
        };
        if route
            .as_ref()
            .is_ok_and(|written| !written.route.contains_key("auth"))
        {
            let problem = format!("{name} (`{id}`) says no `auth`, and neither does the policy");
            let fix = "Write `security` in the document, `x-edgeward`, a route of this id, or openapi_options.defaults";
            faults.add_at("/openapi".into(), problem, fix);
            return;
        }
        self.made.push(Made {
            id,
            name,
            place: operation.place(),
            path: asked_at,
            methods: parsed(method).into_iter().collect(),
            route,
        });
    }

    /// - `asked_at`: the path of its requests.
    fn route(
        &mut self,
        id: &str,
        asked_at: &str,
        method: &str,
        path: &Node<'a>,
        operation: &Node<'a>,
    ) -> Result<Written, String> {
        let Some(method) = parsed(method) else {
            return Err("the gateway passes no such method".into());
        };
        misplaced(
            operation,
            &["x-edgeward", "x-edgeward-limits", "x-edgeward-not-routed"],
        )?;
        misplaced(path, &[])?;
        misplaced(self.documents.root(), &[])?;
        let over = self.over(id, operation)?;
        let mut route = Map::new();
        route.insert("id".into(), json!(id));
        let matched = json!({ "methods": [method.as_str()], "path": asked_at });
        route.insert("match".into(), matched);
        if let Some(origin) = self.options.origin {
            route.insert("origin".into(), json!(origin));
        }
        if let Some(defaults) = self.options.defaults {
            lay(&mut route, defaults);
        }
        if self.options.reads_security {
            self.secure(&mut route, operation, over.get("auth"))?;
        }
        let unchecked = is_opaque(&over);
        if !unchecked {
            self.request(&mut route, method, path, operation)?;
        }
        if operation.flag("deprecated") == Some(true) {
            route.insert("deprecation".into(), deprecation::written(operation)?);
        }
        lay(&mut route, &over);
        let said = over.get("request").and_then(Value::as_object);
        if let (Some(Value::Object(request)), Some(said)) = (route.get_mut("request"), said) {
            content::narrow(request, said);
        }
        let responses = operation.get("responses");
        let answers = responses.and_then(|responses| self.answers(&mut route, &responses));
        if let Some(node) = operation.get("callbacks") {
            let problem = "`callbacks` are not requests to the API";
            self.report.note(&node.place(), problem);
        }
        Ok(Written {
            route,
            answers,
            is_placed: over.contains_key("match"),
        })
    }

    /// Holds answers against `responses`, unless what stands nearer says what they are like. Gives
    /// their place where it does.
    fn answers(&mut self, route: &mut Map<String, Value>, responses: &Node<'a>) -> Option<String> {
        let said = inner(route, "response/body").is_some();
        let is_large = self.operations > answers::OPERATIONS_MAX;
        let chosen = self.options.responses;
        let why = match chosen.unwrap_or(Responses::Observe) {
            _ if said => return None,
            _ if chosen.is_none() && is_large => answers::TOO_MANY,
            Responses::Off => "answers are not checked against `responses`",
            _ if answers::are_kept(route) => {
                "answers that are kept (`idempotency`) are not checked"
            }
            mode @ (Responses::Observe | Responses::Enforce) => {
                let rule = answers::rule(responses, self.documents, &mut self.schemas, self.report);
                answers::write(route, rule?, mode);
                return Some(responses.place());
            }
        };
        self.report.note(&responses.place(), why);
        None
    }

    /// What stands nearer than the document: `x-edgeward`, and over it the policy's route.
    fn over(&self, id: &str, operation: &Node<'a>) -> Result<Map<String, Value>, String> {
        let mut over = Map::new();
        match operation.get("x-edgeward").map(|node| node.value) {
            None => {}
            Some(Value::Object(said)) => lay(&mut over, said),
            Some(_) => return Err("`x-edgeward` is no object".into()),
        }
        let routes = self.policy.get("routes").and_then(Value::as_array);
        let mut own = routes.into_iter().flatten().filter_map(Value::as_object);
        let of = |route: &&Map<String, Value>| route.get("id").and_then(Value::as_str) == Some(id);
        if let Some(own) = own.find(of) {
            lay(&mut over, own);
        }
        Ok(over)
    }

    /// - `nearer`: who may call by what stands nearer. Then the document's need not be expressible;
    ///   its scopes hold all the same, for leaving them out was not said.
    fn secure(
        &self,
        route: &mut Map<String, Value>,
        operation: &Node<'a>,
        nearer: Option<&Value>,
    ) -> Result<(), String> {
        let asked = match (security::asked(self.documents, operation), nearer) {
            (Ok(asked), _) => asked,
            (Err(_), Some(_)) => None,
            (Err(problem), None) => return Err(problem),
        };
        let Some(asked) = asked else {
            return Ok(());
        };
        if nearer.unwrap_or(&asked.auth).is_string() {
            route.shift_remove("require");
        } else if !asked.scopes.is_empty() {
            let require = json!({ "require": { "scopes": asked.scopes } });
            if let Some(require) = require.as_object() {
                lay(route, require);
            }
        }
        route.insert("auth".into(), asked.auth);
        Ok(())
    }

    fn request(
        &mut self,
        route: &mut Map<String, Value>,
        method: Method,
        path: &Node<'a>,
        operation: &Node<'a>,
    ) -> Result<(), String> {
        let parameters = gather(self.documents, path, operation)?;
        let rules = Rules::of(&parameters, &mut self.schemas, self.documents, self.report)?;
        let mut request = Map::new();
        rules.write(&mut request, self.options.undeclared);
        match operation.get("requestBody") {
            Some(body) if method.may_have_body() => {
                let documents = self.documents;
                content::write(
                    &mut request,
                    &body,
                    documents,
                    &mut self.schemas,
                    self.report,
                )?;
            }
            Some(body) => {
                let method = method.as_str();
                self.report.note(
                    &body.place(),
                    format!("content of {method} is refused always"),
                );
            }
            None if method.may_have_body() => {
                request.insert("max_bytes".into(), json!(0));
            }
            None => {}
        }
        lay(
            route,
            &Map::from_iter([("request".to_owned(), Value::Object(request))]),
        );
        Ok(())
    }

    /// The path before every template: of the nearest `servers`, unless the policy says it.
    fn base(&self, path: &Node<'a>, operation: &Node<'a>) -> String {
        if let Some(base) = self.options.base_path {
            return base.to_owned();
        }
        let holders = [operation, path, self.documents.root()];
        let servers = holders.into_iter().find_map(|holder| holder.get("servers"));
        let server = servers.and_then(|servers| servers.items().into_iter().next());
        let Some(server) = server else {
            return String::new();
        };
        let mut url = server.text("url").unwrap_or_default().to_owned();
        let variables = server.get("variables");
        for (name, variable) in variables.iter().flat_map(Node::members) {
            let value = variable.text("default").unwrap_or_default();
            url = url.replace(&format!("{{{name}}}"), value);
        }
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| {
            rest.find('/')
                .and_then(|at| rest.get(at..))
                .unwrap_or_default()
        });
        rest.trim_end_matches('/').to_owned()
    }
}

/// The method of a path item's member; `None`: one that the gateway does not pass.
fn parsed(member: &str) -> Option<Method> {
    Method::parse(&member.to_ascii_uppercase())
}

/// A base path and a template as one path, its parameters with names that routes can have.
fn placed(base: &str, template: &str) -> String {
    let mut path = base.to_owned();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        path.push_str(before);
        path.push_str(&format!("{{{}}}", safe(name, &['_', '-'], 64)));
        rest = after;
    }
    path.push_str(rest);
    path
}

/// Whether a route nearer than the document says that its requests are not looked at.
fn is_opaque(over: &Map<String, Value>) -> bool {
    let mode = over.get("request").and_then(|request| request.get("mode"));
    mode.and_then(Value::as_str) == Some("off")
}
