//! How an answer that is judged is asked for, and what a policy may say of it.
use super::*;

#[test]
fn an_answer_that_is_judged_is_asked_for_whole() {
    let fields = [
        ("range", "bytes=0-1"),
        ("if-range", "\"a\""),
        ("if-none-match", "\"a\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("accept-encoding", "gzip, br"),
    ];
    let ruled = json!({ "response": { "allow": "true" } });
    for (rules, judged) in [(&ruled, true), (&json!({}), false)] {
        let end = send(rules, "GET", &fields, "", &told("{}"));
        let arrived = end.arrived.unwrap();
        for name in ["range", "if-range", "if-none-match", "if-modified-since"] {
            assert_eq!(
                arrived.removed.iter().any(|one| one == name),
                judged,
                "{name}"
            );
        }
        let coding = ("accept-encoding".to_owned(), "identity".to_owned());
        assert_eq!(arrived.set.contains(&coding), judged);
    }
    let put = send(&ruled, "PUT", &[("if-match", "\"a\"")], "", &told("{}"));
    assert!(
        !put.arrived
            .unwrap()
            .removed
            .iter()
            .any(|one| one == "if-match")
    );
}

#[test]
fn a_head_is_asked_as_a_get_and_judged_by_its_content() {
    let rules = json!({ "response": { "allow": "body.owner == path.id" } });
    let head = |content: &str| {
        let fields = vec![("content-length", "13")];
        let told = Told {
            fields,
            ..told(content)
        };
        send(&rules, "HEAD", &[], "", &told)
    };
    let mine = head(r#"{"owner":"7"}"#);
    assert_eq!(mine.arrived.as_ref().unwrap().method, "GET");
    assert_eq!(mine.row(), "left ");
    assert!(mine.removed.iter().any(|one| one == "content-length"));
    assert!(!mine.removed.iter().any(|one| one == "content-type"));
    assert_eq!(head(r#"{"owner":"8"}"#).row(), "403 object_refused");
    let free = send(&json!({}), "HEAD", &[], "", &told(""));
    assert_eq!(free.arrived.unwrap().method, "HEAD");
}

#[test]
fn a_rule_over_an_answer_sees_the_request_without_its_content() {
    for (allow, loads) in [
        (
            "body.a == path.id && status == 200 && request.method == 'GET'",
            true,
        ),
        ("body == null || caller.kind == 'anonymous'", true),
        ("body.items.all(item, item.owner == path.id)", true),
        ("request.body.a == 1", false),
        ("body.items.all(item, item in body.items)", false),
        ("answer.a == 1", false),
    ] {
        let faults = faults(json!({ "response": { "allow": allow } }));
        assert_eq!(faults.is_empty(), loads, "{allow}");
        let of_request = super::faults(json!({ "allow": allow }));
        assert!(
            !of_request.is_empty() || !allow.contains("body.") || allow.contains("request.body"),
            "{allow}"
        );
    }
}

fn closed() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": { "approved": true } })
}

/// Only a schema that is enforced on every content says which fields there can be.
#[test]
fn a_rule_about_a_field_that_may_come_loads() {
    let write = |pointer: &str| json!([{ "pointer": pointer, "write": "false" }]);
    let read = |pointer: &str| json!([{ "pointer": pointer, "read": "false" }]);
    let merge = json!({ "application/merge-patch+json": closed() });
    for rules in [
        json!({ "request": { "fields": write("/approved"), "body": closed() } }),
        json!({ "request": { "fields": write("/x"), "body": { "type": "object" } } }),
        json!({ "request": { "fields": write("/x"), "body": closed(), "mode": "observe" } }),
        json!({ "request": { "fields": write("/x"), "bodies": merge } }),
        json!({ "response": { "fields": read("/x"), "body": closed() } }),
        json!({ "response": { "fields": read("/approved"), "body": closed(), "body_mode": "enforce" } }),
    ] {
        let told = faults(rules.clone());
        assert!(told.is_empty(), "{rules}: {told:?}");
    }
}

#[test]
fn a_policy_that_would_hold_nothing_does_not_load() {
    for (rules, pointer) in [
        (json!({ "response": {} }), "/routes/0/response"),
        (
            json!({ "response": { "max_bytes": 1 } }),
            "/routes/0/response",
        ),
        (
            json!({ "response": { "refused_as": "not_found", "body": true } }),
            "/routes/0/response/refused_as",
        ),
        (
            json!({ "response": { "allow": "true", "refused_as": "not_found" }, "cost": { "reserve": 2, "header": "x-cost" } }),
            "/routes/0/response/refused_as",
        ),
        (
            json!({ "response": { "fields": [{ "pointer": "/items/**/cost", "read": "false" }] } }),
            "/routes/0/response/fields/0/pointer",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a*", "write": "false" }] } }),
            "/routes/0/request/fields/0/pointer",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/aproved", "write": "false" }], "body": closed() } }),
            "/routes/0/request/fields/0/pointer",
        ),
        (
            json!({ "response": { "fields": [{ "pointer": "/aproved", "read": "false" }], "body": closed(), "body_mode": "enforce" } }),
            "/routes/0/response/fields/0/pointer",
        ),
        (
            json!({ "response": { "allow": "true", "body_mode": "off" } }),
            "/routes/0/response/body_mode",
        ),
        (
            json!({ "response": { "allow": "true", "body": { "type": "objct" } } }),
            "/routes/0/response/body",
        ),
        (
            json!({ "response": { "fields": [{ "pointer": "/a", "read": "x" }] } }),
            "/routes/0/response/fields/0/read",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "body.a" }] } }),
            "/routes/0/request/fields/0/write",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "content_types": ["application/json-patch+json"] } }),
            "/routes/0/request/content_types",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "content_types": ["text/plain"] } }),
            "/routes/0/request/content_types",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "content_types": ["application/x-www-form-urlencoded"] } }),
            "/routes/0/request/content_types",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "bodies": { "multipart/form-data": { "type": "object" } } } }),
            "/routes/0/request/bodies",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "bodies": { "application/json-patch+json": true } } }),
            "/routes/0/request/bodies",
        ),
        (
            json!({ "request": { "fields": [{ "pointer": "/a", "write": "true" }], "opaque": ["text/xml"] } }),
            "/routes/0/request/opaque",
        ),
        (
            json!({ "response": { "allow": "status.code == 1" } }),
            "/routes/0/response/allow",
        ),
        (
            json!({ "response": { "allow": "body.owner == 7", "body_mode": "enforce", "body": owned() } }),
            "/routes/0/response/allow",
        ),
        (
            json!({ "response": { "fields": [{ "pointer": "/a", "read": "body.ower == 'x'" }], "body_mode": "enforce", "body": owned() } }),
            "/routes/0/response/fields/0/read",
        ),
    ] {
        assert!(
            faults(rules.clone()).iter().any(|one| one == pointer),
            "{rules}"
        );
    }
    // A schema that only tells says nothing of types.
    let enforced = json!({ "allow": "body.owner == 7", "body": owned(), "body_mode": "enforce" });
    let mut observed = enforced.clone();
    observed["mode"] = json!("observe");
    for rules in [
        json!({ "response": { "allow": "body.owner == 7", "body": owned() } }),
        json!({ "response": observed }),
        json!({ "response": enforced, "mode": "observe" }),
    ] {
        assert_eq!(faults(rules.clone()), Vec::<String>::new(), "{rules}");
    }
}

#[test]
fn an_answer_is_judged_or_kept_and_not_both() {
    let problems = |rules: Value| -> Vec<String> {
        let mut policy = policy(rules);
        policy["authenticators"] = json!({ "keys": { "kind": "api_key" } });
        policy["routes"][0]["auth"] = json!(["keys"]);
        let loaded = load(policy.to_string().as_bytes(), &bindings());
        let faults = loaded.err().unwrap_or_default();
        let told = faults.into_iter().map(|fault| fault.problem);
        told.collect()
    };
    let judged = json!({ "allow": "true" });
    for key in ["optional", "required"] {
        assert_eq!(
            problems(json!({ "response": judged, "idempotency": key })),
            ["an answer that is kept is not judged again, and rights change"]
        );
        assert!(problems(json!({ "idempotency": key })).is_empty());
    }
    assert!(problems(json!({ "response": judged, "idempotency": "off" })).is_empty());
}

/// A closed object with one member of text.
fn owned() -> Value {
    json!({ "type": "object", "properties": { "owner": { "type": "string" } }, "additionalProperties": false })
}

#[test]
fn more_parts_than_ten_of_an_answer_are_not_asked_for() {
    for (parts, is_whole) in [(1, false), (10, false), (11, true), (1_000, true)] {
        let told_parts = vec!["0-1"; parts].join(",");
        let range = format!("bytes={told_parts}");
        let fields = [
            ("range", range.as_str()),
            ("if-range", "\"a\""),
            ("request-range", "bytes=0-1"),
        ];
        let end = send(&json!({}), "GET", &fields, "", &told("{}"));
        let removed = end.arrived.unwrap().removed;
        for name in ["range", "if-range"] {
            let is_removed = removed.iter().any(|one| one == name);
            assert_eq!(is_removed, is_whole, "{parts} {name}");
        }
        assert!(removed.iter().any(|one| one == "request-range"));
    }
}
