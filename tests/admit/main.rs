//! The decision table: every credential, scope, limit and content state against one route, what
//! came of it and what was asked of the outside, as a golden file.
//! Refresh with `UPDATE_EXPECT=1 cargo test --test admit`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod bulk;
mod orders;
#[path = "../support/mod.rs"]
mod support;

use edgeward::admit::{Outcome, admit};
use edgeward::challenge::Asking;
use edgeward::decision::{Ending, line};
use edgeward::facts::Facts;
use edgeward::policy::gate::Gate;
use edgeward::ports::OriginFault;
use edgeward::problem::{Problem, Telling};
use expect_test::expect_file;
use orders::{SECRET, key, policy, ports, token};
use serde_json::{Value, json};
use support::{FakePorts, NOW_MS, gate, request, run};

/// One row: what came of a request, and what was asked.
fn decide(gate: &Gate, ports: &FakePorts, facts: Facts, body: &str) -> String {
    ports.asked.borrow_mut().clear();
    let outcome = run(admit(gate, ports, facts, body.as_bytes().to_vec()));
    let asked = ports.asked.borrow().join(", ");
    let (told, line) = match outcome {
        Ok(Outcome::Released(release)) => {
            let trail = release.trail();
            let ending = Ending {
                status: 200,
                refusal: None,
                policy: None,
                ms: 0,
            };
            ("200".to_owned(), json!(line(trail, &ending)))
        }
        Ok(Outcome::Switched(_)) => return format!("101 | {asked}"),
        Ok(Outcome::Replayed { .. }) => return format!("replayed | {asked}"),
        Ok(Outcome::Preflight { .. }) => return format!("204 preflight | {asked}"),
        Err(refused) => {
            let trail = &refused.trail;
            let telling = Telling {
                request_id: &trail.facts.request_id,
                asking: Asking {
                    realm: "orders",
                    metadata: "",
                },
                challenges: &trail.challenges,
            };
            let problem = Problem::of(&refused.refusal, &telling);
            let ending = Ending {
                status: problem.slug.status(),
                refusal: Some((&refused.refusal, problem.slug)),
                policy: None,
                ms: 0,
            };
            (
                format!("{} {}", problem.slug.status(), problem.slug.as_str()),
                json!(line(trail, &ending)),
            )
        }
    };
    let text = |name: &str| {
        line.get(name)
            .and_then(Value::as_str)
            .unwrap_or("-")
            .to_owned()
    };
    format!("{told} | {} {} | {asked}", text("stage"), text("reason"))
}

const BODY: &str = r#"{"item":"tea"}"#;

fn post(credential: &[(&str, &str)], body: &str) -> Facts {
    let mut fields = vec![("content-type", "application/json")];
    fields.extend_from_slice(credential);
    request("POST", "/accounts/acme/orders", &fields, body)
}

#[test]
fn every_credential_against_every_state_of_limits_and_content() {
    let gate = gate(&policy());
    let keys = [
        "good",
        "clerk",
        "reader",
        "stranger",
        "tenantless",
        "expired",
        "revoked",
        "elsewhere",
        "nobody",
    ];
    let mut credentials: Vec<(String, &str, String)> = keys
        .iter()
        .map(|name| (format!("key of {name}"), "x-api-key", key(name)))
        .collect();
    credentials.push((
        "mistyped key".into(),
        "x-api-key",
        key("good").replace("good", "goof"),
    ));
    credentials.push(("token".into(), "authorization", token(json!({}))));
    credentials.push((
        "token without scope".into(),
        "authorization",
        token(json!({ "scope": "" })),
    ));
    credentials.push((
        "expired token".into(),
        "authorization",
        token(json!({ "exp": 1 })),
    ));
    credentials.push((
        "token of another issuer".into(),
        "authorization",
        token(json!({ "iss": "x" })),
    ));
    credentials.push(("basic".into(), "authorization", "Basic YTpi".into()));
    let contents = [
        ("fit", BODY.to_owned()),
        ("unknown field", r#"{"item":"tea","x":1}"#.to_owned()),
        ("not JSON", "{".to_owned()),
        ("too large", format!("{{\"item\":\"{}\"}}", "a".repeat(64))),
    ];
    let mut table = Vec::new();
    for (name, header, value) in &credentials {
        for (state, content) in &contents {
            let ports = ports();
            let row = decide(&gate, &ports, post(&[(header, value)], content), content);
            table.push(format!("{name} | {state} content | {row}"));
        }
        // Twice within the limit, the third over it.
        let ports = ports();
        for _ in 0..2 {
            decide(&gate, &ports, post(&[(header, value)], BODY), BODY);
        }
        let row = decide(&gate, &ports, post(&[(header, value)], BODY), BODY);
        table.push(format!("{name} | third in a minute | {row}"));
        let ports = orders::ports();
        ports.counters_down.set(true);
        let row = decide(&gate, &ports, post(&[(header, value)], BODY), BODY);
        table.push(format!("{name} | counters down | {row}"));
    }
    let ports = orders::ports();
    table.push(format!(
        "none | fit content | {}",
        decide(&gate, &ports, post(&[], BODY), BODY)
    ));
    let both = [
        ("x-api-key", key("good")),
        ("authorization", token(json!({}))),
    ];
    let both: Vec<_> = both
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    table.push(format!(
        "both | fit content | {}",
        decide(&gate, &ports, post(&both, BODY), BODY)
    ));
    expect_file!["../golden/decisions.txt"].assert_eq(&(table.join("\n") + "\n"));
}

#[test]
fn every_state_of_the_outside() {
    let gate = gate(&policy());
    let good = key("good");
    let mut table = Vec::new();
    let mut row = |name: &str, change: &dyn Fn(&mut FakePorts), facts: Facts| {
        let mut ports = orders::ports();
        change(&mut ports);
        let body = if facts.has_body { BODY } else { "" };
        table.push(format!("{name} | {}", decide(&gate, &ports, facts, body)));
    };
    let with_key = || post(&[("x-api-key", &good)], BODY);
    let token = token(json!({}));
    row("all well", &|_| (), with_key());
    row(
        "key store down",
        &|ports| ports.keys_down.set(true),
        with_key(),
    );
    row(
        "key set down",
        &|ports| ports.key_set = None,
        post(&[("authorization", &token)], BODY),
    );
    row(
        "counters down, public",
        &|ports| ports.counters_down.set(true),
        request("GET", "/health", &[], ""),
    );
    for fault in [
        OriginFault::Down,
        OriginFault::TimedOut,
        OriginFault::Invalid,
    ] {
        row(
            &format!("origin {fault:?}"),
            &|ports| ports.origin.set(Some(fault)),
            with_key(),
        );
    }
    for status in [101, 199, 204, 302, 404, 500, 599, 600, 999] {
        row(
            &format!("origin answers {status}"),
            &|ports| ports.origin_status.set(status),
            with_key(),
        );
    }
    let get = |target| request("GET", target, &[], "");
    for target in [
        "/health",
        "/HEALTH",
        "/health/",
        "/%68ealth",
        "/health?x=%zz",
        "//health",
        "/a/../health",
    ] {
        row(&format!("GET {target}"), &|_| (), get(target));
    }
    row("HEAD /health", &|_| (), request("HEAD", "/health", &[], ""));
    row(
        "DELETE /health",
        &|_| (),
        request("DELETE", "/health", &[], ""),
    );
    row(
        "TRACE /health",
        &|_| (),
        request("TRACE", "/health", &[], ""),
    );
    row(
        "GET /health with content",
        &|_| (),
        request("GET", "/health", &[], "x"),
    );
    row(
        "bad key on a public route",
        &|_| (),
        request("GET", "/health", &[("x-api-key", "x")], ""),
    );
    let plain = Facts {
        is_https: false,
        ..get("/health")
    };
    row("plain http", &|_| (), plain);
    let mut old = get("/health");
    old.connection.tls_version = Some("TLSv1.1".into());
    row("TLS 1.1", &|_| (), old);
    let mut nowhere = get("/health");
    nowhere.connection.ip = None;
    row("no address", &|_| (), nowhere);
    expect_file!["../golden/outside.txt"].assert_eq(&(table.join("\n") + "\n"));
}

#[test]
fn what_reaches_the_origin_is_what_was_checked_and_nothing_of_the_credential() {
    let gate = gate(&policy());
    let ports = ports();
    let spoofed = [
        ("x-api-key", key("good")),
        ("content-type", "application/json".into()),
        ("x_forwarded_for", "127.0.0.1".into()),
        ("x-forwarded-proto", "gopher".into()),
        ("edgeward-identity", "root".into()),
        ("edgeward_identity", "root".into()),
        ("x-original-url", "/admin".into()),
        ("client_cert", "x".into()),
        ("connection", "close, x-team".into()),
        ("x-team", "a".into()),
        ("x-custom", "kept".into()),
    ];
    let fields: Vec<_> = spoofed
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let facts = request("POST", "/accounts/%61cme/orders?a=1;b=2", &fields, BODY);
    let outcome = run(admit(&gate, &ports, facts, BODY.as_bytes().to_vec()));
    assert!(matches!(outcome, Ok(Outcome::Released(_))));
    let arrived = ports.arrived.borrow().first().cloned().unwrap();
    assert_eq!(
        arrived.url,
        "https://origin.example/accounts/acme/orders?a=1%3Bb=2"
    );
    assert_eq!(arrived.method, "POST");
    assert_eq!(arrived.content.as_deref(), Some(BODY.as_bytes()));
    let kept: Vec<_> = spoofed
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !arrived.removed.iter().any(|removed| removed == name))
        .collect();
    assert_eq!(kept, ["content-type", "x-custom"]);
    let set: Vec<_> = arrived.set.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        set,
        [
            "edgeward-request-id",
            "traceparent",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto"
        ]
    );
    let told = format!("{arrived:?}");
    assert!(!told.contains(SECRET), "the credential went along");
}

#[test]
fn a_verified_token_is_remembered_and_every_later_check_still_runs() {
    let gate = gate(&policy());
    let ports = ports();
    let token = token(json!({}));
    let ask = |path: &str| {
        let fields = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        decide(&gate, &ports, request("POST", path, &fields, BODY), BODY)
    };
    assert!(ask("/accounts/acme/orders").contains("key set, signature"));
    let second = ask("/accounts/acme/orders");
    assert!(
        second.starts_with("200") && !second.contains("signature"),
        "{second}"
    );
    let other = ask("/accounts/other/orders");
    assert!(
        other.starts_with("429") || other.starts_with("403"),
        "{other}"
    );
    let late = Facts {
        received_at_ms: NOW_MS + 330_000,
        ..post(&[("authorization", token.as_str())], BODY)
    };
    ports.clock_ms.set(NOW_MS + 330_000);
    let row = decide(&gate, &ports, late, BODY);
    assert!(
        row.starts_with("401 credential-invalid | identified token_expired"),
        "{row}"
    );
}
