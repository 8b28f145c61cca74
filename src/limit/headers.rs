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
    /// `None`: months differ, and requests that are open know no window.
    pub window_ms: Option<u64>,
    /// Whether requests count as long as they are open.
    pub concurrent: bool,
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
    if let Some(value) = policies(reports) {
        fields.push(("ratelimit-policy", value));
    }
    if let Some(value) = states(&known) {
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

/// `RateLimit-Policy`: what each limit allows (draft §3).
fn policies(reports: &[LimitReport]) -> Option<String> {
    let mut serializer = ListSerializer::new();
    for report in reports {
        let mut item = serializer.bare_item(StringRef::from_str(&report.name).ok()?);
        item = item.parameter(KeyRef::constant("q"), integer(report.limit)?);
        if report.concurrent {
            let unit = StringRef::constant("concurrent-requests");
            item = item.parameter(KeyRef::constant("qu"), unit);
        }
        if let Some(window_ms) = report.window_ms {
            // Whole seconds, never 0 (§3.1): a window under a second is told as one.
            item = item.parameter(KeyRef::constant("w"), integer(seconds(window_ms))?);
        }
        let _ = item.finish();
    }
    serializer.finish()
}

/// `RateLimit`: what is left of each (draft §4).
fn states(known: &[(&LimitReport, u64)]) -> Option<String> {
    let mut serializer = ListSerializer::new();
    for (report, remaining) in known {
        let mut item = serializer.bare_item(StringRef::from_str(&report.name).ok()?);
        item = item.parameter(KeyRef::constant("r"), integer(*remaining)?);
        // When a request that is open ends is known to nobody.
        if !report.concurrent {
            let delay = integer(delay_s(report.frees_in_ms))?;
            item = item.parameter(KeyRef::constant("t"), delay);
        }
        let _ = item.finish();
    }
    serializer.finish()
}

fn integer(number: u64) -> Option<Integer> {
    Integer::try_from(number.min(INTEGER_MAX)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, remaining: u64) -> LimitReport {
        LimitReport {
            name: name.into(),
            limit: 100,
            window_ms: Some(60_000),
            concurrent: false,
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
    fn requests_that_are_open_know_no_window_and_no_delay() {
        let open = LimitReport {
            window_ms: None,
            concurrent: true,
            ..report("open", 3)
        };
        let fields = fields(&[open], false);
        assert_eq!(fields[0].1, "\"open\";q=100;qu=\"concurrent-requests\"");
        assert_eq!(fields[1].1, "\"open\";r=3");
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
