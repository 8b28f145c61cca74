//! Real public documents become policies that load; what of each is not enforced is a golden file.
//! The documents come from npm (`npm test`, or `npm ci --ignore-scripts` in `tests/documents`).
//! Refresh with `UPDATE_EXPECT=1 cargo test --test openapi`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod support;

use std::path::Path;

use edgeward::policy::load::load;
use edgeward::policy::openapi::{Imported, import};
use expect_test::expect_file;
use serde_json::{Value, json};
use support::bindings;

/// Imports a document with every operation behind the same key and limit.
fn imported(file: &str, options: Value) -> Imported {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/node_modules");
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| {
        panic!("{file}: {error}; run `npm ci --ignore-scripts` in tests/documents")
    });
    let policy = json!({
        "name": "document",
        "openapi": "openapi.json",
        "openapi_options": options,
        "origins": { "api": { "url": "https://origin.example" } },
        "authenticators": { "keys": { "kind": "api_key" } },
        "limits": { "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 5, "window_s": 60, "on_error": "refuse" } }
    });
    let bundle = format!(r#"{{"policy":{policy},"files":{{"openapi.json":{text}}}}}"#);
    import(bundle.as_bytes()).unwrap_or_else(|faults| panic!("{file}: {faults:?}"))
}

fn judged(file: &str, golden: &str, options: Value) {
    let Imported { policy, report } = imported(file, options);
    let text = policy.to_string();
    let loaded = load(text.as_bytes(), &bindings());
    if let Err(faults) = loaded {
        panic!("{file}: {faults:#?}");
    }
    let mut told = vec![format!(
        "{} of {} operations imported",
        report["imported"], report["operations"]
    )];
    for one in report["left_out"].as_array().unwrap() {
        told.push(format!(
            "left out: {}: {}",
            text_of(&one["operation"]),
            text_of(&one["problem"])
        ));
    }
    for one in report["not_enforced"].as_array().unwrap() {
        told.push(format!(
            "not enforced, {} times: {}",
            one["times"],
            text_of(&one["problem"])
        ));
    }
    expect_file![format!("golden/openapi/{golden}.txt")].assert_eq(&(told.join("\n") + "\n"));
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn behind_keys() -> Value {
    json!({ "security": "defaults", "defaults": { "auth": ["keys"], "limits": ["ip"] } })
}

#[test]
fn github_with_over_a_thousand_operations() {
    judged(
        "@octokit/openapi/generated/api.github.com.json",
        "github",
        behind_keys(),
    );
}

#[test]
fn scalar_galaxy() {
    judged("@scalar/galaxy/dist/latest.json", "galaxy", behind_keys());
}

#[test]
fn train_travel() {
    judged(
        "@readme/oas-examples/3.1/json/train-travel.json",
        "train-travel",
        behind_keys(),
    );
}

#[test]
fn star_trek() {
    judged(
        "@readme/oas-examples/3.0/json/star-trek.json",
        "star-trek",
        behind_keys(),
    );
}

#[test]
fn readme() {
    judged(
        "@readme/oas-examples/3.1/json/readme.json",
        "readme",
        behind_keys(),
    );
}

#[test]
fn every_style_of_parameters() {
    judged(
        "@readme/oas-examples/3.0/json/parameters-style.json",
        "parameter-styles",
        behind_keys(),
    );
}
