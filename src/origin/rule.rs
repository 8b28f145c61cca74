//! What a policy says about an origin that is not well, as enforced.
//!
//! Owns: the shapes and their defaults. Does not own: making them (`policy::origins`).

use crate::facts::Method;
use crate::origin::retry::PAUSE_MS_MAX;
use crate::policy::gate::RefundCause;

/// Most bytes of an answer where bounds are asked for and this one is not named.
pub const ANSWER_BYTES_DEFAULT: u64 = 104_857_600;
/// How long an answer's content may pause, likewise.
pub const ANSWER_IDLE_MS_DEFAULT: u64 = 30_000;
/// How long an answer may take in all, likewise.
pub const ANSWER_TOTAL_MS_DEFAULT: u64 = 300_000;

/// How many requests may be open at an origin, in one isolate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BulkheadRule {
    pub open_max: usize,
    /// Requests that may wait for a place; 0: none does.
    pub waiting_max: usize,
    /// How long one waits at most.
    pub wait_ms: u64,
}

/// When an origin is left alone.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerRule {
    /// The share of failures that opens it: over 0, at most 1.
    pub failure_ratio: f64,
    /// How many requests the window has to hold before the share counts.
    pub requests_min: u32,
    /// This many failures in a row open it whatever the share is.
    pub failures_in_a_row: u32,
    pub window_ms: u64,
    pub open_ms: u64,
    /// Requests that try the origin afterwards, at once and in all.
    pub probes: u32,
    /// What counts as a failure; nothing under 500 can.
    pub on: Vec<RefundCause>,
}

/// When a request is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryRule {
    pub attempts: u32,
    pub methods: Vec<Method>,
    pub on: Vec<RefundCause>,
    /// Whether the origin itself carries a request out once by its `Idempotency-Key`: then a claimed
    /// one may be sent again whatever its method is.
    pub origin_knows_keys: bool,
}

/// What an answer may take on its way to the caller. Its content is counted then, and does not pass
/// natively.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AnswerBounds {
    pub bytes_max: u64,
    /// Between two parts of its content.
    pub idle_ms: u64,
    /// From sending the request to the last byte.
    pub total_ms: u64,
}

/// What becomes of an origin's 5xx answers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Errors {
    /// The gateway's own problem document stands in their place.
    #[default]
    Hide,
    /// They pass as they came.
    Pass,
}

/// All of it, of one origin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OriginRules {
    pub bulkhead: Option<BulkheadRule>,
    pub breaker: Option<BreakerRule>,
    pub retry: Option<RetryRule>,
    pub answer: Option<AnswerBounds>,
    pub errors: Errors,
}

impl OriginRules {
    /// Whether a request is sent once, at once, whatever became of others.
    pub fn is_plain(&self) -> bool {
        self.bulkhead.is_none() && self.breaker.is_none() && self.retry.is_none()
    }

    /// How long it may take until an answer's head is there: a request waits, and is sent again.
    ///
    /// - `timeout_ms`: of each try.
    pub fn longest_ms(&self, timeout_ms: u64) -> u64 {
        let attempts = u64::from(self.attempts());
        let waits_ms = self.bulkhead.map_or(0, |rule| rule.wait_ms);
        let again_ms = attempts.saturating_mul(PAUSE_MS_MAX.saturating_add(waits_ms));
        let sends_ms = timeout_ms.saturating_mul(attempts.saturating_add(1));
        sends_ms.saturating_add(again_ms).saturating_add(waits_ms)
    }

    /// How often a request may be sent again.
    pub fn attempts(&self) -> u32 {
        self.retry.as_ref().map_or(0, |rule| rule.attempts)
    }
}
