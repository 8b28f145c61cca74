//! What a route of sockets may not have beside them.

use edgeward::policy::load::load;
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::policy;
use crate::support::bindings;

fn faults(change: impl FnOnce(&mut Value)) -> String {
    let mut policy = policy(json!({}));
    change(&mut policy);
    match load(policy.to_string().as_bytes(), &bindings()) {
        Ok(_) => "loads".into(),
        Err(faults) => {
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            told.join("\n")
        }
    }
}

#[test]
fn what_could_not_hold_for_messages_is_told() {
    let mut table = Vec::new();
    let mut put = |name: &str, change: &dyn Fn(&mut Value)| {
        table.push(format!("{name}\n{}\n", faults(|policy| change(policy))));
    };
    put("as it should be", &|_| {});
    let set = |field: &'static str, value: Value| {
        move |policy: &mut Value| policy["routes"][0][field] = value.clone()
    };
    let socket = |field: &'static str, value: Value| {
        move |policy: &mut Value| policy["routes"][0]["websocket"][field] = value.clone()
    };
    let both = json!({ "methods": ["GET", "POST"], "path": "/keys" });
    put("another method", &set("match", both));
    put(
        "a schema of content",
        &set("request", json!({ "body": {} })),
    );
    put(
        "rules over answers",
        &set("response", json!({ "allow": "true" })),
    );
    put("idempotency", &set("idempotency", json!("required")));
    put("an unknown limit", &socket("messages", json!("sed")));
    put("permits for messages", &socket("messages", json!("open")));
    put(
        "a session longer than a permit",
        &socket("max_session_s", json!(591)),
    );
    put(
        "a message larger than a session",
        &socket("max_session_bytes", json!(99)),
    );
    put("a limit by an expression", &|policy| {
        policy["limits"]["said"]["by"] = json!({ "cel": "request.path" });
    });
    put("a limit of refusals", &|policy| {
        policy["limits"]["said"]["counts"] = json!("refused_objects");
    });
    put("nobody may open it", &|policy| {
        policy["routes"][1]["websocket"]["origins"] = json!([]);
    });
    put("opaque tokens for long", &|policy| {
        policy["authenticators"]["opaque"] = json!({
            "kind": "introspection", "endpoint": "https://issuer.example/introspect",
            "client_id": "a", "client_secret_binding": "INTROSPECTION_SECRET",
            "audiences": ["https://api.example"]
        });
        policy["routes"][0]["auth"] = json!(["opaque"]);
        policy["routes"][0]["websocket"]["max_session_s"] = json!(301);
    });
    expect_file!["../golden/socket-policies.txt"].assert_eq(&table.join("\n"));
}
