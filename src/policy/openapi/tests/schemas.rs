use super::*;

#[test]
fn schemas_of_3_0_say_the_same_in_2020_12() {
    for (old, new) in [
        (
            json!({ "type": "string", "nullable": true, "example": "x" }),
            json!({ "type": ["string", "null"] }),
        ),
        (
            json!({ "nullable": true, "allOf": [{ "type": "string" }] }),
            json!({ "anyOf": [{ "allOf": [{ "type": "string" }] }, { "type": "null" }] }),
        ),
        (
            json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false }),
            json!({ "type": "integer", "exclusiveMinimum": 1, "maximum": 9 }),
        ),
    ] {
        assert_eq!(body("3.0.3", old), new);
    }
    let lone = json!({ "type": "integer", "exclusiveMaximum": true });
    let content = json!({ "application/json": { "schema": lone } });
    let mut document = document(json!({ "requestBody": { "content": content } }));
    document["openapi"] = json!("3.0.0");
    assert!(
        route(&document)
            .unwrap_err()
            .contains("stands without `maximum`")
    );
}

#[test]
fn what_only_answers_have_is_refused_in_requests() {
    let schema = json!({
        "type": "object", "required": ["id", "name"],
        "properties": { "id": { "type": "string", "readOnly": true }, "name": { "type": "string" } }
    });
    assert_eq!(
        body("3.1.0", schema),
        json!({
            "type": "object", "required": ["name"],
            "properties": { "id": false, "name": { "type": "string" } }
        })
    );
}

#[test]
fn what_a_part_says_of_only_answers_counts_for_the_whole() {
    let id = json!({ "type": "string", "readOnly": true });
    let by_reference =
        json!({ "allOf": [{ "$ref": "#/components/schemas/Id" }], "description": "a" });
    for property in [by_reference, json!({ "allOf": [id] })] {
        let pet = json!({ "properties": { "id": property } });
        let document = pets(json!({ "Pet": pet, "Id": id }));
        assert_eq!(judged(&document, json!({ "name": "a" })), [""; 0]);
        assert_eq!(
            judged(&document, json!({ "id": "a" })).len(),
            1,
            "{property}"
        );
    }
}

/// A document whose content is `#/components/schemas/Pet` of these.
fn pets(schemas: Value) -> Value {
    let content =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } });
    let mut document = document(json!({ "requestBody": { "required": true, "content": content } }));
    document["components"] = json!({ "schemas": schemas });
    document
}

fn judged(document: &Value, value: Value) -> Vec<String> {
    use crate::body::finding::Location;
    use crate::body::schema::Schema;
    let Imported { policy, .. } = made(document);
    let named = policy["schemas"].as_object().unwrap();
    let schema = Schema::compile(
        &policy["routes"][0]["request"]["bodies"]["application/json"],
        named,
    )
    .unwrap();
    let findings = schema.judge(&value, Location::Body);
    findings
        .iter()
        .map(|one| format!("{} {}", one.pointer, one.keyword))
        .collect()
}

#[test]
fn a_discriminator_says_which_branch_is_asked() {
    let document = pets(json!({
        "Pet": {
            "oneOf": [{ "$ref": "#/components/schemas/Cat" }, { "$ref": "#/components/schemas/Dog" }],
            "discriminator": { "propertyName": "kind", "mapping": { "feline": "#/components/schemas/Cat" } }
        },
        "Cat": { "type": "object", "required": ["lives"], "properties": { "lives": { "type": "integer" } } },
        "Dog": { "type": "object", "required": ["tricks"] }
    }));
    let none: [&str; 0] = [];
    assert_eq!(
        judged(&document, json!({ "kind": "feline", "lives": 9 })),
        none
    );
    assert_eq!(
        judged(&document, json!({ "kind": "Dog", "tricks": 1 })),
        none
    );
    assert_eq!(
        judged(&document, json!({ "kind": "feline", "tricks": 1 })),
        ["/lives required"]
    );
    assert_eq!(
        judged(&document, json!({ "kind": "Cat", "lives": 9 })),
        ["/kind enum"]
    );
    assert_eq!(judged(&document, json!({ "lives": 9 })), ["/kind required"]);
}

#[test]
fn a_keyword_that_is_no_rule_is_told_with_its_place() {
    let bad = json!({ "type": "string", "minLength": "4" });
    let parameter =
        |place: &str| json!({ "parameters": [{ "name": "sid", "in": place, "schema": bad }] });
    let content = |schema: Value| json!({ "requestBody": { "content": { "application/json": { "schema": schema } } } });
    let named = json!({ "title": "It", "$ref": "#/components/schemas/Sid", "minLength": "4" });
    let told = r#""4" is not of type "integer""#;
    for (change, place) in [
        (
            parameter("cookie"),
            "its cookies: /properties/sid/minLength",
        ),
        (parameter("query"), "its query: /properties/sid/minLength"),
        (
            content(json!({ "properties": { "a/b": bad } })),
            "application/json: /properties/a~1b/minLength",
        ),
        (content(bad.clone()), "application/json: /minLength"),
        // Beside a reference: as the document has it, not as it is put together.
        (content(named), "application/json: /minLength"),
        (
            content(json!({ "$ref": "#/components/schemas/Bad" })),
            "application/json: /schemas/Bad/minLength",
        ),
    ] {
        let mut document = document(change);
        let schemas = json!({ "Sid": { "type": "string" }, "Bad": bad });
        document["components"] = json!({ "schemas": schemas });
        let problem = route(&document).unwrap_err();
        assert!(problem.ends_with(&format!("{place}: {told}")), "{problem}");
    }
}
