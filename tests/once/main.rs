//! A request that is carried out once: what its key means at each stage, and what becomes of a claim
//! however its request ends.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use edgeward::admit::{Outcome, admit};
use edgeward::facts::{Facts, RequestId};
use edgeward::idempotency::KeptAnswer;
use edgeward::policy::gate::Gate;
use edgeward::policy::load::load;
use edgeward::ports::OriginFault;
use edgeward::problem::slug_of;
use serde_json::{Value, json};
use support::{FakePorts, bindings, gate, keys, request, run};

fn policy(route: Value) -> Value {
    let mut one = json!({
        "id": "pay",
        "match": { "methods": ["POST", "GET"], "path": "/payments" },
        "origin": "payments",
        "auth": ["keys"],
        "limits": ["address", "caller"],
        "idempotency": "required"
    });
    for (name, value) in route.as_object().unwrap() {
        one[name] = value.clone();
    }
    let limit = |by: &str| json!({ "by": by, "algorithm": "sliding_window", "limit": 100, "window_s": 60, "on_error": "refuse" });
    json!({
        "name": "payments",
        "origins": { "payments": { "url": "https://payments.example" } },
        "authenticators": { "keys": { "kind": "api_key" } },
        "limits": { "address": limit("ip"), "caller": limit("caller") },
        "routes": [one]
    })
}

struct Ended {
    reason: &'static str,
    status: u16,
    charged: Vec<u64>,
}

/// Sends `body` with a key through the driver, and keeps the answer as the edge does.
fn pay(gate: &Gate, ports: &FakePorts, id: u8, key: &str, body: &str) -> Ended {
    let mut facts = sent(key, body);
    facts.request_id = RequestId::from_random([id; 16]);
    let outcome = run(admit(gate, ports, facts, body.as_bytes().to_vec()));
    let (reason, status, trail) = match outcome {
        Ok(Outcome::Released(release)) => {
            let (mut cleared, _open) = release.part();
            let status = ports.origin_status.get();
            if let Some(granted) = cleared.take_keep() {
                let answer = KeptAnswer {
                    status,
                    fields: Vec::new(),
                    content: Some("ZG9uZQ==".into()),
                };
                ports.act(&granted.object, &granted.keep(answer));
            }
            let charged = charged(cleared.trail());
            return Ended {
                reason: "ok",
                status,
                charged,
            };
        }
        Ok(Outcome::Replayed { answer, trail }) => ("replayed", answer.status, trail),
        Ok(Outcome::Preflight { trail, .. }) => ("preflight", 204, trail),
        Ok(Outcome::Switched(_)) => panic!("nobody switched"),
        Err(mut refused) => {
            let slug = slug_of(&refused.refusal);
            if let Some(granted) = refused.trail.keep.take() {
                let answer = KeptAnswer {
                    status: slug.status(),
                    fields: Vec::new(),
                    content: Some("ZG9uZQ==".into()),
                };
                ports.act(&granted.object, &granted.keep(answer));
            }
            (refused.refusal.reason(), slug.status(), refused.trail)
        }
    };
    Ended {
        reason,
        status,
        charged: charged(&trail),
    }
}

fn charged(trail: &edgeward::trail::Trail) -> Vec<u64> {
    trail.limits.iter().map(|limit| limit.charged).collect()
}

fn sent(key: &str, body: &str) -> Facts {
    let own = keys::key("alice");
    let mut fields = vec![("x-api-key", own.as_str())];
    if !key.is_empty() {
        fields.push(("idempotency-key", key));
    }
    request("POST", "/payments", &fields, body)
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records.extend([keys::record("alice", json!({}))]);
    ports
}

fn origin_was_asked(ports: &FakePorts) -> usize {
    ports.arrived.borrow().len()
}

#[test]
fn a_repeat_is_answered_without_the_origin_and_costs_its_caller_nothing() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let first = pay(&gate, &ports, 1, "\"k\"", "{}");
    assert_eq!(
        (first.reason, first.status, first.charged),
        ("ok", 200, vec![1, 1])
    );
    let again = pay(&gate, &ports, 2, "\"k\"", "{}");
    assert_eq!(
        (again.reason, again.status, again.charged),
        ("replayed", 200, vec![1, 0])
    );
    assert_eq!(origin_was_asked(&ports), 1);
    let set = &ports.arrived.borrow()[0].set;
    assert!(set.contains(&("accept-encoding".into(), "identity".into())));
}

#[test]
fn what_a_repeat_will_ask_for_goes_on_when_its_client_has_left() {
    let (gate, ports) = (gate(&policy(json!({ "idempotency": "optional" }))), ports());
    pay(&gate, &ports, 1, "\"k\"", "{}");
    pay(&gate, &ports, 2, "", "{}");
    let arrived = ports.arrived.borrow();
    let outlive: Vec<_> = arrived.iter().map(|one| one.outlives_client).collect();
    assert_eq!(outlive, [true, false]);
}

#[test]
fn a_key_is_asked_for_before_content_is_read_and_another_request_is_not_its_own() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    for (key, reason) in [("", "no_idempotency_key"), ("bare", "header_malformed")] {
        ports.asked.borrow_mut().clear();
        assert_eq!(pay(&gate, &ports, 1, key, "{}").reason, reason);
        assert!(!ports.asked.borrow().contains(&"content"), "{key}");
    }
    pay(&gate, &ports, 1, "\"k\"", "{}");
    assert_eq!(
        pay(&gate, &ports, 2, "\"k\"", "[]").reason,
        "idempotency_key_reused"
    );
    assert_eq!(origin_was_asked(&ports), 1);
}

#[test]
fn what_becomes_of_a_claim_follows_from_what_the_origin_did() {
    for (status, fault, again) in [
        (500, None, "replayed"),
        (404, None, "replayed"),
        (401, None, "ok"),
        (429, None, "ok"),
        (600, None, "outcome_unknown"),
        (200, Some(OriginFault::Down), "outcome_unknown"),
        (200, Some(OriginFault::TimedOut), "outcome_unknown"),
        (200, Some(OriginFault::Invalid), "outcome_unknown"),
    ] {
        let (gate, ports) = (gate(&policy(json!({}))), ports());
        ports.origin_status.set(status);
        ports.origin.set(fault);
        pay(&gate, &ports, 1, "\"k\"", "{}");
        assert_eq!(
            pay(&gate, &ports, 2, "\"k\"", "{}").reason,
            again,
            "{status} {fault:?}"
        );
    }
}

#[test]
fn a_failure_that_is_kept_back_stands_for_its_key_as_it_was_told() {
    for (errors, first, again) in [
        ("hide", ("origin_failed", 502), ("replayed", 502)),
        ("pass", ("ok", 500), ("replayed", 500)),
    ] {
        let (gate, ports) = (gate(&policy(json!({ "errors": errors }))), ports());
        ports.origin_status.set(500);
        let told = pay(&gate, &ports, 1, "\"k\"", "{}");
        assert_eq!((told.reason, told.status), first);
        ports.origin_status.set(200);
        let told = pay(&gate, &ports, 2, "\"k\"", "{}");
        assert_eq!((told.reason, told.status), again);
        assert_eq!(origin_was_asked(&ports), 1);
    }
}

#[test]
fn an_answer_over_its_bound_stands_for_its_key_as_it_was_told() {
    let mut policy = policy(json!({}));
    policy["origins"]["payments"]["answer"] = json!({ "max_bytes": 10 });
    let (gate, ports) = (gate(&policy), ports());
    ports.origin_tells.set(Some(("content-length", "11")));
    let told = pay(&gate, &ports, 1, "\"k\"", "{}");
    assert_eq!((told.reason, told.status), ("origin_too_large", 502));
    let told = pay(&gate, &ports, 2, "\"k\"", "{}");
    assert_eq!((told.reason, told.status), ("replayed", 502));
    assert_eq!(origin_was_asked(&ports), 1);
}

#[test]
fn a_request_that_dies_on_its_way_is_in_flight_and_then_lost_never_sent_again() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    ports.origin_hangs.set(true);
    {
        let facts = sent("\"k\"", "{}");
        let mut dying = pin!(admit(&gate, &ports, facts, b"{}".to_vec()));
        let polled = dying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    ports.origin_hangs.set(false);
    assert_eq!(pay(&gate, &ports, 2, "\"k\"", "{}").reason, "in_flight");
    ports.clock_ms.set(ports.clock_ms.get() + 10_000 + 60_000);
    assert_eq!(
        pay(&gate, &ports, 3, "\"k\"", "{}").reason,
        "outcome_unknown"
    );
    ports.clock_ms.set(ports.clock_ms.get() + 86_400_000);
    assert_eq!(
        pay(&gate, &ports, 4, "\"k\"", "{}").reason,
        "ok",
        "a day later the key is free"
    );
    assert_eq!(origin_was_asked(&ports), 2);
}

#[test]
fn without_the_memory_of_keys_nothing_is_carried_out_and_what_has_no_key_is() {
    let (gate, ports) = (gate(&policy(json!({ "idempotency": "optional" }))), ports());
    ports.claims_down.set(true);
    assert_eq!(
        pay(&gate, &ports, 1, "\"k\"", "{}").reason,
        "idempotency_down"
    );
    assert_eq!(pay(&gate, &ports, 2, "", "{}").reason, "ok");
    ports.claims_down.set(false);
    assert_eq!(
        pay(&gate, &ports, 3, "\"k\"", "{}").reason,
        "ok",
        "nothing was claimed"
    );
}

#[test]
fn a_claim_whose_answer_got_lost_is_given_up() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    ports.claims_lost.set(true);
    assert_eq!(
        pay(&gate, &ports, 1, "\"k\"", "{}").reason,
        "idempotency_down"
    );
    ports.claims_lost.set(false);
    assert_eq!(pay(&gate, &ports, 2, "\"k\"", "{}").reason, "ok");
}

#[test]
fn an_answer_to_another_claim_lets_nothing_be_carried_out() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    ports.claims_confused.set(true);
    assert_eq!(
        pay(&gate, &ports, 1, "\"k\"", "{}").reason,
        "answer_mismatch"
    );
    assert_eq!(origin_was_asked(&ports), 0);
}

#[test]
fn a_key_asks_of_a_route_that_it_has_callers_and_changes_something() {
    let told = |route: Value| {
        let loaded = load(policy(route).to_string().as_bytes(), &bindings());
        let faults = loaded.err().unwrap_or_default();
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(told(json!({})), "");
    assert_eq!(
        told(json!({ "idempotency": { "key": "optional", "keep_s": 60, "answer_bytes_max": 0 } })),
        ""
    );
    let public = json!({ "auth": "public", "limits": ["address"] });
    assert!(told(public).contains("/routes/0/idempotency: a key is its caller's"));
    let reading = json!({ "match": { "methods": ["GET"], "path": "/payments" } });
    assert!(told(reading).contains("/routes/0/idempotency: no method of this route"));
    for bad in [59, 2_592_001] {
        assert!(
            told(json!({ "idempotency": { "key": "optional", "keep_s": bad } }))
                .contains("idempotency"),
            "{bad}"
        );
    }
    let large = json!({ "idempotency": { "key": "optional", "answer_bytes_max": 1_048_577 } });
    assert!(told(large).contains("idempotency"));
}
