//! Attacks that once got through, each with what stops it now.
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
use edgeward::body::finding::Location;
use edgeward::body::schema::Schema;
use edgeward::policy::load::load;
use serde_json::{Value, json};
use support::{FakePorts, bindings, gate, request, run};

fn policy(route: Value) -> Value {
    let mut whole = json!({
        "id": "r", "match": { "methods": ["GET", "POST"], "path": "/{*any}" }, "origin": "o",
        "auth": "public", "limits": ["ip"]
    });
    for (name, value) in route.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({
        "name": "t",
        "origins": { "o": { "url": "https://origin.example" } },
        "limits": { "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 99, "window_s": 60, "on_error": "refuse" } },
        "schemas": { "H": { "properties": { "x-debug": false, "x-role": { "enum": ["user"] } } } },
        "routes": [whole]
    })
}

/// The reason of the refusal, or the names that did not reach the origin.
fn send(policy: &Value, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> String {
    let (gate, ports) = (gate(policy), FakePorts::new());
    let facts = request(method, target, fields, body);
    match run(admit(&gate, &ports, facts, body.as_bytes().to_vec())) {
        Ok(Outcome::Replayed { .. }) => panic!("nothing was kept"),
        Err(refused) => refused.refusal.reason().to_owned(),
        Ok(Outcome::Switched(_)) => "switched".into(),
        Ok(Outcome::Preflight { .. }) => "preflight".into(),
        Ok(Outcome::Released(_)) => {
            let arrived = ports.arrived.borrow()[0].clone();
            let mut removed = arrived.removed;
            removed.retain(|name| name != "tracestate");
            removed.sort();
            format!("without {}", removed.join(" "))
        }
    }
}

fn loads(route: Value) -> bool {
    load(policy(route).to_string().as_bytes(), &bindings()).is_ok()
}

#[test]
fn what_connection_names_is_seen_by_no_rule_and_reaches_no_origin() {
    let rule = policy(json!({ "allow": "request.headers['x-tenant'] == 'mine'" }));
    let mine = ("x-tenant", "mine");
    assert_eq!(send(&rule, "GET", "/a", &[mine], ""), "without ");
    assert_eq!(
        send(
            &rule,
            "GET",
            "/a",
            &[mine, ("connection", "close, X-Tenant")],
            ""
        ),
        "allow_failed"
    );
    let open = policy(json!({}));
    let named = [mine, ("connection", "x-tenant")];
    assert_eq!(
        send(&open, "GET", "/a", &named, ""),
        "without connection x-tenant"
    );
    let typed = [
        ("content-type", "application/json"),
        ("connection", "content-type"),
    ];
    assert_eq!(send(&open, "POST", "/a", &typed, "{}"), "header_malformed");
}

#[test]
fn names_that_servers_fold_do_not_pass() {
    let open = policy(json!({}));
    for name in [
        "x_role",
        "x.role",
        "x-forwarded.for",
        "edgeward.identity",
        "x_user_id",
        "x~y",
    ] {
        assert_eq!(
            send(&open, "GET", "/a", &[(name, "a")], ""),
            format!("without {name}")
        );
    }
    for name in [
        "x-original-forwarded-for",
        "client-ip",
        "remote-user",
        "x-ms-client-principal",
        "proxy",
        "x-edgeward-test-ip",
    ] {
        assert_eq!(
            send(&open, "GET", "/a", &[(name, "a")], ""),
            format!("without {name}")
        );
    }
}

#[test]
fn rules_over_headers_see_them_all() {
    for rules in [
        json!({ "$ref": "#/schemas/H" }),
        json!({ "patternProperties": { "^x-debug": false } }),
        json!({ "not": { "required": ["x-debug"] } }),
        json!({ "allOf": [{ "properties": { "x-debug": false } }] }),
    ] {
        let policy = policy(json!({ "request": { "headers": rules } }));
        assert_eq!(
            send(&policy, "GET", "/a", &[("x-debug", "1")], ""),
            "invalid",
            "{rules}"
        );
        assert_eq!(
            send(&policy, "GET", "/a", &[("accept", "*/*")], ""),
            "without ",
            "{rules}"
        );
    }
}

#[test]
fn rules_that_would_hold_nothing_do_not_load() {
    assert!(loads(
        json!({ "request": { "query": { "properties": { "n": { "type": "integer", "maximum": 1 } } } } })
    ));
    for route in [
        json!({ "request": { "query": { "properties": { "n": { "maximum": 1 } } } } }),
        json!({ "request": { "query": { "type": "object", "additionalproperties": false } } }),
        json!({ "request": { "content_types": ["application/json", "text/plain"], "body": { "type": "object" } } }),
        json!({ "request": { "content_types": ["text/plain"] }, "allow": "request.body.a == 1" }),
        json!({ "request": { "content_types": ["application/xml"] } }),
        json!({ "request": { "opaque": ["application/xml"] }, "allow": "request.body.a == 1" }),
        json!({ "request": { "opaque": ["application/xml"] }, "cost": "request.body.a" }),
        json!({ "request": { "opaque": ["application/json"], "body": true } }),
        json!({ "request": { "bodies": { "text/csv": true } } }),
        json!({ "request": { "bodies": { "application/json": true }, "body": true } }),
        json!({ "request": { "bodies": { "application/json": true }, "content_types": ["application/json"] } }),
        json!({ "request": { "json_limits": { "max_depth": 3 } } }),
        json!({ "request": { "max_bytes": 8_388_609, "body": { "type": "object" } } }),
        json!({ "allow": "request.body.a.all(x, x in request.body.b)" }),
    ] {
        assert!(!loads(route.clone()), "{route}");
    }
}

/// A tree of expressions, told apart by what they hold.
fn expressions(overlapping: bool) -> Result<Schema, String> {
    let other = if overlapping { "left" } else { "field" };
    let to = json!({ "$ref": "#/schemas/Expr" });
    let other_rule = if overlapping {
        to.clone()
    } else {
        json!({ "type": "string" })
    };
    let named = json!({ "Expr": { "oneOf": [
        { "required": ["op", "left", "right"], "properties": {
            "op": { "const": "and" }, "left": to, "right": to } },
        { "required": [other], "properties": { other: other_rule } }
    ] } });
    Schema::compile(&to, named.as_object().unwrap())
}

#[test]
fn a_tree_is_told_of_in_little_time_and_one_that_doubles_with_each_level_does_not_load() {
    let schema = expressions(false).unwrap();
    let mut tree = json!({ "field": 1 });
    for _ in 0..20 {
        tree = json!({ "op": "and", "left": tree, "right": { "field": "x" } });
    }
    let findings = schema.judge(&tree, Location::Body);
    assert!((1..=20).contains(&findings.len()), "{findings:?}");
    assert!(expressions(true).is_err());
}

#[test]
fn a_document_that_breaks_every_rule_is_told_of_in_little_memory() {
    let branches: Vec<_> = (0..100)
        .map(|n| json!({ "type": "object", "required": [n.to_string()] }))
        .collect();
    let schema = Schema::compile(
        &json!({ "items": { "anyOf": branches } }),
        &serde_json::Map::new(),
    )
    .unwrap();
    let findings = schema.judge(&json!(vec![json!({}); 100_000]), Location::Body);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].keyword, "schema");
}

#[test]
fn the_gateways_own_path_is_not_routed_however_it_is_spelled() {
    let open = policy(json!({}));
    for path in [
        "/.edgeward",
        "/.edgeward/x",
        "/%2Eedgeward/jwks.json",
        "/.%65dgeward/health",
    ] {
        assert_eq!(send(&open, "GET", path, &[], ""), "no_route", "{path}");
    }
    assert_eq!(send(&open, "GET", "/.edgewardx", &[], ""), "without ");
}

#[test]
fn two_lengths_are_refused() {
    let fields = [("transfer-encoding", "chunked"), ("content-length", "5")];
    assert_eq!(
        send(&policy(json!({})), "POST", "/a", &fields, ""),
        "header_malformed"
    );
}
