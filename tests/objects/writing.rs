//! Which fields a caller may set.
use super::*;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn rules(on_refusal: &str) -> Value {
    json!({ "request": { "fields": [
        { "pointer": "/priority", "write": "request.headers['x-role'] == 'admin'", "on_refusal": on_refusal },
        { "pointer": "/items/*/price", "write": "false", "on_refusal": on_refusal }
    ] } })
}

fn post(rules: &Value, body: &str) -> End {
    send(rules, "POST", &JSON, body, &told("{}"))
}

/// What arrived, or the status and the reason.
fn arrived(end: &End) -> String {
    match &end.arrived {
        None => end.row(),
        Some(arrived) => {
            let content = arrived.content.clone().unwrap_or_default();
            String::from_utf8(content).unwrap()
        }
    }
}

#[test]
fn a_field_that_its_caller_may_not_set_refuses_the_request() {
    for (body, ended) in [
        (r#"{"a":1.0}"#, r#"{"a":1.0}"#),
        (r#"{"a":{"priority":1}}"#, r#"{"a":{"priority":1}}"#),
        (
            r#"{"items":[{"prices":1}],"x":[]}"#,
            r#"{"items":[{"prices":1}],"x":[]}"#,
        ),
        (r#"{"priority":null}"#, "403 field_rule_failed"),
        (r#"{"\u0070riority":1}"#, "403 field_rule_failed"),
        (r#"{"PRIORITY":1}"#, "403 field_rule_failed"),
        (r#"{"items":[{},{"price":1}]}"#, "403 field_refused"),
        (r#"{"items":{"x":{"Price":1}}}"#, "403 field_refused"),
        (r#"{"priority":1,"priority":2}"#, "400 not_json"),
        ("{", "400 not_json"),
        ("", ""),
    ] {
        assert_eq!(arrived(&post(&rules("refuse"), body)), ended, "{body}");
    }
    let admin = [JSON[0], ("x-role", "admin")];
    let end = send(
        &rules("refuse"),
        "POST",
        &admin,
        r#"{"priority":1}"#,
        &told("{}"),
    );
    assert_eq!(arrived(&end), r#"{"priority":1}"#);
}

#[test]
fn a_field_that_is_stripped_is_not_sent_and_all_else_is_as_it_came() {
    for (body, sent) in [
        (
            r#"{ "a":1.0, "priority":1, "n":12345678901234567890 }"#,
            r#"{ "a":1.0, "n":12345678901234567890 }"#,
        ),
        (
            r#"{"items":[{"price":1,"n":1},{"price":2}]}"#,
            r#"{"items":[{"n":1},{}]}"#,
        ),
        (r#"{"priority":1}"#, "{}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(arrived(&post(&rules("strip"), body)), sent, "{body}");
    }
    let end = post(&rules("strip"), r#"{"priority":"hunter2"}"#);
    assert_eq!(end.line["fields"][0]["act"], "stripped");
    assert!(!end.line.to_string().contains("hunter2"));
}

#[test]
fn what_is_judged_after_it_is_what_is_sent() {
    let mut rules = rules("strip");
    rules["request"]["body"] = json!({ "required": ["priority"] });
    assert_eq!(arrived(&post(&rules, r#"{"priority":1}"#)), "422 invalid");
    rules["request"]["body"] =
        json!({ "additionalProperties": false, "properties": { "a": true } });
    rules["allow"] = json!("!('priority' in request.body)");
    assert_eq!(
        arrived(&post(&rules, r#"{"a":1,"priority":1}"#)),
        r#"{"a":1}"#
    );
}

#[test]
fn content_that_cannot_be_looked_into_is_refused() {
    for (fields, row) in [
        (&[("content-type", "text/plain")][..], "415 media_type"),
        (&[], "415 media_type"),
        (
            &[JSON[0], ("content-encoding", "gzip")],
            "415 content_encoding",
        ),
        (
            &[("content-type", "application/json-patch+json")],
            "415 media_type",
        ),
    ] {
        let end = send(&rules("strip"), "POST", fields, "{}", &told("{}"));
        assert_eq!(arrived(&end), row, "{fields:?}");
    }
    let mut small = rules("strip");
    small["request"]["max_bytes"] = json!(2);
    assert_eq!(arrived(&post(&small, "{}")), "{}");
    assert_eq!(arrived(&post(&small, "{ }")), "413 too_large");
}

#[test]
fn observe_sends_what_came_and_says_what_it_would_have_done() {
    for on_refusal in ["refuse", "strip"] {
        let mut rules = rules(on_refusal);
        rules["request"]["mode"] = json!("observe");
        let end = post(&rules, r#"{"items":[{"price":1}]}"#);
        assert_eq!(arrived(&end), r#"{"items":[{"price":1}]}"#);
        match on_refusal {
            "refuse" => assert_eq!(end.line["reason"], "field_refused"),
            _ => assert_eq!(
                end.line["fields"],
                json!([{ "pointer": "/items/*/price", "act": "observed" }])
            ),
        }
    }
}

#[test]
fn a_rule_that_decides_is_not_asked_of_content_that_cannot_be_read() {
    let lenient = "request.body == null || request.body.amount < 100";
    for mode in ["enforce", "observe", "off"] {
        let allow = json!({ "allow": lenient, "request": { "mode": mode } });
        let cost = json!({ "cost": "request.body == null ? 1 : 50", "request": { "mode": mode } });
        for rules in [&allow, &cost] {
            for body in [r#"{"amount":1,"amount":999}"#, "{", r#"{"amount":1e400}"#] {
                let ended = arrived(&post(rules, body));
                assert_eq!(ended, "400 not_json", "{mode} {body}");
            }
            let fine = r#"{"amount":1}"#;
            assert_eq!(arrived(&post(rules, fine)), fine, "{mode}");
        }
        let mut noted = allow;
        noted["mode"] = json!("observe");
        let twice = r#"{"amount":1,"amount":999}"#;
        assert_eq!(arrived(&post(&noted, twice)), twice, "{mode}");
    }
}
