//! Several origins of one route.

use std::net::IpAddr;

use edgeward::policy::load::load;

use super::*;
use support::bindings;

fn policy(split: &Value) -> Value {
    let ip = json!({
        "by": "ip", "algorithm": "sliding_window", "limit": 100_000, "window_s": 60,
        "on_error": "local",
    });
    let breaker = json!({ "consecutive": 2 });
    json!({
        "name": "orders",
        "origins": {
            "api": { "url": "https://api.example", "circuit_breaker": breaker },
            "canary": { "url": "https://canary.example", "circuit_breaker": breaker },
        },
        "limits": { "ip": ip },
        "routes": [{
            "id": "orders", "match": { "methods": ["GET"], "path": "/orders" },
            "origin": "api", "split": split, "auth": "public", "limits": ["ip"],
        }],
    })
}

/// To whom a caller at an address is sent.
fn to(gate: &Gate, ports: &FakePorts, number: u8) -> String {
    let mut facts = request("GET", "/orders", &[], "");
    facts.connection.ip = Some(IpAddr::from([192, 0, 2, number]));
    let _ = run(admit(gate, ports, facts, Vec::new()));
    let arrived = ports.arrived.borrow();
    arrived
        .last()
        .map(|one| one.url.clone())
        .unwrap_or_default()
}

const CANARY: &str = "https://canary.example/orders";
const API: &str = "https://api.example/orders";

#[test]
fn a_caller_is_sent_to_the_same_origin_always_and_each_gets_its_share() {
    let gate = gate(&policy(&json!({ "canary": 30 })));
    let ports = FakePorts::new();
    let first: Vec<_> = (0..=255).map(|number| to(&gate, &ports, number)).collect();
    let again: Vec<_> = (0..=255).map(|number| to(&gate, &ports, number)).collect();
    assert_eq!(first, again);
    let canary = first.iter().filter(|url| *url == CANARY).count();
    assert!((50..=105).contains(&canary), "{canary} of 256");
}

#[test]
fn callers_of_an_origin_that_is_left_alone_go_to_the_other() {
    let gate = gate(&policy(&json!({ "canary": 30 })));
    let ports = FakePorts::new();
    let of = |ports: &FakePorts, url: &str| {
        let mut numbers = 0..=255;
        numbers
            .find(|number| to(&gate, ports, *number) == url)
            .unwrap()
    };
    let theirs = of(&ports, CANARY);
    ports.origin.set(Some(OriginFault::Down));
    to(&gate, &ports, theirs);
    to(&gate, &ports, theirs);
    ports.origin.set(None);
    assert_eq!(to(&gate, &ports, theirs), API);
    ports.clock_ms.set(NOW_MS + 10_000);
    assert_eq!(to(&gate, &ports, theirs), CANARY, "it is tried again");
}

#[test]
fn callers_of_an_origin_that_takes_no_more_probes_go_to_the_other() {
    let gate = gate(&policy(&json!({ "canary": 100 })));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    to(&gate, &ports, 1);
    to(&gate, &ports, 1);
    ports.origin.set(None);
    ports.clock_ms.set(NOW_MS + 10_000);
    ports.origin_hangs.set(true);
    let mut context = Context::from_waker(Waker::noop());
    let mut probes: Vec<_> = (0..3)
        .map(|_| {
            let facts = request("GET", "/orders", &[], "");
            Box::pin(admit(&gate, &ports, facts, Vec::new()))
        })
        .collect();
    for probe in &mut probes {
        assert!(probe.as_mut().poll(&mut context).is_pending());
    }
    ports.origin_hangs.set(false);
    assert_eq!(to(&gate, &ports, 1), API);
}

#[test]
fn shares_are_a_hundred_at_most_of_origins_that_there_are() {
    let loads = |split: Value| load(policy(&split).to_string().as_bytes(), &bindings()).is_ok();
    assert!(loads(json!({ "canary": 100 })));
    assert!(!loads(json!({ "canary": 101 })));
    assert!(!loads(json!({ "nobody": 5 })));
    assert!(!loads(json!({ "api": 5 })));
}
