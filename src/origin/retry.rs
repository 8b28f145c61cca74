//! When a request is sent again: its method and its failure are both listed, or its key makes up for
//! the method, and there is budget.
//!
//! Owns: the budget and the pauses. Does not own: that nothing of the answer has left (`dispatch`
//! has only a head in its hands), or that the content can be sent twice (`Forward::again`).

use crate::facts::Method;
use crate::origin::rule::RetryRule;
use crate::policy::gate::RefundCause;

/// Requests that pay for one retry: a tenth more reaches an origin, and no more, however it fails.
pub const REQUESTS_PER_RETRY: u32 = 10;
/// Most retries that are saved up.
pub const SAVED_MAX: u32 = 10;
/// The longest pause before the first retry; each further one may be twice as long.
pub const PAUSE_MS_FIRST: u64 = 50;
pub const PAUSE_MS_MAX: u64 = 400;

/// What one origin's requests have saved up for retries, in parts of one.
#[derive(Debug)]
pub struct Budget {
    parts: u32,
}

impl Default for Budget {
    /// One retry: else an isolate that has just woken could do none.
    fn default() -> Self {
        Self {
            parts: REQUESTS_PER_RETRY,
        }
    }
}

impl Budget {
    /// A request came: once, however often it is sent.
    pub fn save(&mut self) {
        let most = SAVED_MAX.saturating_mul(REQUESTS_PER_RETRY);
        self.parts = self.parts.saturating_add(1).min(most);
    }

    /// Pays for a retry; false: nothing is left for one.
    pub fn spend(&mut self) -> bool {
        match self.parts.checked_sub(REQUESTS_PER_RETRY) {
            Some(left) => {
                self.parts = left;
                true
            }
            None => false,
        }
    }
}

impl RetryRule {
    /// Whether a request that failed may be sent again, having been sent `sent` times.
    ///
    /// - `is_claimed`: it goes under an `Idempotency-Key` that was claimed for it.
    pub fn allows(
        &self,
        method: Method,
        is_claimed: bool,
        failure: RefundCause,
        sent: u32,
    ) -> bool {
        let is_harmless = self.methods.contains(&method) || (is_claimed && self.origin_knows_keys);
        sent <= self.attempts && is_harmless && self.on.contains(&failure)
    }
}

/// How long to wait before sending for the `sent + 1`st time: all of it is jitter, so that callers
/// that failed together do not come back together.
///
/// - `fraction`: in `0..=1`, a request's own.
pub fn pause_ms(sent: u32, fraction: f64) -> u64 {
    let longest = PAUSE_MS_FIRST
        .checked_shl(sent.saturating_sub(1).min(16))
        .unwrap_or(PAUSE_MS_MAX)
        .min(PAUSE_MS_MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "at most PAUSE_MS_MAX, and not negative"
    )]
    let pause_ms = (longest as f64 * fraction.clamp(0.0, 1.0)) as u64;
    pause_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_is_sent_at_most_and_one_to_begin_with() {
        let mut budget = Budget::default();
        let mut retries = 0;
        for _ in 0..1_000 {
            budget.save();
            retries += u32::from(budget.spend());
        }
        assert_eq!(retries, 101);
    }

    #[test]
    fn what_is_saved_up_in_good_times_is_bounded() {
        let mut budget = Budget::default();
        (0..100_000).for_each(|_| budget.save());
        let retries = (0..1_000).filter(|_| budget.spend()).count();
        assert_eq!(retries, SAVED_MAX as usize);
    }

    #[test]
    fn only_what_is_listed_is_sent_again_and_only_so_often() {
        let rule = RetryRule {
            attempts: 2,
            methods: vec![Method::Get],
            on: vec![RefundCause::Connect],
            origin_knows_keys: false,
        };
        for is_claimed in [true, false] {
            assert!(rule.allows(Method::Get, is_claimed, RefundCause::Connect, 2));
            assert!(!rule.allows(Method::Get, is_claimed, RefundCause::Connect, 3));
            assert!(!rule.allows(Method::Post, is_claimed, RefundCause::Connect, 1));
            assert!(!rule.allows(Method::Get, is_claimed, RefundCause::Timeout, 1));
        }
        let keyed = RetryRule {
            origin_knows_keys: true,
            ..rule
        };
        assert!(keyed.allows(Method::Post, true, RefundCause::Connect, 2));
        assert!(!keyed.allows(Method::Post, true, RefundCause::Connect, 3));
        assert!(!keyed.allows(Method::Post, true, RefundCause::Timeout, 1));
        assert!(!keyed.allows(Method::Post, false, RefundCause::Connect, 1));
    }

    #[test]
    fn pauses_double_to_a_bound_and_may_be_nothing() {
        let longest: Vec<_> = (1..=6).map(|sent| pause_ms(sent, 1.0)).collect();
        assert_eq!(longest, [50, 100, 200, 400, 400, 400]);
        assert_eq!(pause_ms(u32::MAX, 2.0), PAUSE_MS_MAX);
        assert_eq!(pause_ms(3, 0.0), 0);
    }
}
