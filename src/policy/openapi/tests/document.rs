use super::*;

fn notes(report: &Value) -> Vec<&str> {
    let notes = report["not_enforced"].as_array().unwrap().iter();
    notes
        .map(|note| note["problem"].as_str().unwrap())
        .collect()
}

#[test]
fn references_that_lead_to_each_other_leave_the_operation_out() {
    let mut document = document(json!({ "parameters": [{ "$ref": "#/components/parameters/a" }] }));
    document["components"] = json!({ "parameters": {
        "a": { "$ref": "#/components/parameters/b" }, "b": { "$ref": "#/components/parameters/a" }
    } });
    assert!(route(&document).unwrap_err().contains("without end"));
    document["paths"]["/things"] = json!({ "$ref": "#/paths/~1others" });
    document["paths"]["/others"] = json!({ "$ref": "#/paths/~1things" });
    let Imported { report, policy } = made(&document);
    assert_eq!(policy["routes"], json!([]));
    assert_eq!(report["left_out"].as_array().unwrap().len(), 2);
}

#[test]
fn beside_a_reference_3_0_says_nothing_and_3_1_does() {
    for (version, told) in [
        ("3.0.3", json!({ "$ref": "#/schemas/A" })),
        ("3.1.0", json!({ "$ref": "#/schemas/A", "maxLength": 3 })),
    ] {
        let schema = json!({ "$ref": "#/components/schemas/A", "maxLength": 3 });
        let content = json!({ "application/json": { "schema": schema } });
        let mut document = document(json!({ "requestBody": { "content": content } }));
        document["openapi"] = json!(version);
        document["components"] = json!({ "schemas": { "A": { "type": "string" } } });
        let route = route(&document).unwrap();
        assert_eq!(route["request"]["bodies"]["application/json"], told);
    }
}

#[test]
fn parameters_of_a_path_hold_unless_the_operation_says_them_anew() {
    let mut document = document(json!({ "parameters": [
        { "name": "a", "in": "query", "schema": { "type": "integer" } },
        { "name": "b", "in": "header", "schema": { "type": "integer" } }
    ] }));
    document["paths"]["/things"]["parameters"] = json!([
        { "name": "a", "in": "query", "required": true, "schema": { "type": "boolean" } },
        { "name": "b", "in": "query", "required": true, "schema": { "type": "boolean" } }
    ]);
    let request = route(&document).unwrap()["request"].clone();
    assert_eq!(
        request["query"],
        json!({
            "type": "object", "required": ["b"], "additionalProperties": false,
            "properties": { "a": { "type": "integer" }, "b": { "type": "boolean" } }
        })
    );
    assert_eq!(
        request["headers"]["properties"]["b"],
        json!({ "type": "integer" })
    );
}

#[test]
fn an_exploded_object_is_its_properties() {
    let asked = |required: bool, schema: Value| {
        let parameter =
            json!({ "name": "f", "in": "query", "required": required, "schema": schema });
        made(&document(json!({ "parameters": [parameter] })))
    };
    let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    for (required, told) in [(true, json!(["n"])), (false, Value::Null)] {
        let query = &asked(required, schema.clone()).policy["routes"][0]["request"]["query"];
        assert_eq!(query["required"], told);
        assert_eq!(query["additionalProperties"], json!(false));
    }
    let open = asked(
        false,
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    );
    let query = &open.policy["routes"][0]["request"]["query"];
    assert_eq!(query.get("additionalProperties"), None);
    assert_eq!(
        notes(&open.report),
        ["an exploded object of any names: undeclared parameters pass"]
    );
    let composed = asked(false, json!({ "type": "object", "minProperties": 1 }));
    let problem = composed.report["left_out"][0]["problem"].as_str().unwrap();
    assert!(
        problem.contains("`minProperties` of an exploded object"),
        "{problem}"
    );
}

#[test]
fn an_operation_id_stands_once() {
    let mut document = document(json!({}));
    document["paths"]["/others"] = document["paths"]["/things"].clone();
    let Imported { policy, report } = made(&document);
    assert_eq!(policy["routes"].as_array().unwrap().len(), 1);
    assert_eq!(report["left_out"][0]["operation"], "POST /others");
    assert_eq!(
        report["left_out"][0]["problem"],
        "another operation has the id `make`"
    );
}

#[test]
fn what_asks_nothing_of_a_request_is_listed_and_schemas_that_no_route_reaches_are_not_kept() {
    let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/A" } } });
    let mut document = document(json!({
        "requestBody": { "content": content },
        "parameters": [{ "name": "f", "in": "header", "style": "form", "schema": {} }]
    }));
    document["components"] = json!({ "schemas": { "A": { "type": "string" } } });
    document["webhooks"] = json!({});
    let Imported { policy, report } = made(&document);
    assert_eq!(notes(&report), ["`webhooks` are not requests to the API"]);
    assert_eq!(policy["routes"], json!([]));
    // The content is read after the parameters: here the schema is made, and its operation is not.
    document["paths"]["/things"]["post"]["parameters"] = json!([]);
    document["paths"]["/things"]["post"]["requestBody"]["content"]["application/a+json"] =
        json!({ "schema": { "$id": "a" } });
    let Imported { policy, .. } = made(&document);
    assert_eq!(
        [policy.get("schemas"), policy.pointer("/routes/0")],
        [None, None]
    );
}
