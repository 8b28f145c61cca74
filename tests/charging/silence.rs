//! A counter that does not answer shows in the decision line, whatever its limit makes of that.

use edgeward::decision::{Ending, line};
use edgeward::refusal::Refusal;
use serde_json::{Value, json};

use crate::support::gate;
use crate::{get, limit, outcome, own, policy, ports, route};

/// One limit for each `on_error`, by tenant, and one by caller whose counter answers.
fn limits(on_errors: &[&str]) -> Value {
    let mut limits = json!({ "own": limit(json!({})) });
    for on_error in on_errors {
        let one = limit(json!({ "by": "tenant", "limit": 1, "on_error": on_error }));
        limits[on_error] = one;
    }
    let mut names = vec!["own"];
    names.extend(on_errors);
    policy(json!({ "limits": limits, "routes": [route(json!({ "limits": names }))] }))
}

#[test]
fn a_silent_counter_stands_in_the_line() {
    let own_limit = json!({ "name": "own", "charged": 1, "remaining": 1 });
    let uncharged = json!({ "name": "own", "charged": 0, "remaining": 2 });
    let silent = |name: &str| json!({ "name": name, "charged": 0, "counter": "silent" });
    let stand_in = |charged: u64| json!({ "name": "local", "charged": charged, "remaining": 0, "counter": "silent" });
    for (on_errors, reasons, expected) in [
        (
            &["admit"][..],
            &["ok"][..],
            json!([own_limit, silent("admit")]),
        ),
        (&["local"], &["ok"], json!([own_limit, stand_in(1)])),
        (
            &["local"],
            &["ok", "over_limit"],
            json!([uncharged, stand_in(0)]),
        ),
        (
            &["refuse"],
            &["counter_down"],
            json!([uncharged, silent("refuse")]),
        ),
        (
            &["admit", "local"],
            &["ok"],
            json!([own_limit, stand_in(1), silent("admit")]),
        ),
    ] {
        let (gate, ports) = (gate(&limits(on_errors)), ports());
        let tenant = edgeward::object::ObjectName::of(&["tenant", "acme"]);
        ports.silent.borrow_mut().insert(tenant.hex());
        let mut last = Value::Null;
        for reason in reasons {
            let (found, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
            assert_eq!(found, *reason, "{on_errors:?}");
            let refusal = Refusal::NoPlan;
            let ending = Ending {
                status: 200,
                refusal: (found != "ok").then(|| (&refusal, edgeward::problem::slug_of(&refusal))),
                policy: None,
                ms: 0,
            };
            let line = json!(line(&trail, &ending));
            last = line["limits"].clone();
            crate::check_line(&line);
            crate::settle(&ports);
        }
        if reasons.len() == 2 {
            // The first request was charged, the second gave back.
            assert_eq!(crate::held(&ports, &own("alice"), "own"), 1);
            assert_eq!(last[1], expected[1], "{on_errors:?}");
        } else {
            assert_eq!(last, expected, "{on_errors:?}");
        }
    }
}

#[test]
fn a_counter_that_answers_is_not_called_silent() {
    let (gate, ports) = (gate(&limits(&["admit", "local", "refuse"])), ports());
    for expected in ["ok", "over_limit"] {
        let (reason, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
        assert_eq!((reason, trail.silent.len()), (expected, 0));
    }
}
