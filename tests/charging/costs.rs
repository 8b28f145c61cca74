//! What a request costs: known at once, when its caller is, or when its content is.

use edgeward::challenge::Asking;
use edgeward::problem::{Problem, Telling};
use edgeward::refusal::Refusal;
use serde_json::{Value, json};

use crate::support::{FakePorts, gate};
use crate::{
    address, ask, faults, get, held, limit, outcome, own, policy, ports, post, route, settle,
};

/// A route with a limit by address, one by caller and one by tenant, each of ten units a minute.
fn priced(cost: &Value, change: Value) -> Value {
    let ten = |by: &str| limit(json!({ "by": by, "limit": 10 }));
    let mut one = route(json!({ "limits": ["ip", "own", "org"], "cost": cost }));
    crate::lay(&mut one, change);
    policy(json!({
        "limits": { "ip": ten("ip"), "own": ten("caller"), "org": ten("tenant") },
        "routes": [one]
    }))
}

/// Units held of the address, of alice and of her tenant.
fn held_of_all(ports: &FakePorts) -> [u64; 3] {
    let tenant = edgeward::object::ObjectName::of(&["tenant", "acme"]);
    [
        held(ports, &address(), "ip"),
        held(ports, &own("alice"), "own"),
        held(ports, &tenant, "org"),
    ]
}

/// Sends one request, settles, and tells why it was refused, what is held then, and what its line
/// says was charged.
fn send(policy: &Value, ports: &FakePorts, body: &str) -> (&'static str, [u64; 3], Vec<u64>) {
    let gate = gate(policy);
    let facts = match body {
        "" => get("alice", "/shops/3", &[("x-cost", "4")]),
        body => post("alice", "/shops/3", body),
    };
    let (reason, trail) = outcome(&gate, ports, facts, body);
    settle(ports);
    let charged = trail.limits.iter().map(|one| one.charged).collect();
    (reason, held_of_all(ports), charged)
}

#[test]
fn every_limit_is_charged_what_the_request_costs_however_late_that_is_known() {
    for (cost, body, units) in [
        (json!(1), "", 1),
        (json!(0), "", 0),
        (json!(10), "", 10),
        (json!("int(path.shop)"), "", 3),
        (json!("int(request.headers['x-cost'])"), "", 4),
        (json!("request.method == 'GET' ? 2.0 : 1.0"), "", 2),
        (json!("caller.tenant == 'acme' ? 5 : 1"), "", 5),
        (json!("caller.tenant == 'acme' ? 0 : 1"), "", 0),
        (json!("caller.tenant == 'acme' ? 10 : 1"), "", 10),
        (json!("size(request.body.lines)"), r#"{"lines":[1,2,3]}"#, 3),
        (json!("size(request.body.lines)"), r#"{"lines":[1]}"#, 1),
        (json!("size(request.body.lines)"), r#"{"lines":[]}"#, 0),
        (json!("request.body.cost"), r#"{"cost":10}"#, 10),
    ] {
        let ports = ports();
        let sent = send(&priced(&cost, json!({})), &ports, body);
        assert_eq!(sent, ("ok", [units; 3], vec![units; 3]), "{cost} {body}");
    }
}

#[test]
fn what_is_no_number_of_units_is_refused_and_counts_one() {
    for (cost, why) in [
        ("dyn(path.shop)", "gave string"),
        ("-1", "gave a number below 0, or too large a one"),
        ("1.5", "gave a number that is not whole"),
        ("0.0 / 0.0", "gave a number that is not whole"),
        ("9007199254740993", "gave more than 9007199254740992"),
        ("int(request.headers['x-none'])", "error NoSuchKey"),
        ("dyn(true)", "gave bool"),
    ] {
        for (cost, body) in [
            (cost.to_owned(), ""),
            (format!("caller.kind == 'token' ? 1 : dyn({cost})"), ""),
            (
                format!("request.body.a == 2 ? 1 : dyn({cost})"),
                r#"{"a":1}"#,
            ),
        ] {
            let policy = priced(&json!(cost), json!({}));
            let (gate, ports) = (gate(&policy), ports());
            let facts = match body {
                "" => get("alice", "/shops/3", &[]),
                body => post("alice", "/shops/3", body),
            };
            let (reason, _) = outcome(&gate, &ports, facts.clone(), body);
            assert_eq!(reason, "cost_failed", "{cost}");
            assert!(held_of_all(&ports)[0] == 1, "{cost}: no failure is free");
            let refused = match crate::run(crate::admit(&gate, &ports, facts, body.into())) {
                Err(refused) => refused.refusal,
                Ok(_) => panic!("{cost}"),
            };
            let Refusal::NotReckoned { why: told, .. } = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(told, why, "{cost}");
        }
    }
    // The most that is a number of units is one, and more than any limit.
    let most = priced(&json!("9007199254740992"), json!({}));
    assert_eq!(send(&most, &ports(), "").0, "over_every_limit");
}

#[test]
fn content_that_is_refused_costs_one_unit_whatever_it_would_have_cost() {
    let schema = json!({ "request": { "body": {
        "type": "object", "properties": { "cost": { "maximum": 5 } } } } });
    for (body, reason) in [(r#"{"cost":6}"#, "invalid"), ("{", "not_json")] {
        let ports = ports();
        let sent = send(
            &priced(&json!("request.body.cost"), schema.clone()),
            &ports,
            body,
        );
        assert_eq!(sent, (reason, [1; 3], vec![1; 3]), "{body}");
    }
}

#[test]
fn who_is_refused_for_the_rest_is_charged_nothing_and_waits_or_does_not() {
    let policy = priced(&json!("request.body.cost"), json!({}));
    let ports = ports();
    let six = r#"{"cost":6}"#;
    assert_eq!(send(&policy, &ports, six).0, "ok");
    // Four are left: the one before the content has room, the five after it have not.
    let over = send(&policy, &ports, six);
    assert_eq!(over, ("over_limit", [6; 3], vec![0; 3]));
    assert_eq!(
        send(&policy, &ports, r#"{"cost":4}"#),
        ("ok", [10; 3], vec![4; 3])
    );
    // More than there can ever be is told at once, also where the rest alone would have fit.
    for cost in [11, 12, 1_000_000] {
        let ports = crate::ports();
        let sent = send(&policy, &ports, &format!(r#"{{"cost":{cost}}}"#));
        assert_eq!(sent, ("over_every_limit", [0; 3], vec![0; 3]), "{cost}");
    }
}

#[test]
fn the_rest_is_charged_to_all_limits_or_to_none() {
    let mut policy = priced(&json!("request.body.cost"), json!({}));
    for narrow in ["ip", "own", "org"] {
        policy["limits"]["ip"]["limit"] = json!(20);
        policy["limits"]["own"]["limit"] = json!(20);
        policy["limits"]["org"]["limit"] = json!(20);
        policy["limits"][narrow]["limit"] = json!(9);
        let ports = ports();
        let five = r#"{"cost":5}"#;
        assert_eq!(send(&policy, &ports, five).1, [5; 3], "{narrow}");
        let over = send(&policy, &ports, five);
        assert_eq!(over, ("over_limit", [5; 3], vec![0; 3]), "{narrow}");
    }
}

#[test]
fn a_cost_that_no_limit_ever_allows_is_refused_for_good() {
    let refusal = Refusal::OverEveryLimit {
        limits: vec!["own".into()],
    };
    let facts = get("alice", "/shops/3", &[]);
    let telling = Telling {
        request_id: &facts.request_id,
        asking: Asking {
            realm: "orders",
            metadata: "",
        },
        challenges: &[],
    };
    let problem = Problem::of(&refusal, &telling);
    assert_eq!((problem.slug.status(), problem.fields), (413, vec![]));
    assert!(
        problem.detail.contains("Waiting does not help"),
        "{}",
        problem.detail
    );
}

#[test]
fn a_request_that_costs_nothing_passes_where_nothing_is_left() {
    let mut policy = priced(&json!("int(path.shop)"), json!({}));
    policy["routes"][0]["limits"] = json!(["own"]);
    let (gate, ports) = (gate(&policy), ports());
    let costs = |units: u64| ask(&gate, &ports, get("alice", &format!("/shops/{units}"), &[]));
    assert_eq!((costs(10), costs(1), costs(0)), ("ok", "over_limit", "ok"));
    assert_eq!(held(&ports, &own("alice"), "own"), 10);
}

#[test]
fn what_observes_a_cost_lets_pass_and_says_so() {
    for (mode, cost, body, observed) in [
        ("observe", json!("path.none"), "", "cost_failed"),
        ("observe", json!("11"), "", "over_every_limit"),
        (
            "observe",
            json!("request.body.cost"),
            r#"{"cost":11}"#,
            "over_every_limit",
        ),
        (
            "observe",
            json!("request.body.none"),
            r#"{"cost":1}"#,
            "cost_failed",
        ),
        ("off", json!("request.body.none"), r#"{"cost":1}"#, ""),
    ] {
        let cost = json!(
            cost.as_str()
                .unwrap()
                .replace("path.none", "dyn(path.shop)")
        );
        let policy = priced(&cost, json!({ "mode": mode }));
        let (gate, ports) = (gate(&policy), ports());
        let facts = match body {
            "" => get("alice", "/shops/x", &[]),
            body => post("alice", "/shops/x", body),
        };
        let (reason, trail) = outcome(&gate, &ports, facts, body);
        let mut noted: Vec<_> = trail.observed.iter().map(Refusal::reason).collect();
        noted.dedup();
        let expected: Vec<_> = Some(observed)
            .filter(|one| !one.is_empty())
            .into_iter()
            .collect();
        assert_eq!((reason, noted), ("ok", expected), "{mode} {cost}");
    }
}

#[test]
fn a_cost_that_cannot_be_charged_does_not_load() {
    for (cost, told) in [
        (
            json!(11),
            vec!["one request costs more than `ip` ever allows"; 1],
        ),
        (
            json!("path.none"),
            vec!["line 1, column 5: no `path.none`; there is path.shop"],
        ),
        (json!("1 +"), vec!["line 1, column 4: it ends too early"]),
    ] {
        let found = faults(&priced(&cost, json!({})));
        assert!(!found.is_empty(), "{cost}");
        for told in told {
            assert!(found[0].contains(told), "{found:?}");
        }
    }
    let text = json!({ "request": { "content_types": ["text/csv"] } });
    let found = faults(&priced(&json!("size(request.body.lines)"), text));
    assert_eq!(
        found,
        ["/routes/0/request/content_types: a rule reads the content, and cannot read this type"]
    );
}
