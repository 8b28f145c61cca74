//! Whom an opaque token is shown to, and what is remembered of the answers: IN-05, IN-06.

use serde_json::json;

use crate::introspection::{TOKEN, answer, at, policy, ports};
use crate::{NOW_MS, NOW_S, gate, tell, with_bearer};

#[test]
fn in_05_an_answer_is_remembered_for_its_time_and_no_longer_than_the_token() {
    let gate = gate(&policy(json!({})));
    for (exp_in_s, remembered_ms) in [(600, 30_000), (20, 25_000)] {
        let ports = ports(Some(answer(json!({ "exp": NOW_S + exp_in_s }))));
        assert_eq!(
            at(&gate, &ports, "/orders", NOW_MS).asked_for("introspection"),
            1
        );
        for (after_ms, asked) in [(1, 0), (remembered_ms - 1, 0), (remembered_ms, 1)] {
            let told = at(&gate, &ports, "/orders", NOW_MS + after_ms);
            assert_eq!(
                told.asked_for("introspection"),
                asked,
                "IN-05 {exp_in_s} {after_ms}"
            );
        }
    }
    let each_time = crate::gate(&policy(json!({ "cache_s": 0 })));
    let ports = ports(Some(answer(json!({}))));
    for _ in 0..3 {
        assert_eq!(
            at(&each_time, &ports, "/orders", NOW_MS).asked_for("introspection"),
            1
        );
    }
}

#[test]
fn in_05_what_one_issuer_said_counts_for_no_other() {
    let gate = gate(&policy(json!({})));
    let ports = ports(Some(answer(json!({}))));
    assert_eq!(at(&gate, &ports, "/orders", NOW_MS).status, 200);
    *ports.introspected.borrow_mut() = Some(json!({ "active": false }));
    let told = at(&gate, &ports, "/other", NOW_MS);
    assert_eq!(
        (told.reason, told.asked_for("introspection")),
        ("token_inactive", 1),
        "IN-05"
    );
    assert_eq!(
        at(&gate, &ports, "/orders", NOW_MS).status,
        200,
        "nor is it forgotten"
    );
    // Nor under another policy.
    let other = crate::gate(&policy(
        json!({ "audiences": ["https://elsewhere.example"] }),
    ));
    assert_eq!(
        at(&other, &ports, "/orders", NOW_MS).asked_for("introspection"),
        1
    );
}

#[test]
fn in_05_every_later_check_is_made_on_what_is_remembered() {
    let gate = gate(&policy(json!({})));
    let ports = ports(Some(answer(json!({ "exp": NOW_S + 20 }))));
    assert_eq!(at(&gate, &ports, "/orders", NOW_MS).status, 200);
    let scoped = at(&gate, &ports, "/scoped", NOW_MS);
    assert_eq!(scoped.line(), "403 insufficient-scope missing_scopes");
    assert_eq!(scoped.asked_for("introspection"), 0, "IN-05");
    // The clock of the memory stands still, that of the request goes on.
    let mut late = with_bearer("/orders", TOKEN);
    late.received_at_ms = NOW_MS + 25_000;
    let told = tell(&gate, &ports, late);
    assert_eq!(
        (told.reason, told.asked_for("introspection")),
        ("token_expired", 0),
        "IN-05"
    );
}

#[test]
fn in_06_a_no_is_remembered_for_ten_seconds_at_most() {
    for (cache_s, remembered_ms) in [(300, 10_000), (10, 10_000), (4, 4_000)] {
        let gate = gate(&policy(json!({ "cache_s": cache_s })));
        for no in [json!({ "active": false }), answer(json!({ "aud": "x" }))] {
            let ports = ports(Some(no));
            assert_eq!(at(&gate, &ports, "/orders", NOW_MS).status, 401);
            for (after_ms, asked) in [(remembered_ms - 1, 0), (remembered_ms, 1)] {
                let told = at(&gate, &ports, "/orders", NOW_MS + after_ms);
                assert_eq!(told.status, 401);
                assert_eq!(
                    told.asked_for("introspection"),
                    asked,
                    "IN-06 {cache_s} {after_ms}"
                );
            }
        }
        // A token that becomes good is taken after that.
        let ports = ports(Some(json!({ "active": false })));
        at(&gate, &ports, "/orders", NOW_MS);
        *ports.introspected.borrow_mut() = Some(answer(json!({})));
        assert_eq!(
            at(&gate, &ports, "/orders", NOW_MS + remembered_ms).status,
            200
        );
    }
}

#[test]
fn a_token_is_shown_to_no_issuer_that_may_not_be_its_own() {
    let mut policy = policy(json!({}));
    policy["routes"][2]["auth"] = json!("public");
    policy["routes"][2]
        .as_object_mut()
        .unwrap()
        .shift_remove("require");
    let both = gate(&policy);
    let ports = ports(Some(answer(json!({}))));
    let told = tell(&both, &ports, with_bearer("/scoped", TOKEN));
    assert_eq!(
        (told.status, told.asked_for("introspection")),
        (401, 0),
        "of two"
    );
    let own = crate::token(json!({}));
    let told = tell(&both, &ports, with_bearer("/scoped", &own));
    assert_eq!(
        (told.status, told.asked_for("introspection")),
        (200, 0),
        "one checked here"
    );
    policy["authenticators"]
        .as_object_mut()
        .unwrap()
        .shift_remove("other");
    policy["routes"].as_array_mut().unwrap().remove(1);
    let told = tell(&gate(&policy), &ports, with_bearer("/scoped", TOKEN));
    assert_eq!(
        (told.status, told.asked_for("introspection")),
        (200, 1),
        "of one"
    );
    // A route that lists both does not load.
    policy["authenticators"]["other"] = policy["authenticators"]["opaque"].clone();
    policy["routes"][1]["auth"] = json!(["opaque", "other"]);
    let bindings = crate::support::bindings();
    assert!(edgeward::policy::load::load(policy.to_string().as_bytes(), &bindings).is_err());
}
