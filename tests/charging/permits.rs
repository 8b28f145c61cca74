//! Requests that are open at once: a permit is held until its request is over, however that is.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use edgeward::admit::{Outcome, admit};
use edgeward::limit::errand;
use edgeward::policy::gate::Gate;
use edgeward::ports::OriginFault;
use edgeward::stage::release::Release;
use serde_json::{Value, json};

use crate::support::{FakePorts, gate, run};
use crate::{ask, faults, get, held, limit, outcome, own, policy, ports, post, route, settle};

/// Two requests of a caller open at once; `change` is laid over the route.
fn open_two(change: Value) -> Gate {
    let two =
        json!({ "by": "caller", "algorithm": "concurrency", "limit": 2, "on_error": "refuse" });
    let mut one = route(json!({ "limits": ["open"] }));
    crate::lay(&mut one, change);
    let narrow = limit(json!({ "by": "tenant", "limit": 1 }));
    gate(&policy(
        json!({ "limits": { "open": two, "narrow": narrow }, "routes": [one] }),
    ))
}

/// A request whose answer has not left yet.
fn open<'p>(gate: &Gate, ports: &'p FakePorts) -> Release<'p, FakePorts> {
    let ended = run(admit(
        gate,
        ports,
        get("alice", "/shops/a", &[]),
        Vec::new(),
    ));
    match ended {
        Ok(Outcome::Released(release)) => release,
        Ok(Outcome::Preflight { .. } | Outcome::Replayed { .. } | Outcome::Switched(_)) => {
            panic!("no answer of now")
        }
        Err(refused) => panic!("{refused:?}"),
    }
}

fn permits(ports: &FakePorts) -> u64 {
    settle(ports);
    held(ports, &own("alice"), "open")
}

#[test]
fn a_permit_is_held_until_the_answer_has_left() {
    let (gate, ports) = (open_two(json!({})), ports());
    let (first, second) = (open(&gate, &ports), open(&gate, &ports));
    assert_eq!(permits(&ports), 2);
    assert_eq!(
        ask(&gate, &ports, get("alice", "/shops/a", &[])),
        "over_limit"
    );
    assert_eq!(ask(&gate, &ports, get("bob", "/shops/a", &[])), "ok");
    // As the edge does: what watches the answer leave has the permit then.
    let (_, ended) = first.part();
    assert!(ended.holds_permits());
    let errand = ended.hand_over();
    assert_eq!(permits(&ports), 2, "watched, and not over yet");
    run(errand::run(&ports, errand));
    assert_eq!(permits(&ports), 1);
    drop(second);
    assert_eq!(permits(&ports), 0);
    // Seen at once by other isolates, and shortly by the one that was refused.
    assert_eq!(
        ask(&gate, &ports.beside(), get("alice", "/shops/a", &[])),
        "ok"
    );
    ports.clock_ms.set(ports.clock_ms.get() + 101);
    assert_eq!(ask(&gate, &ports, get("alice", "/shops/a", &[])), "ok");
}

#[test]
fn a_request_that_is_refused_or_fails_later_holds_nothing() {
    let forbidden = json!({ "allow": "path.shop == 'b'" });
    let narrow = json!({ "limits": ["open", "narrow"] });
    let dear = json!({ "limits": ["open", "narrow"], "cost": "request.body.cost" });
    let body = json!({ "request": { "body": { "type": "array" } } });
    type Fail = fn(&FakePorts);
    let well: Fail = |_| ();
    let cases: [(Value, Fail, &str, &str); 7] = [
        (forbidden, well, "", "not_allowed"),
        (narrow, well, "", "over_limit"),
        (dear, well, r#"{"cost":2}"#, "over_every_limit"),
        (body, well, "{}", "invalid"),
        (
            json!({}),
            |ports| ports.origin.set(Some(OriginFault::Down)),
            "",
            "origin_down",
        ),
        (
            json!({}),
            |ports| ports.origin.set(Some(OriginFault::TimedOut)),
            "",
            "origin_timeout",
        ),
        (
            json!({}),
            |ports| ports.origin_status.set(600),
            "",
            "origin_invalid",
        ),
    ];
    for (change, fail, body, reason) in cases {
        let (gate, ports) = (open_two(change), ports());
        fail(&ports);
        if reason == "over_limit" {
            ask(&gate, &ports, get("bob", "/shops/a", &[]));
        }
        for _ in 0..5 {
            let facts = match body {
                "" => get("alice", "/shops/a", &[]),
                body => post("alice", "/shops/a", body),
            };
            assert_eq!(outcome(&gate, &ports, facts, body).0, reason);
            assert_eq!(permits(&ports), 0, "{reason}");
        }
    }
}

#[test]
fn a_panic_ends_a_request() {
    let (gate, ports) = (open_two(json!({})), ports());
    ports.origin_panics.set(true);
    let facts = || get("alice", "/shops/a", &[]);
    for _ in 0..5 {
        let sent = catch_unwind(AssertUnwindSafe(|| ask(&gate, &ports, facts())));
        assert!(sent.is_err());
        assert_eq!(permits(&ports), 0);
    }
}

#[test]
fn a_request_that_nobody_carries_on_is_over_and_until_then_somebody_does() {
    let (gate, ports) = (open_two(json!({})), ports());
    ports.origin_hangs.set(true);
    {
        let facts = get("alice", "/shops/a", &[]);
        let mut waiting = pin!(admit(&gate, &ports, facts, Vec::new()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert_eq!((permits(&ports), ports.stays.get()), (1, 1));
    }
    assert_eq!(permits(&ports), 0);
}

#[test]
fn a_permit_that_nobody_gives_back_ends_with_its_lifetime() {
    let (gate, ports) = (open_two(json!({})), ports());
    for _ in 0..2 {
        // The isolate is gone, and its errands with it.
        std::mem::forget(open(&gate, &ports));
    }
    let later = ports.beside();
    let ask_at = |ms: u64| {
        later.clock_ms.set(crate::support::NOW_MS + ms);
        ask(&gate, &later, get("alice", "/shops/a", &[]))
    };
    assert_eq!((ask_at(299_000), ask_at(310_000)), ("over_limit", "ok"));
}

#[test]
fn a_request_without_permits_is_watched_by_nobody() {
    let gate = open_two(json!({ "limits": ["narrow"] }));
    let ports = ports();
    let (_, ended) = open(&gate, &ports).part();
    assert_eq!((ended.holds_permits(), ports.stays.get()), (false, 0));
}

#[test]
fn a_request_costs_one_permit_whatever_else_it_costs() {
    for cost in [json!(0), json!(5), json!("request.body.cost")] {
        let (gate, ports) = (open_two(json!({ "cost": cost })), ports());
        let body = r#"{"cost":9}"#;
        let facts = post("alice", "/shops/a", body);
        let ended = run(admit(&gate, &ports, facts, body.as_bytes().to_vec()));
        assert!(ended.is_ok());
        assert_eq!(permits(&ports), 1, "{cost}");
        drop(ended);
        assert_eq!(permits(&ports), 0, "{cost}");
    }
}

#[test]
fn a_permit_lasts_at_least_as_long_as_the_origin_has_to_answer() {
    let with = |lifetime_s: u64, origin_ms: u64, route_ms: Option<u64>| {
        let open = json!({ "by": "caller", "algorithm": "concurrency", "limit": 2,
                           "lifetime_s": lifetime_s, "on_error": "refuse" });
        let mut one = route(json!({ "limits": ["open"] }));
        if let Some(route_ms) = route_ms {
            one["timeout_ms"] = json!(route_ms);
        }
        faults(&policy(json!({
            "origins": { "o": { "url": "https://origin.example", "timeout_ms": origin_ms } },
            "limits": { "open": open }, "routes": [one]
        })))
        .len()
    };
    assert_eq!((with(10, 10_000, None), with(9, 10_000, None)), (0, 1));
    assert_eq!(
        (with(9, 10_000, Some(9_000)), with(9, 100, Some(9_001))),
        (0, 1)
    );
}
