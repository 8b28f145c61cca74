//! A JSON Schema, compiled once and asked often; findings name the place and the rule, never the
//! value.
//!
//! Owns: how `jsonschema` is set up, under which draft, and when its errors are gathered. Patterns
//! run on the linear engine and formats are asserted. Does not own: which schema applies
//! (`policy::gate`), what an error is told as (`body::schema::told`).

mod told;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value, json};

use crate::body::finding::{FINDINGS_MAX, Finding, Location, clip};
use crate::body::graph::Graph;
use crate::body::keywords;
use crate::body::reach::{self, Visits};

/// Most bytes of one compiled pattern: a bound on what a policy can make a request pay.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most bytes that gathering the errors of one document may take, as reckoned before.
const GATHERED_BYTES_MAX: u64 = 32 << 20;
/// What one error takes, beside a value that it holds.
const ERROR_BYTES: u64 = 300;
/// What one value takes, beside its text.
const VALUE_BYTES: u64 = 32;

/// A schema ready to judge.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    visits: Visits,
    /// Whether its errors may hold copies of values: those of the branches of `anyOf` do.
    copies: bool,
}

impl Schema {
    /// Compiles `schema`; `named` are the policy's `schemas`, which it may refer to as
    /// `#/schemas/NAME`.
    ///
    /// Fails with one sentence on an invalid schema, a draft or a keyword that is not known, an
    /// unknown reference (nothing is fetched), an unknown format, a pattern the linear engine
    /// cannot run, or one that a document could make work without bound.
    pub fn compile(schema: &Value, named: &Map<String, Value>) -> Result<Self, String> {
        let reachable = collect_named(schema, named);
        let draft = common_draft(schema, &reachable)?;
        let composed = !reachable.is_empty();
        let root = match schema {
            Value::Object(object)
                if composed && object.contains_key("$ref") && object.len() == 1 =>
            {
                json!({ "$ref": object.get("$ref"), "schemas": reachable })
            }
            _ if composed => json!({ "allOf": [schema], "schemas": reachable }),
            _ => schema.clone(),
        };
        let graph = Graph::read(&root, draft, composed)?;
        let (visits, copies) = (reach::check(&graph)?, graph.has_branches);
        jsonschema::options()
            .with_draft(draft)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .offline()
            .build(&root)
            .map(|validator| Self {
                validator,
                visits,
                copies,
            })
            .map_err(|error| clip(&error.to_string(), 400))
    }

    /// Judges `value`; at most [`FINDINGS_MAX`] findings, none if it is valid.
    pub fn judge(&self, value: &Value, location: Location) -> Vec<Finding> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        if self.gathered_bytes(value) > GATHERED_BYTES_MAX {
            return vec![told::in_all(location)];
        }
        let errors = self.validator.iter_errors(value);
        errors
            .flat_map(|error| told::findings(&error, location))
            .take(FINDINGS_MAX)
            .collect()
    }

    /// What every error of a document takes at most, if each rule fails at each value.
    fn gathered_bytes(&self, value: &Value) -> u64 {
        let Extent {
            values,
            levels,
            copied_bytes,
        } = extent(value);
        let copied_bytes = if self.copies { copied_bytes } else { 0 };
        let once = values.saturating_mul(ERROR_BYTES);
        let once = once.saturating_add(copied_bytes);
        once.saturating_mul(self.visits.at(levels))
    }
}

/// The draft of a schema and of all that it refers to: one, or what is a rule to one would be
/// passed over by another.
fn common_draft(schema: &Value, reachable: &Map<String, Value>) -> Result<Draft, String> {
    // A reference alone is of whatever draft it leads to.
    let leads_on =
        schema.get("$ref").is_some() && schema.as_object().is_some_and(|one| one.len() == 1);
    let own = (!leads_on || reachable.is_empty()).then_some(schema);
    let mut drafts = own
        .into_iter()
        .chain(reachable.values())
        .map(keywords::draft_of);
    let first = drafts.next().unwrap_or(Ok(Draft::Draft202012))?;
    for draft in drafts {
        let draft = draft?;
        if draft != first {
            return Err(format!(
                "a schema of {} and one of {} refer to each other",
                keywords::title(first),
                keywords::title(draft)
            ));
        }
    }
    Ok(first)
}

/// How large a document is.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    values: u64,
    levels: u64,
    /// A copy of each value, with what is below it.
    copied_bytes: u64,
}

fn extent(value: &Value) -> Extent {
    let mut bytes = 0;
    let extent = measure(value, &mut bytes);
    Extent {
        levels: extent.levels + 1,
        ..extent
    }
}

/// - `bytes`: what the value itself takes, with what is below it, is added to this.
fn measure(value: &Value, bytes: &mut u64) -> Extent {
    let mut own_bytes = VALUE_BYTES;
    let mut extent = Extent::default();
    let mut add = |below: &Value, own_bytes: &mut u64| {
        let below = measure(below, own_bytes);
        extent.values += below.values;
        extent.copied_bytes += below.copied_bytes;
        extent.levels = extent.levels.max(below.levels + 1);
    };
    match value {
        Value::String(text) => own_bytes += text.len() as u64,
        Value::Array(items) => items.iter().for_each(|item| add(item, &mut own_bytes)),
        Value::Object(members) => {
            for (name, member) in members {
                own_bytes += name.len() as u64;
                add(member, &mut own_bytes);
            }
        }
        _ => {}
    }
    *bytes += own_bytes;
    extent.values += 1;
    extent.copied_bytes += own_bytes;
    extent
}

/// The named schemas that `schema` can reach: found by a list, for a policy may have thousands that
/// lead from one to the next.
fn collect_named(schema: &Value, named: &Map<String, Value>) -> Map<String, Value> {
    let mut reachable = Map::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                let name = object.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|target| target.strip_prefix("#/schemas/"));
                let name = name.map(|rest| rest.split('/').next().unwrap_or(rest));
                if let Some((name, target)) = name.and_then(|name| Some((name, named.get(name)?)))
                    && !reachable.contains_key(name)
                {
                    reachable.insert(name.to_owned(), target.clone());
                    open.push(target);
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    reachable
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
    fn a_document_is_measured_by_values_levels_and_copies() {
        let Extent {
            values,
            levels,
            copied_bytes,
        } = extent(&json!({ "ab": ["c"] }));
        let item = VALUE_BYTES + 1;
        let array = VALUE_BYTES + item;
        let object = VALUE_BYTES + 2 + array;
        assert_eq!(
            (values, levels, copied_bytes),
            (3, 3, item + array + object)
        );
    }

    #[test]
    fn alternatives_are_told_with_what_is_wrong_with_the_closest() {
        let forms = json!({ "properties": { "pay": { "oneOf": [
            { "type": "object", "required": ["iban"], "properties": { "kind": { "const": "bank" }, "iban": { "type": "string", "minLength": 5 } } },
            { "type": "object", "required": ["number"], "properties": { "kind": { "const": "card" }, "number": { "type": "string" } } },
            { "type": "string" }
        ] } } });
        let schema = Schema::compile(&forms, &Map::new()).unwrap();
        let told = |pay: Value| -> Vec<String> {
            let findings = schema.judge(&json!({ "pay": pay }), Location::Body);
            findings
                .iter()
                .map(|f| format!("{} {}", f.pointer, f.keyword))
                .collect()
        };
        assert_eq!(
            told(json!({ "kind": "bank", "iban": "DE" })),
            ["/pay oneOf", "/pay/iban minLength"]
        );
        assert_eq!(
            told(json!({ "kind": "card" })),
            ["/pay oneOf", "/pay/number required"]
        );
        assert_eq!(told(json!({})), ["/pay oneOf"], "two are as close");
        assert_eq!(told(json!(7)), ["/pay oneOf"], "none is close");
        assert_eq!(
            told(json!({ "iban": "12345", "number": "1" })),
            ["/pay oneOf"]
        );
    }

    #[test]
    fn schemas_of_one_draft_go_together_and_those_of_two_do_not() {
        let compiled =
            |root: Value, named: Value| Schema::compile(&root, named.as_object().unwrap());
        let old = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "maximum": 5, "exclusiveMaximum": true });
        let to = json!({ "$ref": "#/schemas/Old" });
        let schema = compiled(to.clone(), json!({ "Old": old })).unwrap();
        assert_eq!(
            schema.judge(&json!(5), Location::Body)[0].keyword,
            "exclusiveMaximum"
        );
        assert!(schema.judge(&json!(4), Location::Body).is_empty());
        let around = json!({ "items": to });
        let why = compiled(around.clone(), json!({ "Old": old })).unwrap_err();
        assert_eq!(
            why,
            "a schema of JSON Schema 2020-12 and one of JSON Schema draft 4 refer to each other"
        );
        let mut same = around;
        same["$schema"] = old["$schema"].clone();
        assert!(compiled(same, json!({ "Old": old })).is_ok());
        let within = json!({ "items": { "$schema": "http://json-schema.org/draft-07/schema#" } });
        assert!(compiled(within, json!({})).is_err());
        assert!(compiled(json!({ "maximum": 5, "exclusiveMaximum": true }), json!({})).is_err());
    }

    #[test]
    fn formats_are_asserted_in_every_draft() {
        for draft in [
            "http://json-schema.org/draft-04/schema#",
            "http://json-schema.org/draft-06/schema#",
            "http://json-schema.org/draft-07/schema#",
            "https://json-schema.org/draft/2019-09/schema",
            "https://json-schema.org/draft/2020-12/schema",
        ] {
            let schema = json!({ "$schema": draft, "format": "date-time" });
            let schema = Schema::compile(&schema, &Map::new()).unwrap();
            assert_eq!(
                schema.judge(&json!("no"), Location::Body)[0].keyword,
                "format",
                "{draft}"
            );
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
