//! A JSON Schema (2020-12), compiled once and asked often; findings name the place and the rule,
//! never the value.
//!
//! Owns: how `jsonschema` is set up and how its errors are told. Patterns run on the linear engine
//! and formats are asserted. Does not own: which schema applies (`policy::gate`).

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::body::finding::{FINDINGS_MAX, Finding, Location, clip, push_token};
use crate::body::{keywords, reach};

/// Most bytes of one compiled pattern: a bound on what a policy can make a request pay.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Longest schema text (a pattern, an enum) that a fix repeats, in bytes.
const HINT_BYTES_MAX: usize = 200;

/// A schema ready to judge.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    /// Whether the schema can reach itself. The errors of such a schema hold those of every branch
    /// below, which is without bound: it is told in one finding.
    is_recursive: bool,
}

impl Schema {
    /// Compiles `schema`; `named` are the policy's `schemas`, which it may refer to as
    /// `#/schemas/NAME`.
    ///
    /// Fails with one sentence on an invalid schema, an unknown reference (nothing is fetched), an
    /// unknown format, or a pattern the linear engine cannot run.
    pub fn compile(schema: &Value, named: &Map<String, Value>) -> Result<Self, String> {
        let mut reachable = Map::new();
        collect_named(schema, named, &mut reachable);
        keywords::check(schema)?;
        reachable.values().try_for_each(keywords::check)?;
        reach::check(schema, &reachable)?;
        let is_recursive = keywords::is_recursive(schema, &reachable);
        let root = match schema {
            Value::Object(object) if object.contains_key("$ref") && object.len() == 1 => {
                serde_json::json!({ "$ref": object.get("$ref"), "schemas": reachable })
            }
            _ if reachable.is_empty() => schema.clone(),
            _ => serde_json::json!({ "allOf": [schema], "schemas": reachable }),
        };
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .offline()
            .build(&root)
            .map(|validator| Self {
                validator,
                is_recursive,
            })
            .map_err(|error| clip(&error.to_string(), 400))
    }

    /// Judges `value`; at most [`FINDINGS_MAX`] findings, none if it is valid.
    pub fn judge(&self, value: &Value, location: Location) -> Vec<Finding> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        if self.is_recursive {
            let fix = "Compare it with the API's documentation.";
            return vec![Finding::new(
                location,
                "",
                "$ref",
                "does not meet the schema",
                fix,
            )];
        }
        let errors = self.validator.iter_errors(value);
        errors
            .flat_map(|error| findings(&error, location))
            .take(FINDINGS_MAX)
            .collect()
    }
}

/// Gathers the named schemas that `schema` can reach.
fn collect_named(schema: &Value, named: &Map<String, Value>, reachable: &mut Map<String, Value>) {
    match schema {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|target| target.strip_prefix("#/schemas/"));
            let name = name.map(|rest| rest.split('/').next().unwrap_or(rest));
            if let Some((name, target)) = name.and_then(|name| Some((name, named.get(name)?)))
                && !reachable.contains_key(name)
            {
                reachable.insert(name.to_owned(), target.clone());
                collect_named(target, named, reachable);
            }
            object
                .values()
                .for_each(|value| collect_named(value, named, reachable));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_named(item, named, reachable)),
        _ => {}
    }
}

/// The findings of one error: one, or one for each unexpected name.
fn findings(error: &ValidationError<'_>, location: Location) -> Vec<Finding> {
    let pointer = error.instance_path().as_str();
    let keyword = error.kind().keyword();
    let below = |name: &str| {
        let mut pointer = pointer.to_owned();
        push_token(&mut pointer, name);
        pointer
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .take(FINDINGS_MAX)
            .map(|name| {
                let fix = "Remove it, or check its spelling.";
                Finding::new(location, &below(name), keyword, "not a known name", fix)
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Finding::new(
                location,
                &below(name),
                keyword,
                "missing",
                "Send it.",
            )]
        }
        kind => {
            let (message, fix) = explain(kind);
            vec![Finding::new(location, pointer, keyword, message, fix)]
        }
    }
}

/// What is wrong and what to send, from the schema's side alone.
#[expect(clippy::too_many_lines, reason = "one table, a line a rule")]
fn explain(kind: &ValidationErrorKind) -> (String, String) {
    use ValidationErrorKind as Kind;
    let (message, fix) = match kind {
        Kind::Type { kind } => ("of another type".into(), format!("Send {}.", types(kind))),
        Kind::Enum { options } => (
            "not one of the known values".into(),
            format!("Send one of {}.", hint(options)),
        ),
        Kind::Constant { expected_value } => (
            "not the one known value".into(),
            format!("Send {}.", hint(expected_value)),
        ),
        Kind::Minimum { limit } => ("too small".into(), format!("Send {limit} or more.")),
        Kind::Maximum { limit } => ("too large".into(), format!("Send {limit} or less.")),
        Kind::ExclusiveMinimum { limit } => {
            ("too small".into(), format!("Send more than {limit}."))
        }
        Kind::ExclusiveMaximum { limit } => {
            ("too large".into(), format!("Send less than {limit}."))
        }
        Kind::MinLength { limit } => (
            "too short".into(),
            format!("Send {limit} characters or more."),
        ),
        Kind::MaxLength { limit } => (
            "too long".into(),
            format!("Send {limit} characters or fewer."),
        ),
        Kind::MinItems { limit } => (
            "too few items".into(),
            format!("Send {limit} items or more."),
        ),
        Kind::MaxItems { limit } => (
            "too many items".into(),
            format!("Send {limit} items or fewer."),
        ),
        Kind::AdditionalItems { limit } => (
            "too many items".into(),
            format!("Send {limit} items or fewer."),
        ),
        Kind::MinProperties { limit } => (
            "too few names".into(),
            format!("Send {limit} names or more."),
        ),
        Kind::MaxProperties { limit } => (
            "too many names".into(),
            format!("Send {limit} names or fewer."),
        ),
        Kind::MultipleOf { multiple_of } => (
            "not a multiple".into(),
            format!("Send a multiple of {multiple_of}."),
        ),
        Kind::Pattern { pattern } => {
            let pattern = clip(pattern, HINT_BYTES_MAX);
            (
                "not in the known form".into(),
                format!("Send text that matches {pattern}."),
            )
        }
        Kind::Format { format } => (format!("not a valid {format}"), format!("Send a {format}.")),
        Kind::UniqueItems => ("items repeat".into(), "Send each item once.".into()),
        Kind::FalseSchema => ("not allowed here".into(), "Leave it out.".into()),
        Kind::PropertyNames { .. } => ("a name of another form".into(), "Rename it.".into()),
        _ => (
            "does not meet the rule".into(),
            "See the API's documentation.".into(),
        ),
    };
    (message, fix)
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("a value of type {one}"),
        TypeKind::Multiple(many) => {
            let names: Vec<_> = many.iter().map(|one| one.to_string()).collect();
            format!("a value of type {}", names.join(" or "))
        }
    }
}

fn hint(value: &Value) -> String {
    match value {
        Value::Array(options) => {
            let options: Vec<_> = options.iter().map(Value::to_string).collect();
            clip(&options.join(", "), HINT_BYTES_MAX)
        }
        other => clip(&other.to_string(), HINT_BYTES_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named() -> Map<String, Value> {
        let named = json!({
            "Order": {
                "type": "object",
                "additionalProperties": false,
                "required": ["item", "quantity"],
                "properties": {
                    "item": { "$ref": "#/schemas/Item" },
                    "quantity": { "type": "integer", "minimum": 1 },
                    "note": { "type": "string", "maxLength": 3 },
                    "at": { "type": "string", "format": "date-time" }
                }
            },
            "Item": { "enum": ["tea", "coffee"] }
        });
        named.as_object().cloned().unwrap()
    }

    fn told(value: Value) -> Vec<String> {
        let schema = Schema::compile(&json!({ "$ref": "#/schemas/Order" }), &named()).unwrap();
        let findings = schema.judge(&value, Location::Body);
        findings
            .iter()
            .map(|f| format!("{} {} {}", f.pointer, f.keyword, f.fix))
            .collect()
    }

    #[test]
    fn findings_name_the_place_and_the_rule_and_never_the_value() {
        assert!(told(json!({ "item": "tea", "quantity": 2 })).is_empty());
        let mut findings = told(json!({
            "item": "hunter2", "quantity": 0, "note": "hunter2", "extra/1": "hunter2", "at": "hunter2"
        }));
        findings.sort();
        assert_eq!(
            findings,
            [
                "/at format Send a date-time.",
                "/extra~11 additionalProperties Remove it, or check its spelling.",
                "/item enum Send one of \"tea\", \"coffee\".",
                "/note maxLength Send 3 characters or fewer.",
                "/quantity minimum Send 1 or more.",
            ]
        );
        assert_eq!(
            told(json!({ "quantity": "1" })),
            [
                "/item required Send it.",
                "/quantity type Send a value of type integer."
            ]
        );
    }

    #[test]
    fn a_schema_that_cannot_be_enforced_does_not_compile() {
        for schema in [
            json!({ "type": "strin" }),
            json!({ "$ref": "#/schemas/Missing" }),
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "pattern": "(?=a)b" }),
            json!({ "pattern": "(" }),
            json!({ "type": "string", "format": "no-such-format" }),
        ] {
            assert!(Schema::compile(&schema, &named()).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_hostile_document_has_a_bounded_number_of_findings() {
        let schema = json!({ "items": { "type": "string" } });
        let schema = Schema::compile(&schema, &Map::new()).unwrap();
        assert_eq!(
            schema.judge(&json!(vec![1; 5_000]), Location::Body).len(),
            FINDINGS_MAX
        );
    }
}
