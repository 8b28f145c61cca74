//! Rules that try to cost much, against the largest content: each is refused when the policy loads,
//! or ends soon.

use std::time::{Duration, Instant};

use edgeward::policy::expression::{Expression, Scope, environment};
use serde_json::json;

/// How long one evaluation may take without optimization, on a machine that does much else: a rule
/// without a bound would take hours.
const EVALUATION_MAX: Duration = Duration::from_secs(30);

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn no_rule_takes_long_whatever_is_sent() {
    let env = environment();
    let compile = |source: &str| {
        let scope = match source.contains("body") && !source.contains("request.") {
            true => Scope::Answer,
            false => Scope::Request,
        };
        Expression::compile_in(&env, source, &[], scope)
    };
    for refused in [
        "request.body.items.all(a, request.body.items.all(b, a == b))",
        "request.body.items.all(a, a in request.body.items)",
        "request.body.items.all(a, a.all(b, b == 7))",
        "request.body.items.all(a, size(request.headers) > 1)",
        "request.path.matches('(a+)+$')",
        "body.items.all(a, body.items.all(b, a == b))",
        "body.items.all(a, a in body.items)",
        "[body].all(a, body == a)",
    ] {
        assert!(compile(refused).is_err(), "{refused}");
    }
    for source in [
        "request.body.items.all(a, a == 7)",
        "request.body.items.map(a, [a, a]).all(b, b[0] == b[1])",
        "request.body.items.map(a, string(a) + string(a)).exists(b, b == 'x')",
        "request.body.items.map(a, a).map(b, b).map(c, c).map(d, d).all(e, e == 7)",
        "(request.body.items + request.body.items).filter(a, a in caller.claims.groups).size() == 0",
        "request.body.items.all(a, caller.claims.text.contains(string(a)))",
        "body.items.all(a, a == 7)",
        "(body.items + body.items).filter(a, a in caller.claims.groups).size() == 0",
        "[body, body].map(a, a.items).all(b, size(string(b)) > 0)",
    ] {
        let rule = compile(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
        for length in [1_000, 3_000, 10_000, 30_000, 300_000] {
            let content = json!({ "items": vec![7; length] });
            let claims = json!({ "groups": vec!["group"; 200], "text": "8".repeat(8_000) });
            let begin = Instant::now();
            let decision = rule.decide(|member| match (member.root, member.name.as_str()) {
                ("body", _) | (_, "body") => content.clone(),
                _ => claims.clone(),
            });
            let took = begin.elapsed();
            assert!(
                took < EVALUATION_MAX,
                "{source} {length}: {took:?} {decision:?}"
            );
        }
    }
}
