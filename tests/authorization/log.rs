//! What cannot be decided is refused, and the log says which expression and why.

use edgeward::admit::admit;
use edgeward::decision::{Ending, line};
use edgeward::problem::slug_of;
use serde_json::{Value, json};

use crate::support::keys::{key, record};
use crate::support::{FakePorts, gate, request, run};
use crate::{policy, route};

#[test]
fn the_log_says_which_expression_failed_and_why_and_no_value() {
    let limit = json!({
        "by": { "cel": "request.headers['x-none']" }, "algorithm": "sliding_window", "limit": 9,
        "window_s": 60, "on_error": "refuse"
    });
    for (change, reason, detail) in [
        (
            json!({ "allow": "caller.claims.secret == 'x'" }),
            "allow_failed",
            "allow: error NoSuchKey",
        ),
        (
            json!({ "allow": "dyn(path.id)" }),
            "allow_failed",
            "allow: gave string",
        ),
        (
            json!({ "allow": "int(path.id) > 1" }),
            "allow_failed",
            "allow: error FunctionError",
        ),
        (
            json!({ "cost": "int(request.query.none)" }),
            "cost_failed",
            "cost: error NoSuchKey",
        ),
        (
            json!({ "limits": ["each"] }),
            "counter_failed",
            "limits: each: error NoSuchKey",
        ),
    ] {
        let gate = gate(&policy(json!({
            "limits": { "each": limit }, "routes": [route("one", "/one/{id}", change.clone())]
        })));
        let mut ports = FakePorts::new();
        ports.records = [record("good", json!({}))].into();
        let facts = request("GET", "/one/v4lue", &[("x-api-key", &key("good"))], "");
        let refused = run(admit(&gate, &ports, facts, Vec::new())).err().unwrap();
        let ending = Ending {
            status: 403,
            refusal: Some((&refused.refusal, slug_of(&refused.refusal))),
            policy: None,
            ms: 0,
        };
        let told = json!(line(&refused.trail, &ending));
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or("-");
        assert_eq!(
            (text("route"), text("reason"), text("detail")),
            ("one", reason, detail),
            "{change}"
        );
        assert!(!told.to_string().contains("v4lue"), "{told:?}");
    }
}
