//! Schemas of OpenAPI as JSON Schema 2020-12, for requests and for answers.
//!
//! Owns: what each keyword becomes: translated, an annotation, noted as not enforced, or a reason
//! to leave the operation out. Schemas that are referred to get names of their own.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::policy::openapi::directions::{Direction, Directions};
use crate::policy::openapi::merge::Undeclared;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::source::{Documents, Node, Version};

/// Longest name of a schema, in bytes, less room for a number.
const NAME_BYTES_MAX: usize = 56;
/// Deepest schema within schemas that is written out in one place.
const DEPTH_MAX: usize = 40;
/// How deep `allOf` within `allOf` is looked into for `readOnly` and `writeOnly`.
const FLAG_DEPTH_MAX: usize = 4;

/// Keywords that mean the same, and whose value is no schema.
const SAME: [&str; 19] = [
    "const",
    "dependentRequired",
    "enum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
    "exclusiveMinimum",
];
/// Words for people: no rule.
pub(super) const ANNOTATIONS: [&str; 12] = [
    "$comment",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "title",
    "writeOnly",
    "readOnly",
    "xml",
];
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const MANY: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 3] = ["dependentSchemas", "patternProperties", "properties"];
/// What cannot be taken along: it says where other schemas are.
const REFUSED: [&str; 5] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveRef",
];
/// Formats that the gateway asserts.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

pub(super) struct Schemas<'a> {
    documents: &'a Documents<'a>,
    undeclared: Undeclared,
    /// By the place a reference means, and which way its schema is read.
    names: HashMap<(&'a str, String, Direction), Result<String, String>>,
    directions: Directions<'a>,
    direction: Direction,
    taken: HashSet<String>,
    pub(super) named: Map<String, Value>,
}

impl<'a> Schemas<'a> {
    /// - `own`: the policy's own schemas, whose names are taken.
    pub(super) fn new(
        documents: &'a Documents<'a>,
        undeclared: Undeclared,
        own: Option<&Map<String, Value>>,
    ) -> Self {
        Self {
            documents,
            undeclared,
            names: HashMap::new(),
            directions: Directions::default(),
            direction: Direction::Request,
            taken: own.into_iter().flat_map(Map::keys).cloned().collect(),
            named: Map::new(),
        }
    }

    /// Whether objects that say nothing of other names have none.
    pub(super) fn closes(&self) -> bool {
        self.undeclared == Undeclared::Refuse
    }

    /// Fails with one sentence on what has no equal.
    pub(super) fn translate(
        &mut self,
        node: &Node<'a>,
        report: &mut Report,
    ) -> Result<Value, String> {
        self.schema(node, report, 0)
    }

    /// As [`Self::translate`], for answers.
    pub(super) fn translate_answer(
        &mut self,
        node: &Node<'a>,
        report: &mut Report,
    ) -> Result<Value, String> {
        self.direction = Direction::Answer;
        let made = self.schema(node, report, 0);
        self.direction = Direction::Request;
        made
    }

    fn schema(
        &mut self,
        node: &Node<'a>,
        report: &mut Report,
        depth: usize,
    ) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "schemas stand in each other more than {DEPTH_MAX} deep"
            ));
        }
        let Some(keywords) = node.value.as_object() else {
            return match node.value {
                Value::Bool(_) => Ok(node.value.clone()),
                _ => Err("a schema is no object".into()),
            };
        };
        let mut made = Map::new();
        if let Some(reference) = node.text("$ref") {
            let name = self.reference(node.file, reference, report)?;
            made.insert("$ref".into(), json!(format!("#/schemas/{name}")));
            // 3.0: what stands beside a reference is nothing (Reference Object).
            if self.documents.version == Version::V30 {
                return Ok(Value::Object(made));
            }
        }
        for (name, below) in node.members() {
            self.keyword(name, &below, &mut made, report, depth + 1)?;
        }
        self.exclusive(node, &mut made)?;
        self.discriminator(node, &mut made, report)?;
        self.directions(node, &mut made);
        self.close(keywords, &mut made);
        Ok(nullable(node, made))
    }

    fn keyword(
        &mut self,
        name: &str,
        node: &Node<'a>,
        made: &mut Map<String, Value>,
        report: &mut Report,
        depth: usize,
    ) -> Result<(), String> {
        let own = matches!(name, "$ref" | "discriminator" | "exclusiveMaximum");
        if own || name.starts_with("x-") || ANNOTATIONS.contains(&name) {
            return Ok(());
        }
        if name == "exclusiveMinimum" && node.value.is_boolean() {
            return Ok(());
        }
        if REFUSED.contains(&name) {
            return Err(format!("`{name}` is not supported"));
        }
        if SAME.contains(&name) {
            made.insert(name.to_owned(), node.value.clone());
        } else if ONE.contains(&name) {
            let schema = self.schema(node, report, depth)?;
            made.insert(name.to_owned(), schema);
        } else if MANY.contains(&name) {
            let all: Result<Vec<Value>, String> = node
                .items()
                .iter()
                .map(|item| self.schema(item, report, depth))
                .collect();
            made.insert(name.to_owned(), Value::Array(all?));
        } else if NAMED.contains(&name) {
            let mut all = Map::new();
            for (key, below) in node.members() {
                all.insert(key.to_owned(), self.schema(&below, report, depth)?);
            }
            made.insert(name.to_owned(), Value::Object(all));
        } else if name == "format" {
            match node.value.as_str() {
                Some(format) if FORMATS.contains(&format) => {
                    made.insert(name.to_owned(), node.value.clone());
                }
                format => {
                    let format = format.unwrap_or("of another type");
                    report.note(&node.place(), format!("format `{format}` is not asserted"));
                }
            }
        } else if name == "$schema" {
            let known = "https://json-schema.org/draft/2020-12/schema";
            if node.value.as_str() != Some(known) {
                return Err("`$schema` names another dialect than 2020-12".into());
            }
        } else if name != "$defs" {
            report.note(&node.place(), format!("keyword `{name}` is not enforced"));
        }
        Ok(())
    }

    /// The name of what a reference means; its schema is made the first time.
    pub(super) fn reference(
        &mut self,
        file: &str,
        reference: &str,
        report: &mut Report,
    ) -> Result<String, String> {
        let target = self.documents.resolve(file, reference)?;
        let is_one = !self.closes() && !self.directions.differ(&target, self.documents);
        let direction = if is_one {
            Direction::Both
        } else {
            self.direction
        };
        let key = (target.file, target.pointer.clone(), direction);
        if let Some(known) = self.names.get(&key) {
            return known.clone();
        }
        let name = self.free_name(&target);
        // Before it is made: it may refer to itself.
        self.names.insert(key.clone(), Ok(name.clone()));
        match self.schema(&target, report, 0) {
            Ok(schema) => {
                self.named.insert(name.clone(), schema);
                Ok(name)
            }
            Err(problem) => {
                self.names.insert(key, Err(problem.clone()));
                Err(problem)
            }
        }
    }

    fn free_name(&mut self, target: &Node<'_>) -> String {
        let last = target.pointer.rsplit('/').next().unwrap_or_default();
        let last = if last.is_empty() { target.file } else { last };
        let mut name = safe(last, &['_', '-'], NAME_BYTES_MAX);
        let mut number = 1_u32;
        while self.taken.contains(&name) {
            number += 1;
            name = format!("{}_{number}", safe(last, &['_', '-'], NAME_BYTES_MAX));
        }
        self.taken.insert(name.clone());
        name
    }

    /// 3.0 says with a flag what 2020-12 says with a number.
    fn exclusive(&self, node: &Node<'a>, made: &mut Map<String, Value>) -> Result<(), String> {
        for (flag, bound) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            match node.value.get(flag) {
                None | Some(Value::Bool(false)) => {}
                Some(Value::Bool(true)) => {
                    let Some(number) = made.shift_remove(bound) else {
                        return Err(format!("`{flag}` stands without `{bound}`"));
                    };
                    made.insert(flag.into(), number);
                }
                Some(number) => {
                    made.insert(flag.into(), number.clone());
                }
            }
        }
        Ok(())
    }

    /// What only answers have is not asked for in a request, and not taken; and the other way.
    fn directions(&self, node: &Node<'a>, made: &mut Map<String, Value>) {
        let flag = match self.direction {
            Direction::Answer => "writeOnly",
            Direction::Both | Direction::Request => "readOnly",
        };
        let properties = node.get("properties");
        for (name, property) in properties.iter().flat_map(Node::members) {
            if self.says(&property, flag, 0) != Some(true) {
                continue;
            }
            if let Some(Value::Object(properties)) = made.get_mut("properties") {
                properties.insert(name.to_owned(), Value::Bool(false));
            }
            if let Some(Value::Array(required)) = made.get_mut("required") {
                required.retain(|known| known.as_str() != Some(name));
            }
        }
    }

    /// What a property says of itself, or what it refers to, alone or as a part.
    fn says(&self, property: &Node<'a>, flag: &str, depth: usize) -> Option<bool> {
        let own = property.flag(flag);
        if own.is_some() || depth == FLAG_DEPTH_MAX {
            return own;
        }
        let target = self.documents.follow(property).ok()?;
        let parts = target.get("allOf");
        let mut parts = parts.iter().flat_map(Node::items);
        let within = || parts.find_map(|part| self.says(&part, flag, depth + 1));
        target.flag(flag).or_else(within)
    }

    fn close(&self, keywords: &Map<String, Value>, made: &mut Map<String, Value>) {
        let says = |name: &str| keywords.contains_key(name);
        let composed = MANY.iter().any(|name| says(name));
        let open = ["additionalProperties", "unevaluatedProperties", "$ref"];
        if self.closes()
            && self.direction != Direction::Answer
            && says("properties")
            && !composed
            && !open.iter().any(|name| says(name))
        {
            made.insert("unevaluatedProperties".into(), Value::Bool(false));
        }
    }
}

/// 3.0 says with a flag that a value may be null.
fn nullable(node: &Node<'_>, mut made: Map<String, Value>) -> Value {
    if node.flag("nullable") != Some(true) {
        return Value::Object(made);
    }
    match made.get("type").and_then(Value::as_str) {
        Some(name) if !made.contains_key("allOf") => {
            let types = json!([name, "null"]);
            made.insert("type".into(), types);
            Value::Object(made)
        }
        _ => json!({ "anyOf": [made, { "type": "null" }] }),
    }
}

/// `text` as a name: a letter, then letters, digits and `others`, at most `bytes_max` of them.
pub(super) fn safe(text: &str, others: &[char], bytes_max: usize) -> String {
    let mut name: String = text
        .chars()
        .map(
            |one| match one.is_ascii_alphanumeric() || others.contains(&one) {
                true => one,
                false => '_',
            },
        )
        .take(bytes_max)
        .collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.insert(0, 'n');
    }
    name.truncate(bytes_max);
    name
}
