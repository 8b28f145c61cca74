//! The schemas hold what they promise: they compile in the engine the gateway uses, take every
//! valid example, refuse every invalid one once and at the right place, and explain each property.
//!
//! Owns: the files in `schemas/`. Does not own: what the gate checks beyond a schema, such as
//! references between limits and routes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that should not be"
)]

#[path = "schemas/files.rs"]
mod files;
#[path = "schemas/records.rs"]
mod records;
#[path = "schemas/shipped.rs"]
mod shipped;
#[path = "schemas/walk.rs"]
mod walk;

use files::{compile, examples, report, schema, schemas, try_compile};
use serde_json::Value;
use std::collections::BTreeSet;
use walk::{
    check_refinement, description, divides, each_definition, fields, follow, is_type, mark_used,
    parts, refusals, required, text,
};

#[test]
fn each_schema_is_valid_2020_12_and_compiles_with_linear_patterns() {
    report(schemas().into_iter().flat_map(|(name, schema)| {
        let mut wrong = vec![];
        if schema["$id"] != format!("https://edgeward.dev/schemas/{name}.schema.json") {
            wrong.push(format!("{name}: $id is {}", schema["$id"]));
        }
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            wrong.push(format!("{name}: {} at {}", error, error.instance_path()));
        }
        wrong.extend(
            try_compile(&schema)
                .err()
                .map(|error| format!("{name}: {error}")),
        );
        wrong
    }));
}

#[test]
fn each_valid_example_passes() {
    let policy = compile(&schema("policy"));
    report(examples("valid").into_iter().flat_map(|(file, instance)| {
        let wrong: Vec<_> = policy.iter_errors(&instance).collect();
        wrong
            .iter()
            .map(|error| format!("{file}: {} {error}", error.instance_path()))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn each_invalid_example_fails_once_and_at_its_place() {
    let policy = compile(&schema("policy"));
    let examples = examples("invalid");
    assert!(
        examples.len() >= 40,
        "only {} invalid examples",
        examples.len()
    );
    report(examples.into_iter().flat_map(|(file, example)| {
        let found: Vec<_> = policy
            .iter_errors(&example["policy"])
            .map(|error| {
                format!(
                    "{} at \"{}\"",
                    error.kind().keyword(),
                    error.instance_path()
                )
            })
            .collect();
        let (keyword, pointer) = (text(&example["keyword"]), text(&example["pointer"]));
        let expected = format!("{keyword} at \"{pointer}\"");
        let mut wrong = vec![];
        if found != [expected.clone()] {
            wrong.push(format!("{file}: expected {expected}, found {found:?}"));
        }
        if text(&example["comment"]).is_empty() {
            wrong.push(format!("{file}: has no comment"));
        }
        wrong
    }));
}

#[test]
fn valid_examples_use_each_property_of_a_policy() {
    let root = schema("policy");
    let mut used = BTreeSet::new();
    for (_, instance) in examples("valid") {
        mark_used(&root, &root, "", &instance, &mut used);
    }
    let mut unused = vec![];
    each_definition(&root, &mut |node, at| {
        for name in fields(node).keys() {
            let property = format!("{at}/properties/{name}");
            if !used.contains(&property) {
                unused.push(format!("{property}: stands in no valid example"));
            }
        }
    });
    report(unused);
}

#[test]
fn each_property_says_what_it_does_in_which_unit_and_what_its_default_is() {
    report(schemas().into_iter().flat_map(|(name, root)| {
        let mut wrong = vec![];
        each_definition(&root, &mut |node, at| {
            for (field, property) in fields(node) {
                let what = description(&root, property);
                let mut blame =
                    |why: &str| wrong.push(format!("{name}{at}/properties/{field}: {why}"));
                if what.is_empty() {
                    blame("has no description");
                    continue;
                }
                if !what.ends_with('.') || what.matches(". ").count() > 2 || what.len() > 320 {
                    blame("is not 1 to 3 sentences");
                }
                if !property["default"].is_null() && !what.contains("Default: ") {
                    blame("has a default and does not say it");
                }
                let unit = [("_ms", "millisecond"), ("_s", "second"), ("_bytes", "byte")];
                if let Some((_, unit)) = unit.iter().find(|(end, _)| field.ends_with(end))
                    && !what.to_lowercase().contains(unit)
                {
                    blame(&format!("does not say {unit}s"));
                }
                let says = [
                    "Default: ",
                    "Left out: ",
                    "Required unless",
                    "Required, unless",
                ]
                .iter()
                .any(|word| what.contains(word));
                if !required(node).contains(&field.as_str()) && !says {
                    blame("is optional and does not say what leaving it out means");
                }
            }
        });
        wrong
    }));
}

#[test]
fn each_object_is_closed_or_has_bounded_names() {
    report(schemas().into_iter().flat_map(|(name, root)| {
        let mut wrong = vec![];
        each_definition(&root, &mut |node, at| {
            if !is_type(node, "object") || node["$ref"].is_string() {
                return;
            }
            let names = follow(&root, &node["propertyNames"]);
            let bounded = names["pattern"].is_string() && node["maxProperties"].is_u64();
            if node["additionalProperties"] != false && !bounded && !divides(&root, node) {
                wrong.push(format!("{name}{at}: takes names that nobody bounds"));
            }
        });
        wrong
    }));
}

#[test]
fn each_text_list_and_number_is_bounded() {
    report(schemas().into_iter().flat_map(|(name, root)| {
        let mut wrong = vec![];
        each_definition(&root, &mut |node, at| {
            let mut needs = |kind: &str, keywords: &[&str]| {
                if is_type(node, kind) && !keywords.iter().any(|keyword| !node[keyword].is_null()) {
                    wrong.push(format!(
                        "{name}{at}: {kind} without {}",
                        keywords.join(" or ")
                    ));
                }
            };
            needs("string", &["maxLength", "if"]);
            needs("array", &["maxItems"]);
            for number in ["integer", "number"] {
                needs(number, &["minimum", "exclusiveMinimum"]);
                needs(number, &["maximum"]);
            }
            let item = follow(&root, &node["items"]);
            if is_type(node, "array") && !is_type(item, "object") && node["uniqueItems"] != true {
                wrong.push(format!("{name}{at}: a list of words may repeat itself"));
            }
            if node["type"].is_null()
                && ["enum", "const", "$ref"]
                    .iter()
                    .all(|word| node[word].is_null())
            {
                wrong.push(format!("{name}{at}: takes anything"));
            }
        });
        wrong
    }));
}

#[test]
fn each_condition_names_only_fields_that_exist_and_explains_what_it_forbids() {
    report(schemas().into_iter().flat_map(|(name, root)| {
        let mut wrong = vec![];
        for (at, forbidden) in refusals(&root, "") {
            if text(&forbidden["description"]).is_empty() {
                wrong.push(format!("{name}{at}: forbids without saying why"));
            }
        }
        each_definition(&root, &mut |node, at| {
            for (at, part) in parts(node, at) {
                check_refinement(&root, part, &[node], &format!("{name}{at}"), &mut wrong);
            }
        });
        wrong
    }));
}

#[test]
fn each_default_and_example_in_a_schema_is_valid_there() {
    report(schemas().into_iter().flat_map(|(name, root)| {
        let mut wrong = vec![];
        each_definition(&root, &mut |node, at| {
            let samples = node
                .get("examples")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let samples: Vec<_> = samples.chain(node.get("default")).collect();
            if samples.is_empty() {
                return;
            }
            let mut alone = node.clone();
            alone["$defs"] = root["$defs"].clone();
            let alone = compile(&alone);
            for sample in samples {
                for error in alone.iter_errors(sample) {
                    wrong.push(format!("{name}{at}: {sample}: {error}"));
                }
            }
        });
        wrong
    }));
}
