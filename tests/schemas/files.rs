//! The files in `schemas/`, read and compiled as the gateway does.
//!
//! Called by: `tests/schemas.rs`.
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use std::{fs, path::PathBuf};

pub(crate) fn compile(schema: &Value) -> Validator {
    try_compile(schema).unwrap()
}

/// As the gateway compiles: nothing fetched, patterns in linear time only.
pub(crate) fn try_compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| format!("{error} at {}", error.instance_path()))
}

pub(crate) fn schemas() -> Vec<(&'static str, Value)> {
    ["policy", "key-record", "problem", "decision"]
        .map(|name| (name, schema(name)))
        .into()
}

pub(crate) fn schema(name: &str) -> Value {
    load(&format!("{name}.schema.json"))
}

pub(crate) fn examples(kind: &str) -> Vec<(String, Value)> {
    let folder = format!("examples/{kind}");
    let mut names: Vec<_> = fs::read_dir(path(&folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), load(&format!("{folder}/{name}"))))
        .collect()
}

pub(crate) fn load(file: &str) -> Value {
    let text = fs::read_to_string(path(file)).expect(file);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(file)
}

pub(crate) fn report(wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
}
