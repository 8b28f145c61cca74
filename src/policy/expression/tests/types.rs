//! What is told of types when a policy loads, and that it alarms nobody for nothing.

use super::*;
use crate::policy::expression::fault::EXCERPT_CHARS_MAX;

fn checked(source: &str, gives: Gives) -> Result<(), String> {
    let named = json!({
        "Item": {
            "type": "object", "additionalProperties": false,
            "properties": { "sku": { "type": "string" }, "price": { "type": "integer" } }
        },
        "Loop": { "$ref": "#/schemas/Loop" },
        "Base": { "properties": { "from": { "const": "web" } } }
    });
    let body = json!({
        "$ref": "#/schemas/Base",
        "type": "object", "additionalProperties": false,
        "properties": {
            "from": true,
            "amount": { "type": ["integer", "null"] },
            "size": { "enum": ["s", "m", 3] },
            "items": { "type": "array", "items": { "$ref": "#/schemas/Item" } },
            "round": { "$ref": "#/schemas/Loop" },
            "either": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
            "open": { "type": "object", "properties": { "a": { "type": "boolean" } } },
            "tags": { "type": "array", "items": { "type": "string" } }
        }
    });
    let query = json!({ "type": "object", "additionalProperties": false, "properties": { "page": { "type": "integer" } } });
    let known = Known {
        answer: None,
        body: Some(&body),
        query: Some(&query),
        named: named.as_object(),
    };
    let rule = compile(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
    rule.check(source, &known, gives)
        .map_err(|fault| fault.told(source))
}

#[test]
fn what_can_be_true_passes() {
    for source in [
        "path.id == caller.subject || caller.tenant == path.id || caller.tenant == null",
        "'admin' in caller.roles && caller.roles.exists(role, role == 'a' || role.startsWith('b'))",
        "caller.scopes.map(scope, size(scope)).exists(length, length > 3)",
        "caller.scopes.filter(scope, scope != 'a').size() == 2",
        "caller.scopes.exists_one(scope, scope == 'a')",
        "request.body.amount > 5 && request.body.amount != null && request.body != null",
        "request.body.size == 's' || request.body.size == 3",
        "request.body.items.all(item, item.price * 2 < 100 && item.sku.contains('x'))",
        "request.body.items[0].price + 1 == 2",
        "request.body.tags.all(tag, tag in ['a', 'b'])",
        "request.body.tags[0] == 'a'",
        "request.body.round.anything == request.body.either",
        "request.body.either == 'a' || request.body.either.member == 7",
        "request.body.open.a && request.body.open.unknown == 7",
        "request.body.from == 'web'",
        "int(request.query.page) > 1 && request.query.page != '3'",
        "request.query['page'] == ['1', '2']",
        "request.headers['x-team'] == 'a' || 'x' in request.headers['x-team']",
        "caller.claims.groups.exists(group, group.id == 7) && has(caller.claims.a.b)",
        "dyn(path.id) == 7 || dyn(caller.roles) == dyn(7)",
        "(path.id == 'a' ? caller.claims.a : request.time) > 7",
        "request.time - 60 > caller.claims.iat && request.time % 2 == 0",
        "size(request.body.tags) + size(path.id) + size(request.body) < 7",
        "string(request.time) == path.id || bool(path.id) || double(path.id) < 1.5",
        "{'a': 1}.a == 1 && [1, 'a'][0] == 1 && 'a' in {'a': 1}",
        "[1, 2].exists(x, x == request.time)",
        "caller.claims.all(name, name != 'x')",
        "request.country == 'NL' || request.country == null",
        "caller.scopes + ['x'] == caller.roles",
    ] {
        assert_eq!(checked(source, Gives::Truth), Ok(()), "{source}");
    }
    for source in [
        "request.body.amount",
        "1",
        "caller.claims.units",
        "request.body.amount + 1",
        "path.id == 'a' ? 1 : 2",
    ] {
        assert_eq!(checked(source, Gives::Units), Ok(()), "{source}");
    }
    for source in [
        "path.id",
        "request.time",
        "true",
        "caller.tenant",
        "caller.claims.team",
    ] {
        assert_eq!(checked(source, Gives::Name), Ok(()), "{source}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_can_never_be_true_is_told_where_and_why() {
    for (source, told) in [
        (
            "path.id == 7",
            "column 9: text and a number are never equal",
        ),
        (
            "caller.tenant != true",
            "text or null and true or false are never equal",
        ),
        ("caller.scopes == 'read'", "a list and text are never equal"),
        (
            "request.query.page == 2",
            "text or a list and a number are never equal",
        ),
        (
            "caller.subject > 5",
            "text and a number have no order between them",
        ),
        (
            "caller.roles",
            "gives a list, and has to give true or false",
        ),
        ("path.id", "gives text, and has to give true or false"),
        ("path.id && true", "text where true or false is needed"),
        (
            "true || request.time",
            "a number where true or false is needed",
        ),
        ("!path.id", "text where true or false is needed"),
        (
            "path.id ? true : false",
            "text where true or false is needed",
        ),
        ("path.id + 1 == 'a'", "text and a number cannot be added"),
        (
            "path.id * 2 > 1",
            "text and a number cannot be reckoned with",
        ),
        ("-path.id == 1", "text where a number"),
        ("7 in caller.roles", "a number is never in a list of text"),
        ("'a' in path.id", "nothing is in text"),
        ("path.id.name == 'a'", "no `name` here: text has no members"),
        ("path.id[0] == 'a'", "text has no items"),
        (
            "caller.roles[path.id] == 'a'",
            "an item of a list is named by a number",
        ),
        ("path.id.exists(letter, letter == 'a')", "text has no items"),
        (
            "caller.roles.all(role, role)",
            "text where true or false is needed",
        ),
        (
            "caller.roles.exists(role, role == 7)",
            "text and a number are never equal",
        ),
        ("caller.roles.contains('a')", "a list is asked with `in`"),
        ("path.id.contains(7)", "a number where text"),
        ("size(path.id, 1) == 1", "`size` takes one value"),
        ("request.time.size() == 1", "a number where text"),
        ("contains(path.id, 'a')", "is asked of text"),
        (
            "request.headers['X-Team'] == 'a'",
            "no header `X-Team`: names are in lower case",
        ),
        (
            "request.query.pages == '1'",
            "no `pages` in the schema of the query; there is page",
        ),
        (
            "request.body.ammount > 5",
            "no `ammount` in the schema of the content; there is from, amount",
        ),
        (
            "request.body['ammount'] > 5",
            "no `ammount` in the schema of the content",
        ),
        (
            "has(request.body.ammount)",
            "no `ammount` in the schema of the content",
        ),
        (
            "request.body.amount == 'a'",
            "a number or null and text are never equal",
        ),
        (
            "request.body.size == true",
            "text or a number and true or false are never equal",
        ),
        (
            "request.body.items.all(item, item.cost < 5)",
            "no `cost` in the schema of the content; there is sku, price",
        ),
        (
            "request.body.items[0].price == 'a'",
            "a number and text are never equal",
        ),
        (
            "request.body.tags.exists(tag, tag == 7)",
            "text and a number are never equal",
        ),
        (
            "request.body.open.a == 'x'",
            "true or false and text are never equal",
        ),
        (
            "request.body.open.a.b == 'x'",
            "no `b` here: true or false has no members",
        ),
    ] {
        let problem = checked(source, Gives::Truth).expect_err(source);
        assert!(
            problem.starts_with("line 1, column "),
            "{source}: {problem}"
        );
        assert!(problem.contains(told), "{source}: {problem}");
    }
    assert!(checked("caller.kind", Gives::Units).is_err());
    assert!(checked("true", Gives::Units).is_err());
    assert!(checked("caller.roles", Gives::Name).is_err());
    assert!(checked("null", Gives::Name).is_err());
}

/// What the check refuses, evaluation refuses too: it alarms nobody for nothing.
#[test]
fn what_is_told_to_be_never_true_is_not() {
    for source in [
        "path.id == 7",
        "caller.subject > 5",
        "path.id && true",
        "path.id + 1 == 'a'",
        "7 in caller.roles",
        "'a' in path.id",
        "caller.roles.contains('customer')",
        "path.id[0] == '1'",
        "path.id.exists(letter, letter == '1')",
        "request.query.page == 2",
        "request.headers['X-Team'] == 'a'",
        "caller.roles.exists(role, role == 7)",
    ] {
        assert!(checked(source, Gives::Truth).is_err(), "{source}");
        assert_ne!(decide(source), Decision::True, "{source}");
    }
}

#[test]
fn a_fault_shows_the_text_from_its_place_on() {
    let source = "path.id == 'a' &&\n  caller.subject > 5 // and more";
    let problem = checked(source, Gives::Truth).unwrap_err();
    assert!(problem.starts_with("line 2, column 18: "), "{problem}");
    assert!(problem.ends_with("(at `> 5 // and more`)"), "{problem}");
    let fault = compile("1 +").err().unwrap();
    assert!(fault.told("1 +").ends_with("(at its end)"), "{fault:?}");
    let long = format!("{} == 7", "a".repeat(200));
    let fault = compile(&long).err().unwrap();
    let told = fault.told(&long);
    assert!(
        told.contains(&format!("(at `{}`)", "a".repeat(EXCERPT_CHARS_MAX))),
        "{told}"
    );
}

#[test]
fn what_has_a_few_known_texts_is_compared_with_those() {
    for source in [
        "caller.kind == 'api_key' || 'token' != caller.kind || caller.kind in ['certificate', 'anonymous']",
        "request.method in ['GET', 'HEAD'] || request.method == 'DELETE'",
        "dyn(caller.kind) == 'x'",
        "caller.kind.startsWith('api')",
        "path.id == 'get'",
    ] {
        assert_eq!(checked(source, Gives::Truth), Ok(()), "{source}");
    }
    for source in [
        "caller.kind != 'api-key'",
        "'Token' == caller.kind",
        "!(caller['kind'] in ['token', 'apikey'])",
        "request.method != 'delete'",
        "request.method == 'TRACE'",
    ] {
        let told = checked(source, Gives::Truth).unwrap_err();
        assert!(told.contains("never one of"), "{told}");
    }
}
