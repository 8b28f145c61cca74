//! The JSON Schema Test Suite (`tests/vectors/json-schema-suite/`), each case as a policy's schema
//! and a request's content would be judged: every draft, what is required and what is optional.
//!
//! Owns: the list of what differs from the suite, in `tests/golden/json-schema-suite.txt`; why, by
//! group, stands in docs/decisions/0019-json-schema-complete.md.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that should not be"
)]

use std::collections::BTreeMap;
use std::fmt::Write;

use edgeward::body::finding::Location;
use edgeward::body::json::{BODY_LIMITS, parse};
use edgeward::body::schema::{Compiler, Schema};
use serde_json::{Map, Value};

/// The drafts: their cases, and the `$schema` that says them.
const DRAFTS: [(&str, &str, &str); 5] = [
    (
        "draft 4",
        "http://json-schema.org/draft-04/schema#",
        include_str!("vectors/json-schema-suite/draft4.json"),
    ),
    (
        "draft 6",
        "http://json-schema.org/draft-06/schema#",
        include_str!("vectors/json-schema-suite/draft6.json"),
    ),
    (
        "draft 7",
        "http://json-schema.org/draft-07/schema#",
        include_str!("vectors/json-schema-suite/draft7.json"),
    ),
    (
        "2019-09",
        "https://json-schema.org/draft/2019-09/schema",
        include_str!("vectors/json-schema-suite/draft2019-09.json"),
    ),
    (
        "2020-12",
        "https://json-schema.org/draft/2020-12/schema",
        include_str!("vectors/json-schema-suite/draft2020-12.json"),
    ),
];

/// The suite's schema, saying its draft: the suite leaves that out where a folder says it.
fn said(schema: &Value, draft: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(keywords) = schema.as_object_mut() {
        keywords.entry("$schema").or_insert(draft.into());
    }
    schema
}

/// Whether a policy with this schema takes this content.
fn takes(schema: &Schema, content: &Value) -> bool {
    let content = content.to_string();
    parse(content.as_bytes(), BODY_LIMITS)
        .is_ok_and(|content| schema.judge(&content, Location::Body).is_empty())
}

/// What is told of content, in whatever order.
fn findings(schema: &Schema, content: &Value) -> Vec<String> {
    let findings = schema.judge(content, Location::Body);
    // What the gateway takes for right to be compiled compiles.
    let uncompiled = findings.iter().any(|one| one.keyword == "schema");
    assert!(!uncompiled, "{schema:?}");
    let mut told: Vec<_> = findings.iter().map(|one| format!("{one:?}")).collect();
    told.sort();
    told
}

/// Why a schema of the suite does not load, or a case is judged otherwise.
fn reason(told: &str, file: &str) -> &'static str {
    const NOT_LOADED: [(&str, &str); 8] = [
        ("is not present", "nothing is fetched"),
        (
            "is no keyword",
            "an unknown keyword would look like a rule that holds",
        ),
        (
            "Unknown format",
            "a format that is not checked would look like a rule that holds",
        ),
        (
            "passes over",
            "a rule beside $ref, which the draft passes over",
        ),
        (
            "in two ways",
            "a document could make it work twice as much with each level",
        ),
        ("`$schema` is none", "a draft of one's own"),
        ("refer to each other", "schemas of two drafts"),
        ("going down", "a schema that refers to itself in place"),
    ];
    let not_loaded = NOT_LOADED.iter().find(|(part, _)| told.contains(part));
    not_loaded.map_or_else(
        || match file {
            "const.json" | "enum.json" if told.contains("nul") => "U+0000 is refused",
            "optional/format/json-pointer.json" if told.contains("control") => "U+0000 is refused",
            "const.json" | "optional/bignum.json" | "optional/float-overflow.json" => {
                "a number that readers do not agree on is refused"
            }
            "format.json" => "formats are asserted",
            _ => "no reason",
        },
        |(_, reason)| reason,
    )
}

#[test]
fn what_differs_from_the_suite_is_known() {
    let mut sums = String::new();
    let mut told: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, uri, text) in DRAFTS {
        let files: Map<String, Value> = serde_json::from_str(text).unwrap();
        let (mut cases, mut alike, mut unloaded) = (0, 0, 0);
        // As the schemas of one policy: all of a draft at once.
        let none = Map::new();
        let together = Compiler::new(&none);
        let groups = files.values().flat_map(|groups| groups.as_array().unwrap());
        let schemas: Vec<_> = groups.map(|group| said(&group["schema"], uri)).collect();
        together.foresee(schemas);
        for (file, groups) in &files {
            for group in groups.as_array().unwrap() {
                let tests = group["tests"].as_array().unwrap();
                cases += tests.len();
                let place = format!("{name} {file}: {}", group["description"].as_str().unwrap());
                let mut tell = |what: &str| {
                    let told = told.entry(reason(what, file)).or_default();
                    told.push(format!("  {place}: {what}"));
                };
                let schema = said(&group["schema"], uri);
                let alone = Schema::compile(&schema, &none);
                let schema = match together.compile(&schema) {
                    Ok(schema) => schema,
                    Err(why) => {
                        assert_eq!(alone.err(), Some(why.clone()), "{place}");
                        unloaded += tests.len();
                        tell(&why);
                        continue;
                    }
                };
                let alone = alone.unwrap();
                for test in tests {
                    let judged = [&alone, &schema].map(|one| findings(one, &test["data"]));
                    assert_eq!(judged[0], judged[1], "{place}");
                    let valid = test["valid"].as_bool().unwrap();
                    let what = test["description"].as_str().unwrap();
                    let takes = takes(&schema, &test["data"]);
                    assert!(valid || !takes, "{place}: {what} is taken");
                    if takes == valid {
                        alike += 1;
                    } else {
                        tell(what);
                    }
                }
            }
        }
        assert!(cases > 900, "{name} has {cases} cases");
        let differ = cases - alike - unloaded;
        writeln!(
            sums,
            "{name}: {cases} cases, {alike} as the suite says, {differ} refused though valid, {unloaded} of schemas that do not load"
        )
        .unwrap();
    }
    assert_eq!(told.get("no reason"), None);
    let told = told
        .iter()
        .map(|(reason, places)| format!("{reason}:\n{}\n", places.join("\n")));
    let told = told.collect::<Vec<_>>().join("\n");
    expect_test::expect_file!["golden/json-schema-suite.txt"].assert_eq(&format!("{sums}\n{told}"));
}
