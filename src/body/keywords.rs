//! The keywords of a schema: a misspelled one would be ignored, and look like a rule that holds.
//!
//! Owns: the list (JSON Schema 2020-12, core and validation), and whether a schema reaches itself.

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
];
/// Keywords whose value is a list of schemas.
const MANY: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas.
const NAMED: [&str; 4] = [
    "$defs",
    "dependentSchemas",
    "patternProperties",
    "properties",
];
/// All others.
const PLAIN: [&str; 39] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
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
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// Fails with a sentence on a keyword that JSON Schema 2020-12 does not have; `x-…` is anyone's.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let Value::Object(keywords) = schema else {
        return Ok(());
    };
    for name in keywords.keys() {
        let known = name.starts_with("x-")
            || name == "unevaluatedProperties"
            || [&ONE[..], &MANY, &NAMED, &PLAIN]
                .iter()
                .any(|list| list.contains(&name.as_str()));
        if !known {
            return Err(format!("`{name}` is no keyword of JSON Schema 2020-12"));
        }
    }
    subschemas(keywords).try_for_each(check)
}

/// Whether a schema can reach itself, by name or by a reference that this does not follow.
pub(super) fn is_recursive(schema: &Value, named: &Map<String, Value>) -> bool {
    let mut found = Vec::new();
    references(schema, &mut found);
    let mut by_name: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, schema) in named {
        let mut targets = Vec::new();
        references(schema, &mut targets);
        found.extend(targets.iter().copied());
        let targets = targets.into_iter().filter_map(name_of).collect();
        by_name.push((name, targets));
    }
    // Names are taken away while one refers to none that is left: what stays is a circle.
    loop {
        let left: Vec<&str> = by_name.iter().map(|(name, _)| *name).collect();
        let before = by_name.len();
        by_name.retain(|(_, targets)| targets.iter().any(|target| left.contains(target)));
        if by_name.len() == before {
            break;
        }
    }
    !by_name.is_empty() || found.iter().any(|target| name_of(target).is_none())
}

fn name_of(target: &str) -> Option<&str> {
    let name = target.strip_prefix("#/schemas/")?;
    (!name.contains('/')).then_some(name)
}

fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    let Value::Object(keywords) = schema else {
        return;
    };
    let targets = ["$ref", "$dynamicRef"]
        .into_iter()
        .filter_map(|name| keywords.get(name)?.as_str());
    found.extend(targets);
    subschemas(keywords).for_each(|schema| references(schema, found));
}

fn subschemas(keywords: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let one = ONE
        .iter()
        .chain(&["unevaluatedProperties"])
        .filter_map(|name| keywords.get(*name));
    let many = MANY
        .iter()
        .filter_map(|name| keywords.get(*name)?.as_array())
        .flatten();
    let named = NAMED
        .iter()
        .filter_map(|name| keywords.get(*name)?.as_object());
    one.chain(many).chain(named.flat_map(Map::values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_misspelled_keyword_is_told_wherever_it_stands() {
        for (schema, fault) in [
            (
                json!({ "additionalproperties": false }),
                Some("additionalproperties"),
            ),
            (
                json!({ "properties": { "a": { "maxlength": 2 } } }),
                Some("maxlength"),
            ),
            (
                json!({ "allOf": [{ "items": { "minimun": 1 } }] }),
                Some("minimun"),
            ),
            (
                json!({ "properties": { "maxlength": { "x-note": 1 } } }),
                None,
            ),
            (
                json!({ "enum": [{ "anything": 1 }], "default": { "at": "all" } }),
                None,
            ),
            (json!(true), None),
        ] {
            let told = check(&schema).err();
            assert_eq!(told.is_some(), fault.is_some(), "{schema}");
            assert!(
                told.unwrap_or_default().contains(fault.unwrap_or_default()),
                "{schema}"
            );
        }
    }

    #[test]
    fn a_schema_that_reaches_itself_is_known() {
        let named = |value: Value| value.as_object().cloned().unwrap();
        let to = |name: &str| json!({ "$ref": format!("#/schemas/{name}") });
        let tree =
            named(json!({ "A": { "oneOf": [{ "properties": { "l": to("B") } }] }, "B": to("A") }));
        assert!(is_recursive(&to("A"), &tree));
        assert!(!is_recursive(
            &to("A"),
            &named(json!({ "A": to("B"), "B": { "type": "string" } }))
        ));
        assert!(is_recursive(
            &json!({ "properties": { "a": { "$ref": "#" } } }),
            &Map::new()
        ));
        assert!(!is_recursive(&json!({ "type": "object" }), &Map::new()));
    }
}
