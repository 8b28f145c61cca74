//! `counts: refused_objects`: what it costs to try one object after another, and whom.

use edgeward::limit::ask;
use edgeward::policy::load::load;
use edgeward::stage::Exchange;
use edgeward::stage::claimed::Leading;
use edgeward::stage::failure::{self, OBJECT_STATUSES};
use edgeward::stage::identified::Evidence;
use edgeward::stage::routed::Routing;
use serde_json::{Value, json};

use crate::support::answer::FakeAnswer;
use crate::support::{FakePorts, NOW_MS, bindings, gate, request, run};
use crate::{By, policy, route, send};

const PROBES: usize = 3;

fn guarded(by: &str, on_error: &str, mode: &str) -> Value {
    let probes = json!({
        "by": by, "algorithm": "sliding_window", "limit": PROBES, "window_s": 60,
        "on_error": on_error, "counts": "refused_objects", "mode": mode
    });
    let limits = json!(["probes"]);
    policy(json!({
        "limits": { "probes": probes },
        "routes": [
            route("rule", "/rule/{id}", json!({ "limits": limits, "allow": "path.id == 'own'" })),
            route("failing", "/failing/{id}", json!({ "limits": limits, "allow": "caller.claims.none == path.id" })),
            route("tenant", "/tenant/{id}", json!({ "limits": limits, "tenancy": { "path": "id" } })),
            route("origin", "/origin/{id}", json!({ "limits": limits })),
            route("answer", "/answer/{id}", json!({ "limits": limits, "response": { "allow": "body.id == 'own'" } })),
            route("hidden", "/hidden/{id}", json!({ "limits": limits, "response": { "allow": "body.id == 'own'", "refused_as": "not_found" } })),
            route("scope", "/scope", json!({ "limits": limits, "require": { "scopes": ["none"] } })),
            route("free", "/free/{id}", json!({ "allow": "path.id == 'own'" })),
            route("watched", "/watched/{id}", json!({ "limits": limits, "allow": "path.id == 'own'", "mode": "observe" })),
            route("open", "/open/{id}", json!({ "limits": limits, "auth": "public" })),
            route("closed", "/closed/{id}", json!({ "limits": limits, "auth": "public", "allow": "path.id == 'own'" }))
        ]
    }))
}

fn one() -> By {
    By::Token(json!({ "org": "own" }))
}

fn other() -> By {
    By::Token(json!({ "sub": "bob", "org": "own" }))
}

#[test]
fn refused_objects_slow_down_who_tries_them() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    for (target, line) in [
        ("/rule/7", "403 access-denied not_allowed"),
        ("/failing/7", "403 access-denied allow_failed"),
        ("/tenant/7", "403 access-denied other_tenant"),
    ] {
        let mut ports = FakePorts::new();
        for _ in 0..PROBES {
            assert_eq!(send(&gate, &mut ports, &one(), target, &[]).line(), line);
        }
        // Whatever is asked for then, on every route that names the limit, in every isolate.
        let mut beside = ports.beside();
        for ports in [&mut ports, &mut beside] {
            for target in ["/rule/own", "/rule/7", "/tenant/own", "/origin/own"] {
                let told = send(&gate, ports, &one(), target, &[]);
                assert_eq!(told.line(), "429 quota-exceeded over_limit", "{target}");
                assert!(told.retry_after_s.is_some());
            }
            assert_eq!(send(&gate, ports, &one(), "/free/own", &[]).status, 200);
            assert_eq!(send(&gate, ports, &other(), "/rule/own", &[]).status, 200);
        }
        assert_eq!(
            ports
                .arrived
                .borrow()
                .iter()
                .filter(|one| one.url.contains("rule"))
                .count(),
            1
        );
    }
}

#[test]
fn an_origin_that_says_there_is_none_counts_too() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    for status in OBJECT_STATUSES {
        let mut ports = FakePorts::new();
        ports.origin_status.set(status);
        for _ in 0..PROBES {
            assert_eq!(
                send(&gate, &mut ports, &one(), "/origin/7", &[]).line(),
                "200 - -"
            );
        }
        let before = ports.arrived.borrow().len();
        let told = send(&gate, &mut ports, &one(), "/origin/7", &[]);
        assert_eq!(told.line(), "429 quota-exceeded over_limit", "{status}");
        assert_eq!(
            ports.arrived.borrow().len(),
            before,
            "the origin is not asked"
        );
    }
    for status in [200, 204, 304, 400, 401, 402, 405, 409, 411, 422, 429] {
        let mut ports = FakePorts::new();
        ports.origin_status.set(status);
        for _ in 0..3 * PROBES {
            assert_eq!(
                send(&gate, &mut ports, &one(), "/origin/7", &[]).line(),
                "200 - -",
                "{status}"
            );
        }
    }
}

#[test]
fn an_object_that_is_kept_back_on_the_way_out_counts_too() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    let json = ("content-type".to_owned(), "application/json".to_owned());
    for (target, status, content, line) in [
        (
            "/answer/7",
            200,
            r#"{"id":"7"}"#,
            "403 access-denied object_refused",
        ),
        (
            "/answer/7",
            200,
            "{}",
            "403 access-denied object_rule_failed",
        ),
        (
            "/hidden/7",
            200,
            r#"{"id":"7"}"#,
            "404 route-not-found object_refused",
        ),
        ("/hidden/7", 404, "{}", "404 route-not-found object_missing"),
    ] {
        let mut ports = FakePorts::new();
        ports.origin_status.set(status);
        ports.origin_answers.fields.replace(vec![json.clone()]);
        ports.origin_answers.content.replace(content.into());
        for _ in 0..PROBES {
            assert_eq!(send(&gate, &mut ports, &one(), target, &[]).line(), line);
        }
        let told = send(&gate, &mut ports, &one(), target, &[]);
        assert_eq!(told.line(), "429 quota-exceeded over_limit", "{target}");
        assert_eq!(ports.arrived.borrow().len(), PROBES, "{target}");
    }
}

#[test]
fn nothing_else_counts() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    for (by, target, status) in [
        (one(), "/rule/own", 200),
        (one(), "/scope", 403),
        (one(), "/free/7", 403),
        (one(), "/nowhere", 404),
        (one(), "/rule/a/../7", 400),
        (By::Token(json!({ "exp": 1 })), "/rule/7", 401),
        (By::Nothing, "/rule/7", 401),
        // What only observes refuses nothing.
        (one(), "/watched/7", 200),
    ] {
        let mut ports = FakePorts::new();
        for _ in 0..3 * PROBES {
            assert_eq!(
                send(&gate, &mut ports, &by, target, &[]).status,
                status,
                "{target}"
            );
        }
        assert_eq!(
            send(&gate, &mut ports, &one(), "/rule/7", &[]).status,
            403,
            "{target}"
        );
    }
}

#[test]
fn the_window_passes() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    let mut ports = FakePorts::new();
    for _ in 0..=PROBES {
        send(&gate, &mut ports, &one(), "/rule/7", &[]);
    }
    for (after_ms, status) in [(60_000, 429), (60_001, 200)] {
        ports.clock_ms.set(NOW_MS + after_ms);
        assert_eq!(
            send(&gate, &mut ports, &one(), "/rule/own", &[]).status,
            status,
            "{after_ms}"
        );
    }
}

#[test]
fn by_address_it_counts_callers_together_and_nobody_too() {
    let gate = gate(&guarded("ip", "refuse", "enforce"));
    let mut ports = FakePorts::new();
    send(&gate, &mut ports, &one(), "/rule/7", &[]);
    send(&gate, &mut ports, &other(), "/tenant/7", &[]);
    ports.origin_status.set(404);
    send(&gate, &mut ports, &By::Nothing, "/open/7", &[]);
    for by in [one(), other(), By::Nothing] {
        let target = if matches!(by, By::Nothing) {
            "/open/own"
        } else {
            "/rule/own"
        };
        assert_eq!(
            send(&gate, &mut ports, &by, target, &[]).status,
            429,
            "{by:?}"
        );
    }
    // A guess at a credential is no refused object.
    let mut ports = FakePorts::new();
    for _ in 0..3 * PROBES {
        assert_eq!(
            send(
                &gate,
                &mut ports,
                &By::Token(json!({ "exp": 1 })),
                "/rule/7",
                &[]
            )
            .status,
            401
        );
    }
    assert_eq!(
        send(&gate, &mut ports, &one(), "/rule/own", &[]).status,
        200
    );
}

#[test]
fn a_silent_counter_means_what_the_limit_says() {
    for (on_error, probes, good) in [
        ("refuse", [503; 5], 503),
        ("admit", [403; 5], 200),
        ("local", [403, 403, 403, 429, 429], 200),
    ] {
        let gate = gate(&guarded("caller", on_error, "enforce"));
        let silent = || {
            let ports = FakePorts::new();
            ports.counters_down.set(true);
            ports
        };
        assert_eq!(
            send(&gate, &mut silent(), &one(), "/rule/own", &[]).status,
            good,
            "{on_error}"
        );
        let mut ports = silent();
        for (number, status) in probes.into_iter().enumerate() {
            let told = send(&gate, &mut ports, &one(), "/rule/7", &[]);
            assert_eq!(told.status, status, "{on_error} {number}");
        }
    }
}

#[test]
fn a_limit_that_observes_refuses_nobody_and_says_so() {
    let gate = gate(&guarded("caller", "refuse", "observe"));
    let mut ports = FakePorts::new();
    for number in 0..3 * PROBES {
        let told = send(&gate, &mut ports, &one(), "/rule/7", &[]);
        assert_eq!(told.status, 403, "{number}");
        assert_eq!(
            told.observed.contains(&"over_limit"),
            number >= PROBES,
            "{number}"
        );
    }
}

/// What was let in at once: those that find no room when they are charged are told to wait, whether
/// the gateway or the origin refused.
#[test]
fn objects_tried_at_once_are_not_told_of_more_often() {
    let gate = gate(&guarded("caller", "refuse", "enforce"));
    let ports = FakePorts::new();
    let limited = |ports: &FakePorts, target: &str| {
        let facts = request("GET", target, &[], "");
        let Ok(Routing::Route(routed)) = Exchange::received(facts, ()).route(&gate) else {
            panic!("no route")
        };
        let charged = run(ask::charge(ports, routed.address_charge()));
        let presented = routed
            .shield(&charged)
            .ok()
            .unwrap()
            .present()
            .ok()
            .unwrap();
        let identified = presented.identify(Evidence::Nothing).ok().unwrap();
        let charged = run(ask::charge(ports, identified.charge().unwrap()));
        identified.limit(&charged).ok().unwrap()
    };
    let refused: Vec<_> = (0..2 * PROBES)
        .map(|_| limited(&ports, "/closed/7").authorize().err().unwrap())
        .collect();
    let told = refused
        .into_iter()
        .map(|refused| run(failure::charge(&ports, refused)).refusal);
    let told: Vec<_> = told.map(|refusal| refusal.reason()).collect();
    let expected = [["not_allowed"; PROBES], ["over_limit"; PROBES]].concat();
    assert_eq!(told, expected);

    let ports = FakePorts::new();
    let answered: Vec<_> = (0..2 * PROBES)
        .map(|_| {
            let limited = limited(&ports, "/open/7");
            let inspected = limited.authorize().ok().unwrap().inspect().ok().unwrap();
            let validated = inspected.validate_unread().ok().unwrap();
            let charged = run(ask::charge(&ports, validated.rest()));
            let claiming = validated.pay(&charged).ok().unwrap().claim();
            let Ok(Leading::Run(claimed)) = claiming.claimed(None) else {
                panic!("nothing is claimed")
            };
            let (_, sent) = claimed.forward(None).ok().unwrap();
            sent.answered(Ok(FakeAnswer(404, None, Vec::new(), None)), 1)
                .ok()
                .unwrap()
        })
        .collect();
    let told: Vec<_> = answered
        .into_iter()
        .map(
            |answered| match run(failure::charge_answer(&ports, answered)) {
                Ok(_) => "released",
                Err(refused) => refused.refusal.reason(),
            },
        )
        .collect();
    assert_eq!(
        told,
        [["released"; PROBES], ["over_limit"; PROBES]].concat()
    );
}

#[test]
fn a_plan_may_bound_it() {
    let mut policy = guarded("caller", "refuse", "enforce");
    policy["plans"] = json!({ "free": { "limits": ["probes"] } });
    policy["default_plan"] = json!("free");
    policy["routes"][0]["limits"] = json!(["plan"]);
    let gate = gate(&policy);
    let mut ports = FakePorts::new();
    for _ in 0..PROBES {
        assert_eq!(send(&gate, &mut ports, &one(), "/rule/7", &[]).status, 403);
    }
    for target in ["/rule/own", "/tenant/own"] {
        assert_eq!(
            send(&gate, &mut ports, &one(), target, &[]).status,
            429,
            "{target}"
        );
    }
}

#[test]
fn it_counts_by_caller_or_address_alone() {
    for (by, told) in [
        (json!("caller"), true),
        (json!("ip"), true),
        (json!("tenant"), false),
        (json!("route"), false),
        (json!("service"), false),
        (json!({ "cel": "path.id" }), false),
    ] {
        let mut policy = guarded("caller", "refuse", "enforce");
        policy["limits"]["probes"]["by"] = by.clone();
        let loaded = load(policy.to_string().as_bytes(), &bindings());
        assert_eq!(loaded.is_ok(), told, "{by}");
        if let Err(faults) = loaded {
            assert_eq!(faults[0].pointer, "/limits/probes/by");
        }
    }
}
