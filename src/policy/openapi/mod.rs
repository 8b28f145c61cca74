//! OpenAPI 3.0 and 3.1 documents, turned into an ordinary policy: each operation becomes a route,
//! each schema it reaches a named schema of JSON Schema 2020-12.
//!
//! Owns: what of a document becomes a rule, and the report of what does not. Pure: it is given the
//! policy and every file. Does not own: reading files (`cli`), judging the policy that is made
//! (`policy::load`).
//! Called by: `admin::state`.

mod answers;
mod closing;
mod content;
mod deprecation;
mod directions;
mod discriminator;
mod entry;
mod forms;
mod merge;
mod operation;
mod parameters;
mod parts;
mod report;
mod schemas;
mod security;
mod source;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::body::json::{JsonLimits, parse};
use crate::policy::fault::{Faults, PolicyFault};
use crate::policy::openapi::merge::Options;
use crate::policy::openapi::operation::Operations;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::source::Documents;

/// Most bytes of a policy with its documents.
pub const BUNDLE_BYTES_MAX: usize = 24 << 20;
/// Most files of one import.
pub const FILES_MAX: usize = 200;

const LIMITS: JsonLimits = JsonLimits {
    depth_max: 96,
    names_max: 50_000,
    values_max: 4_000_000,
    items_max: 100_000,
    string_bytes_max: 1 << 20,
    digits_max: 40,
};

/// A policy without `openapi`, and what became of each operation.
#[derive(Debug)]
pub struct Imported {
    pub policy: Value,
    pub report: Value,
}

/// Imports the documents that a policy names.
///
/// - `bundle`: JSON, `{"policy": {…}, "files": {"openapi.yaml": {…}, …}}`, each file under its path
///   below the policy's folder.
///
/// Fails with faults of the policy or of the document as a whole. What one operation says and
/// cannot be enforced leaves that operation out, and the report says so: its path is closed, and refused as
/// any that is not declared.
pub fn import(bundle: &[u8]) -> Result<Imported, Vec<PolicyFault>> {
    let one = |pointer: &str, problem: String, fix: &str| {
        let mut faults = Faults::default();
        faults.add_at(pointer.to_owned(), problem, fix);
        faults.into_sorted()
    };
    if bundle.len() > BUNDLE_BYTES_MAX {
        let problem = format!("policy and documents have more than {BUNDLE_BYTES_MAX} bytes");
        return Err(one(
            "/openapi",
            problem,
            "Leave examples out, or split the API",
        ));
    }
    let bundle = parse(bundle, LIMITS).map_err(|json| {
        let (problem, fix) = json.explain();
        one(json.pointer(), problem, fix)
    })?;
    let (Some(policy), Some(files)) = (
        bundle.get("policy").and_then(Value::as_object),
        bundle.get("files").and_then(Value::as_object),
    ) else {
        let problem = "not a policy with its documents".to_owned();
        return Err(one("", problem, "Send {\"policy\": {…}, \"files\": {…}}"));
    };
    if files.len() > FILES_MAX {
        let problem = format!("more than {FILES_MAX} files");
        return Err(one("/openapi", problem, "Bundle them into fewer"));
    }
    let entry = policy.get("openapi").and_then(Value::as_str);
    let Some(entry) = entry else {
        let problem = "the policy names no document".to_owned();
        return Err(one("/openapi", problem, "Name its file, as openapi.yaml"));
    };
    let documents = Documents::new(files, entry)
        .map_err(|problem| one("/openapi", problem, "Name an OpenAPI 3.0 or 3.1 document"))?;
    let options = Options::read(policy)
        .map_err(|(pointer, problem)| one(&pointer, problem, "See schemas/policy.schema.json"))?;
    make(policy, &documents, &options)
}

fn make(
    policy: &Map<String, Value>,
    documents: &Documents<'_>,
    options: &Options<'_>,
) -> Result<Imported, Vec<PolicyFault>> {
    let mut report = Report::default();
    let mut faults = Faults::default();
    let operations = Operations::new(documents, options, policy, &mut report);
    let written = operations.run(&mut faults);
    let policy = merge::policy(policy, written, &mut faults);
    if faults.is_empty() {
        Ok(Imported {
            policy,
            report: report.document(),
        })
    } else {
        Err(faults.into_sorted())
    }
}
