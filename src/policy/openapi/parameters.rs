//! Parameters of an operation as the rules of a route, in the styles that the gateway reads.

use serde_json::{Map, Value, json};

use crate::body::parameters::STYLE;
use crate::policy::openapi::merge::Undeclared;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{Schemas, safe};
use crate::policy::openapi::source::{Documents, Node};

/// Header parameters that OpenAPI itself tells to ignore: other members say them.
const IGNORED: [&str; 3] = ["accept", "content-type", "authorization"];

/// Some documents say so that a parameter of the path holds slashes: GitHub's.
const MANY_SEGMENTS: &str = "x-multi-segment";

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

/// The rules of a route, by its members `path`, `query`, `headers` and `cookies`.
pub(super) struct Rules {
    pub(super) path: Map<String, Value>,
    query: Map<String, Value>,
    query_required: Vec<Value>,
    query_is_open: bool,
    headers: Map<String, Value>,
    headers_required: Vec<Value>,
    cookies: Map<String, Value>,
    cookies_required: Vec<Value>,
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
            cookies: Map::new(),
            cookies_required: Vec::new(),
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
        for (place, properties, required) in [
            ("headers", self.headers, self.headers_required),
            ("cookies", self.cookies, self.cookies_required),
        ] {
            if !properties.is_empty() {
                let rules =
                    json!({ "type": "object", "properties": properties, "required": required });
                request.insert(place.into(), rules);
            }
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
        if *place == "header" && IGNORED.contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        if *place == "path" && node.flag(MANY_SEGMENTS) == Some(true) {
            let problem = "`x-multi-segment`: the parameter is one segment; for more, write a route with {*name}";
            report.note(&node.place(), problem);
        }
        let (rule, kind) = rule(parameter, schemas, documents, report)?;
        let style = node.text("style").unwrap_or(match *place {
            "query" | "cookie" => "form",
            _ => "simple",
        });
        let explodes = node.flag("explode").unwrap_or(style == "form");
        if (*place, style, kind, explodes) == ("query", "form", Kind::Object, true) {
            return self.spread(node, rule, schemas, report, required);
        }
        let Some(word) = word(place, style, kind, explodes) else {
            let kind = kind.told();
            return Err(format!("style `{style}` is not read in {place} for {kind}"));
        };
        if let Some(word) = word {
            check_parts(&rule, schemas, kind)?;
            if style == "matrix" && safe(name, &['_', '-'], 64) != *name {
                return Err("the gateway knows it by another name than `matrix` writes".into());
            }
            self.insert(place, name, styled(rule, word), required);
        } else {
            self.insert(place, name, rule, required);
        }
        if node.flag("allowEmptyValue") == Some(true) {
            let problem = "`allowEmptyValue`: an empty value is judged by the schema as it stands";
            report.note(&node.place(), problem);
        }
        if node.flag("allowReserved") == Some(true) {
            let problem = "`allowReserved`: what a query takes unencoded is the gateway's to say";
            report.note(&node.place(), problem);
        }
        Ok(())
    }

    fn insert(&mut self, place: &str, name: &str, rule: Value, required: bool) {
        let (rules, names, name) = match place {
            // A path without its parameter is another path.
            "path" => {
                self.path.insert(safe(name, &['_', '-'], 64), rule);
                return;
            }
            "header" => {
                let name = name.to_ascii_lowercase();
                (&mut self.headers, &mut self.headers_required, name)
            }
            "cookie" => {
                let name = name.to_owned();
                (&mut self.cookies, &mut self.cookies_required, name)
            }
            _ => (&mut self.query, &mut self.query_required, name.to_owned()),
        };
        if required {
            names.push(json!(name));
        }
        rules.insert(name, rule);
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

/// How the policy names a style; `None`: it cannot be read, and within: it needs no name.
pub(super) fn word(
    place: &str,
    style: &str,
    kind: Kind,
    explodes: bool,
) -> Option<Option<&'static str>> {
    Some(match (place, style, kind) {
        ("query" | "cookie", "form", Kind::Scalar) => None,
        ("path" | "header", "simple", Kind::Scalar) => None,
        ("query", "form" | "spaceDelimited" | "pipeDelimited", Kind::Array) if explodes => None,
        ("query", "form", _) if !explodes => Some("comma"),
        ("query", "spaceDelimited", Kind::Array | Kind::Object) if !explodes => Some("space"),
        ("query", "pipeDelimited", Kind::Array | Kind::Object) if !explodes => Some("pipe"),
        ("query", "deepObject", Kind::Object) => Some("deep"),
        ("path" | "header", "simple", Kind::Object) if explodes => Some("pairs"),
        ("path" | "header", "simple", _) => Some("comma"),
        ("path", "label", _) if explodes => Some("label_exploded"),
        ("path", "label", _) => Some("label"),
        ("path", "matrix", _) if explodes => Some("matrix_exploded"),
        ("path", "matrix", _) => Some("matrix"),
        _ => return None,
    })
}

/// Whether the parts of a styled value are single values, which is what a text can hold, and whether
/// its own type says what it is. Fails with one sentence.
pub(super) fn check_parts(rule: &Value, schemas: &Schemas<'_>, kind: Kind) -> Result<(), String> {
    let rule = named(rule, schemas);
    let own = type_of(rule);
    let is_plain = match kind {
        Kind::Scalar => true,
        Kind::Array => own == Some(Kind::Array),
        Kind::Object => own == Some(Kind::Object) || rule.get("allOf").is_some(),
    };
    if !is_plain {
        return Err("what it holds in this style has to be said by its own `type`".into());
    }
    let members = rule.get("properties").and_then(Value::as_object);
    let members = members.into_iter().flat_map(Map::values);
    let below = ["items", "additionalProperties"];
    let below = below.into_iter().filter_map(|word| rule.get(word));
    match members
        .chain(below)
        .all(|part| self::kind(part, schemas, 0) == Kind::Scalar)
    {
        true => Ok(()),
        false => Err("a list or an object within it is not read in this style".into()),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
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

/// What the schema itself says.
fn type_of(rule: &Value) -> Option<Kind> {
    let types = rule.get("type");
    let is = |name: &str| match types {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    };
    if is("array") {
        return Some(Kind::Array);
    }
    let is_object = is("object") || (types.is_none() && rule.get("properties").is_some());
    is_object.then_some(Kind::Object)
}

pub(super) fn kind(rule: &Value, schemas: &Schemas<'_>, depth: usize) -> Kind {
    let rule = named(rule, schemas);
    if let Some(kind) = type_of(rule) {
        return kind;
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

pub(super) fn named<'v>(rule: &'v Value, schemas: &'v Schemas<'_>) -> &'v Value {
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

pub(super) fn styled(mut rule: Value, style: &str) -> Value {
    if let Some(members) = rule.as_object_mut() {
        members.insert(STYLE.into(), json!(style));
    }
    rule
}
