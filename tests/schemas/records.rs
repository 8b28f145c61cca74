//! Records and problems: one mistake is refused at its place, and every problem has its page.
//!
//! Called by: `tests/schemas.rs`.
use crate::files::{compile, load, report, schema};
use crate::walk::{required, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn records_with_one_mistake_are_refused_at_their_place() {
    let cases = [
        (
            "key-record",
            0,
            "/hash",
            json!("n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgh"),
            "/hash",
        ),
        ("key-record", 0, "/id", json!("3kT9mQ2xVb7_"), "/id"),
        ("key-record", 0, "/state", json!("deleted"), "/state"),
        (
            "key-record",
            0,
            "/cidrs/0",
            json!("192.0.2.0/40"),
            "/cidrs/0",
        ),
        ("key-record", 0, "/secret", json!("x"), ""),
        (
            "key-record",
            0,
            "/limits/minute",
            json!({ "limit": 5, "burst": 2 }),
            "/limits/minute",
        ),
        (
            "key-record",
            0,
            "/limits/minute/window_s",
            json!(5),
            "/limits/minute",
        ),
        ("key-record", 1, "/expires_at", json!("soon"), "/expires_at"),
        ("key-record", 1, "/expires_at", json!(null), "/expires_at"),
        (
            "key-record",
            1,
            "/created_at",
            json!(1767225600.5),
            "/created_at",
        ),
        ("problem", 0, "/code", json!("token-expired"), "/code"),
        ("problem", 0, "/type", json!("about:blank"), "/type"),
        ("problem", 0, "/status", json!("422"), "/status"),
        ("problem", 0, "/status", json!(200), "/status"),
        ("problem", 0, "/errors/0/value", json!(0), "/errors/0"),
        (
            "problem",
            0,
            "/errors/0/location",
            json!("headers"),
            "/errors/0/location",
        ),
        ("problem", 0, "/stack", json!("at main"), ""),
        (
            "problem",
            1,
            "/violated-policies",
            json!([]),
            "/violated-policies",
        ),
        ("decision", 0, "/reason", json!("no_route"), "/reason"),
        ("decision", 0, "/caller/token", json!("x"), "/caller"),
        (
            "decision",
            0,
            "/limits/0/remaining",
            json!(-1),
            "/limits/0/remaining",
        ),
        ("decision", 0, "/ts", json!("2026-01-31 09:30:00"), "/ts"),
        ("decision", 0, "/chain/mac", json!(""), "/chain/mac"),
        ("decision", 1, "/verdict", json!("observe"), "/verdict"),
        ("decision", 1, "/stage", json!("forwarded"), "/stage"),
    ];
    report(
        cases
            .into_iter()
            .filter_map(|(name, example, place, value, expected)| {
                let root = schema(name);
                let mut record = root["examples"][example].clone();
                let (parent, field) = place.rsplit_once('/').unwrap();
                match record.pointer_mut(parent).unwrap() {
                    Value::Array(items) => items[field.parse::<usize>().unwrap()] = value.clone(),
                    parent => parent[field] = value.clone(),
                }
                let validator = compile(&root);
                let found: BTreeSet<_> = validator
                    .iter_errors(&record)
                    .map(|error| error.instance_path().to_string())
                    .collect();
                (found != BTreeSet::from([expected.to_owned()])).then(|| {
                    format!("{name}: {place} = {value}: expected \"{expected}\", found {found:?}")
                })
            }),
    );
}

#[test]
fn each_field_that_a_record_requires_is_missed() {
    report(
        ["key-record", "problem", "decision"]
            .into_iter()
            .flat_map(|name| {
                let root = schema(name);
                let validator = compile(&root);
                let whole = root["examples"][0].as_object().unwrap().clone();
                let mut wrong = vec![];
                for field in required(&root) {
                    let mut record = whole.clone();
                    record.remove(field).unwrap();
                    if validator.is_valid(&Value::Object(record)) {
                        wrong.push(format!("{name}: passes without {field}"));
                    }
                }
                wrong
            }),
    );
}

#[test]
fn each_problem_page_is_whole_and_short() {
    let shape = compile(&json!({
        "type": "object", "additionalProperties": false,
        "required": ["status", "title", "meaning", "what_to_do"],
        "properties": {
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "title": { "type": "string", "minLength": 4, "maxLength": 40, "pattern": "^[A-Z][A-Za-z -]+$" },
            "meaning": { "type": "string", "minLength": 40, "maxLength": 240, "pattern": "\\.$" },
            "what_to_do": { "type": "string", "minLength": 40, "maxLength": 280, "pattern": "\\.$" }
        }
    }));
    let slug = compile(&json!({ "pattern": "^[a-z]+(?:-[a-z]+)*$", "maxLength": 64 }));
    let pages = load("problems.json");
    report(pages.as_object().unwrap().iter().flat_map(|(name, page)| {
        let named = json!(name);
        let slugs = slug
            .iter_errors(&named)
            .map(|error| format!("{name}: {error}"));
        let errors = shape.iter_errors(page);
        let errors = errors.map(|error| format!("{name}{}: {error}", error.instance_path()));
        slugs.chain(errors).collect::<Vec<_>>()
    }));
}

#[test]
fn each_problem_has_a_page_and_each_page_a_problem() {
    let problem = schema("problem");
    let pages = load("problems.json");
    let pages = pages.as_object().unwrap();
    let codes = problem["properties"]["code"]["enum"].as_array().unwrap();
    let codes: BTreeSet<_> = codes.iter().map(text).collect();
    let slugs: BTreeSet<_> = pages.keys().map(String::as_str).collect();
    let lonely = codes.symmetric_difference(&slugs);
    let mut wrong: Vec<_> = lonely
        .map(|code| format!("{code}: not in both problem.schema.json and problems.json"))
        .collect();
    let titles: BTreeSet<_> = pages.values().map(|page| text(&page["title"])).collect();
    if titles.len() != pages.len() {
        wrong.push("two problems share a title".to_owned());
    }
    for example in problem["examples"].as_array().unwrap() {
        let page = &pages[text(&example["code"])];
        if page["title"] != example["title"] || page["status"] != example["status"] {
            wrong.push(format!(
                "the example of {} differs from its page",
                example["code"]
            ));
        }
    }
    report(wrong);
}
