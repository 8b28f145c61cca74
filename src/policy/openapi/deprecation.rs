//! `deprecated` of an operation, with its dates from extensions.

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value, json};

use crate::policy::openapi::source::Node;

/// As `deprecation` of a route. Fails with one sentence on a date that does not read.
pub(super) fn written(operation: &Node<'_>) -> Result<Value, String> {
    let mut made = Map::new();
    for (extension, field) in [
        ("x-deprecated-at", "deprecated_at"),
        ("x-sunset", "sunset_at"),
        ("sunset", "sunset_at"),
    ] {
        let Some(text) = operation.text(extension) else {
            continue;
        };
        let instant = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc2822(text))
            .map(|at| at.timestamp());
        let day = || {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
        };
        let Some(at) = instant.ok().or_else(day) else {
            return Err(format!("`{extension}` is no date, as 2027-01-31"));
        };
        made.insert(field.into(), json!(at));
    }
    Ok(Value::Object(made))
}
