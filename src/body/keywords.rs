//! The keywords of a schema: a misspelled one would be ignored, and look like a rule that holds.
//!
//! Owns: the lists of the drafts, which draft a schema says, and what may stand beside `$ref`.
//! Called by: `body::graph`, at every schema.

use jsonschema::Draft;
use serde_json::{Map, Value};

/// What the value of a keyword is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// One schema, held against the same value.
    Here,
    /// One that `unevaluated…` around it asks again, and a list of them.
    Again,
    AgainList,
    /// An object of them, as `dependencies` may hold.
    HereNamed,
    /// Schemas to refer to, held against nothing by themselves.
    Held,
    /// Schemas that are held against members.
    Properties,
    Patterns,
    OtherMembers,
    AnyMembers,
    /// Held against names.
    Names,
    /// Schemas that are held against items: the first ones, the others, any.
    FirstItems,
    OtherItems,
    AnyItems,
    /// Says what a rule beside it may not: nothing.
    Told,
    /// A rule, or part of one, that holds no schema.
    Plain,
}

use Draft::{Draft4 as D4, Draft6 as D6, Draft7 as D7, Draft201909 as D19, Draft202012 as D20};
use Shape::{
    Again, AgainList, AnyItems, AnyMembers, FirstItems, Held, Here, HereNamed, Names, OtherItems,
    OtherMembers, Patterns, Plain, Properties, Told,
};

/// Every keyword, the first draft that has it and the last. `example` and `externalDocs` are
/// OpenAPI's, and say nothing of a value.
const KEYWORDS: [(&str, Shape, Draft, Draft); 64] = [
    ("$anchor", Plain, D19, D20),
    ("$comment", Told, D4, D20),
    ("$defs", Held, D19, D20),
    ("$dynamicAnchor", Plain, D20, D20),
    ("$dynamicRef", Plain, D20, D20),
    ("$id", Plain, D6, D20),
    ("$recursiveAnchor", Plain, D19, D19),
    ("$recursiveRef", Plain, D19, D19),
    ("$ref", Plain, D4, D20),
    ("$schema", Told, D4, D20),
    ("additionalItems", OtherItems, D4, D19),
    ("additionalProperties", OtherMembers, D4, D20),
    ("allOf", AgainList, D4, D20),
    ("anyOf", AgainList, D4, D20),
    ("const", Plain, D6, D20),
    ("contains", AnyItems, D6, D20),
    ("contentEncoding", Plain, D7, D20),
    ("contentMediaType", Plain, D7, D20),
    ("contentSchema", Held, D19, D20),
    ("default", Told, D4, D20),
    ("definitions", Held, D4, D20),
    ("dependencies", HereNamed, D4, D7),
    ("dependentRequired", Plain, D19, D20),
    ("dependentSchemas", HereNamed, D19, D20),
    ("deprecated", Told, D4, D20),
    ("description", Told, D4, D20),
    ("else", Here, D7, D20),
    ("enum", Plain, D4, D20),
    ("example", Told, D4, D20),
    ("examples", Told, D4, D20),
    ("exclusiveMaximum", Plain, D4, D20),
    ("exclusiveMinimum", Plain, D4, D20),
    ("externalDocs", Told, D4, D20),
    ("format", Plain, D4, D20),
    ("id", Plain, D4, D4),
    ("if", Again, D7, D20),
    // A list of schemas up to 2019-09, one schema in every draft.
    ("items", OtherItems, D4, D20),
    ("maxContains", Plain, D19, D20),
    ("maxItems", Plain, D4, D20),
    ("maxLength", Plain, D4, D20),
    ("maxProperties", Plain, D4, D20),
    ("maximum", Plain, D4, D20),
    ("minContains", Plain, D19, D20),
    ("minItems", Plain, D4, D20),
    ("minLength", Plain, D4, D20),
    ("minProperties", Plain, D4, D20),
    ("minimum", Plain, D4, D20),
    ("multipleOf", Plain, D4, D20),
    ("not", Again, D4, D20),
    ("oneOf", AgainList, D4, D20),
    ("pattern", Plain, D4, D20),
    ("patternProperties", Patterns, D4, D20),
    ("prefixItems", FirstItems, D20, D20),
    ("properties", Properties, D4, D20),
    ("propertyNames", Names, D6, D20),
    ("readOnly", Told, D4, D20),
    ("required", Plain, D4, D20),
    ("then", Here, D7, D20),
    ("title", Told, D4, D20),
    ("type", Plain, D4, D20),
    ("unevaluatedItems", AnyItems, D19, D20),
    ("unevaluatedProperties", AnyMembers, D19, D20),
    ("uniqueItems", Plain, D4, D20),
    ("writeOnly", Told, D4, D20),
];

/// What a keyword holds; `None` for one that no draft knows.
pub(super) fn shape_of(name: &str) -> Option<Shape> {
    let known = KEYWORDS.iter().find(|(known, ..)| *known == name);
    known.map(|(_, shape, ..)| *shape)
}

/// Fails with a sentence on a keyword that `draft` does not have, and on a rule that it would pass
/// over; `x-…` is anyone's. Looks at this schema alone, not below it.
pub(super) fn check(keywords: &Map<String, Value>, draft: Draft) -> Result<(), String> {
    for name in keywords.keys().filter(|name| !name.starts_with("x-")) {
        let known = KEYWORDS.iter().find(|(known, ..)| known == name);
        let known = known.filter(|(_, _, since, until)| *since <= draft && draft <= *until);
        let Some((_, shape, ..)) = known else {
            return Err(format!("`{name}` is no keyword of {}", title(draft)));
        };
        let beside = !matches!(shape, Told | Held) && name != "$ref";
        if draft <= D7 && beside && keywords.contains_key("$ref") {
            return Err(format!(
                "{} passes over `{name}` beside `$ref`: put both under `allOf`",
                title(draft)
            ));
        }
    }
    Ok(())
}

/// The draft that `$schema` says; 2020-12 if it is not there.
pub(super) fn draft_of(schema: &Value) -> Result<Draft, String> {
    let Some(said) = schema.get("$schema") else {
        return Ok(D20);
    };
    match said.as_str().map(|said| said.trim_end_matches('#')) {
        Some("http://json-schema.org/draft-04/schema") => Ok(D4),
        Some("http://json-schema.org/draft-06/schema") => Ok(D6),
        Some("http://json-schema.org/draft-07/schema") => Ok(D7),
        Some("https://json-schema.org/draft/2019-09/schema") => Ok(D19),
        Some("https://json-schema.org/draft/2020-12/schema") => Ok(D20),
        _ => Err("`$schema` is none of draft 4, 6, 7, 2019-09 and 2020-12".into()),
    }
}

/// A draft's name in a sentence.
pub(super) fn title(draft: Draft) -> &'static str {
    match draft {
        D4 => "JSON Schema draft 4",
        D6 => "JSON Schema draft 6",
        D7 => "JSON Schema draft 7",
        D19 => "JSON Schema 2019-09",
        _ => "JSON Schema 2020-12",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(schema: &Value, draft: Draft) -> Option<String> {
        check(schema.as_object().unwrap(), draft).err()
    }

    #[test]
    fn each_draft_has_its_own_keywords() {
        for (schema, drafts) in [
            (json!({ "maxLength": 1, "x-note": 1 }), "4 6 7 2019 2020"),
            (json!({ "maxlength": 1 }), ""),
            (json!({ "id": "a" }), "4"),
            (json!({ "const": 1 }), "6 7 2019 2020"),
            (json!({ "if": true }), "7 2019 2020"),
            (json!({ "dependencies": {} }), "4 6 7"),
            (json!({ "additionalItems": false }), "4 6 7 2019"),
            (json!({ "unevaluatedItems": false }), "2019 2020"),
            (json!({ "$recursiveRef": "#" }), "2019"),
            (json!({ "prefixItems": [] }), "2020"),
        ] {
            let knowing: Vec<_> = [
                (D4, "4"),
                (D6, "6"),
                (D7, "7"),
                (D19, "2019"),
                (D20, "2020"),
            ]
            .into_iter()
            .filter(|(draft, _)| told(&schema, *draft).is_none())
            .map(|(_, name)| name)
            .collect();
            assert_eq!(knowing.join(" "), drafts, "{schema}");
        }
    }

    #[test]
    fn a_rule_that_a_draft_passes_over_is_refused() {
        let schema = json!({ "$ref": "#/schemas/A", "maxLength": 1 });
        for draft in [D4, D6, D7] {
            assert!(told(&schema, draft).unwrap().contains("maxLength"));
        }
        assert_eq!(told(&schema, D19), None);
        let schema = json!({ "$ref": "#/schemas/A", "description": "a", "definitions": {} });
        assert_eq!(told(&schema, D4), None);
    }

    #[test]
    fn a_draft_is_known_by_its_name_alone() {
        let said = |name: &str| draft_of(&json!({ "$schema": name }));
        assert_eq!(said("http://json-schema.org/draft-04/schema#"), Ok(D4));
        assert_eq!(said("http://json-schema.org/draft-07/schema"), Ok(D7));
        assert_eq!(draft_of(&json!({})), Ok(D20));
        for name in [
            "",
            "http://json-schema.org/schema#",
            "http://json-schema.org/draft-03/schema#",
            "https://example.com/schema",
        ] {
            assert!(said(name).is_err(), "{name}");
        }
        assert!(draft_of(&json!({ "$schema": 7 })).is_err());
    }
}
