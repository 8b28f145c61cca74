//! Numbers that one key has in place of a limit's, without a new policy.

use edgeward::admin::command::{Command, NumbersAsked, Verb};
use edgeward::policy::gate::Gate;
use edgeward::refusal::Refusal;
use serde_json::{Value, json};

use crate::desk::FakeDesk;
use crate::support::keys::record;
use crate::support::{FakePorts, gate};
use crate::{ask, get, limit, outcome, policy, route};

/// Two a minute for callers and tenants, one at a time from a bucket, one a day.
fn limited(limits: &[&str]) -> Gate {
    gate(&policy(json!({
        "limits": {
            "minute": limit(json!({})),
            "org": limit(json!({ "by": "tenant" })),
            "burst": { "by": "caller", "algorithm": "token_bucket", "rate_per_s": 0.01, "burst": 1,
                       "on_error": "refuse" },
            "daily": { "by": "caller", "algorithm": "calendar", "limit": 1, "period": "day",
                       "on_error": "refuse" }
        },
        "routes": [route(json!({ "limits": limits }))]
    })))
}

/// Keys, each with its own numbers; all are of one caller.
fn with_keys<const N: usize>(keys: [(&str, Value); N]) -> FakePorts {
    let mut ports = FakePorts::new();
    let record = |(name, limits): (&str, Value)| {
        record(name, json!({ "subject": "shop", "limits": limits }))
    };
    ports.records = keys.map(record).into();
    ports
}

/// How many requests of a key pass.
fn passing(gate: &Gate, ports: &FakePorts, key: &str) -> usize {
    let passes = |_: &u32| ask(gate, ports, get(key, "/shops/a", &[])) == "ok";
    (0..20).take_while(passes).count()
}

#[test]
fn a_key_with_numbers_of_its_own_is_held_to_them_and_told_them() {
    for (limit, own, passing_own) in [
        ("minute", json!({ "limit": 5 }), 5),
        ("minute", json!({ "limit": 1 }), 1),
        ("burst", json!({ "rate_per_s": 0.01, "burst": 4 }), 4),
        ("burst", json!({ "rate_per_s": 0.01, "queue": 2 }), 3),
        ("daily", json!({ "limit": 7 }), 7),
    ] {
        let gate = limited(&[limit]);
        let ports = with_keys([("alice", json!({ limit: own }))]);
        let (_, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
        let told = (trail.limits[0].limit, trail.limits[0].remaining);
        assert_eq!(told, (passing_own, Some(passing_own - 1)), "{limit} {own}");
        assert_eq!(
            passing(&gate, &ports, "alice") as u64,
            passing_own - 1,
            "{limit} {own}"
        );
    }
}

#[test]
fn keys_of_one_caller_share_a_counter_unless_they_have_numbers_of_their_own() {
    let gate = limited(&["minute"]);
    let ports = with_keys([
        ("plain", json!({})),
        ("other", json!({})),
        ("large", json!({ "minute": { "limit": 9 } })),
        ("small", json!({ "minute": { "limit": 1 } })),
    ]);
    // One after the other, so that a row that was rewritten by another would show.
    for (key, expected) in [
        ("large", "ok"),
        ("small", "ok"),
        ("plain", "ok"),
        ("small", "over_limit"),
        ("large", "ok"),
        ("other", "ok"),
        ("plain", "over_limit"),
        ("small", "over_limit"),
    ] {
        assert_eq!(
            ask(&gate, &ports, get(key, "/shops/a", &[])),
            expected,
            "{key}"
        );
    }
    assert_eq!(passing(&gate, &ports, "large"), 7);
}

#[test]
fn numbers_for_another_limit_or_of_another_form_change_nothing() {
    for (limit, own) in [
        ("org", json!({ "org": { "limit": 9 } })),
        ("minute", json!({ "none": { "limit": 9 } })),
        (
            "minute",
            json!({ "minute": { "rate_per_s": 5, "burst": 9 } }),
        ),
    ] {
        let gate = limited(&[limit]);
        let ports = with_keys([("alice", own.clone()), ("plain", json!({}))]);
        assert_eq!(passing(&gate, &ports, "alice"), 2, "{own}");
        assert_eq!(
            passing(&gate, &ports, "plain"),
            0,
            "{own}: a counter of its own"
        );
    }
}

#[test]
fn a_cost_above_a_keys_own_numbers_is_refused_for_good() {
    let mut policy = policy(json!({
        "limits": { "minute": limit(json!({})) },
        "routes": [route(json!({ "limits": ["minute"], "cost": 2 }))]
    }));
    let ports = with_keys([("alice", json!({ "minute": { "limit": 1 } }))]);
    assert_eq!(
        ask(&gate(&policy), &ports, get("alice", "/shops/a", &[])),
        "over_every_limit"
    );
    policy["routes"][0]["cost"] = json!("int(path.shop)");
    assert_eq!(
        ask(&gate(&policy), &ports, get("alice", "/shops/2", &[])),
        "over_every_limit"
    );
}

fn asked(set: Value, clear: &[&str]) -> NumbersAsked {
    NumbersAsked {
        set: serde_json::from_value(set).unwrap(),
        clear: clear.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn place(refused: Result<edgeward::admin::Done, Refusal>) -> String {
    match refused {
        Err(Refusal::Invalid { findings }) => findings[0].pointer.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_admin_gives_a_living_key_numbers_and_takes_them_back() {
    let (gate, desk) = (limited(&["minute"]), FakeDesk::default());
    let (id, key) = record("alice", json!({}));
    desk.records.borrow_mut().insert(id.clone(), key);
    let change = |set, clear: &[&str]| {
        let id = id.clone();
        desk.perform(
            &gate,
            Command::LimitKey {
                id,
                asked: asked(set, clear),
            },
        )
    };
    let done = change(
        json!({ "minute": { "limit": 9 }, "daily": { "limit": 3 } }),
        &[],
    )
    .unwrap();
    let expected = json!({ "daily": { "limit": 3 }, "minute": { "limit": 9 } });
    assert_eq!(
        (done.status, &done.document["record"]["limits"]),
        (200, &expected)
    );
    let done = change(json!({ "minute": { "limit": 4 } }), &["daily"]).unwrap();
    assert_eq!(
        done.document["record"]["limits"],
        json!({ "minute": { "limit": 4 } })
    );
    // Rotation keeps them.
    let rotate = Command::RotateKey {
        id: id.clone(),
        overlap_s: 60,
    };
    let rotated = desk.perform(&gate, rotate).unwrap().document;
    assert_eq!(
        rotated["record"]["limits"],
        json!({ "minute": { "limit": 4 } })
    );
    let done = change(json!({}), &["minute"]).unwrap();
    assert_eq!(done.document["record"].get("limits"), None);
    assert_eq!(
        *desk.acts.borrow(),
        ["keys.limit", "keys.limit", "keys.rotate", "keys.limit"]
    );
    assert_eq!(place(change(json!({}), &["minute"])), "/clear/0");
    desk.perform(&gate, Command::RevokeKey(id.clone())).unwrap();
    let revoked = change(json!({ "minute": { "limit": 4 } }), &[]);
    assert!(matches!(revoked, Err(Refusal::Invalid { .. })));
}

#[test]
fn numbers_that_the_policy_would_not_heed_are_refused_and_told_later() {
    let (gate, desk) = (limited(&["minute"]), FakeDesk::default());
    let create = |limits: Value| {
        let content = json!({ "subject": "shop", "scopes": [], "limits": limits });
        let content = content.to_string().into_bytes();
        let command = Verb::CreateKey.read(None, content).unwrap();
        desk.perform(&gate, command)
    };
    for (limits, pointer) in [
        (json!({ "none": { "limit": 1 } }), "/limits/none"),
        (json!({ "org": { "limit": 1 } }), "/limits/org"),
        (json!({ "burst": { "limit": 1 } }), "/limits/burst"),
        (
            json!({ "daily": { "rate_per_s": 1, "burst": 1 } }),
            "/limits/daily",
        ),
    ] {
        assert_eq!(place(create(limits)), pointer);
    }
    assert!(desk.records.borrow().is_empty(), "a refused key was stored");
    let made = create(json!({ "minute": { "limit": 9 }, "daily": { "limit": 9 } })).unwrap();
    let id = made.document["record"]["id"].as_str().unwrap().to_owned();
    let show = |gate: &Gate| {
        let shown = desk.perform(gate, Command::ShowKey(id.clone())).unwrap();
        shown.document["unheeded"].clone()
    };
    assert_eq!(show(&gate), json!([]));
    let later = crate::support::gate(&policy(json!({ "limits": {
        "minute": limit(json!({ "by": "tenant" })),
        "daily": { "by": "caller", "algorithm": "calendar", "limit": 1, "period": "month",
                   "on_error": "refuse" } } })));
    assert_eq!(show(&later), json!(["minute"]));
}
