//! What a caller is told of its limits: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10 §3 and §4, RFC 9651 lists), and the older
//! `X-RateLimit-*`.
//!
//! Owns: the fields' values. `sfv` writes them: what it cannot write is left out, not patched.

use sfv::{Integer, KeyRef, ListSerializer, StringRef};

/// One limit as told to the caller who was charged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LimitReport {
    pub name: String,
    pub limit: u64,
    pub window_ms: u64,
    /// A lower bound of what is left; `None` where another limit refused before this was asked.
    pub remaining: Option<u64>,
    /// Milliseconds until more is left.
    pub frees_in_ms: u64,
    /// Units taken for this request.
    pub charged: u64,
}

/// RFC 9651 §3.3.1: an Integer has at most 15 digits.
const INTEGER_MAX: u64 = 999_999_999_999_999;

/// The header fields for `reports`, names in lower case. Empty if there is nothing to tell.
pub fn fields(reports: &[LimitReport], legacy: bool) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let known: Vec<(&LimitReport, u64)> = reports
        .iter()
        .filter_map(|report| Some((report, report.remaining?)))
        .collect();
    if let Some(value) = list(reports, |report| {
        // `w` is whole seconds, never 0 (§3.1): a window under a second is told as one.
        [("q", report.limit), ("w", seconds(report.window_ms))]
    }) {
        fields.push(("ratelimit-policy", value));
    }
    let told = known.iter().map(|(report, _)| *report);
    if let Some(value) = list(told, |report| {
        let remaining = report.remaining.unwrap_or_default();
        [("r", remaining), ("t", delay_s(report.frees_in_ms))]
    }) {
        fields.push(("ratelimit", value));
    }
    let tightest = known.iter().min_by_key(|(_, remaining)| remaining);
    if let (true, Some((tightest, remaining))) = (legacy, tightest) {
        fields.push(("x-ratelimit-limit", tightest.limit.to_string()));
        fields.push(("x-ratelimit-remaining", remaining.to_string()));
        fields.push((
            "x-ratelimit-reset",
            delay_s(tightest.frees_in_ms).to_string(),
        ));
    }
    fields
}

/// Whole seconds that are not shorter than `ms`; at least 1.
pub fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000).max(1)
}

/// Whole seconds of a delay, at least 1. `Retry-After` is rounded up and so is never before it
/// (draft §6).
fn delay_s(ms: u64) -> u64 {
    (ms / 1_000).max(1)
}

fn list<'a, const N: usize>(
    reports: impl IntoIterator<Item = &'a LimitReport>,
    parameters: impl Fn(&LimitReport) -> [(&'static str, u64); N],
) -> Option<String> {
    let mut serializer = ListSerializer::new();
    for report in reports {
        let mut item = serializer.bare_item(StringRef::from_str(&report.name).ok()?);
        for (key, value) in parameters(report) {
            let value = Integer::try_from(value.min(INTEGER_MAX)).ok()?;
            item = item.parameter(KeyRef::from_str(key).ok()?, value);
        }
        let _ = item.finish();
    }
    serializer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, remaining: u64) -> LimitReport {
        LimitReport {
            name: name.into(),
            limit: 100,
            window_ms: 60_000,
            remaining: Some(remaining),
            frees_in_ms: 16_001,
            charged: 1,
        }
    }

    #[test]
    fn the_fields_are_structured_lists_with_delays_and_not_instants() {
        let fields = fields(&[report("minute", 42), report("ip", 7)], true);
        let text: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            text,
            [
                "ratelimit-policy: \"minute\";q=100;w=60, \"ip\";q=100;w=60",
                "ratelimit: \"minute\";r=42;t=16, \"ip\";r=7;t=16",
                "x-ratelimit-limit: 100",
                "x-ratelimit-remaining: 7",
                "x-ratelimit-reset: 16",
            ]
        );
    }

    #[test]
    fn a_limit_that_was_not_asked_is_a_policy_and_nothing_else() {
        let unasked = LimitReport {
            remaining: None,
            ..report("wide", 0)
        };
        let fields = fields(&[unasked, report("narrow", 7)], true);
        assert_eq!(fields[0].1, "\"wide\";q=100;w=60, \"narrow\";q=100;w=60");
        assert_eq!(fields[1].1, "\"narrow\";r=7;t=16");
        assert_eq!(fields[3].1, "7");
    }

    #[test]
    fn a_name_that_is_no_string_leaves_the_field_out() {
        assert_eq!(fields(&[report("caf\u{e9}", 1)], false), []);
    }

    #[test]
    fn a_number_that_is_no_integer_is_told_as_the_largest_that_is() {
        let huge = LimitReport {
            remaining: Some(u64::MAX),
            ..report("a", 0)
        };
        let fields = fields(&[huge], false);
        assert_eq!(fields[1].1, "\"a\";r=999999999999999;t=16");
    }

    #[test]
    fn no_limit_tells_nothing() {
        assert_eq!(fields(&[], true), []);
    }
}
