//! An origin that is not well, through the whole gateway over fakes: who is sent, who waits, who is
//! refused, and what is sent again.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod keyed;
mod several;
mod sharing;
#[path = "../support/mod.rs"]
mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use edgeward::admit::{Outcome, admit};
use edgeward::policy::gate::Gate;
use edgeward::ports::OriginFault;
use edgeward::refusal::Refusal;
use serde_json::{Value, json};
use support::{FakePorts, NOW_MS, gate, request, run};

/// One public route of each of GET and POST, to an origin with `rules`.
fn gate_with(rules: &Value) -> Gate {
    let mut origin = json!({ "url": "https://origin.example", "timeout_ms": 5_000 });
    let members = rules.as_object().unwrap().clone();
    origin.as_object_mut().unwrap().extend(members);
    let ip = json!({
        "by": "ip", "algorithm": "sliding_window", "limit": 100_000, "window_s": 60,
        "on_error": "local",
    });
    gate(&json!({
        "name": "orders",
        "origins": { "api": origin },
        "limits": { "ip": ip },
        "routes": [{
            "id": "orders", "match": { "methods": ["GET", "PUT", "POST"], "path": "/orders" },
            "origin": "api", "auth": "public", "limits": ["ip"],
        }],
    }))
}

/// What came of one request: the status that would be told, and the reason.
fn ask(gate: &Gate, ports: &FakePorts, method: &str) -> String {
    let facts = request(method, "/orders", &[], "");
    match run(admit(gate, ports, facts, Vec::new())) {
        Ok(Outcome::Released(release)) => {
            let note = release.trail().origin.clone().unwrap();
            format!("released after {} retries", note.retries)
        }
        Ok(Outcome::Switched(_)) => "switched".into(),
        Ok(Outcome::Preflight { .. } | Outcome::Replayed { .. }) => "answered here".into(),
        Err(refused) => match refused.refusal {
            Refusal::OriginOpen { retry_after_ms } => format!("origin_open {retry_after_ms}"),
            refusal => refusal.reason().into(),
        },
    }
}

fn sent(ports: &FakePorts) -> usize {
    ports.arrived.borrow().len()
}

#[test]
fn an_origin_that_fails_is_left_alone_and_then_tried_and_then_taken_back() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 3, "open_s": 10 } }));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    for _ in 0..3 {
        assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    }
    assert_eq!(ask(&gate, &ports, "GET"), "origin_open 10000");
    assert_eq!(sent(&ports), 3, "an open breaker lets nothing through");
    ports.clock_ms.set(NOW_MS + 9_999);
    assert_eq!(ask(&gate, &ports, "GET"), "origin_open 1");
    ports.clock_ms.set(NOW_MS + 10_000);
    ports.origin.set(None);
    for _ in 0..4 {
        assert_eq!(ask(&gate, &ports, "GET"), "released after 0 retries");
    }
}

#[test]
fn no_answer_under_500_counts_against_an_origin_and_no_500_unless_it_is_named() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 1 } }));
    for status in [200, 301, 400, 401, 404, 408, 429, 499, 500, 501] {
        let ports = FakePorts::new();
        ports.origin_status.set(status);
        let told = match status {
            500.. => "origin_failed",
            _ => "released after 0 retries",
        };
        for _ in 0..50 {
            assert_eq!(ask(&gate, &ports, "GET"), told, "{status}");
        }
    }
    for status in [502, 503, 504, 600, 101] {
        let ports = FakePorts::new();
        ports.origin_status.set(status);
        ask(&gate, &ports, "GET");
        assert_eq!(ask(&gate, &ports, "GET"), "origin_open 10000", "{status}");
    }
}

#[test]
fn one_more_than_may_be_open_is_refused_and_the_place_is_back_however_it_ends() {
    let gate = gate_with(&json!({ "max_concurrent": 2 }));
    let ports = FakePorts::new();
    ports.origin_hangs.set(true);
    let asked = || {
        let facts = request("GET", "/orders", &[], "");
        Box::pin(admit(&gate, &ports, facts, Vec::new()))
    };
    let mut context = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (asked(), asked());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert_eq!(ask(&gate, &ports, "GET"), "origin_full");
    drop(first);
    ports.origin_hangs.set(false);
    for _ in 0..10 {
        assert_eq!(ask(&gate, &ports, "GET"), "released after 0 retries");
    }
    let ended = pin!(second);
    assert!(matches!(ended.poll(&mut context), Poll::Pending));
}

#[test]
fn one_who_waits_for_a_place_waits_as_long_as_the_policy_says() {
    let gate = gate_with(&json!({ "max_concurrent": 1, "max_waiting": 1, "wait_ms": 250 }));
    let ports = FakePorts::new();
    ports.origin_hangs.set(true);
    let facts = request("GET", "/orders", &[], "");
    let mut first = Box::pin(admit(&gate, &ports, facts, Vec::new()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert_eq!(ask(&gate, &ports, "GET"), "origin_full");
    assert_eq!(ports.clock_ms.get(), NOW_MS + 250);
}

#[test]
fn what_is_listed_is_sent_again_once_and_nothing_else_is() {
    let rules =
        json!({ "retry": { "attempts": 1, "on": ["connect", "503"], "methods": ["GET", "PUT"] } });
    let gate = gate_with(&rules);
    let failing = |method: &str, fault: Option<OriginFault>, status: u16| {
        let ports = FakePorts::new();
        ports.origin.set(fault);
        ports.origin_status.set(status);
        let told = ask(&gate, &ports, method);
        (told, sent(&ports))
    };
    let row = |told: &str, sent| (told.to_owned(), sent);
    let down = Some(OriginFault::Down);
    assert_eq!(failing("GET", down, 0), row("origin_down", 2));
    assert_eq!(failing("PUT", down, 0), row("origin_down", 2));
    assert_eq!(failing("POST", down, 0), row("origin_down", 1));
    let late = Some(OriginFault::TimedOut);
    assert_eq!(failing("GET", late, 0), row("origin_timeout", 1));
    assert_eq!(failing("GET", None, 503), row("origin_failed", 2));
    assert_eq!(failing("POST", None, 503), row("origin_failed", 1));
    assert_eq!(failing("GET", None, 502), row("origin_failed", 1));
    assert_eq!(
        failing("GET", None, 200),
        row("released after 0 retries", 1)
    );
}

#[test]
fn a_client_that_goes_away_says_nothing_of_its_origin() {
    let rules = json!({
        "circuit_breaker": { "consecutive": 1 },
        "retry": { "attempts": 2, "on": ["connect", "timeout", "503"] },
        "max_concurrent": 1
    });
    let gate = gate_with(&rules);
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Left));
    for _ in 0..50 {
        assert_eq!(ask(&gate, &ports, "GET"), "client_gone");
    }
    assert_eq!(sent(&ports), 50);
    ports.origin.set(None);
    assert_eq!(ask(&gate, &ports, "GET"), "released after 0 retries");
}

#[test]
fn a_probe_whose_client_goes_away_closes_no_breaker() {
    let rules = json!({ "circuit_breaker": { "consecutive": 3, "probes": 1 } });
    let gate = gate_with(&rules);
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    for _ in 0..3 {
        assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    }
    ports.clock_ms.set(ports.clock_ms.get() + 10_000);
    ports.origin.set(Some(OriginFault::Left));
    assert_eq!(ask(&gate, &ports, "GET"), "client_gone");
    ports.clock_ms.set(ports.clock_ms.get() + 10_000);
    ports.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    assert_eq!(ask(&gate, &ports, "GET"), "origin_open 10000");
}

#[test]
fn a_probe_whose_client_goes_away_keeps_no_other_from_trying() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 1, "probes": 1 } }));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    ports.clock_ms.set(ports.clock_ms.get() + 10_000);
    ports.origin.set(Some(OriginFault::Left));
    for _ in 0..3 {
        assert_eq!(ask(&gate, &ports, "GET"), "client_gone");
    }
    ports.origin.set(None);
    assert_eq!(ask(&gate, &ports, "GET"), "released after 0 retries");
}

#[test]
fn who_stops_sending_content_closes_the_origin_to_nobody() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 1 } }));
    let ports = FakePorts::new();
    for fault in [OriginFault::Down, OriginFault::TimedOut, OriginFault::Left] {
        ports.origin.set(Some(fault));
        for _ in 0..20 {
            let facts = request("POST", "/orders", &[], "x");
            assert!(run(admit(&gate, &ports, facts, b"x".to_vec())).is_err());
        }
        ports.origin.set(None);
        assert_eq!(ask(&gate, &ports, "GET"), "released after 0 retries");
    }
    // What the origin itself answers is its own, and so is a failure with nothing to wait for.
    ports.origin_status.set(503);
    let facts = request("POST", "/orders", &[], "x");
    assert!(run(admit(&gate, &ports, facts, b"x".to_vec())).is_err());
    assert_eq!(ask(&gate, &ports, "GET"), "origin_open 10000");
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &ports, "POST"), "origin_down");
    assert_eq!(ask(&gate, &ports, "POST"), "origin_open 10000");
}

#[test]
fn what_reached_nobody_pays_for_no_retry() {
    let gate = gate_with(&json!({ "max_concurrent": 1, "retry": { "attempts": 1 } }));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    // The one to begin with.
    assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    assert_eq!(sent(&ports), 2);
    ports.origin_hangs.set(true);
    let facts = request("GET", "/orders", &[], "");
    let mut open = Box::pin(admit(&gate, &ports, facts, Vec::new()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(open.as_mut().poll(&mut context).is_pending());
    for _ in 0..1_000 {
        assert_eq!(ask(&gate, &ports, "GET"), "origin_full");
    }
    drop(open);
    ports.origin_hangs.set(false);
    assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    assert_eq!(
        sent(&ports),
        4,
        "two and one that hung, and one without a retry"
    );
}

#[test]
fn content_that_can_be_read_once_only_is_sent_once_only() {
    let gate = gate_with(&json!({ "retry": { "methods": ["PUT"] } }));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    let facts = request("PUT", "/orders", &[], "x");
    assert!(run(admit(&gate, &ports, facts, b"x".to_vec())).is_err());
    assert_eq!(sent(&ports), 1);
}

#[test]
fn a_tenth_more_reaches_an_origin_that_fails_and_not_double() {
    let rules = json!({ "retry": { "attempts": 3 } });
    let gate = gate_with(&rules);
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    for _ in 0..1_000 {
        ask(&gate, &ports, "GET");
    }
    assert_eq!(sent(&ports), 1_101);
}

#[test]
fn an_open_breaker_is_not_asked_again() {
    let rules = json!({ "retry": { "attempts": 3 }, "circuit_breaker": { "consecutive": 1 } });
    let gate = gate_with(&rules);
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    // The retry finds the breaker open; what is told is that the origin failed, for it was asked.
    assert_eq!(ask(&gate, &ports, "GET"), "origin_down");
    assert_eq!(sent(&ports), 1);
    assert!(ask(&gate, &ports, "GET").starts_with("origin_open"));
}

#[test]
fn a_head_that_tells_of_more_than_may_come_is_refused_and_one_of_as_much_is_not() {
    let gate = gate_with(&json!({ "answer": { "max_bytes": 10 } }));
    for (length, told) in [
        ("10", "released after 0 retries"),
        ("11", "origin_too_large"),
        ("99999999999999999999", "origin_too_large"),
        ("x", "origin_too_large"),
    ] {
        let ports = FakePorts::new();
        ports.origin_tells.set(Some(("content-length", length)));
        assert_eq!(ask(&gate, &ports, "GET"), told, "{length}");
    }
}
