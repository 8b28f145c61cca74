use serde_json::{Value, json};

use super::*;

mod answers;
mod closing;
mod content;
mod document;
mod own_routes;
mod parameters;
mod schemas;

/// A document of one operation, `POST /things`, which `change` is laid over.
fn document(change: Value) -> Value {
    let mut operation = json!({ "operationId": "make", "security": [{ "keys": [] }] });
    let said = change.as_object().unwrap();
    operation.as_object_mut().unwrap().extend(said.clone());
    json!({ "openapi": "3.1.0", "info": {}, "paths": { "/things": { "post": operation } } })
}

fn policy(change: Value) -> Value {
    let mut policy = json!({
        "name": "things", "openapi": "api.json",
        "origins": { "api": { "url": "https://origin.example" } }
    });
    let said = change.as_object().unwrap();
    policy.as_object_mut().unwrap().extend(said.clone());
    policy
}

fn run(policy: &Value, files: &Value) -> Result<Imported, Vec<String>> {
    let bundle = json!({ "policy": policy, "files": files });
    import(bundle.to_string().as_bytes())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn made(document: &Value) -> Imported {
    run(&policy(json!({})), &json!({ "api.json": document })).unwrap()
}

/// The route of the one operation, or why it was left out.
fn route(document: &Value) -> Result<Value, String> {
    let Imported { policy, report } = made(document);
    match policy.pointer("/routes/0") {
        Some(route) => Ok(route.clone()),
        None => Err(report["left_out"][0]["problem"]
            .as_str()
            .unwrap()
            .to_owned()),
    }
}

/// What a JSON body of `schema` becomes.
fn body(version: &str, schema: Value) -> Value {
    let content = json!({ "application/json": { "schema": schema } });
    let mut document = document(json!({ "requestBody": { "required": true, "content": content } }));
    document["openapi"] = json!(version);
    route(&document).unwrap()["request"]["bodies"]["application/json"].clone()
}

#[test]
fn an_operation_becomes_a_route_under_the_path_of_the_first_server() {
    let mut document = document(json!({}));
    document["servers"] = json!([{
        "url": "https://{host}/v{major}/",
        "variables": { "host": { "default": "api.example" }, "major": { "default": "2" } }
    }]);
    assert_eq!(
        route(&document).unwrap(),
        json!({
            "id": "make",
            "match": { "methods": ["POST"], "path": "/v2/things" },
            "origin": "api",
            "auth": ["keys"],
            "request": {
                "query": { "type": "object", "properties": {}, "additionalProperties": false },
                "max_bytes": 0
            }
        })
    );
}

#[test]
fn an_operation_that_nobody_says_the_callers_of_is_an_error() {
    let mut document = document(json!({}));
    document["paths"]["/things"]["post"]
        .as_object_mut()
        .unwrap()
        .remove("security");
    let files = json!({ "api.json": document });
    let faults = run(&policy(json!({})), &files).unwrap_err();
    assert!(
        faults[0].starts_with("/openapi: POST /things (`make`) says no `auth`"),
        "{faults:?}"
    );
    let own = json!({ "routes": [{ "id": "make", "auth": "public" }] });
    let defaults = json!({ "openapi_options": { "defaults": { "auth": "public" } } });
    for change in [own, defaults] {
        let Imported { policy, .. } = run(&policy(change), &files).unwrap();
        assert_eq!(policy["routes"][0]["auth"], "public");
        assert_eq!(policy["routes"].as_array().unwrap().len(), 1);
        assert!(policy.get("openapi").is_none() && policy.get("openapi_options").is_none());
    }
}

#[test]
fn security_is_read_and_what_a_route_cannot_say_is_left_out() {
    let asked = |security: Value| {
        let mut document = document(json!({ "security": security }));
        document["components"] = json!({ "securitySchemes": {
            "renamed": { "type": "http", "scheme": "bearer", "x-edgeward-authenticator": "accounts" }
        } });
        route(&document).map(|route| json!([route["auth"], route["require"]["scopes"]]))
    };
    assert_eq!(asked(json!([])).unwrap(), json!(["public", null]));
    assert_eq!(asked(json!([{}])).unwrap(), json!(["public", null]));
    assert_eq!(
        asked(json!([{ "keys": [] }, { "renamed": [] }])).unwrap(),
        json!([["keys", "accounts"], null])
    );
    assert_eq!(
        asked(json!([{ "renamed": ["b", "a"] }])).unwrap(),
        json!([["accounts"], ["a", "b"]])
    );
    assert!(
        asked(json!([{ "keys": [], "renamed": [] }]))
            .unwrap_err()
            .contains("two credentials")
    );
    assert!(
        asked(json!([{ "keys": [] }, {}]))
            .unwrap_err()
            .contains("with and without")
    );
    assert!(
        asked(json!([{ "keys": [] }, { "renamed": ["a"] }]))
            .unwrap_err()
            .contains("scopes")
    );
}

#[test]
fn who_stands_nearer_to_the_route_is_asked_first() {
    let document = document(json!({
        "security": [{ "keys": [], "other": [] }],
        "x-edgeward": { "auth": ["near"], "limits": ["a"], "timeout_ms": 1 }
    }));
    let change = json!({
        "openapi_options": { "defaults": { "auth": ["far"], "limits": ["c"], "mode": "observe" } },
        "routes": [{ "id": "make", "limits": ["b"] }]
    });
    let Imported { policy, .. } = run(&policy(change), &json!({ "api.json": document })).unwrap();
    let route = &policy["routes"][0];
    let told = json!([
        route["auth"],
        route["limits"],
        route["timeout_ms"],
        route["mode"]
    ]);
    assert_eq!(told, json!([["near"], ["b"], 1, "observe"]));
}

#[test]
fn scopes_of_the_document_hold_also_where_the_policy_says_who_may_call() {
    let route = |security: Value, own: Value| {
        let document = document(json!({ "security": security }));
        let mut route = json!({ "id": "make" });
        let own = own.as_object().unwrap().clone();
        route.as_object_mut().unwrap().extend(own);
        let policy = policy(json!({ "routes": [route] }));
        let merged = run(&policy, &json!({ "api.json": document }))
            .unwrap()
            .policy;
        let route = &merged["routes"][0];
        json!([route["auth"], route["require"]["scopes"]])
    };
    let scoped = json!([{ "keys": ["write"] }]);
    for (security, own, told) in [
        (
            scoped.clone(),
            json!({ "auth": ["other"] }),
            json!([["other"], ["write"]]),
        ),
        (
            scoped.clone(),
            json!({ "auth": ["other"], "require": { "scopes": ["all"] } }),
            json!([["other"], ["all"]]),
        ),
        (scoped, json!({ "auth": "public" }), json!(["public", null])),
        (
            json!([{ "keys": ["a"], "more": ["b"] }]),
            json!({ "auth": ["other"] }),
            json!([["other"], null]),
        ),
        (
            json!([]),
            json!({ "auth": ["other"] }),
            json!([["other"], null]),
        ),
    ] {
        assert_eq!(route(security, own.clone()), told, "{own}");
    }
}

#[test]
fn references_lead_across_files_and_in_circles_and_never_out() {
    let mut document = document(json!({ "requestBody": { "required": true, "content": {
        "application/json": { "schema": { "$ref": "parts/tree.json#/Tree" } }
    } } }));
    let tree = json!({ "Tree": { "type": "object", "properties": {
        "next": { "$ref": "#/Tree" }, "leaf": { "$ref": "../leaf.json" }
    } } });
    let files = json!({ "api.json": document, "parts/tree.json": tree, "leaf.json": { "type": "integer" } });
    let Imported { policy: merged, .. } = run(&policy(json!({})), &files).unwrap();
    assert_eq!(
        merged["routes"][0]["request"]["bodies"]["application/json"],
        json!({ "$ref": "#/schemas/Tree" })
    );
    assert_eq!(
        merged["schemas"]["Tree"]["properties"],
        json!({ "next": { "$ref": "#/schemas/Tree" }, "leaf": { "$ref": "#/schemas/leaf_json" } })
    );
    for (reference, told) in [
        ("../other.json", "out of the policy's folder: ../other.json"),
        (
            "https://example.com/a.json",
            "a file beside this one: https://example.com/a.json",
        ),
        ("/etc/passwd", "a file beside this one: /etc/passwd"),
        ("#/no\u{1b}\u{202e}where", "leads nowhere: #/nowhere"),
        ("none.json", "was not sent with the policy: none.json"),
        ("#/nowhere", "leads nowhere: #/nowhere"),
    ] {
        let place = "/paths/~1things/post/requestBody/content/application~1json/schema/$ref";
        *document.pointer_mut(place).unwrap() = json!(reference);
        let problem = route(&document).unwrap_err();
        assert!(problem.ends_with(told), "{reference}: {problem}");
    }
}

#[test]
fn what_is_not_checked_is_told() {
    let report = made(&document(json!({
        "parameters": [{ "name": "c", "in": "query", "allowReserved": true, "allowEmptyValue": true, "schema": {} }],
        "requestBody": { "content": { "application/json": {
            "schema": { "type": "string", "format": "color", "maxlength": 1, "contentEncoding": "base64" }
        } } },
        "responses": {}, "callbacks": {}
    })))
    .report;
    let told: Vec<&str> = report["not_enforced"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["problem"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "`allowEmptyValue`: an empty value is judged by the schema as it stands",
            "`allowReserved`: what a query takes unencoded is the gateway's to say",
            "format `color` is not asserted",
            "keyword `maxlength` is not enforced",
            "keyword `contentEncoding` is not enforced",
            "`callbacks` are not requests to the API",
        ]
    );
}

#[test]
fn a_deprecated_operation_tells_its_dates() {
    let dates = |change: Value| {
        let mut said = json!({ "deprecated": true });
        let change = change.as_object().unwrap().clone();
        said.as_object_mut().unwrap().extend(change);
        route(&document(said)).map(|route| route["deprecation"].clone())
    };
    assert_eq!(dates(json!({})).unwrap(), json!({}));
    assert_eq!(
        dates(json!({ "x-deprecated-at": "2026-01-01", "x-sunset": "2027-01-01T00:00:00Z" }))
            .unwrap(),
        json!({ "deprecated_at": 1_767_225_600, "sunset_at": 1_798_761_600 })
    );
    assert!(
        dates(json!({ "x-sunset": "soon" }))
            .unwrap_err()
            .contains("no date")
    );
}

#[test]
fn a_bundle_is_bounded_on_both_sides() {
    let files = |count: usize| {
        let mut files = json!({ "api.json": document(json!({})) });
        for index in 1..count {
            files[format!("{index}.json")] = json!({});
        }
        run(&policy(json!({})), &files)
    };
    assert!(files(FILES_MAX).is_ok());
    assert!(files(FILES_MAX + 1).unwrap_err()[0].contains("more than 200 files"));
    let bundle = |bytes: usize| {
        let policy = policy(json!({}));
        let files = json!({ "api.json": document(json!({})) });
        let mut text = json!({ "policy": policy, "files": files }).to_string();
        text.push_str(&" ".repeat(bytes - text.len()));
        import(text.as_bytes()).is_ok()
    };
    assert!(bundle(BUNDLE_BYTES_MAX));
    assert!(!bundle(BUNDLE_BYTES_MAX + 1));
}

#[test]
fn only_openapi_3_0_and_3_1_are_read() {
    for version in [
        json!("2.0"),
        json!("3.2.0"),
        json!("4"),
        json!(3.1),
        Value::Null,
    ] {
        let mut document = document(json!({}));
        document["openapi"] = version;
        let faults = run(&policy(json!({})), &json!({ "api.json": document })).unwrap_err();
        assert!(
            faults[0].contains("none of OpenAPI 3.0 or 3.1"),
            "{faults:?}"
        );
    }
}

#[test]
fn a_word_of_the_gateway_that_says_nothing_leaves_the_operation_out() {
    let rule = || json!({ "allow": "false" });
    let mut misspelled = document(json!({ "x-Edgeward": rule() }));
    assert!(route(&misspelled).unwrap_err().contains("x-Edgeward"));
    misspelled = document(json!({ "x-edgeward-allow": "false" }));
    assert!(route(&misspelled).unwrap_err().contains("x-edgeward-allow"));
    let mut above = document(json!({}));
    above["paths"]["/things"]["x-edgeward"] = rule();
    assert!(route(&above).is_err());
    let mut root = document(json!({}));
    root["x-edgeward"] = rule();
    assert!(route(&root).is_err());
    let exported = document(json!({ "x-edgeward": rule(), "x-edgeward-limits": [] }));
    assert_eq!(route(&exported).unwrap()["allow"], "false");
}

#[test]
fn a_document_of_another_dialect_is_not_read_as_this_one() {
    for (dialect, reads) in [
        ("https://spec.openapis.org/oas/3.1/dialect/base", true),
        ("http://json-schema.org/draft-04/schema#", false),
    ] {
        let mut document = document(json!({}));
        document["jsonSchemaDialect"] = json!(dialect);
        let imported = run(&policy(json!({})), &json!({ "api.json": document }));
        assert_eq!(imported.is_ok(), reads, "{dialect}");
    }
}
