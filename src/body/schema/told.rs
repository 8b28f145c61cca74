//! An error of a schema as findings: from the schema's side alone.
//!
//! Owns: the sentences. No value of a document, no name of a schema and no way through one is told.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::body::finding::{FINDINGS_MAX, Finding, Location, clip, push_token};

/// Longest schema text (a pattern, an enum) that a fix repeats, in bytes.
const HINT_BYTES_MAX: usize = 200;

/// That a document is not what a schema asks for, where gathering each fault would cost too much.
pub(super) fn in_all(location: Location) -> Finding {
    let fix = "Compare it with the API's documentation, or send less at once.";
    Finding::new(location, "", "schema", "does not meet the schema", fix)
}

/// The findings of one error: one, or one for each unexpected name.
pub(super) fn findings(error: &ValidationError<'_>, location: Location) -> Vec<Finding> {
    let pointer = error.instance_path().as_str();
    let keyword = error.kind().keyword();
    let below = |name: &str| {
        let mut pointer = pointer.to_owned();
        push_token(&mut pointer, name);
        pointer
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .take(FINDINGS_MAX)
            .map(|name| {
                let fix = "Remove it, or check its spelling.";
                Finding::new(location, &below(name), keyword, "not a known name", fix)
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Finding::new(
                location,
                &below(name),
                keyword,
                "missing",
                "Send it.",
            )]
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let (message, fix) = explain(error.kind());
            let own = Finding::new(location, pointer, keyword, message, fix);
            let closest = closest(context, pointer).into_iter().flatten();
            let closest = closest.flat_map(|error| findings(error, location));
            std::iter::once(own)
                .chain(closest)
                .take(FINDINGS_MAX)
                .collect()
        }
        kind => {
            let (message, fix) = explain(kind);
            vec![Finding::new(location, pointer, keyword, message, fix)]
        }
    }
}

/// The errors of the form that was most likely meant: the one with the fewest of those that do not
/// fail at their very type or at a value that tells forms apart. None if two are as close.
fn closest<'a>(
    context: &'a [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'a Vec<ValidationError<'static>>> {
    let is_apart = |error: &ValidationError<'_>| match error.kind() {
        ValidationErrorKind::Type { .. } => error.instance_path().as_str() == pointer,
        ValidationErrorKind::Constant { .. } => true,
        _ => false,
    };
    let meant = |errors: &&Vec<_>| !errors.iter().any(is_apart);
    let fewest = context.iter().filter(meant).map(Vec::len).min()?;
    let mut closest = context
        .iter()
        .filter(|errors| meant(errors) && errors.len() == fewest);
    let first = closest.next();
    first.filter(|_| closest.next().is_none())
}

/// What is wrong and what to send, from the schema's side alone.
#[expect(clippy::too_many_lines, reason = "one table, a line a rule")]
fn explain(kind: &ValidationErrorKind) -> (String, String) {
    use ValidationErrorKind as Kind;
    let (message, fix) = match kind {
        Kind::Type { kind } => ("of another type".into(), format!("Send {}.", types(kind))),
        Kind::Enum { options } => (
            "not one of the known values".into(),
            format!("Send one of {}.", hint(options)),
        ),
        Kind::Constant { expected_value } => (
            "not the one known value".into(),
            format!("Send {}.", hint(expected_value)),
        ),
        Kind::Minimum { limit } => ("too small".into(), format!("Send {limit} or more.")),
        Kind::Maximum { limit } => ("too large".into(), format!("Send {limit} or less.")),
        Kind::ExclusiveMinimum { limit } => {
            ("too small".into(), format!("Send more than {limit}."))
        }
        Kind::ExclusiveMaximum { limit } => {
            ("too large".into(), format!("Send less than {limit}."))
        }
        Kind::MinLength { limit } => (
            "too short".into(),
            format!("Send {limit} characters or more."),
        ),
        Kind::MaxLength { limit } => (
            "too long".into(),
            format!("Send {limit} characters or fewer."),
        ),
        Kind::MinItems { limit } => (
            "too few items".into(),
            format!("Send {limit} items or more."),
        ),
        Kind::MaxItems { limit } => (
            "too many items".into(),
            format!("Send {limit} items or fewer."),
        ),
        Kind::AdditionalItems { limit } => (
            "too many items".into(),
            format!("Send {limit} items or fewer."),
        ),
        Kind::MinProperties { limit } => (
            "too few names".into(),
            format!("Send {limit} names or more."),
        ),
        Kind::MaxProperties { limit } => (
            "too many names".into(),
            format!("Send {limit} names or fewer."),
        ),
        Kind::MultipleOf { multiple_of } => (
            "not a multiple".into(),
            format!("Send a multiple of {multiple_of}."),
        ),
        Kind::Pattern { pattern } => {
            let pattern = clip(pattern, HINT_BYTES_MAX);
            (
                "not in the known form".into(),
                format!("Send text that matches {pattern}."),
            )
        }
        Kind::Format { format } => (format!("not a valid {format}"), format!("Send a {format}.")),
        Kind::UniqueItems => ("items repeat".into(), "Send each item once.".into()),
        Kind::FalseSchema => ("not allowed here".into(), "Leave it out.".into()),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => (
            "in none of the known forms".into(),
            "Send one of the forms that the API documents.".into(),
        ),
        Kind::OneOfMultipleValid { .. } => (
            "in several forms at once".into(),
            "Send what only one of them has.".into(),
        ),
        Kind::PropertyNames { .. } => ("a name of another form".into(), "Rename it.".into()),
        _ => (
            "does not meet the rule".into(),
            "See the API's documentation.".into(),
        ),
    };
    (message, fix)
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("a value of type {one}"),
        TypeKind::Multiple(many) => {
            let names: Vec<_> = many.iter().map(|one| one.to_string()).collect();
            format!("a value of type {}", names.join(" or "))
        }
    }
}

fn hint(value: &Value) -> String {
    match value {
        Value::Array(options) => {
            let options: Vec<_> = options.iter().map(Value::to_string).collect();
            clip(&options.join(", "), HINT_BYTES_MAX)
        }
        other => clip(&other.to_string(), HINT_BYTES_MAX),
    }
}
