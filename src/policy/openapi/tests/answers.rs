use super::*;

/// A document of one operation with these responses, and some schemas.
fn answering(responses: Value) -> Value {
    let mut document = document(json!({ "responses": responses }));
    document["components"] = json!({
        "schemas": {
            "Pet": {
                "type": "object", "required": ["id", "secret"],
                "properties": {
                    "id": { "type": "integer", "readOnly": true },
                    "secret": { "type": "string", "writeOnly": true },
                    "owner": { "$ref": "#/components/schemas/Owner" }
                }
            },
            "Owner": { "type": "object", "properties": { "pets": { "type": "array", "items": { "$ref": "#/components/schemas/Pet" } } } },
            "Plain": { "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Plain" } } }
        },
        "responses": { "Ok": { "description": "", "content": { "application/json": { "schema": { "type": "integer" } } } } }
    });
    document
}

fn json_of(schema: Value) -> Value {
    json!({ "description": "", "content": { "application/json": { "schema": schema } } })
}

fn with(document: &Value, options: Value, route: Value) -> Imported {
    let mut own = json!({ "id": "make" });
    let said = route.as_object().unwrap().clone();
    own.as_object_mut().unwrap().extend(said);
    let change = json!({ "openapi_options": options, "routes": [own] });
    run(&policy(change), &json!({ "api.json": document })).unwrap()
}

fn notes(imported: &Imported) -> Vec<&str> {
    let notes = imported.report["not_enforced"].as_array().unwrap().iter();
    notes
        .map(|note| note["problem"].as_str().unwrap())
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn good_answers_in_json_are_held_against_their_schema() {
    let integer = json!({ "type": "integer" });
    let others = "answers with other statuses than 2xx are not checked";
    let any = "answers of several statuses or types are held against any of their schemas";
    let silent = "content of a status of which nothing is said is held against the others'";
    for (responses, rule, told) in [
        (
            json!({ "200": json_of(integer.clone()) }),
            integer.clone(),
            &[][..],
        ),
        (
            json!({ "2XX": json_of(integer.clone()), "204": {}, "x-a": {} }),
            integer.clone(),
            &[],
        ),
        (
            json!({ "201": { "$ref": "#/components/responses/Ok" } }),
            integer.clone(),
            &[],
        ),
        (
            json!({ "200": json_of(integer.clone()), "201": json_of(integer.clone()), "404": json_of(json!({})) }),
            integer.clone(),
            &[others],
        ),
        (
            json!({ "200": json_of(integer.clone()), "202": json_of(json!({ "type": "string" })), "203": {} }),
            json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }),
            &[silent, any],
        ),
        (
            json!({ "default": json_of(integer.clone()) }),
            integer.clone(),
            &[others],
        ),
        (
            json!({ "200": {}, "default": json_of(json!({})) }),
            Value::Null,
            &[others],
        ),
        (json!({ "204": {} }), Value::Null, &[]),
        (
            json!({ "200": json_of(integer.clone()), "206": {} }),
            Value::Null,
            &["answers are not checked: an answer in parts (206)"],
        ),
        (
            json!({ "200": { "content": { "application/json": { "schema": {} }, "Text/CSV; header=1": {} } } }),
            Value::Null,
            &["answers are not checked: some are of type text/csv"],
        ),
        (
            json!({ "200": { "content": { "application/json": {} } } }),
            Value::Null,
            &["answers are not checked: some have no schema"],
        ),
        (
            json!({ "200": { "headers": {}, "content": { "application/json": { "schema": { "$id": "a" } } } } }),
            Value::Null,
            &[
                "`headers` of answers are not checked",
                "answers are not checked: `$id` is not supported",
            ],
        ),
        (
            json!({ "200": { "$ref": "#/nowhere" } }),
            Value::Null,
            &["answers are not checked: a `$ref` leads nowhere"],
        ),
        (
            json!({ "200": json_of(json!({ "pattern": "(?=a)" })) }),
            Value::Null,
            &["answers are not checked: "],
        ),
    ] {
        let imported = made(&answering(responses.clone()));
        let response = &imported.policy["routes"][0]["response"];
        assert_eq!(response["body"], rule, "{responses}");
        let expected = if rule.is_null() {
            Value::Null
        } else {
            json!("observe")
        };
        assert_eq!(response["body_mode"], expected, "{responses}");
        let notes = notes(&imported);
        assert_eq!(notes.len(), told.len(), "{responses}: {notes:?}");
        for (note, told) in notes.iter().zip(told) {
            assert!(note.starts_with(told), "{responses}: {notes:?}");
        }
    }
}

#[test]
fn a_schema_is_made_twice_only_where_directions_differ() {
    let pet = json!({ "$ref": "#/components/schemas/Pet" });
    let plain = json!({ "$ref": "#/components/schemas/Plain" });
    let both = json!({ "type": "array", "items": { "anyOf": [pet, plain] } });
    let mut document = answering(json!({ "200": json_of(both.clone()) }));
    document["paths"]["/things"]["post"]["requestBody"] = json_of(both);
    let Imported { policy, .. } = made(&document);
    let schemas = policy["schemas"].as_object().unwrap();
    let mut names: Vec<&str> = schemas.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["Owner", "Owner_2", "Pet", "Pet_2", "Plain"]);
    assert_eq!(schemas["Pet"]["required"], json!(["secret"]));
    assert_eq!(schemas["Pet"]["properties"]["id"], json!(false));
    let answer = &schemas["Pet_2"];
    assert_eq!(answer["required"], json!(["id"]));
    assert_eq!(answer["properties"]["secret"], json!(false));
    assert_eq!(answer["properties"]["id"], json!({ "type": "integer" }));
    assert_eq!(
        answer["properties"]["owner"],
        json!({ "$ref": "#/schemas/Owner_2" })
    );
    assert_eq!(
        schemas["Owner_2"]["properties"]["pets"]["items"],
        json!({ "$ref": "#/schemas/Pet_2" })
    );
}

#[test]
fn closing_objects_is_for_requests() {
    let object = json!({ "type": "object", "properties": { "a": {} } });
    let mut document = answering(json!({ "200": json_of(object.clone()) }));
    document["paths"]["/things"]["post"]["requestBody"] = json_of(object.clone());
    let imported = with(&document, json!({ "undeclared": "refuse" }), json!({}));
    let route = &imported.policy["routes"][0];
    assert_eq!(route["response"]["body"], object);
    let body = &route["request"]["bodies"]["application/json"];
    assert_eq!(body["unevaluatedProperties"], json!(false));
}

#[test]
fn whether_answers_are_read_is_the_policys_choice() {
    let document = answering(json!({ "200": json_of(json!({ "type": "integer" })) }));
    let response = |options: Value, route: Value| {
        let imported = with(&document, options, route);
        let notes = notes(&imported).join(", ");
        (imported.policy["routes"][0]["response"].clone(), notes)
    };
    let rule = |mode: &str| json!({ "body": { "type": "integer" }, "body_mode": mode });
    let none = String::new();
    for (said, mode) in [("observe", "observe"), ("enforce", "enforce")] {
        let told = response(json!({ "responses": said }), json!({}));
        assert_eq!(told, (rule(mode), none.clone()));
    }
    let (off, note) = response(json!({ "responses": "off" }), json!({}));
    assert_eq!(
        (off, note.as_str()),
        (Value::Null, "answers are not checked against `responses`")
    );
    for key in [json!("optional"), json!({ "key": "required" })] {
        let (kept, note) = response(
            json!({ "responses": "observe" }),
            json!({ "idempotency": key }),
        );
        assert_eq!(kept, Value::Null);
        assert_eq!(
            note,
            "answers that are kept (`idempotency`) are not checked"
        );
    }
    let (off, _) = response(
        json!({ "responses": "observe" }),
        json!({ "idempotency": "off" }),
    );
    assert_eq!(off, rule("observe"));
    // What stands nearer stays, and a rule of its own is not softened.
    let own = json!({ "response": { "allow": "true" } });
    let (ruled, _) = response(json!({ "responses": "observe" }), own);
    assert_eq!(
        ruled,
        json!({ "allow": "true", "body": { "type": "integer" }, "body_mode": "observe" })
    );
    let own = json!({ "response": { "body": {}, "body_mode": "enforce" } });
    let (kept, note) = response(json!({ "responses": "off" }), own.clone());
    assert_eq!((kept, note), (own["response"].clone(), none));
    let wrong = policy(json!({ "openapi_options": { "responses": "on" } }));
    let faults = run(&wrong, &json!({ "api.json": document })).unwrap_err();
    assert!(
        faults[0].starts_with("/openapi_options/responses"),
        "{faults:?}"
    );
}

#[test]
fn a_large_document_has_its_answers_checked_only_if_the_policy_asks() {
    let checked = |operations: usize, options: Value| {
        let mut document = answering(json!({ "200": json_of(json!({ "type": "integer" })) }));
        let operation = document["paths"]["/things"]["post"].clone();
        for index in 1..operations {
            let mut other = operation.clone();
            other["operationId"] = json!(format!("make{index}"));
            document["paths"][format!("/things/{index}")] = json!({ "post": other });
        }
        let imported = with(&document, options, json!({}));
        let told = notes(&imported)
            .iter()
            .any(|note| note.contains("more than 300"));
        let is_checked = imported.policy["routes"][0].get("response").is_some();
        assert_ne!(told, is_checked);
        is_checked
    };
    let base = json!({ "base_path": "" });
    assert!(checked(300, base.clone()));
    assert!(!checked(301, base));
    assert!(checked(301, json!({ "responses": "observe" })));
}
