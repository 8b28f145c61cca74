//! What the text of a parameter is read as, and that no rule on numbers stands where nothing is read
//! as one: it would look like a rule that holds.
//!
//! Called by: `body::parameters`.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{ParameterType, resolve};

/// How deep schemas within schemas are looked into, and how many: named ones lead to one another. What
/// lies beyond is taken for text, and for no rule.
const DEPTH_MAX: usize = 16;
const SCHEMAS_MAX: usize = 1_000;
const NUMBER_RULES: [&str; 5] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
/// Keywords that hold a schema about the same value, and lists of them.
const ONE: [&str; 4] = ["not", "if", "then", "else"];
const MANY: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords that hold schemas about members or items.
const ONE_BELOW: [&str; 5] = [
    "additionalProperties",
    "unevaluatedProperties",
    "items",
    "contains",
    "additionalItems",
];
const NAMED_BELOW: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];

/// The type of a parameter: its schema's own, that of one of `allOf`, or that of all of `anyOf` or
/// `oneOf`, less null.
pub(super) fn type_of(rule: &Value, named: &Map<String, Value>) -> ParameterType {
    typed(rule, named, &Look::default()).unwrap_or(ParameterType::Text)
}

/// How far a look at schemas went.
#[derive(Default)]
struct Look {
    depth: Cell<usize>,
    schemas: Cell<usize>,
}

impl Look {
    /// Looks at one schema more; `None` beyond the bounds.
    fn at<T>(&self, look: impl FnOnce() -> Option<T>) -> Option<T> {
        let (depth, schemas) = (self.depth.get(), self.schemas.get());
        if depth == DEPTH_MAX || schemas == SCHEMAS_MAX {
            return None;
        }
        self.schemas.set(schemas + 1);
        self.depth.set(depth + 1);
        let found = look();
        self.depth.set(depth);
        found
    }
}

fn typed(rule: &Value, named: &Map<String, Value>, look: &Look) -> Option<ParameterType> {
    let rule = resolve(rule, named);
    let below = |rule: &Value| look.at(|| typed(rule, named, look));
    // Of several types the first that text has to be read for: what does not read stays text.
    let own = types(rule).find(|name| !matches!(*name, "null" | "string"));
    match own {
        Some("integer") => return Some(ParameterType::Integer),
        Some("number") => return Some(ParameterType::Number),
        Some("boolean") => return Some(ParameterType::Boolean),
        Some("array") => {
            let items = rule.get("items").and_then(below);
            let scalar = items.unwrap_or(ParameterType::Text).scalar();
            return Some(ParameterType::Array(scalar));
        }
        _ => {}
    }
    let parts = |word: &str| rule.get(word).and_then(Value::as_array);
    if let Some(found) = parts("allOf").into_iter().flatten().find_map(below) {
        return Some(found);
    }
    ["anyOf", "oneOf"].into_iter().find_map(|word| {
        let is_null = |branch: &&Value| types(resolve(branch, named)).eq(["null"]);
        let branches = parts(word)?.iter().filter(|one| !is_null(one));
        let mut found = branches.map(below);
        let first = found.next()??;
        found.all(|one| one == Some(first)).then_some(first)
    })
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = match rule.get("type") {
        Some(Value::Array(many)) => (None, Some(many)),
        other => (other, None),
    };
    one.into_iter()
        .chain(many.into_iter().flatten())
        .filter_map(Value::as_str)
}

/// Rules on numbers say nothing of text, and without a type a parameter is text.
pub(super) fn check_numbers(
    name: &str,
    rule: &Value,
    kind: ParameterType,
    named: &Map<String, Value>,
) -> Result<(), String> {
    use super::Scalar::{Boolean, Text};
    let is_read = !matches!(kind.scalar(), Text | Boolean);
    // Read by the types of its members, or as JSON.
    let is_object = types(rule).any(|one| one == "object");
    match unread(rule, named, &Look::default()).filter(|_| !is_read && !is_object) {
        Some(keyword) => Err(format!(
            "`{keyword}` of `{name}` needs `type`: integer or number"
        )),
        None => Ok(()),
    }
}

/// The same of names that `properties` at the top does not list: nothing is read for them.
pub(super) fn check_others(schema: &Value, named: &Map<String, Value>) -> Result<(), String> {
    let mut others = schema.clone();
    if let Some(others) = others.as_object_mut() {
        others.shift_remove("properties");
    }
    match unread(&others, named, &Look::default()) {
        Some(keyword) => Err(format!(
            "`{keyword}` holds for names in `properties` at the top alone: all others are text"
        )),
        None => Ok(()),
    }
}

/// A rule on numbers within a schema that does not ask for a number.
fn unread(rule: &Value, named: &Map<String, Value>, look: &Look) -> Option<&'static str> {
    let rule = resolve(rule, named);
    if types(rule).any(|one| matches!(one, "integer" | "number")) {
        return None;
    }
    if let Some(found) = NUMBER_RULES
        .into_iter()
        .find(|one| rule.get(*one).is_some())
    {
        return Some(found);
    }
    let under = |word: &&'static str| rule.get(*word);
    let one = ONE.iter().chain(&ONE_BELOW).filter_map(under);
    let many = MANY.iter().filter_map(under).filter_map(Value::as_array);
    let below = NAMED_BELOW.iter().filter_map(under);
    let below = below.filter_map(Value::as_object).flat_map(Map::values);
    let mut all = one.chain(many.flatten()).chain(below);
    all.find_map(|schema| look.at(|| unread(schema, named, look)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::finding::Location;
    use crate::body::parameters::ParameterRules;
    use crate::body::schema::Compiler;

    #[test]
    fn a_type_may_stand_in_a_part_of_the_schema() {
        let named = json!({ "Count": { "allOf": [{ "type": "integer" }, { "maximum": 9 }] } });
        let named = named.as_object().unwrap();
        for rule in [
            json!({ "anyOf": [{ "type": "integer", "maximum": 9 }, { "type": "null" }] }),
            json!({ "allOf": [{ "type": "integer" }, { "maximum": 9 }] }),
            json!({ "oneOf": [{ "type": "integer", "maximum": 4 }, { "type": "integer", "minimum": 6, "maximum": 9 }] }),
            json!({ "$ref": "#/schemas/Count" }),
        ] {
            let schema = json!({ "properties": { "n": rule } });
            let rules =
                ParameterRules::compile(&schema, &Compiler::new(named), Location::Query).unwrap();
            assert_eq!(rules.judge([("n", "3")].into_iter()), [], "{rule}");
            assert_ne!(rules.judge([("n", "10")].into_iter()), [], "{rule}");
            assert_ne!(rules.judge([("n", "x")].into_iter()), [], "{rule}");
        }
        // Of text and a number it may be either, and stays text.
        let either = json!({ "anyOf": [{ "type": "integer", "maximum": 9 }, { "enum": ["10"] }] });
        let schema = json!({ "properties": { "n": either } });
        let rules =
            ParameterRules::compile(&schema, &Compiler::new(named), Location::Query).unwrap();
        assert_eq!(rules.judge([("n", "10")].into_iter()), []);
    }

    #[test]
    fn a_rule_on_numbers_that_nothing_is_read_for_does_not_load() {
        let of = |rule: Value| json!({ "properties": { "n": rule } });
        for (schema, loads) in [
            (of(json!({ "minimum": 5 })), false),
            (
                of(json!({ "type": "integer", "allOf": [{ "minimum": 5 }] })),
                true,
            ),
            (of(json!({ "allOf": [{ "minimum": 5 }] })), false),
            (of(json!({ "anyOf": [{ "minimum": 5 }] })), false),
            (of(json!({ "not": { "maximum": 5 } })), false),
            (
                of(json!({ "type": "string", "if": { "maximum": 5 }, "then": false })),
                false,
            ),
            (
                of(json!({ "type": "array", "items": { "minimum": 5 } })),
                false,
            ),
            (
                of(json!({ "type": "array", "items": { "type": "number", "minimum": 5 } })),
                true,
            ),
            (
                of(json!({ "type": "object", "properties": { "a": { "minimum": 5 } } })),
                true,
            ),
            (of(json!({ "enum": [{ "minimum": 5 }] })), true),
            (
                json!({ "patternProperties": { "^n": { "minimum": 5 } } }),
                false,
            ),
            (json!({ "additionalProperties": { "minimum": 5 } }), false),
            (
                json!({ "additionalProperties": { "type": "integer", "minimum": 5 } }),
                true,
            ),
            (json!({ "allOf": [of(json!({ "minimum": 5 }))] }), false),
            (json!({ "allOf": [{ "$ref": "#/schemas/Page" }] }), false),
            (json!({ "$ref": "#/schemas/Tree" }), true),
        ] {
            let named = json!({
                "Page": { "properties": { "page": { "minimum": 1 } } },
                "Tree": { "properties": { "a": { "$ref": "#/schemas/Tree" } } }
            });
            let named = named.as_object().unwrap();
            let compiled = ParameterRules::compile(&schema, &Compiler::new(named), Location::Query);
            assert_eq!(compiled.is_ok(), loads, "{schema}");
        }
    }
}
