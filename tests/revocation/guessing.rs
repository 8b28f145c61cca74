//! `counts: refused_credentials`: what guessing costs, and whom.

use edgeward::limit::ask;
use edgeward::object::ObjectName;
use edgeward::policy::gate::Gate;
use edgeward::refusal::Refusal;
use edgeward::stage::routed::Routing;
use edgeward::stage::{Exchange, failure};
use serde_json::{Value, json};

use crate::support::FakePorts;
use crate::support::keys::{key, key_with};
use crate::support::told::Told;
use crate::{
    NOW_MS, NOW_S, at_clock, gate, key_owner, of_key, ports, request, run, send, token, used, write,
};

const GUESSES: usize = 3;

fn policy(on_error: &str, mode: &str) -> Value {
    let mut policy = crate::policy("refuse");
    policy["limits"]["guesses"] = json!({
        "by": "ip", "algorithm": "sliding_window", "limit": GUESSES, "window_s": 60,
        "on_error": on_error, "counts": "refused_credentials", "mode": mode
    });
    let admit = |limits: &mut Value| limits.as_array_mut().unwrap().insert(0, json!("guesses"));
    for route in policy["routes"].as_array_mut().unwrap() {
        admit(&mut route["limits"]);
    }
    policy["routes"][1]["require"] = json!({ "scopes": ["orders:write"], "acr": ["aal2"] });
    policy
}

/// A key of a caller that exists, with a secret that is not its own.
fn guess(number: usize) -> String {
    key_with("good", &format!("{number:0>32}"))
}

fn address() -> ObjectName {
    ObjectName::of_address("192.0.2.1", "192.0")
}

fn from_elsewhere(gate: &Gate, ports: &FakePorts, route: &str, credential: &str) -> Told {
    let mut facts = request(
        "GET",
        &format!("/{route}"),
        &[("x-api-key", credential)],
        "",
    );
    facts.connection.ip = Some([198, 51, 100, 7].into());
    at_clock(gate, ports, facts)
}

#[test]
fn guesses_are_answered_as_often_as_the_limit_says() {
    let gate = gate(&policy("refuse", "enforce"));
    for route in ["bare", "tenant-first", "open", "observed", "off"] {
        let ports = ports();
        for number in 0..GUESSES {
            let told = send(&gate, &ports, route, &guess(number));
            assert_eq!(
                told.line(),
                "401 credential-invalid key_secret",
                "{route} {number}"
            );
        }
        // Whatever the route's mode: that never applies to authentication.
        for isolate in [&ports, &ports.beside()] {
            let told = send(&gate, isolate, route, &guess(GUESSES));
            assert_eq!((told.status, told.asked_for("key")), (429, 0), "{route}");
            assert!(told.retry_after_s.is_some(), "{route}");
        }
    }
}

#[test]
fn guessing_costs_the_address_it_comes_from_alone() {
    let gate = gate(&policy("refuse", "enforce"));
    let ports = ports();
    for number in 0..2 * GUESSES {
        send(&gate, &ports, "tenant-first", &guess(number));
    }
    for (object, rows) in [
        (key_owner(), ["minute", "watch", "guesses"]),
        (
            ObjectName::of(&["tenant", "acme"]),
            ["org", "guesses", "minute"],
        ),
    ] {
        for row in rows {
            assert_eq!(
                used(&ports, &object, row),
                0,
                "{row} of the one who is named"
            );
        }
    }
    assert_eq!(
        used(&ports, &address(), &address().row("guesses")),
        GUESSES as u64,
        "no more than there is room"
    );
    for isolate in [&ports, &ports.beside()] {
        let told = from_elsewhere(&gate, isolate, "tenant-first", &key("good"));
        assert_eq!(
            told.line(),
            "200 - -",
            "the one who is named, from its own address"
        );
        let told = send(&gate, isolate, "bare", &key("good"));
        assert_eq!(
            told.status, 429,
            "a good credential from there tells nothing either"
        );
    }
    let none = request("GET", "/open", &[], "");
    assert_eq!(at_clock(&gate, &ports, none).status, 429);
}

#[test]
fn the_window_passes() {
    let gate = gate(&policy("refuse", "enforce"));
    let ports = ports();
    for number in 0..=GUESSES {
        send(&gate, &ports, "bare", &guess(number));
    }
    for (after_ms, status) in [(60_000, 429), (60_001, 401)] {
        ports.clock_ms.set(NOW_MS + after_ms);
        assert_eq!(
            send(&gate, &ports, "bare", &guess(0)).status,
            status,
            "{after_ms}"
        );
    }
    assert_eq!(send(&gate, &ports, "bare", &key("good")).status, 200);
}

#[test]
fn every_bad_credential_is_a_guess() {
    let gate = gate(&policy("refuse", "enforce"));
    let expired = token("one", 1, 3).replacen("Bearer ", "", 1);
    for (id, name, value) in [
        ("a wrong secret", "x-api-key", guess(0)),
        ("an unknown key", "x-api-key", key("nobody")),
        (
            "a mistyped key",
            "x-api-key",
            key("good").replace("good", "goof"),
        ),
        ("no key at all", "x-api-key", "x".into()),
        ("a key taken back", "x-api-key", key("other")),
        (
            "a token out of time",
            "authorization",
            format!("Bearer {expired}"),
        ),
        ("no token", "authorization", "Bearer x".into()),
        (
            "a token without its proof",
            "authorization",
            format!("DPoP {expired}"),
        ),
        ("another scheme", "authorization", "Basic YTpi".into()),
        ("two keys", "x-api-key", format!("{0}, {0}", key("good"))),
    ] {
        let ports = ports();
        write(
            &ports,
            &ObjectName::of_caller("keys", "", "other"),
            of_key("other"),
        );
        let ask = || {
            at_clock(
                &gate,
                &ports,
                request("GET", "/bare", &[(name, &value)], ""),
            )
        };
        for _ in 0..GUESSES {
            assert!(matches!(ask().status, 400 | 401), "{id}: {}", ask().line());
        }
        assert_eq!(ask().status, 429, "{id}");
    }
}

#[test]
fn nothing_else_is_a_guess() {
    let gate = gate(&policy("refuse", "enforce"));
    let good = key("good");
    let with_key = |path: &str| request("GET", path, &[("x-api-key", &good)], "");
    for (id, facts, status) in [
        ("a good one", with_key("/bare"), 200),
        ("none", request("GET", "/bare", &[], ""), 401),
        (
            "none on a public route",
            request("GET", "/open", &[], ""),
            200,
        ),
        ("a login too weak", with_key("/caller"), 401),
        ("no such path", with_key("/elsewhere"), 404),
        (
            "another method",
            request("POST", "/bare", &[("x-api-key", &good)], ""),
            405,
        ),
        ("an odd path", with_key("/a/../bare"), 400),
    ] {
        let ports = ports();
        for _ in 0..3 * GUESSES {
            assert_eq!(
                at_clock(&gate, &ports, facts.clone()).status,
                status,
                "{id}"
            );
        }
        assert_eq!(
            used(&ports, &address(), &address().row("guesses")),
            0,
            "{id}"
        );
        assert_eq!(send(&gate, &ports, "bare", &guess(0)).status, 401, "{id}");
    }
    let ports = ports();
    ports.keys_down.set(true);
    for _ in 0..3 * GUESSES {
        assert_eq!(
            send(&gate, &ports, "bare", &guess(0)).status,
            503,
            "a silent store"
        );
    }
    assert_eq!(
        used(&ports, &address(), &address().row("guesses")),
        0,
        "a silent store"
    );
}

#[test]
fn a_good_request_shows_nothing_of_the_limit_on_guesses() {
    let gate = gate(&policy("refuse", "enforce"));
    let ports = ports();
    let facts = request(
        "GET",
        "/caller",
        &[("authorization", &token("one", NOW_S, 3))],
        "",
    );
    let asked = run(edgeward::admit::admit(&gate, &ports, facts, Vec::new()));
    let refused = asked.err().unwrap();
    assert!(
        refused
            .trail
            .limits
            .iter()
            .all(|limit| limit.name != "guesses")
    );
}

#[test]
fn a_silent_counter_means_what_the_limit_says() {
    for (on_error, guesses, good) in [
        ("refuse", [503; 5], 503),
        ("admit", [401; 5], 200),
        ("local", [401, 401, 401, 429, 429], 200),
    ] {
        let gate = gate(&policy(on_error, "enforce"));
        let silent = || {
            let ports = ports();
            ports.counters_down.set(true);
            ports
        };
        // The credential itself is asked of the store; `bare` has no other limit.
        let ports = silent();
        for _ in 0..3 * GUESSES {
            let told = send(&gate, &ports, "bare", &key("good"));
            assert_eq!(told.status, good, "{on_error}: good ones are no guesses");
        }
        for (number, status) in guesses.into_iter().enumerate() {
            let told = send(&gate, &ports, "bare", &guess(number));
            assert_eq!(told.status, status, "{on_error} {number}");
        }
    }
}

#[test]
fn a_limit_that_observes_refuses_no_guess_and_says_so() {
    let gate = gate(&policy("refuse", "observe"));
    let ports = ports();
    for number in 0..3 * GUESSES {
        let told = send(&gate, &ports, "bare", &guess(number));
        assert_eq!(told.status, 401, "{number}");
        assert_eq!(
            told.observed.contains(&"over_limit"),
            number >= GUESSES,
            "{number}"
        );
    }
    let off = crate::gate(&policy("refuse", "off"));
    let ports = crate::ports();
    for number in 0..3 * GUESSES {
        let told = send(&off, &ports, "bare", &guess(number));
        assert_eq!((told.status, told.observed), (401, vec![]), "{number}");
    }
}

/// Guesses that were all let in before any was charged: those without room learn nothing.
#[test]
fn guesses_sent_at_once_are_not_told_more_often() {
    let gate = gate(&policy("refuse", "enforce"));
    let ports = ports();
    let refused: Vec<_> = (0..2 * GUESSES)
        .map(|_| {
            let facts = request("GET", "/bare", &[("x-api-key", "x")], "");
            let Ok(Routing::Route(routed)) = Exchange::received(facts, ()).route(&gate) else {
                panic!("no route")
            };
            let charged = run(ask::charge(&ports, routed.address_charge()));
            let Ok(shielded) = routed.shield(&charged) else {
                panic!("no room to ask")
            };
            shielded.present().err().unwrap()
        })
        .collect();
    let told = refused
        .into_iter()
        .map(|refused| run(failure::charge(&ports, refused)).refusal);
    let waits: Vec<_> = told
        .map(|told| matches!(told, Refusal::OverLimit { .. }))
        .collect();
    assert_eq!(waits, [false, false, false, true, true, true]);
}
