use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::body::json::{BODY_LIMITS, parse};

/// The text without what the pointers name; `POINTER=MASK` masks.
fn cut(text: &str, pointers: &[&str]) -> String {
    let parsed: Vec<(FieldPointer, Option<&str>)> = pointers
        .iter()
        .map(|one| match one.split_once('=') {
            Some((pointer, mask)) => (FieldPointer::parse(pointer).unwrap(), Some(mask)),
            None => (FieldPointer::parse(one).unwrap(), None),
        })
        .collect();
    let cuts: Vec<Cut<'_>> = parsed
        .iter()
        .map(|(pointer, mask)| Cut {
            pointer,
            mask: *mask,
        })
        .collect();
    let edited = edit(text.as_bytes(), &cuts, Names::Exact).unwrap();
    edited
        .text
        .map_or_else(|| text.to_owned(), |text| String::from_utf8(text).unwrap())
}

#[test]
fn what_no_rule_names_keeps_its_bytes() {
    let text = "{ \"a\" : 1.0,\t\"n\":1e2 , \"big\":12345678901234567890,\r\n \"secret\": {\"x\":[1,2]},\"\\u0062\":\"\\u00e9\\/\" }";
    assert_eq!(
        cut(text, &["/secret"]),
        "{ \"a\" : 1.0,\t\"n\":1e2 , \"big\":12345678901234567890,\"\\u0062\":\"\\u00e9\\/\" }"
    );
    assert_eq!(
        cut(text, &["/secret=\"***\""]),
        text.replace("{\"x\":[1,2]}", "\"***\"")
    );
}

#[test]
fn members_go_wherever_they_stand() {
    for (text, pointers, expected) in [
        (r#"{"a":1,"b":2,"c":3}"#, &["/a"][..], r#"{"b":2,"c":3}"#),
        (r#"{"a":1,"b":2,"c":3}"#, &["/b"], r#"{"a":1,"c":3}"#),
        (r#"{"a":1,"b":2,"c":3}"#, &["/c"], r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"b":2,"c":3}"#, &["/a", "/b"], r#"{"c":3}"#),
        (r#"{"a":1,"b":2,"c":3}"#, &["/a", "/c"], r#"{"b":2}"#),
        (r#"{"a":1,"b":2,"c":3}"#, &["/b", "/c"], r#"{"a":1}"#),
        (r#"{ "a":1 , "b":2 }"#, &["/a", "/b"], r#"{  }"#),
        (r#"{"a":1}"#, &["/*"], "{}"),
        ("[1,2,3]", &["/1"], "[1,3]"),
        ("[1,2,3]", &["/*"], "[]"),
        ("[1,2,3]", &["/0", "/1"], "[3]"),
        (
            r#"{"i":[{"p":1,"q":2},{"p":3}]}"#,
            &["/i/*/p"],
            r#"{"i":[{"q":2},{}]}"#,
        ),
        (
            r#"{"i":{"x":{"p":1},"y":{"p":2}}}"#,
            &["/i/*/p"],
            r#"{"i":{"x":{},"y":{}}}"#,
        ),
        (
            r#"{"i":[{"p":1},{"p":2}]}"#,
            &["/i/1/p"],
            r#"{"i":[{"p":1},{}]}"#,
        ),
        (r#"{"a":{"b":1},"c":2}"#, &["/a", "/a/b=null"], r#"{"c":2}"#),
        (r#"{"a":{"b":1}}"#, &["/a=0", "/a/b"], r#"{"a":0}"#),
        (r#"{"a":1}"#, &["/a=null", "/a"], "{}"),
        (
            r#"{"a":1,"b":[1]}"#,
            &["/a=\"***\"", "/b"],
            r#"{"a":"***"}"#,
        ),
    ] {
        assert_eq!(cut(text, pointers), expected, "{text} {pointers:?}");
    }
}

#[test]
fn a_name_is_what_it_reads_as() {
    for text in [r#"{"\u0061":1}"#, r#"{"a":1}"#] {
        assert_eq!(cut(text, &["/a"]), "{}", "{text}");
    }
    assert_eq!(
        cut(
            r#"{"a/b":1,"c~d":2,"e\"f":3}"#,
            &["/a~1b", "/c~0d", "/e\"f"]
        ),
        "{}"
    );
    assert_eq!(cut(r#"{"x":"}\"{,","a":1}"#, &["/a"]), r#"{"x":"}\"{,"}"#);
}

#[test]
fn a_pointer_that_leads_nowhere_cuts_nothing() {
    for text in [
        r#"{"a":{"b":1}}"#,
        r#"{"a":5}"#,
        "[]",
        "{}",
        "3",
        "\"a\"",
        "null",
        r#"{"a":[1]}"#,
    ] {
        for pointer in ["/a/b/c", "/x", "/a/x", "/a/01", "/x=null"] {
            assert_eq!(cut(text, &[pointer]), text, "{pointer}");
        }
    }
}

#[test]
fn places_are_told_by_their_own_pointers_and_bounded() {
    let pointer = FieldPointer::parse("/*/p").unwrap();
    let cuts = [Cut {
        pointer: &pointer,
        mask: None,
    }];
    let text = json!(vec![json!({ "p": 1 }); FINDINGS_MAX + 5]).to_string();
    let edited = edit(text.as_bytes(), &cuts, Names::Exact).unwrap();
    assert_eq!(edited.places.len(), FINDINGS_MAX);
    assert_eq!(edited.places[1], (0, "/1/p".to_owned()));
}

#[test]
fn nesting_is_bounded_on_both_sides_and_what_is_passed_over_is_not() {
    let pointer = FieldPointer::parse(&"/0".repeat(DEPTH_MAX + 5)).unwrap();
    let cuts = [Cut {
        pointer: &pointer,
        mask: None,
    }];
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(edit(nested(DEPTH_MAX).as_bytes(), &cuts, Names::Exact).is_ok());
    assert!(edit(nested(DEPTH_MAX + 1).as_bytes(), &cuts, Names::Exact).is_err());
    let elsewhere = FieldPointer::parse("/a").unwrap();
    let cuts = [Cut {
        pointer: &elsewhere,
        mask: None,
    }];
    assert!(edit(nested(200_000).as_bytes(), &cuts, Names::Exact).is_ok());
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\"\\\\{},:]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab~/]{1,2}", inner), 0..4)
                .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
        ]
    })
}

/// The same, slowly: on the parsed document.
fn without(value: &Value, steps: &[String]) -> Value {
    let Some((step, below)) = steps.split_first() else {
        return value.clone();
    };
    let goes = |name: &str| step == "*" || step.replace("~1", "/").replace("~0", "~") == name;
    match value {
        Value::Object(members) => {
            let mut left = serde_json::Map::new();
            for (name, value) in members {
                match (goes(name), below.is_empty()) {
                    (true, true) => {}
                    (true, false) => drop(left.insert(name.clone(), without(value, below))),
                    (false, _) => drop(left.insert(name.clone(), value.clone())),
                }
            }
            Value::Object(left)
        }
        Value::Array(items) => {
            let mut left = Vec::new();
            for (index, value) in items.iter().enumerate() {
                match (goes(&index.to_string()), below.is_empty()) {
                    (true, true) => {}
                    (true, false) => left.push(without(value, below)),
                    (false, _) => left.push(value.clone()),
                }
            }
            Value::Array(left)
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn cutting_text_is_cutting_the_document(value in document(), pretty: bool, steps in prop::collection::vec("(\\*|a|b|aa|~0|~1|0|1)", 1..4)) {
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let left = cut(&text, &[&format!("/{}", steps.join("/"))]);
        prop_assert_eq!(parse(left.as_bytes(), BODY_LIMITS).unwrap(), without(&value, &steps));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}\",:\\\\a0 ]{0,40}") {
        let pointer = FieldPointer::parse("/*/a").unwrap();
        let _ = edit(text.as_bytes(), &[Cut { pointer: &pointer, mask: Some("null") }], Names::AnyCase);
    }
}
