use super::*;
use jsonschema::Draft;
use serde_json::{Map, Value, json};

fn to(name: &str) -> Value {
    json!({ "$ref": format!("#/schemas/{name}") })
}

fn told(named: Value) -> Result<Visits, String> {
    let root = json!({ "$ref": "#/schemas/a", "schemas": named });
    check(&Graph::read(&root, Draft::Draft202012, true)?)
}

#[test]
fn a_circle_in_place_is_refused_and_one_that_goes_down_is_not() {
    for named in [
        json!({ "a": to("b"), "b": to("a") }),
        json!({ "a": { "allOf": [to("a")] } }),
        json!({ "a": { "not": { "anyOf": [to("b")] } }, "b": to("a") }),
        json!({ "a": { "items": to("b") }, "b": to("b") }),
        json!({ "a": { "$ref": "#/schemas/a/$defs/c", "$defs": { "c": { "$ref": "#/schemas/a/$defs/c" } } } }),
        json!({ "a": { "$anchor": "here", "if": { "$ref": "#here" } } }),
        json!({ "a": { "$dynamicAnchor": "here", "allOf": [{ "$dynamicRef": "#here" }] } }),
    ] {
        let why = told(named.clone()).unwrap_err();
        assert!(why.contains("without going down"), "{named} {why}");
    }
    for named in [
        json!({ "a": { "properties": { "next": to("a") } } }),
        json!({ "a": { "allOf": [to("b"), to("b")] }, "b": {} }),
    ] {
        assert!(told(named.clone()).is_ok(), "{named}");
    }
}

#[test]
fn a_schema_reaches_itself_in_one_way_through_each_member_and_item() {
    for named in [
        json!({ "a": { "properties": { "left": to("a"), "right": to("a") } } }),
        json!({ "a": { "items": to("a") } }),
        json!({ "a": { "additionalProperties": to("a") } }),
        json!({ "a": { "anyOf": [{ "type": "string" }, { "items": to("a") }] } }),
        json!({ "a": { "oneOf": [
            { "properties": { "and": { "items": to("a") } } },
            { "properties": { "not": to("a") } }
        ] } }),
        json!({ "a": { "prefixItems": [to("a")], "items": to("a") } }),
        json!({ "a": { "properties": { "b": to("b") } }, "b": { "properties": { "a": to("a") } } }),
        json!({ "a": { "unevaluatedProperties": false, "$ref": "#/schemas/b" },
            "b": { "properties": { "next": to("a") } } }),
    ] {
        assert!(told(named.clone()).is_ok(), "{named}");
    }
    for named in [
        json!({ "a": { "oneOf": [
            { "properties": { "left": to("a") } },
            { "properties": { "left": to("a"), "right": to("a") } }
        ] } }),
        json!({ "a": { "properties": { "left": to("a") }, "patternProperties": { "^l": to("a") } } }),
        json!({ "a": { "items": to("a"), "contains": to("a") } }),
        json!({ "a": { "allOf": [{ "items": to("b") }, { "items": to("b") }] }, "b": { "items": to("a") } }),
        json!({ "a": { "anyOf": [{ "items": to("a") }, { "additionalProperties": to("a") }] ,
            "properties": { "x": { "anyOf": [to("a"), to("a")] } } } }),
        // Asked again, to know what is left over.
        json!({ "a": { "unevaluatedProperties": false, "allOf": [{ "properties": { "next": to("a") } }] } }),
    ] {
        let why = told(named.clone()).unwrap_err();
        assert!(why.contains("in two ways"), "{named} {why}");
    }
}

#[test]
fn what_one_value_is_held_against_is_bounded_on_both_sides() {
    let list = |count: usize| json!({ "a": { "anyOf": vec![json!({}); count] } });
    // The schema itself, and what refers to it.
    assert!(told(list(HERE_MAX - 2)).is_ok());
    assert!(told(list(HERE_MAX - 1)).is_err());
    // Each level doubles what the one above asks.
    let doubled = |levels: usize, keyword: &str| {
        let mut named = Map::new();
        for level in 0..levels {
            let next = to(&format!("s{}", level + 1));
            let next = json!({ keyword: [next.clone(), next] });
            let next = if keyword == "anyOf" {
                json!({ "items": next })
            } else {
                next
            };
            named.insert(format!("s{level}"), next);
        }
        named.insert(format!("s{levels}"), json!({}));
        named.insert("a".into(), to("s0"));
        Value::Object(named)
    };
    assert!(told(doubled(7, "allOf")).is_ok());
    assert!(told(doubled(9, "allOf")).is_err());
    assert!(told(doubled(39, "allOf")).is_err(), "and told at once");
    assert!(told(doubled(14, "anyOf")).is_ok());
    assert!(told(doubled(17, "anyOf")).is_err());
    assert!(told(doubled(60, "anyOf")).is_err());
}

#[test]
fn a_dynamic_reference_is_reckoned_to_mean_all_that_it_may() {
    // `a` reaches `b`, whose items are of either anchor.
    let named = json!({
        "a": { "$dynamicAnchor": "node", "$ref": "#/schemas/b" },
        "b": { "$anchor": "node", "items": { "$dynamicRef": "#node" } }
    });
    assert!(told(named).unwrap_err().contains("in two ways"));
    let named = json!({ "a": { "$dynamicAnchor": "node", "items": { "$dynamicRef": "#node" } } });
    assert!(told(named).is_ok());
}

#[test]
fn many_schemas_that_lead_to_each_other_are_reckoned() {
    let mut named = Map::new();
    for number in 0..500_usize {
        let lead = |way: usize| json!({ "anyOf": [{ "type": "string" }, to(&format!("s{}", (number * 7 + way * 13) % 500))] });
        let properties: Map<_, _> = (0..10).map(|way| (format!("p{way}"), lead(way))).collect();
        named.insert(format!("s{number}"), json!({ "properties": properties }));
    }
    named.insert("a".into(), to("s0"));
    assert!(told(Value::Object(named)).is_ok());
}

#[test]
fn visits_grow_with_the_levels_of_a_document() {
    let flat = told(json!({ "a": { "properties": { "b": { "type": "string" } } } })).unwrap();
    assert_eq!((flat.at(1), flat.at(2), flat.at(64)), (2, 2, 2));
    let tree =
        json!({ "a": { "properties": { "next": { "anyOf": [to("a"), { "type": "null" }] } } } });
    let tree = told(tree).unwrap();
    assert!(tree.at(1) <= tree.at(3) && tree.at(3) <= tree.at(4) && tree.at(64) < 100);
}
