//! What isolates tell each other of an origin.

use edgeward::origin::share::share;

use super::*;

/// Does what was left to be done behind answers.
fn behind(ports: &FakePorts) {
    let due: Vec<_> = ports.shared.borrow_mut().drain(..).collect();
    for origin in due {
        let state = ports.origins.borrow_mut().of(&origin);
        let rule = origin.rules.breaker.as_ref().unwrap();
        run(share(ports, &origin.url, rule, &state));
    }
}

fn at(ports: &FakePorts, ms: u64) {
    ports.clock_ms.set(NOW_MS + ms);
}

#[test]
fn an_isolate_that_hears_of_another_goes_by_its_own_first_failure() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 5 } }));
    let here = FakePorts::new();
    let there = here.beside();
    here.origin.set(Some(OriginFault::Down));
    for _ in 0..5 {
        ask(&gate, &here, "GET");
        behind(&here);
    }
    // The other's origin is well, as far as it knows; it asks behind its answer, every two seconds.
    at(&there, 1_000);
    assert_eq!(ask(&gate, &there, "GET"), "released after 0 retries");
    behind(&there);
    for _ in 0..3 {
        assert_eq!(
            ask(&gate, &there, "GET"),
            "released after 0 retries",
            "a word opens nothing"
        );
    }
    there.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &there, "GET"), "origin_down");
    assert!(ask(&gate, &there, "GET").starts_with("origin_open"));
}

#[test]
fn others_are_asked_every_two_seconds_at_most_and_never_before_an_answer() {
    let gate = gate_with(&json!({ "circuit_breaker": {} }));
    let ports = FakePorts::new();
    let mut looks = Vec::new();
    for step in 0..100 {
        at(&ports, step * 100);
        ask(&gate, &ports, "GET");
        if !ports.shared.borrow().is_empty() {
            looks.push(step * 100);
            behind(&ports);
        }
    }
    assert_eq!(looks, [0, 2_000, 4_000, 6_000, 8_000]);
}

#[test]
fn silence_leaves_each_isolate_with_what_it_saw() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 2 } }));
    let ports = FakePorts::new();
    ports.origin.set(Some(OriginFault::Down));
    ask(&gate, &ports, "GET");
    ask(&gate, &ports, "GET");
    ports.counters_down.set(true);
    behind(&ports);
    assert!(ask_is_open(&gate, &ports));
    ports.origin.set(None);
    at(&ports, 10_000);
    assert!(!ask_is_open(&gate, &ports));
}

fn ask_is_open(gate: &Gate, ports: &FakePorts) -> bool {
    ask(gate, ports, "GET").starts_with("origin_open")
}

#[test]
fn a_word_is_forgotten_when_a_breaker_would_close() {
    let gate = gate_with(&json!({ "circuit_breaker": { "consecutive": 2, "open_s": 4 } }));
    let here = FakePorts::new();
    let there = here.beside();
    here.origin.set(Some(OriginFault::Down));
    ask(&gate, &here, "GET");
    ask(&gate, &here, "GET");
    behind(&here);
    ask(&gate, &there, "GET");
    behind(&there);
    at(&there, 4_100);
    there.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &there, "GET"), "origin_down");
    assert_eq!(ask(&gate, &there, "GET"), "origin_down");
}
