//! Content of every type a route may take: which is read, how, and what passes unread.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod support;

use edgeward::admit::{Outcome, admit};
use edgeward::refusal::Refusal;
use serde_json::{Value, json};
use support::{FakePorts, gate, request, run};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=xx";
const ALLOW: &str = "request.body.owner == 'me'";

fn policy(route: &Value) -> Value {
    let mut whole = json!({
        "id": "r", "match": { "methods": ["POST"], "path": "/a" }, "origin": "o",
        "auth": "public", "limits": ["ip"]
    });
    for (name, value) in route.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({
        "name": "t",
        "origins": { "o": { "url": "https://origin.example" } },
        "limits": { "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 99, "window_s": 60, "on_error": "refuse" } },
        "routes": [whole]
    })
}

/// The reason of the refusal, or what would have been one, or whether the content was read.
fn send(route: &Value, content_type: &str, body: &str) -> String {
    let (gate, ports) = (gate(&policy(route)), FakePorts::new());
    let length = body.len().to_string();
    let mut fields = vec![("content-length", length.as_str())];
    if !content_type.is_empty() {
        fields.push(("content-type", content_type));
    }
    let facts = request("POST", "/a", &fields, body);
    match run(admit(&gate, &ports, facts, body.as_bytes().to_vec())) {
        Err(refused) => refused.refusal.reason().to_owned(),
        Ok(Outcome::Switched(_)) => "switched".into(),
        Ok(Outcome::Preflight { .. }) => "preflight".into(),
        Ok(Outcome::Replayed { .. }) => "replayed".into(),
        Ok(Outcome::Released(released)) => {
            let observed = released.trail().observed.iter().map(Refusal::reason);
            let observed: Vec<_> = observed.collect();
            let read = ports.asked.borrow().contains(&"content");
            format!(
                "{} {}",
                if read { "read" } else { "unread" },
                observed.join(" ")
            )
            .trim_end()
            .to_owned()
        }
    }
}

fn part(name: &str, content: &str) -> String {
    format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n--xx--")
}

#[test]
fn each_type_is_read_in_its_own_way_or_refused() {
    let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let types = json!([
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data"
    ]);
    let one = json!({ "request": { "body": schema, "content_types": types } });
    let bodies = json!({ "request": { "bodies": {
        "application/json": schema, "application/x-www-form-urlencoded": { "required": ["f"] }
    } } });
    for (route, content_type, body, outcome) in [
        (&one, "application/json", r#"{"n":1}"#, "read"),
        (&one, "application/json", r#"{"n":"1"}"#, "invalid"),
        (&one, "application/json", "n=1", "not_json"),
        (&one, FORM, "n=1", "read"),
        (
            &one,
            "Application/X-WWW-Form-URLencoded; charset=UTF-8",
            "n=1",
            "read",
        ),
        (
            &one,
            "application/x-www-form-urlencoded; charset=utf-16",
            "n=1",
            "media_type",
        ),
        (
            &one,
            "application/x-www-form-urlencoded; charset*=utf-8''utf-7",
            "n=1",
            "media_type",
        ),
        (
            &one,
            "multipart/form-data; boundary=xx; boundary*=utf-8''yy",
            &part("n", "1"),
            "not_form",
        ),
        (&one, FORM, "n=x", "invalid"),
        (&one, FORM, "n=1&n=2", "invalid"),
        (&one, FORM, "n=1;m=2", "not_form"),
        (&one, FORM, r#"{"n":1}"#, "invalid"),
        (&one, MULTIPART, &part("n", "1"), "read"),
        (&one, MULTIPART, &part("n", "x"), "invalid"),
        (
            &one,
            MULTIPART,
            &part("n\"; filename=\"../a", "1"),
            "not_form",
        ),
        (&one, "multipart/form-data", &part("n", "1"), "not_form"),
        (
            &one,
            "multipart/mixed; boundary=xx",
            &part("n", "1"),
            "media_type",
        ),
        (&one, "text/plain", "n=1", "media_type"),
        (&one, "", "n=1", "media_type"),
        (&bodies, "application/json", r#"{"n":1}"#, "read"),
        (&bodies, FORM, "f=1", "read"),
        (&bodies, FORM, "n=1", "invalid"),
        (&bodies, MULTIPART, &part("f", "1"), "media_type"),
    ] {
        assert_eq!(
            send(route, content_type, body),
            outcome,
            "{content_type} {body}"
        );
    }
}

#[test]
fn xml_passes_where_it_is_opaque_and_nowhere_else() {
    let open = json!({});
    let text = json!({ "request": { "content_types": ["text/plain"] } });
    let judged = json!({ "request": { "body": true } });
    let opaque = json!({ "request": { "opaque": ["application/xml", "image/svg+xml"] } });
    let both = json!({ "request": { "body": { "type": "object" }, "opaque": ["application/xml"], "max_bytes": 9 } });
    for (route, content_type, body, outcome) in [
        (&open, "application/xml", "<a/>", "media_type"),
        (&open, "text/xml; charset=utf-8", "<a/>", "media_type"),
        (&open, "TEXT/XML", "<a/>", "media_type"),
        (&open, "text/xml;", "<a/>", "media_type"),
        (&open, "text/xml,", "<a/>", "header_malformed"),
        (&open, "image/svg+xml", "<a/>", "media_type"),
        (
            &open,
            "application/soap+xml; action=\"a\"",
            "<a/>",
            "media_type",
        ),
        (&open, "text/plain", "a", "unread"),
        (&open, "", "a", "unread"),
        (&text, "application/xml", "<a/>", "media_type"),
        (&judged, "application/xml", "<a/>", "media_type"),
        (&opaque, "application/xml", "<a/>", "unread"),
        (
            &opaque,
            "application/XML; charset=utf-8",
            "<!DOCTYPE a>",
            "unread",
        ),
        (&opaque, "image/svg+xml", "<a/>", "unread"),
        (&opaque, "text/xml", "<a/>", "media_type"),
        (&opaque, "application/json", "{}", "media_type"),
        (&both, "application/xml", "<a/>", "unread"),
        (&both, "application/xml", "<aaaaaaa/>", "too_large"),
        (&both, "application/json", "{}", "read"),
        (&both, "application/json", "[]", "invalid"),
        (&both, "application/json", "<a/>", "not_json"),
    ] {
        assert_eq!(
            send(route, content_type, body),
            outcome,
            "{route} {content_type} {body}"
        );
    }
}

#[test]
fn a_rule_sees_the_fields_of_a_form_by_their_types() {
    let forms = json!(["application/x-www-form-urlencoded", "multipart/form-data"]);
    let typed = json!({ "allow": "request.body.n > 4", "request": { "content_types": forms, "body": {
        "properties": { "n": { "type": "integer" } } } } });
    let untyped = json!({ "allow": ALLOW, "request": { "content_types": forms } });
    let file = json!({ "allow": "request.body.f.bytes < 3 && request.body.f.filename == 'a'", "request": {
        "bodies": { "multipart/form-data": { "properties": { "f": { "type": "string", "format": "binary" } } } } } });
    for (route, content_type, body, outcome) in [
        (&typed, FORM, "n=5".to_owned(), "read"),
        (&typed, FORM, "n=4".into(), "not_allowed"),
        (&typed, FORM, "m=4".into(), "allow_failed"),
        (&typed, MULTIPART, part("n", "5"), "read"),
        (&typed, MULTIPART, part("n", "4"), "not_allowed"),
        (&untyped, FORM, "owner=me".into(), "read"),
        (&untyped, FORM, "owner=you".into(), "not_allowed"),
        (&untyped, FORM, "owner=me&owner=you".into(), "invalid"),
        (&untyped, FORM, "owner=you&owner=me".into(), "invalid"),
        (
            &untyped,
            "application/json",
            r#"{"owner":"me"}"#.into(),
            "media_type",
        ),
        (&file, MULTIPART, part("f\"; filename=\"a", "12"), "read"),
        (
            &file,
            MULTIPART,
            part("f\"; filename=\"a", "123"),
            "not_allowed",
        ),
    ] {
        assert_eq!(send(route, content_type, &body), outcome, "{route} {body}");
    }
}

// What two readers read differently is nothing to a rule, whatever the mode of the form.
#[test]
fn observing_the_form_never_lets_a_rule_decide_on_half_of_it() {
    for mode in ["observe", "off"] {
        let route = json!({ "allow": ALLOW, "request": { "content_types": [FORM], "mode": mode } });
        assert_eq!(
            send(&route, FORM, "owner=me&owner=you"),
            "invalid",
            "{mode}"
        );
        assert_eq!(
            send(&route, FORM, "owner=me;owner=you"),
            "not_form",
            "{mode}"
        );
        assert_eq!(
            send(&route, "text/plain", "owner=me"),
            "media_type",
            "{mode}"
        );
    }
    let route = json!({ "request": { "content_types": [FORM], "body": { "required": ["n"] }, "mode": "observe" } });
    for (content_type, body, outcome) in [
        (FORM, "n=1", "read"),
        (FORM, "m=1", "read invalid"),
        (FORM, "n=%", "read not_form"),
        ("text/plain", "n=1", "read media_type"),
    ] {
        assert_eq!(
            send(&route, content_type, body),
            outcome,
            "{content_type} {body}"
        );
    }
}

#[test]
fn limits_of_json_are_the_routes_own() {
    for (limit, body, beyond) in [
        ("max_depth", "[1]", "[[1]]"),
        ("max_names", r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        ("max_values", "1", "[1]"),
        ("max_items", "[1]", "[1,2]"),
        ("max_string_bytes", r#""a""#, r#""ab""#),
        ("max_digits", "1", "12"),
    ] {
        let route = json!({ "request": { "body": true, "json_limits": { limit: 1 } } });
        assert_eq!(send(&route, "application/json", body), "read", "{limit}");
        assert_eq!(
            send(&route, "application/json", beyond),
            "not_json",
            "{limit}"
        );
    }
    let route = json!({ "request": { "content_types": [FORM], "body": true,
        "json_limits": { "max_names": 1, "max_string_bytes": 1 } } });
    for (body, outcome) in [
        ("a=1", "read"),
        ("a=1&b=2", "not_form"),
        ("a=12", "not_form"),
        ("ab=1", "not_form"),
    ] {
        assert_eq!(send(&route, FORM, body), outcome, "{body}");
    }
}

#[test]
fn no_finding_names_a_schema_or_a_way_through_one() {
    let named = json!({
        "InternalFraudScore": { "$defs": {
            "SecretRule": { "type": "object", "$comment": "secret comment",
                "required": ["a"], "properties": { "a": { "not": { "title": "secret title" } } } } },
            "$ref": "#/schemas/InternalFraudScore/$defs/SecretRule" }
    });
    let mut policy = policy(&json!({ "request": { "body": { "anyOf": [
        { "$ref": "#/schemas/InternalFraudScore" }, { "$ref": "#/schemas/InternalFraudScore" },
        { "items": { "$ref": "#/schemas/InternalFraudScore" } }
    ] } } }));
    policy["schemas"] = named;
    let (gate, ports) = (gate(&policy), FakePorts::new());
    for body in [
        "{}",
        "[]",
        r#"{"a":1}"#,
        r#"[{"a":"canary"}]"#,
        r#"["canary"]"#,
        "7",
    ] {
        let fields = [
            ("content-type", "application/json"),
            ("content-length", "9"),
        ];
        let facts = request("POST", "/a", &fields, body);
        let refused = match run(admit(&gate, &ports, facts, body.as_bytes().to_vec())) {
            Err(refused) => refused,
            Ok(_) => continue,
        };
        let Refusal::Invalid { findings } = refused.refusal else {
            panic!("{body}");
        };
        let told = serde_json::to_string(&findings).unwrap().to_lowercase();
        for private in [
            "fraud", "secret", "internal", "schemas/", "$defs", "canary", ".json",
        ] {
            assert!(!told.contains(private), "{told}");
        }
    }
}
