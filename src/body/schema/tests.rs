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
    let compiled = |root: Value, named: Value| Schema::compile(&root, named.as_object().unwrap());
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

#[test]
fn a_readable_schema_is_compiled_for_the_first_value_that_is_wrong_or_large() {
    let compiled = |schema: &Schema| match &*schema.rules {
        Rules::Compiled(_) => true,
        Rules::Readable { compiled, .. } => compiled.get().is_some(),
    };
    let numbers = |count: usize| json!(vec![1; count]);
    let wrong = json!(["a"]);
    let most = numbers(READ_VALUES_MAX - 1);
    for (value, findings, compiles) in [
        (&most, 0, false),
        (&numbers(READ_VALUES_MAX), 0, true),
        (&wrong, 1, true),
    ] {
        let schema = json!({ "type": "array", "items": { "type": "integer" } });
        let schema = Schema::compile(&schema, &Map::new()).unwrap();
        assert!(!compiled(&schema));
        assert_eq!(schema.judge(value, Location::Body).len(), findings);
        assert_eq!(compiled(&schema), compiles);
        assert!(schema.judge(&most, Location::Body).is_empty());
    }
    let pattern = Schema::compile(&json!({ "pattern": "a" }), &Map::new()).unwrap();
    assert!(compiled(&pattern));
}

#[test]
fn what_is_not_known_of_a_schema_is_held_against_its_meta_schema() {
    for sound in [
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "title": "a" }),
        json!({ "$id": "https://example.com/a", "title": "a" }),
        json!({ "title": "a" }),
    ] {
        assert!(Schema::compile(&sound, &Map::new()).is_ok(), "{sound}");
        // The library compiles it all the same.
        let mut broken = sound;
        broken["title"] = json!(7);
        assert!(Schema::compile(&broken, &Map::new()).is_err(), "{broken}");
    }
}

#[test]
fn a_name_that_no_schema_has_is_told_with_those_that_there_are() {
    let problem = |named: &Map<String, Value>| {
        let compiled = Schema::compile(&json!({ "$ref": "#/schemas/Ordr" }), named);
        compiled.err().unwrap()
    };
    let told = problem(&named());
    assert!(
        told.starts_with("Pointer '/schemas/Ordr' does not exist; there is "),
        "{told}"
    );
    assert!(told.contains("Item") && told.contains("Order"), "{told}");
    assert_eq!(
        problem(&Map::new()),
        "Pointer '/schemas/Ordr' does not exist"
    );
}
