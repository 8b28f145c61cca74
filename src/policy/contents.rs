//! Which content a route takes and how each type of it is read: `content_types`, `body`, `bodies`,
//! `opaque` and `json_limits` as enforced.
//!
//! Owns: that what a rule looks at is sent in a form that can be read, and fits in memory.
//! Called by: `policy::routes`.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::body::content::{ContentRules, is_readable, is_xml};
use crate::body::json::{BODY_LIMITS, JsonLimits};
use crate::body::schema::Compiler;
use crate::policy::document::{JsonLimitsEntry, RequestEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{READ_BYTES_MAX, RequestRules};
use crate::policy::routes::{Place, SCHEMA_FIX};

/// What content is, where a rule looks at it and no type is named.
const DEFAULT: &str = "application/json";

/// Adds to `request` what it says of content.
///
/// - `rule_reads`: whether what decides or costs looks at content.
pub(super) fn complete(
    request: &mut RequestRules,
    entry: &RequestEntry,
    rule_reads: bool,
    at: &Place,
    compiler: &Compiler<'_>,
    faults: &mut Faults,
) {
    request.has_schema = entry.body.is_some() || entry.bodies.is_some();
    let reads = request.has_schema || rule_reads;
    check_fields(entry, request, rule_reads, at, faults);
    let judged = judged_types(entry, reads, at, faults);
    for name in judged.iter().filter(|_| reads) {
        let (field, schema) = match &entry.bodies {
            Some(bodies) => (["bodies", name], bodies.get(name)),
            None => (["body", ""], entry.body.as_ref()),
        };
        let limits = limits(entry.json_limits.unwrap_or_default());
        match ContentRules::compile(name, schema, compiler, limits) {
            Ok(rules) => request.contents.push((name.clone(), Rc::new(rules))),
            Err(problem) => {
                let below = ["request", field[0], field[1]];
                let below = below.into_iter().filter(|name| !name.is_empty());
                let below: Vec<&str> = below.collect();
                at.add(faults, &below, problem, SCHEMA_FIX);
            }
        }
    }
    request.opaque = lower(&entry.opaque);
    request.content_types = [judged, lower(&entry.opaque)].concat();
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

/// The schemas that will be asked for.
pub(super) fn asked(entry: &RequestEntry, named: &Map<String, Value>) -> Vec<Value> {
    let bodies = entry.bodies.iter().flatten();
    let bodies = bodies.filter_map(|(name, schema)| ContentRules::asked(name, schema, named));
    let names = entry.content_types.as_deref().unwrap_or_default();
    let plain = (names.is_empty()).then(|| DEFAULT.to_owned());
    let names = lower(names).into_iter().chain(plain);
    let body = names.filter_map(|name| ContentRules::asked(&name, entry.body.as_ref()?, named));
    bodies.chain(body).collect()
}

/// The types that are not opaque, in lower case.
fn judged_types(entry: &RequestEntry, reads: bool, at: &Place, faults: &mut Faults) -> Vec<String> {
    let (field, names) = match (&entry.bodies, &entry.content_types) {
        (Some(bodies), _) => ("bodies", bodies.keys().cloned().collect()),
        (None, Some(names)) => ("content_types", lower(names)),
        (None, None) if reads => ("opaque", vec![DEFAULT.to_owned()]),
        (None, None) => return Vec::new(),
    };
    for name in &names {
        let (problem, fix) = if is_xml(name) {
            (
                "no rule can judge XML",
                "List it in `opaque`, so that it passes unread, or remove it",
            )
        } else if reads && !is_readable(name) {
            (
                "a rule reads the content, and cannot read this type",
                "List JSON and form types alone, or list it in `opaque`",
            )
        } else if lower(&entry.opaque).contains(name) {
            ("a type is read or opaque, not both", "List it once")
        } else {
            continue;
        };
        at.add(faults, &["request", field], problem, fix);
    }
    names
}

fn check_fields(
    entry: &RequestEntry,
    request: &RequestRules,
    rule_reads: bool,
    at: &Place,
    faults: &mut Faults,
) {
    let reads = request.has_schema || rule_reads;
    let mut add = |field: &str, problem: &str, fix: &str| {
        at.add(faults, &["request", field], problem, fix);
    };
    if entry.bodies.is_some() {
        for (field, written) in [
            ("body", entry.body.is_some()),
            ("content_types", entry.content_types.is_some()),
        ] {
            if written {
                let problem = format!("`bodies` says which types there are, and `{field}` too");
                add(field, &problem, "Write one of them");
            }
        }
    }
    if rule_reads && !entry.opaque.is_empty() {
        let problem = "a rule reads the content, which is not read where it is opaque";
        add("opaque", problem, "Remove it, or drop the rule");
    }
    if entry.json_limits.is_some() && !reads {
        let problem = "no rule reads the content, so nothing holds these limits";
        add("json_limits", problem, "Remove it, or write `body`");
    }
    if reads && request.max_bytes > READ_BYTES_MAX {
        let problem = format!("content that a rule reads has at most {READ_BYTES_MAX} bytes");
        add("max_bytes", &problem, "Lower it, or drop the rule");
    }
}

fn limits(entry: JsonLimitsEntry) -> JsonLimits {
    JsonLimits {
        depth_max: entry.max_depth.unwrap_or(BODY_LIMITS.depth_max),
        names_max: entry.max_names.unwrap_or(BODY_LIMITS.names_max),
        values_max: entry.max_values.unwrap_or(BODY_LIMITS.values_max),
        items_max: entry.max_items.unwrap_or(BODY_LIMITS.items_max),
        string_bytes_max: entry
            .max_string_bytes
            .unwrap_or(BODY_LIMITS.string_bytes_max),
        digits_max: entry.max_digits.unwrap_or(BODY_LIMITS.digits_max),
    }
}
