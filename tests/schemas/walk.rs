//! Walks over a schema as a document: what it defines, and what narrows that.
//!
//! Owns: no files. Called by: `tests/schemas.rs`.
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in `$defs` but only narrows what another definition allows.
const NARROWING: [&str; 1] = ["/$defs/Production"];

/// Visits every schema that describes a value of the document: the root, `$defs`, and what hangs
/// on `properties`, `additionalProperties` and `items`. Conditions, which only narrow, are left out.
pub(crate) fn each_definition(root: &Value, visit: &mut impl FnMut(&Value, &str)) {
    let mut open = vec![(String::new(), root)];
    while let Some((at, node)) = open.pop() {
        if NARROWING.contains(&at.as_str()) {
            continue;
        }
        visit(node, &at);
        for group in ["properties", "$defs"] {
            for (name, child) in node[group].as_object().into_iter().flatten() {
                open.push((format!("{at}/{group}/{name}"), child));
            }
        }
        for keyword in ["additionalProperties", "items"] {
            if node[keyword].is_object() {
                open.push((format!("{at}/{keyword}"), &node[keyword]));
            }
        }
    }
}

/// The parts of a schema that narrow it: `then`, `else`, and what stands in `allOf`.
pub(crate) fn parts<'a>(node: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let all = node["allOf"].as_array().into_iter().flatten().enumerate();
    let all = all.map(|(index, part)| (format!("{at}/allOf/{index}"), part));
    let branches = ["then", "else"]
        .into_iter()
        .filter_map(|word| node.get(word).map(|part| (format!("{at}/{word}"), part)));
    all.chain(branches).collect()
}

pub(crate) fn check_refinement(
    root: &Value,
    part: &Value,
    bases: &[&Value],
    at: &str,
    wrong: &mut Vec<String>,
) {
    if let Some(target) = part["$ref"].as_str() {
        let target_node = follow(root, part);
        if NARROWING.contains(&target.trim_start_matches('#')) {
            check_refinement(root, target_node, bases, target, wrong);
        }
        return;
    }
    let known: Vec<_> = bases.iter().map(|base| all_fields(root, base)).collect();
    for name in required(part) {
        if !known.iter().any(|fields| fields.contains_key(name)) {
            wrong.push(format!("{at}/required: there is no field {name}"));
        }
    }
    for (name, child) in fields(part) {
        let bases: Vec<_> = known
            .iter()
            .filter_map(|fields| fields.get(name.as_str()).copied())
            .collect();
        let at = format!("{at}/properties/{name}");
        if bases.is_empty() {
            wrong.push(format!("{at}: there is no such field"));
        }
        check_refinement(root, child, &bases, &at, wrong);
    }
    for keyword in ["items", "additionalProperties"] {
        if part[keyword].is_object() {
            let bases: Vec<_> = bases
                .iter()
                .map(|base| &follow(root, base)[keyword])
                .collect();
            check_refinement(
                root,
                &part[keyword],
                &bases,
                &format!("{at}/{keyword}"),
                wrong,
            );
        }
    }
    for (at, child) in parts(part, at) {
        check_refinement(root, child, bases, &at, wrong);
    }
}

/// Everything a schema says `not` to, wherever it stands. The engine hands this part to whoever
/// explains the refusal, so the reason stands inside it.
pub(crate) fn refusals<'a>(node: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let named = node.as_object().into_iter().flatten();
    let named = named.map(|(name, child)| (format!("{at}/{name}"), child));
    let numbered = node.as_array().into_iter().flatten().enumerate();
    let numbered = numbered.map(|(index, child)| (format!("{at}/{index}"), child));
    named
        .chain(numbered)
        .flat_map(|(at, child)| {
            let own = at.ends_with("/not").then(|| (at.clone(), child));
            own.into_iter()
                .chain(refusals(child, &at))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Whether this object is one of several kinds: each value of one field leads, by `if` and `then`,
/// to a closed object of its own, and no value is left without one.
pub(crate) fn divides(root: &Value, node: &Value) -> bool {
    let Some((field, property)) = fields(node)
        .iter()
        .next()
        .filter(|_| fields(node).len() == 1)
    else {
        return false;
    };
    let kinds = node["allOf"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|branch| {
            let value = &branch["if"]["properties"][field]["const"];
            let kind = follow(root, &branch["then"]);
            let fits = kind["additionalProperties"] == false
                && branch["if"]["required"] == json!([field])
                && kind["properties"][field]["const"] == *value
                && required(kind).contains(&field.as_str());
            if fits { value.clone() } else { Value::Null }
        });
    property["enum"] == Value::Array(kinds.collect())
}

pub(crate) fn mark_used(
    root: &Value,
    node: &Value,
    at: &str,
    instance: &Value,
    used: &mut BTreeSet<String>,
) {
    let (at, node) = match node["$ref"].as_str() {
        Some(target) => (target.trim_start_matches('#'), follow(root, node)),
        None => (at, node),
    };
    for (name, value) in instance.as_object().into_iter().flatten() {
        if let Some(child) = node["properties"].get(name) {
            let at = format!("{at}/properties/{name}");
            mark_used(root, child, &at, value, used);
            used.insert(at);
        } else {
            let at = format!("{at}/additionalProperties");
            mark_used(root, &node["additionalProperties"], &at, value, used);
        }
    }
    for value in instance.as_array().into_iter().flatten() {
        mark_used(root, &node["items"], &format!("{at}/items"), value, used);
    }
    for branch in node["allOf"].as_array().into_iter().flatten() {
        let chosen = fields(&branch["if"])
            .iter()
            .any(|(name, test)| instance[name] == test["const"]);
        if chosen && branch["then"]["$ref"].is_string() {
            mark_used(root, &branch["then"], "", instance, used);
        }
    }
}

/// The fields an object may have, over all its kinds.
pub(crate) fn all_fields<'a>(root: &'a Value, node: &'a Value) -> BTreeMap<&'a str, &'a Value> {
    let node = follow(root, node);
    let kinds = node["allOf"].as_array().into_iter().flatten();
    let kinds = kinds.filter(|branch| branch["then"]["$ref"].is_string());
    let own = fields(node)
        .iter()
        .map(|(name, child)| (name.as_str(), child));
    own.chain(kinds.flat_map(|branch| all_fields(root, &branch["then"])))
        .collect()
}

pub(crate) fn fields(node: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    node["properties"].as_object().unwrap_or(&NONE)
}

pub(crate) fn required(node: &Value) -> Vec<&str> {
    node["required"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect()
}

pub(crate) fn description<'a>(root: &'a Value, node: &'a Value) -> &'a str {
    match node["description"].as_str() {
        Some(own) => own,
        None if node["$ref"].is_string() => text(&follow(root, node)["description"]),
        None => "",
    }
}

pub(crate) fn follow<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    match node["$ref"].as_str() {
        Some(target) => root.pointer(target.trim_start_matches('#')).expect(target),
        None => node,
    }
}

pub(crate) fn is_type(node: &Value, kind: &str) -> bool {
    match &node["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
