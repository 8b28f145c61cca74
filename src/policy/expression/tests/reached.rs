//! Which pointers of rules about fields can meet one.

use super::*;
use crate::body::pointer::FieldPointer;

fn reached(content: Content, pointer: &str) -> Result<(), String> {
    let named = json!({
        "Item": {
            "type": "object", "additionalProperties": false,
            "properties": { "sku": { "type": "string" }, "price": { "type": "integer" } }
        },
        "Loop": { "$ref": "#/schemas/Loop" }
    });
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "approved": { "type": "boolean" },
            "items": { "type": "array", "items": { "$ref": "#/schemas/Item" } },
            "either": { "type": ["array", "object"] },
            "any": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
            "open": { "type": "object", "properties": { "a": true } },
            "by_name": { "type": "object", "patternProperties": { "^x": true }, "additionalProperties": false },
            "round": { "$ref": "#/schemas/Loop" },
            "more": true
        }
    });
    let (body, answer) = match content {
        Content::Request => (Some(&schema), None),
        Content::Answer => (None, Some(&schema)),
    };
    let known = Known {
        body,
        answer,
        query: None,
        named: named.as_object(),
    };
    known.reaches(content, &FieldPointer::parse(pointer).unwrap())
}

#[test]
fn what_a_schema_may_let_pass_is_reached() {
    for pointer in [
        "/approved",
        "/items",
        "/items/*",
        "/items/0",
        "/items/*/price",
        "/items/7/sku",
        "/*",
        "/*/anything",
        "/either/0/x",
        "/either/name",
        "/any/name",
        "/open/b/c",
        "/by_name/y",
        "/round/a/b",
        "/more/0/x",
    ] {
        for content in [Content::Request, Content::Answer] {
            assert_eq!(reached(content, pointer), Ok(()), "{pointer} {content:?}");
        }
    }
}

#[test]
fn what_no_field_can_be_at_is_told_with_the_names_there_are() {
    for (pointer, told) in [
        (
            "/aproved",
            "no `aproved` in the schema of the content; there is approved, items",
        ),
        (
            "/items/*/cost",
            "no `cost` in the schema of the content; there is sku, price",
        ),
        ("/items/price", "no `price` in a list; its items are `*`"),
        (
            "/approved/by",
            "no `by` there: true or false has no members",
        ),
        ("/approved/*", "no `*` there: true or false has no members"),
        ("/items/*/sku/0", "no `0` there: text has no members"),
    ] {
        for content in [Content::Request, Content::Answer] {
            let problem = reached(content, pointer).expect_err(pointer);
            assert!(problem.contains(told), "{pointer}: {problem}");
        }
    }
}

/// A rule about requests holds for every spelling that some reader takes for its name.
#[test]
fn case_counts_in_answers_alone() {
    assert_eq!(reached(Content::Request, "/Approved"), Ok(()));
    assert_eq!(reached(Content::Request, "/ITEMS/*/Price"), Ok(()));
    assert!(reached(Content::Answer, "/Approved").is_err());
}

#[test]
fn without_a_schema_that_is_enforced_nothing_is_known() {
    let pointer = FieldPointer::parse("/aproved").unwrap();
    for content in [Content::Request, Content::Answer] {
        assert_eq!(Known::default().reaches(content, &pointer), Ok(()));
    }
}
