//! How and when a caller logged in: SU-01 to SU-04 (RFC 9470).

use edgeward::policy::gate::Gate;
use serde_json::{Value, json};

use crate::{NOW_S, ask, gate, key, policy, request, token, with_bearer};

/// `/orders` asks for one of two ways to log in, ten minutes ago at most.
fn strict(mode: &str, require: Value) -> Gate {
    let mut policy = policy();
    policy["routes"][0]["require"] = require;
    policy["routes"][0]["mode"] = json!(mode);
    gate(&policy)
}

fn both() -> Value {
    json!({ "acr": ["aal2", "urn:x:aal3"], "max_auth_age_s": 600 })
}

#[test]
fn su_02_to_04_a_login_is_of_a_way_and_an_age() {
    let gate = strict("enforce", both());
    for (id, acr, auth_time, passes) in [
        ("as asked", json!("aal2"), json!(NOW_S - 10), true),
        ("the other way", json!("urn:x:aal3"), json!(NOW_S), true),
        (
            "SU-02 as old as it may be",
            json!("aal2"),
            json!(NOW_S - 600),
            true,
        ),
        ("SU-02 too old", json!("aal2"), json!(NOW_S - 601), false),
        ("SU-02 another way", json!("aal1"), json!(NOW_S), false),
        ("SU-04 another case", json!("AAL2"), json!(NOW_S), false),
        ("SU-04 a part", json!("aal"), json!(NOW_S), false),
        ("SU-04 more", json!("aal2 "), json!(NOW_S), false),
        (
            "SU-04 both in one",
            json!("aal2 urn:x:aal3"),
            json!(NOW_S),
            false,
        ),
        ("SU-04 no acr", Value::Null, json!(NOW_S), false),
        ("SU-04 a list", json!(["aal2"]), json!(NOW_S), false),
        ("SU-04 a number", json!(2), json!(NOW_S), false),
        ("SU-04 empty", json!(""), json!(NOW_S), false),
        ("SU-03 no auth_time", json!("aal2"), Value::Null, false),
        (
            "SU-03 as text",
            json!("aal2"),
            json!(NOW_S.to_string()),
            false,
        ),
        ("SU-03 true", json!("aal2"), json!(true), false),
        ("SU-03 negative", json!("aal2"), json!(-1), false),
        ("SU-03 0", json!("aal2"), json!(0), false),
        (
            "SU-03 in a minute: a clock",
            json!("aal2"),
            json!(NOW_S + 60),
            true,
        ),
        (
            "SU-03 in the future",
            json!("aal2"),
            json!(NOW_S + 61),
            false,
        ),
        (
            "SU-03 in milliseconds",
            json!("aal2"),
            json!(NOW_S * 1_000),
            false,
        ),
        (
            "SU-03 2^53 - 1",
            json!("aal2"),
            json!(9_007_199_254_740_991_u64),
            false,
        ),
    ] {
        let token = token(json!({ "acr": acr, "auth_time": auth_time }));
        let told = ask(&gate, with_bearer("/orders", &token));
        let expected = if passes {
            "200 - -"
        } else {
            "401 step-up-required step_up"
        };
        assert_eq!(told.line(), expected, "{id}");
        assert_eq!(told.asked_for("origin"), usize::from(passes), "{id}");
    }
}

#[test]
fn su_01_the_challenge_says_what_is_asked() {
    let challenge = |require: Value| {
        let told = ask(
            &strict("enforce", require),
            with_bearer("/orders", &token(json!({}))),
        );
        told.challenges
            .into_iter()
            .find(|one| one.starts_with("Bearer "))
            .unwrap()
    };
    let error = r#"error="insufficient_user_authentication""#;
    for (require, expected) in [
        (both(), r#", acr_values="aal2 urn:x:aal3", max_age="600""#),
        (json!({ "acr": ["aal2"] }), r#", acr_values="aal2""#),
        (json!({ "max_auth_age_s": 600 }), r#", max_age="600""#),
    ] {
        let told = challenge(require);
        let expected = format!("Bearer realm=\"orders\", {error}{expected}, resource_metadata=");
        assert!(told.starts_with(&expected), "SU-01 {told}");
    }
}

#[test]
fn su_02_each_condition_stands_alone() {
    let old = token(json!({ "acr": "aal2", "auth_time": 1 }));
    let unknown = token(json!({ "auth_time": NOW_S }));
    for (require, token, passes) in [
        (json!({ "acr": ["aal2"] }), &old, true),
        (json!({ "acr": ["aal2"] }), &unknown, false),
        (json!({ "max_auth_age_s": 600 }), &old, false),
        (json!({ "max_auth_age_s": 600 }), &unknown, true),
    ] {
        let told = ask(
            &strict("enforce", require.clone()),
            with_bearer("/orders", token),
        );
        assert_eq!(told.status == 200, passes, "SU-02 {require}");
    }
}

#[test]
fn su_03_who_never_logged_in_is_asked_to() {
    let gate = strict("enforce", both());
    let key = key("good");
    let told = ask(&gate, request("GET", "/orders", &[("x-api-key", &key)], ""));
    assert_eq!(
        told.line(),
        "401 step-up-required step_up",
        "an API key tells no login"
    );
    let none = ask(&gate, request("GET", "/orders", &[], ""));
    assert_eq!(none.line(), "401 credential-missing no_credential");
    assert!(
        none.challenges.iter().all(|one| !one.contains("error=")),
        "{:?}",
        none.challenges
    );
}

#[test]
fn su_02_a_mode_says_whether_it_is_asked() {
    for (mode, observed) in [("observe", vec!["step_up"]), ("off", vec![])] {
        let told = ask(
            &strict(mode, both()),
            with_bearer("/orders", &token(json!({}))),
        );
        assert_eq!((told.status, told.observed), (200, observed), "{mode}");
        // Who calls is never a matter of mode.
        let bad = token(json!({ "exp": 1 }));
        assert_eq!(
            ask(&strict(mode, both()), with_bearer("/orders", &bad)).status,
            401,
            "{mode}"
        );
    }
}

#[test]
fn su_02_no_scope_is_told_before_a_new_login() {
    let mut require = both();
    require["scopes"] = json!(["orders:write"]);
    let told = ask(
        &strict("enforce", require),
        with_bearer("/orders", &token(json!({}))),
    );
    assert_eq!(told.line(), "403 insufficient-scope missing_scopes");
}
