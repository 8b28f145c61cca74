//! What a limit counts by, and which requests share a counter.

use serde_json::{Value, json};

use crate::support::gate;
use crate::{ask, faults, get, limit, outcome, policy, ports, post, route};

fn with(limits: Value, routes: Vec<Value>) -> Value {
    policy(json!({ "limits": limits, "routes": routes }))
}

fn other(change: Value) -> Value {
    let mut other = route(change);
    other["id"] = json!("other");
    other["match"]["path"] = json!("/others/{shop}");
    other
}

#[test]
fn a_route_and_the_service_are_counted_whoever_calls() {
    for (by, scope, third_elsewhere) in [
        ("route", "service", "ok"),
        ("service", "service", "over_limit"),
        ("service", "route", "ok"),
        ("caller", "service", "ok"),
    ] {
        let all = json!({ "all": limit(json!({ "by": by, "scope": scope })) });
        let both = vec![
            route(json!({ "limits": ["all"] })),
            other(json!({ "limits": ["all"] })),
        ];
        let (gate, ports) = (gate(&with(all, both)), ports());
        assert_eq!(ask(&gate, &ports, get("alice", "/shops/a", &[])), "ok");
        assert_eq!(ask(&gate, &ports, get("bob", "/shops/b", &[])), "ok");
        let third = ask(&gate, &ports, get("carol", "/shops/c", &[]));
        let own = if by == "caller" { "ok" } else { "over_limit" };
        assert_eq!(third, own, "{by} {scope}");
        let elsewhere = ask(&gate, &ports, get("carol", "/others/c", &[]));
        assert_eq!(elsewhere, third_elsewhere, "{by} {scope}");
    }
}

#[test]
fn each_value_of_an_expression_has_a_counter_of_its_own() {
    let by = |cel: &str| {
        let each = json!({ "each": limit(json!({ "by": { "cel": cel } })) });
        (
            gate(&with(each, vec![route(json!({ "limits": ["each"] }))])),
            ports(),
        )
    };
    let (gate, ports) = by("path.shop");
    for _ in 0..2 {
        assert_eq!(ask(&gate, &ports, get("alice", "/shops/a", &[])), "ok");
    }
    assert_eq!(
        ask(&gate, &ports, get("bob", "/shops/a", &[])),
        "over_limit"
    );
    assert_eq!(ask(&gate, &ports, get("alice", "/shops/b", &[])), "ok");
    // Text, numbers and truth values that look alike are not alike; equal numbers are.
    let (gate, ports) = by("path.shop == 't' ? '1' : path.shop == 'i' ? 1 : 1.0");
    for shop in ["t", "t", "i", "f"] {
        assert_eq!(
            ask(&gate, &ports, get("alice", &format!("/shops/{shop}"), &[])),
            "ok"
        );
    }
    for shop in ["t", "i", "f"] {
        let third = ask(&gate, &ports, get("alice", &format!("/shops/{shop}"), &[]));
        assert_eq!(third, "over_limit", "{shop}");
    }
}

#[test]
fn what_names_no_counter_is_refused_and_what_only_observes_is_noted() {
    for cel in [
        "request.headers['x-team']",
        "dyn(caller.scopes)",
        "dyn(caller.claims)",
        "dyn(null)",
        "1.0 / 0.0",
    ] {
        let refuse = |change: Value| {
            let each = json!({ "each": limit(json!({ "by": { "cel": cel } })) });
            let mut each = each;
            if change["limit"].is_string() {
                each["each"]["mode"] = change["limit"].clone();
            }
            let mode = change["route"].as_str().unwrap_or("enforce");
            let route = route(json!({ "limits": ["each"], "mode": mode }));
            let (gate, ports) = (gate(&with(each, vec![route])), ports());
            let (reason, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
            let observed: Vec<_> = trail.observed.iter().map(|one| one.reason()).collect();
            (reason, observed)
        };
        assert_eq!(refuse(json!({})), ("counter_failed", vec![]), "{cel}");
        let noted = ("ok", vec!["counter_failed"]);
        assert_eq!(refuse(json!({ "limit": "observe" })), noted, "{cel}");
        assert_eq!(refuse(json!({ "route": "observe" })), noted, "{cel}");
        assert_eq!(refuse(json!({ "route": "off" })), ("ok", vec![]), "{cel}");
    }
}

#[test]
fn a_caller_who_chooses_values_makes_no_objects() {
    let each = json!({ "each": limit(json!({ "by": { "cel": "request.headers['x-team']" } })) });
    let gate = gate(&with(each, vec![route(json!({ "limits": ["each"] }))]));
    let ports = ports();
    for team in 0..2_000 {
        let team = team.to_string();
        assert_eq!(
            ask(
                &gate,
                &ports,
                get("alice", "/shops/a", &[("x-team", &team)])
            ),
            "ok"
        );
    }
    // One more is the caller's own, where a mark against its key would stand.
    assert!(ports.objects.borrow().len() <= edgeward::object::VALUE_OBJECTS + 1);
}

#[test]
fn an_expression_is_compiled_for_each_route_that_it_counts_on() {
    let each = json!({ "each": limit(json!({ "by": { "cel": "path.shop" } })) });
    let elsewhere = json!({ "methods": ["GET"], "path": "/health" });
    let mut far = other(json!({ "limits": ["each"] }));
    far["match"] = elsewhere.clone();
    let told = faults(&with(
        each.clone(),
        vec![route(json!({ "limits": ["each"] })), far],
    ));
    assert_eq!(
        told,
        [
            "/routes/1/limits: `each` cannot count here: line 1, column 5: no `path.shop`; the route's path has no parameters (at `.shop`)"
        ]
    );
    let mut planned = other(json!({ "limits": ["plan"] }));
    planned["match"] = elsewhere;
    let mut policy = with(each, vec![planned]);
    policy["plans"] = json!({ "free": { "limits": ["each"] } });
    assert_eq!(faults(&policy).len(), 1);
    let body = json!({ "each": limit(json!({ "by": { "cel": "request.body.shop" } })) });
    let told = faults(&with(body, vec![route(json!({ "limits": ["each"] }))]));
    assert_eq!(
        told,
        ["/routes/0/limits: `each` cannot count here: it is charged before the content is read"]
    );
}

#[test]
fn a_limit_of_a_plan_counts_by_an_expression_too() {
    let each = json!({ "each": limit(json!({ "by": { "cel": "path.shop" } })) });
    let mut policy = with(each, vec![route(json!({ "limits": ["plan"] }))]);
    policy["plans"] = json!({ "free": { "limits": ["each"] } });
    policy["default_plan"] = json!("free");
    let (gate, ports) = (gate(&policy), ports());
    for expected in ["ok", "ok", "over_limit"] {
        let (reason, _) = outcome(&gate, &ports, post("alice", "/shops/a", "{}"), "{}");
        assert_eq!(reason, expected);
    }
    assert_eq!(ask(&gate, &ports, get("bob", "/shops/b", &[])), "ok");
}

#[test]
fn every_algorithm_that_is_enforced_refuses_when_it_is_used_up() {
    for (algorithm, change) in [
        ("sliding_window", json!({ "limit": 2, "window_s": 60 })),
        ("fixed_window", json!({ "limit": 2, "window_s": 60 })),
        ("token_bucket", json!({ "rate_per_s": 0.01, "burst": 2 })),
        ("leaky_bucket", json!({ "rate_per_s": 0.01, "queue": 1 })),
        (
            "calendar",
            json!({ "limit": 2, "period": "month", "timezone": "Europe/Berlin" }),
        ),
    ] {
        let mut one = json!({ "by": "caller", "algorithm": algorithm, "on_error": "refuse" });
        crate::lay(&mut one, change);
        let gate = gate(&with(
            json!({ "one": one }),
            vec![route(json!({ "limits": ["one"] }))],
        ));
        let ports = ports();
        for expected in ["ok", "ok", "over_limit"] {
            let reason = ask(&gate, &ports, get("alice", "/shops/a", &[]));
            assert_eq!(reason, expected, "{algorithm}");
        }
    }
}
