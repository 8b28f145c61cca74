//! Costs that the content tells: what came of each, and what was asked of the outside.

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::decide;
use crate::orders::{key, policy, ports};
use crate::support::{gate, request};

fn bulk() -> Value {
    let mut policy = policy();
    let route = json!({
        "id": "bulk", "match": { "methods": ["POST"], "path": "/bulk" }, "origin": "orders",
        "auth": ["keys"], "limits": ["ip", "minute", "org"], "cost": "size(request.body.lines)",
        "request": { "body": { "type": "object", "properties": { "lines": { "type": "array" } } } }
    });
    policy["routes"].as_array_mut().unwrap().push(route);
    policy
}

#[test]
fn what_content_costs_is_charged_between_its_check_and_the_origin() {
    let gate = gate(&bulk());
    let key = key("good");
    let fields = [
        ("x-api-key", key.as_str()),
        ("content-type", "application/json"),
    ];
    let mut table = Vec::new();
    for (name, body) in [
        ("no line", r#"{"lines":[]}"#),
        ("one line", r#"{"lines":[1]}"#),
        ("two lines", r#"{"lines":[1,2]}"#),
        ("more lines than a limit allows", r#"{"lines":[1,2,3]}"#),
        ("lines that are none", r#"{"lines":"many"}"#),
        ("nothing to count", r#"{"rows":[]}"#),
        ("not JSON", "["),
    ] {
        let ports = ports();
        let post = || request("POST", "/bulk", &fields, body);
        table.push(format!("{name} | {}", decide(&gate, &ports, post(), body)));
        table.push(format!(
            "{name}, again | {}",
            decide(&gate, &ports, post(), body)
        ));
    }
    expect_file!["../golden/costs.txt"].assert_eq(&(table.join("\n") + "\n"));
}
