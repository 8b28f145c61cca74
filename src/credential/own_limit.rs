//! Numbers that one API key has in place of a limit's.
//!
//! Owns: their form, and that nothing else reads as them. Does not own: what they replace
//! (`stage::charging`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// By the names of limits.
pub type OwnLimits = BTreeMap<String, OwnLimit>;

/// Most limits that a key may have numbers of its own for.
pub const OWN_LIMITS_MAX: usize = 16;
/// What the policy's schema bounds in limits.
const LIMIT_MAX: u64 = 1_000_000_000;
const RATE_PER_S_MIN: f64 = 0.001;
const RATE_PER_S_MAX: f64 = 100_000.0;
const BURST_MAX: u64 = 1_000_000;
const QUEUE_MAX: u64 = 10_000;

/// The numbers, never the algorithm or the window.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "Written", try_from = "Written")]
pub enum OwnLimit {
    /// Of a window, a period, or of requests that are open.
    Amount(u64),
    /// Of a token bucket.
    Burst { rate_per_s: f64, burst: u64 },
    /// Of a leaky bucket.
    Queue { rate_per_s: f64, queue: u64 },
}

// A rate is a finite number: it was read within bounds.
impl Eq for OwnLimit {}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_per_s: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queue: Option<u64>,
}

impl TryFrom<Written> for OwnLimit {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written {
            limit,
            rate_per_s,
            burst,
            queue,
        } = written;
        let rates = RATE_PER_S_MIN..=RATE_PER_S_MAX;
        match (limit, rate_per_s, burst, queue) {
            (Some(limit @ 1..=LIMIT_MAX), None, None, None) => Ok(Self::Amount(limit)),
            (None, Some(rate_per_s), Some(burst @ 1..=BURST_MAX), None)
                if rates.contains(&rate_per_s) =>
            {
                Ok(Self::Burst { rate_per_s, burst })
            }
            (None, Some(rate_per_s), None, Some(queue @ 0..=QUEUE_MAX))
                if rates.contains(&rate_per_s) =>
            {
                Ok(Self::Queue { rate_per_s, queue })
            }
            _ => Err("limit alone, or rate_per_s with burst or queue, within bounds"),
        }
    }
}

impl From<OwnLimit> for Written {
    fn from(own: OwnLimit) -> Self {
        let none = Self {
            limit: None,
            rate_per_s: None,
            burst: None,
            queue: None,
        };
        match own {
            OwnLimit::Amount(limit) => Self {
                limit: Some(limit),
                ..none
            },
            OwnLimit::Burst { rate_per_s, burst } => Self {
                rate_per_s: Some(rate_per_s),
                burst: Some(burst),
                ..none
            },
            OwnLimit::Queue { rate_per_s, queue } => Self {
                rate_per_s: Some(rate_per_s),
                queue: Some(queue),
                ..none
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_one_form_and_within_the_bounds_of_the_policy() {
        for (text, fits) in [
            (r#"{"limit":1}"#, true),
            (r#"{"limit":1000000000}"#, true),
            (r#"{"rate_per_s":10,"burst":20}"#, true),
            (r#"{"rate_per_s":0.001,"queue":0}"#, true),
            (r#"{"limit":0}"#, false),
            (r#"{"limit":1000000001}"#, false),
            (r#"{"limit":1.5}"#, false),
            (r#"{"limit":1,"burst":2}"#, false),
            (r#"{"rate_per_s":10}"#, false),
            (r#"{"rate_per_s":0.0009,"burst":1}"#, false),
            (r#"{"rate_per_s":100001,"burst":1}"#, false),
            (r#"{"rate_per_s":1,"burst":0}"#, false),
            (r#"{"rate_per_s":1,"burst":1,"queue":1}"#, false),
            (r#"{"rate_per_s":1,"queue":10001}"#, false),
            (r#"{"limit":1,"window_s":1}"#, false),
            ("{}", false),
            ("5", false),
        ] {
            let read = serde_json::from_str::<OwnLimit>(text);
            assert_eq!(read.is_ok(), fits, "{text}");
            if let Ok(own) = read {
                let again = serde_json::to_string(&own).unwrap();
                assert_eq!(serde_json::from_str::<OwnLimit>(&again).unwrap(), own);
            }
        }
    }
}
