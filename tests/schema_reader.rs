//! What a `Reader` is sure of is what `jsonschema` says, and of what a policy is meant to hold it
//! is sure: then no start compiles the schema of policies.
//!
//! Values are the examples, each changed at a random place: near enough to be right or wrong by a
//! little. The seed of what failed is printed and kept by `proptest`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that should not be"
)]

#[path = "schemas/files.rs"]
#[allow(dead_code, reason = "shared with tests/schemas.rs")]
mod files;

use edgeward::body::schema::{Reader, is_plain};
use files::{compile, examples, report, schema};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, Selector};
use proptest::string::string_regex;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema("policy"));
static POLICY: LazyLock<Validator> = LazyLock::new(|| compile(&SCHEMA));
static EXAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let invalid = examples("invalid").into_iter();
    let invalid = invalid.map(|(_, example)| example["policy"].clone());
    let valid = examples("valid").into_iter().map(|(_, policy)| policy);
    valid.chain(invalid).collect()
});
/// Each pattern of the policy's schema.
static PATTERNS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = vec![];
    patterns(&SCHEMA, &mut found);
    found
});

fn patterns(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(pattern) if name == "pattern" => found.push(pattern.clone()),
                    _ => patterns(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
        _ => {}
    }
}

fn reads(schema: &Value, value: &Value) -> Option<bool> {
    Reader::new(schema).judge(value)
}

#[test]
fn each_valid_example_is_read_and_surely_right() {
    report(examples("valid").into_iter().filter_map(|(file, policy)| {
        let read = reads(&SCHEMA, &policy);
        (read != Some(true)).then(|| format!("{file}: {read:?}"))
    }));
}

#[test]
fn no_invalid_example_is_surely_right() {
    report(
        examples("invalid")
            .into_iter()
            .filter_map(|(file, example)| {
                let read = reads(&SCHEMA, &example["policy"]);
                (read == Some(true)).then_some(file)
            }),
    );
}

#[test]
fn each_pattern_of_the_policy_is_one_that_every_engine_reads_alike() {
    assert!(PATTERNS.len() >= 40, "only {} patterns", PATTERNS.len());
    let unread = |pattern: &&String| {
        let read = reads(&json!({ "pattern": pattern }), &json!("a"));
        !is_plain(pattern) || read.is_none()
    };
    report(PATTERNS.iter().filter(unread).cloned());
}

/// The suite says what is valid. Where formats are rules, and schemas have names, a `Reader` is not
/// sure or not meant.
#[test]
fn what_is_sure_is_what_the_suite_says() {
    let text = include_str!("vectors/json-schema-suite/draft2020-12.json");
    let files: Map<String, Value> = serde_json::from_str(text).unwrap();
    let (mut sure, mut wrong) = (0, vec![]);
    for (file, groups) in &files {
        for group in groups.as_array().unwrap() {
            let mut schema = group["schema"].clone();
            if let Some(keywords) = schema.as_object_mut() {
                keywords.shift_remove("$id");
            }
            let own_draft = schema
                .get("$schema")
                .is_some_and(|said| said != "https://json-schema.org/draft/2020-12/schema");
            if own_draft || schema.to_string().contains("\"$id\"") {
                continue;
            }
            for test in group["tests"].as_array().unwrap() {
                let read = reads(&schema, &test["data"]);
                sure += usize::from(read.is_some());
                if read.is_some_and(|valid| valid != test["valid"]) {
                    wrong.push(format!("{file}: {}: {test}", group["description"]));
                }
            }
        }
    }
    assert!(sure > 600, "sure of {sure} cases alone");
    report(wrong);
}

/// What a value may be changed into.
fn other() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-2i64..200).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        (-3i32..100).prop_map(|tenths| Value::from(f64::from(tenths) / 2.0)),
        "[ -~]{0,12}|\\PC{0,4}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["a", "a"])),
        Just(json!([1, 1.0])),
        any::<Selector>().prop_map(|any| Value::from(any.select(&*PATTERNS).as_str())),
    ]
}

/// Changes one value somewhere in `value`.
fn change(value: &mut Value, way: &[Index], to: &Value) {
    let Some((step, rest)) = way.split_first() else {
        *value = to.clone();
        return;
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let name = members
                .keys()
                .nth(step.index(members.len()))
                .unwrap()
                .clone();
            match (rest.len(), to) {
                // Left out, or under another name.
                (0, Value::Null) => drop(members.shift_remove(&name)),
                (0, Value::String(other)) if other.len() % 2 == 0 => {
                    let member = members.shift_remove(&name).unwrap();
                    members.insert(other.clone(), member);
                }
                _ => change(&mut members[&name], rest, to),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let place = step.index(items.len());
            match (rest.len(), to) {
                (0, Value::Null) => drop(items.remove(place)),
                (0, Value::Bool(true)) => items.push(items[place].clone()),
                _ => change(&mut items[place], rest, to),
            }
        }
        Value::String(text) => {
            // One character of it.
            let at = step.index(text.chars().count() + 1);
            let mut letters: Vec<_> = text.chars().collect();
            letters.splice(at..at, to.as_str().unwrap_or(" ").chars().take(1));
            *text = letters.into_iter().collect();
        }
        _ => *value = to.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn of_a_changed_policy_it_says_what_the_library_says(
        example in any::<Selector>(),
        changes in prop::collection::vec((prop::collection::vec(any::<Index>(), 0..7), other()), 1..3),
    ) {
        let mut policy = example.select(&*EXAMPLES).clone();
        for (way, to) in &changes {
            change(&mut policy, way, to);
        }
        if let Some(valid) = reads(&SCHEMA, &policy) {
            prop_assert_eq!(valid, POLICY.is_valid(&policy), "{}", policy);
        }
    }

    #[test]
    fn of_a_text_it_says_what_the_library_says(
        (pattern, text) in any::<Selector>().prop_flat_map(|any| {
            let pattern = any.select(&*PATTERNS).clone();
            // What the pattern holds, without its ends.
            let inner = pattern.replace(['^', '$'], "");
            let text = if pattern.contains("[^") { string_regex("https://[!-~]{1,9}") } else { string_regex(&inner) };
            let text = text.unwrap();
            (Just(pattern), prop_oneof![text, "\\PC{0,8}"])
        }),
        at in any::<Index>(),
        letter in prop_oneof![Just(String::new()), "[ -~]", "[\\x00-\\x20\\u{85}\\u{a0}\\u{2028}\\u{feff}é]"],
    ) {
        let schema = json!({ "pattern": pattern });
        let library = compile(&schema);
        let mut letters: Vec<_> = text.chars().collect();
        let at = at.index(letters.len() + 1);
        letters.splice(at..at, letter.chars());
        let value = Value::from(letters.into_iter().collect::<String>());
        prop_assert_eq!(reads(&schema, &value), Some(library.is_valid(&value)));
    }
}

#[test]
fn a_pattern_is_plain_where_no_engine_reads_it_otherwise() {
    for (pattern, plain) in [
        ("^(?:a|[b-d]{2,3})+$", true),
        ("^[!#-)+-\\[\\]-~.]*$", true),
        ("^[^\\t\\n\\u2028\\x20]?\\.$", true),
        (".", false),
        ("a.b", false),
        ("\\d", false),
        ("[\\s]", false),
        ("\\bword", false),
        ("\\p{L}", false),
        ("(?=a)", false),
        ("(?i)a", false),
        ("(?<name>a)", false),
        ("(a)\\1", false),
        ("[[:alpha:]]", false),
        ("[]a]", false),
        ("[^]", false),
        ("[a&&b]", false),
        ("[a--b]", false),
        ("[a~~b]", false),
        ("a\\", false),
    ] {
        assert_eq!(is_plain(pattern), plain, "{pattern}");
    }
}
