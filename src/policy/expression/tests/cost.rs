//! How much a rule can cost, whatever is sent.

use super::*;

/// Decides a rule over a content of `length` items and a caller with `claims` groups; the content is
/// the request's, or the answer's.
fn decide_in(scope: Scope, source: &str, length: usize, groups: usize) -> Decision {
    let source = match scope {
        Scope::Request => source.to_owned(),
        Scope::Answer => source.replace("request.body", "body"),
    };
    let rule = Expression::compile_in(&environment(), &source, &[], scope).unwrap();
    rule.decide(|member| match (member.root, member.name.as_str()) {
        ("body", _) | (_, "body") => json!({ "items": vec![7; length] }),
        (_, "claims") => json!({ "groups": vec!["group"; groups] }),
        _ => json!("x"),
    })
}

/// In both scopes, which are of one mind here.
fn decide(source: &str, length: usize, groups: usize) -> Decision {
    let of_request = decide_in(Scope::Request, source, length, groups);
    let of_answer = decide_in(Scope::Answer, source, length, groups);
    assert_eq!(of_request, of_answer, "{source}");
    of_request
}

fn is_over(decision: &Decision) -> bool {
    matches!(decision, Decision::Failed { why } if why.contains("steps"))
}

#[test]
fn a_rule_ends_at_its_bound_whatever_is_sent() {
    let rule = "request.body.items.all(item, item == 7)";
    for scope in [Scope::Request, Scope::Answer] {
        let decide = |length| decide_in(scope, rule, length, 0);
        assert_eq!(decide(1_000), Decision::True);
        // The most that passes, found by halving, and one more.
        let (mut within, mut over) = (1_000, STEPS_MAX as usize);
        while over - within > 1 {
            let middle = within.midpoint(over);
            match is_over(&decide(middle)) {
                true => over = middle,
                false => within = middle,
            }
        }
        assert_eq!(decide(within), Decision::True);
        assert!(is_over(&decide(within + 1)));
        assert!(within > 10_000, "{within}");
    }
}

#[test]
fn what_is_looked_through_for_each_item_counts_each_time() {
    let rule = "request.body.items.all(item, item == 7 || item in caller.claims.groups)";
    assert_eq!(decide(rule, 1_000, 3), Decision::True);
    assert!(is_over(&decide(rule, 1_000, 1_000)));
    // Lists one after another are gone through one after another.
    let chained = "request.body.items.map(a, a).map(b, b).map(c, c).all(d, d == 7)";
    assert_eq!(decide(chained, 1_000, 0), Decision::True);
    let joined = format!(
        "({}).all(item, item == 7)",
        vec!["request.body.items"; 40].join(" + ")
    );
    assert!(!is_over(&decide(&joined, 200, 0)));
    assert!(is_over(&decide(&joined, 5_000, 0)));
}

#[test]
fn without_a_loop_the_size_of_content_costs_nothing() {
    assert_eq!(
        decide("size(request.body.items) > 1000", 1_000_000, 0),
        Decision::True
    );
}

#[test]
fn what_loops_put_together_does_not_grow_from_loop_to_loop() {
    let compiled = |source: &str| Expression::compile(&environment(), source, &[]);
    for made in ["x + x", "[x, x]", "{'a': x, 'b': x}"] {
        let once = format!("['x'].map(x, {made}).size() == 1");
        assert!(compiled(&once).is_ok(), "{once}");
        let chained = format!("['x'].map(x, {made}).map(x, {made}).size() == 1");
        let why = compiled(&chained).unwrap_err().message;
        assert!(why.contains("its size has no bound"), "{why}");
        let compared = format!("['x'].filter(x, x in ['a', 'b']).map(x, {made}).size() == 1");
        assert!(compiled(&compared).is_ok(), "{compared}");
    }
    let chained = "request.body.items.map(x, x.a).filter(x, x > 1).map(x, x * 2).all(x, x < 9)";
    assert!(compiled(chained).is_ok());
    let summed = "request.body.items.map(x, x.a + x.b).filter(x, x > 1).all(x, x < 9)";
    assert!(compiled(summed).is_ok());
}
