use super::*;
use serde_json::json;

mod cost;
mod reached;
mod types;

fn compile(source: &str) -> Result<Expression, ExpressionFault> {
    Expression::compile(&environment(), source, &["id".to_owned()])
}

fn decide(source: &str) -> Decision {
    let expression = compile(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
    expression.decide(|member| match (member.root, member.name.as_str()) {
        ("request", "method") => json!("POST"),
        ("request", "body") => json!({ "amount": 20_000, "tags": ["a", "b"], "half": 0.5 }),
        ("request", "query") => json!({ "page": "2" }),
        ("request", "headers") => json!({ "x-team": "a" }),
        ("request", "time") => json!(1_800_000_000),
        ("path", "id") => json!("17"),
        ("caller", "subject") => json!("17"),
        ("caller", "roles") => json!(["customer"]),
        ("caller", "claims") => json!({ "account": "17", "org": { "id": "acme" } }),
        ("caller", "tenant") => json!(null),
        _ => panic!("asked for {member:?}"),
    })
}

#[test]
fn only_true_admits() {
    for (source, expected) in [
        ("path.id == caller.subject", true),
        (
            "path.id == caller.claims.account || 'admin' in caller.roles",
            true,
        ),
        ("'admin' in caller.roles", false),
        ("request.body.amount > 10000", true),
        ("request.body.half < 1.0", true),
        ("request['method'] == 'POST'", true),
        (
            "request.body.tags.all(tag, tag.startsWith('a') || tag == 'b')",
            true,
        ),
        (
            "request.body.tags.exists(tag, tag == caller.subject)",
            false,
        ),
        (
            "has(caller.claims.org) && caller.claims.org.id == 'acme'",
            true,
        ),
        ("has(caller.claims.none)", false),
        ("caller.tenant == null", true),
        (
            "size(request.body.tags) == 2 && int(request.query.page) == 2",
            true,
        ),
        ("request.headers['x-team'] == 'a' && request.time > 0", true),
    ] {
        let expected = if expected {
            Decision::True
        } else {
            Decision::False
        };
        assert_eq!(decide(source), expected, "{source}");
    }
    for source in [
        "caller.claims.none == 'x'",
        "request.body.amount",
        "request.body.amount / 0 == 1",
        "request.body.tags[7] == 'a'",
        "caller.claims.account > 5",
        "null",
        "'true'",
    ] {
        assert!(
            matches!(decide(source), Decision::Failed { .. }),
            "{source}"
        );
    }
}

#[test]
fn what_a_rule_says_of_failure_repeats_no_value() {
    let Decision::Failed { why } = decide("caller.claims.account > 5") else {
        panic!()
    };
    assert!(!why.contains("17"), "{why}");
}

#[test]
fn unknown_names_do_not_compile_and_the_fault_says_where() {
    for (source, column, needle) in [
        ("caller.scoops == 'x'", 7, "no `caller.scoops`"),
        ("path.account == 'x'", 5, "there is path.id"),
        ("user.id == 'x'", 5, "no `user`"),
        ("request == 1", 1, "name a member"),
        ("request.method.matches('a')", 23, "no function `matches`"),
        ("true && fetch('x')", 14, "no function `fetch`"),
        (
            "request.body.a.all(x, x.b.all(y, y == 1))",
            30,
            "loop within a loop",
        ),
        (
            "request.body.a.all(x, request.body.t.contains(x))",
            30,
            "look at the request again",
        ),
        ("1 +", 4, ""),
        ("", 1, ""),
    ] {
        let fault = compile(source)
            .err()
            .unwrap_or_else(|| panic!("{source} compiled"));
        assert!(fault.message.contains(needle), "{source}: {fault:?}");
        assert_eq!(
            (fault.line, fault.column),
            (1, column),
            "{source}: {fault:?}"
        );
    }
    assert!(compile(&format!("true{}", " ".repeat(EXPRESSION_BYTES_MAX - 4))).is_ok());
    assert!(compile(&format!("true{}", " ".repeat(EXPRESSION_BYTES_MAX - 3))).is_err());
}

#[test]
fn no_expression_exhausts_the_stack() {
    let within = |open: &str, count, close: &str| {
        compile(&format!(
            "{}true{}",
            open.repeat(count),
            close.repeat(count)
        ))
    };
    assert!(within("(", NESTING_MAX, ")").is_ok());
    assert!(within("(", NESTING_MAX + 1, ")").is_err());
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("-", ""),
        ("true?true:", ""),
        ("", "[0]"),
        ("", ".b"),
        ("", "&&true"),
    ] {
        for count in [20, NESTING_MAX, 40, 78, OPERATORS_MAX, 1_000] {
            if let Ok(expression) = within(open, count, close) {
                let _ = expression.decide(|_| Json::Null);
            }
        }
    }
}

#[test]
fn every_function_that_is_offered_exists() {
    for source in [
        "size('a') == 1",
        "'ab'.contains('a')",
        "'ab'.startsWith('a')",
        "'ab'.endsWith('b')",
        "int('1') == 1",
        "uint('1') == 1u",
        "double('1') == 1.0",
        "string(1) == '1'",
        "bool('true')",
        "dyn(1) == 1",
    ] {
        assert_eq!(decide_constant(source), Decision::True, "{source}");
    }
}

fn decide_constant(source: &str) -> Decision {
    compile(source).map_or_else(
        |fault| Decision::Failed { why: fault.message },
        |expression| expression.decide(|_| Json::Null),
    )
}

#[test]
fn a_rule_says_whether_it_looks_at_the_content() {
    assert!(compile("request.body.a == 1").unwrap().needs_body());
    assert!(compile("request['body'].a == 1").unwrap().needs_body());
    assert!(!compile("request.method == 'body'").unwrap().needs_body());
}

#[test]
fn what_other_languages_write_is_told_in_cel() {
    for (source, told) in [
        ("path.id = 'a'", "`=` is no operator; `==` compares"),
        ("path.id=='a' & true", "`&` is no operator; `&&` is and"),
        ("path.id=='a' | true", "`|` is no operator; `||` is or"),
        (
            "path.id == 'a' and true",
            "`and` is no operator; write `&&`",
        ),
        ("path.id == 'a' or true", "`or` is no operator; write `||`"),
        ("path.id == 'a' &&", "it ends too early"),
        ("(path.id == 'a'", "missing ')'"),
    ] {
        let fault = compile(source).err().unwrap();
        assert!(fault.told(source).contains(told), "{}", fault.told(source));
        assert!(!fault.told(source).contains("expecting {"), "{source}");
    }
}
