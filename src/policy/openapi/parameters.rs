//! Parameters of an operation as the rules of a route, in the styles that the gateway reads.

use serde_json::{Map, Value, json};

use crate::body::parameters::STYLE;
use crate::policy::openapi::merge::Undeclared;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{Schemas, safe};
use crate::policy::openapi::source::{Documents, Node};

/// Header parameters that OpenAPI itself tells to ignore: other members say them.
const IGNORED: [&str; 3] = ["accept", "content-type", "authorization"];

/// One parameter, with what it says about itself resolved.
pub(super) struct Parameter<'a> {
    node: Node<'a>,
    name: &'a str,
    place: &'a str,
}

/// The parameters of path and operation; the operation's own go before the path's.
pub(super) fn gather<'a>(
    documents: &Documents<'a>,
    path: &Node<'a>,
    operation: &Node<'a>,
) -> Result<Vec<Parameter<'a>>, String> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    for holder in [operation, path] {
        let listed = holder.get("parameters");
        for item in listed.iter().flat_map(Node::items) {
            let node = documents.follow(&item)?;
            let (Some(name), Some(place)) = (node.text("name"), node.text("in")) else {
                return Err("a parameter has no `name` or no `in`".into());
            };
            let known = |one: &Parameter<'_>| one.name == name && one.place == place;
            if !found.iter().any(known) {
                found.push(Parameter { node, name, place });
            }
        }
    }
    Ok(found)
}

/// The rules of a route, by its members `path`, `query` and `headers`.
pub(super) struct Rules {
    pub(super) path: Map<String, Value>,
    query: Map<String, Value>,
    query_required: Vec<Value>,
    query_is_open: bool,
    headers: Map<String, Value>,
    headers_required: Vec<Value>,
}

impl Rules {
    /// Fails with one sentence on a style that is not read.
    pub(super) fn of<'a>(
        parameters: &[Parameter<'a>],
        schemas: &mut Schemas<'a>,
        documents: &Documents<'a>,
        report: &mut Report,
    ) -> Result<Self, String> {
        let mut rules = Self {
            path: Map::new(),
            query: Map::new(),
            query_required: Vec::new(),
            query_is_open: false,
            headers: Map::new(),
            headers_required: Vec::new(),
        };
        for parameter in parameters {
            let name = parameter.name;
            rules
                .add(parameter, schemas, documents, report)
                .map_err(|problem| format!("parameter `{name}`: {problem}"))?;
        }
        Ok(rules)
    }

    /// Writes the rules into `request` of a route.
    pub(super) fn write(self, request: &mut Map<String, Value>, undeclared: Undeclared) {
        if !self.path.is_empty() {
            request.insert("path".into(), Value::Object(self.path));
        }
        let closed = undeclared != Undeclared::AsDocumented && !self.query_is_open;
        if closed || !self.query.is_empty() {
            let mut query = json!({ "type": "object", "properties": self.query });
            if let Some(query) = query.as_object_mut() {
                if !self.query_required.is_empty() {
                    query.insert("required".into(), Value::Array(self.query_required));
                }
                if closed {
                    query.insert("additionalProperties".into(), Value::Bool(false));
                }
            }
            request.insert("query".into(), query);
        }
        if !self.headers.is_empty() {
            let headers = json!({
                "type": "object",
                "properties": self.headers,
                "required": self.headers_required,
            });
            request.insert("headers".into(), headers);
        }
    }

    fn add<'a>(
        &mut self,
        parameter: &Parameter<'a>,
        schemas: &mut Schemas<'a>,
        documents: &Documents<'a>,
        report: &mut Report,
    ) -> Result<(), String> {
        let Parameter { node, name, place } = parameter;
        let required = node.flag("required") == Some(true);
        if *place == "cookie" {
            report.note(&node.place(), "cookie parameters are not checked");
            return Ok(());
        }
        if *place == "header" && IGNORED.contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        let explodes = node.flag("explode");
        let (rule, kind) = rule(parameter, schemas, documents, report)?;
        let style = node.text("style");
        let style = style.unwrap_or(if *place == "query" { "form" } else { "simple" });
        let explodes = explodes.unwrap_or(style == "form");
        match (*place, style, kind) {
            ("query", "form", Kind::Object) if explodes => {
                return self.spread(node, rule, schemas, report, required);
            }
            ("query", "form" | "spaceDelimited" | "pipeDelimited", Kind::Array) if explodes => {
                self.query(name, rule, required);
            }
            ("query", "form", Kind::Array) => self.query(name, styled(rule, "comma"), required),
            ("query", "spaceDelimited", Kind::Array) => {
                self.query(name, styled(rule, "space"), required);
            }
            ("query", "pipeDelimited", Kind::Array) => {
                self.query(name, styled(rule, "pipe"), required);
            }
            ("query", "deepObject", Kind::Object) => {
                self.query(name, styled(rule, "deep"), required);
            }
            ("query", "form", Kind::Scalar) => self.query(name, rule, required),
            ("path" | "header", "simple", Kind::Array) => {
                self.single(place, name, styled(rule, "comma"), required)
            }
            ("path" | "header", "simple", Kind::Scalar) => self.single(place, name, rule, required),
            (_, style, kind) => {
                let kind = kind.told();
                return Err(format!("style `{style}` is not read in {place} for {kind}"));
            }
        }
        if node.flag("allowEmptyValue") == Some(true) {
            let problem = "`allowEmptyValue`: an empty value is judged by the schema as it stands";
            report.note(&node.place(), problem);
        }
        Ok(())
    }

    fn query(&mut self, name: &str, rule: Value, required: bool) {
        // As some APIs write the name of a list that is sent by repetition.
        self.query.insert(name.to_owned(), rule);
        if required {
            self.query_required.push(json!(name));
        }
    }

    fn single(&mut self, place: &str, name: &str, rule: Value, required: bool) {
        if place == "path" {
            self.path.insert(safe(name, &['_', '-'], 64), rule);
            return;
        }
        let name = name.to_ascii_lowercase();
        if required {
            self.headers_required.push(json!(name));
        }
        self.headers.insert(name, rule);
    }

    /// An exploded object: each of its properties is a parameter.
    fn spread<'a>(
        &mut self,
        node: &Node<'a>,
        rule: Value,
        schemas: &Schemas<'a>,
        report: &mut Report,
        required: bool,
    ) -> Result<(), String> {
        let rule = named(&rule, schemas);
        let known = rule.get("properties").and_then(Value::as_object);
        let said = rule.as_object().into_iter().flat_map(Map::keys);
        let plain = ["type", "properties", "required", "additionalProperties"];
        if let Some(other) = said
            .into_iter()
            .find(|name| !plain.contains(&name.as_str()))
        {
            return Err(format!("`{other}` of an exploded object is not enforced"));
        }
        for (name, rule) in known.into_iter().flatten() {
            self.query.insert(name.clone(), rule.clone());
        }
        if required && let Some(names) = rule.get("required").and_then(Value::as_array) {
            self.query_required.extend(names.iter().cloned());
        }
        let others = rule.get("additionalProperties");
        if known.is_none() || others.is_some_and(|others| *others != Value::Bool(false)) {
            self.query_is_open = true;
            let problem = "an exploded object of any names: undeclared parameters pass";
            report.note(&node.place(), problem);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Scalar,
    Array,
    Object,
}

impl Kind {
    fn told(self) -> &'static str {
        match self {
            Self::Scalar => "one value",
            Self::Array => "arrays",
            Self::Object => "objects",
        }
    }
}

/// The schema of a parameter, and what kind of value it is of.
fn rule<'a>(
    parameter: &Parameter<'a>,
    schemas: &mut Schemas<'a>,
    documents: &Documents<'a>,
    report: &mut Report,
) -> Result<(Value, Kind), String> {
    let node = &parameter.node;
    if node.get("content").is_some() {
        report.note(&node.place(), "`content` of a parameter is not checked");
        return Ok((json!({ "type": "string" }), Kind::Scalar));
    }
    let Some(schema) = node.get("schema") else {
        return Err("has neither `schema` nor `content`".into());
    };
    documents.follow(&schema)?;
    let rule = schemas.translate(&schema, report)?;
    let kind = kind(&rule, schemas, 0);
    Ok((rule, kind))
}

fn kind(rule: &Value, schemas: &Schemas<'_>, depth: usize) -> Kind {
    let rule = named(rule, schemas);
    let types = rule.get("type");
    let is = |name: &str| match types {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    };
    if is("array") {
        return Kind::Array;
    }
    if is("object") || (types.is_none() && rule.get("properties").is_some()) {
        return Kind::Object;
    }
    let branches = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .filter_map(|word| rule.get(word)?.as_array())
        .flatten();
    let below = branches.map(|branch| match depth < 8 {
        true => kind(branch, schemas, depth + 1),
        false => Kind::Object,
    });
    below
        .into_iter()
        .find(|kind| *kind != Kind::Scalar)
        .unwrap_or(Kind::Scalar)
}

fn named<'v>(rule: &'v Value, schemas: &'v Schemas<'_>) -> &'v Value {
    let mut rule = rule;
    for _ in 0..16 {
        let name = rule.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|name| name.strip_prefix("#/schemas/"));
        let Some(target) = name.and_then(|name| schemas.named.get(name)) else {
            break;
        };
        rule = target;
    }
    rule
}

fn styled(mut rule: Value, style: &str) -> Value {
    if let Some(members) = rule.as_object_mut() {
        members.insert(STYLE.into(), json!(style));
    }
    rule
}
