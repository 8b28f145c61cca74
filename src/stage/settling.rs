//! What is set right of a request's charges when its origin has answered, or failed: once, for this
//! is called where the answer is taken, and there is one.
//!
//! Owns: what the origin's word on a cost means, and which failures are refunded. Does not own: how
//! much of a refund is granted (`limit`).

use crate::policy::gate::{RefundCause, Route};
use crate::ports::{OriginAnswer, OriginFault};
use crate::trail::{CostNote, Trail};

/// Most units that an origin may say a request cost: what a limit has at most. A number beyond is a
/// fault of the origin, and would lock its callers out.
pub(super) const TOLD_UNITS_MAX: u64 = 1_000_000_000;

/// Sets right what was charged.
///
/// - `reserved`: units that each limit was charged. - `is_streamed`: whether the caller may still have
///   been sending its content.
pub(super) fn settle<A: OriginAnswer>(
    trail: &mut Trail,
    route: &Route,
    (reserved, is_streamed): (u64, bool),
    answer: &Result<A, OriginFault>,
) {
    if let Some(cause) = cause(answer, is_streamed).filter(|cause| route.refund_on.contains(cause))
    {
        return trail.refund(cause);
    }
    let Some(header) = &route.cost_told_in else {
        return;
    };
    let told = answer.as_ref().ok();
    let told = told.and_then(|answer| units(&answer.field(header)?));
    trail.cost = Some(CostNote { reserved, told });
    match told {
        Some(told) if told < reserved => trail.give_back_units(reserved.saturating_sub(told)),
        Some(told) => trail.owe(told.saturating_sub(reserved)),
        // Nobody knows: what was reserved stands.
        None => {}
    }
}

fn cause<A: OriginAnswer>(
    answer: &Result<A, OriginFault>,
    is_streamed: bool,
) -> Option<RefundCause> {
    match answer {
        Ok(answer) => Some(RefundCause::Status(answer.status())),
        // Not asked is not reached.
        Err(OriginFault::Open { .. } | OriginFault::Full) => Some(RefundCause::Connect),
        // Who stops sending would have its units back.
        Err(OriginFault::Down | OriginFault::TimedOut) if is_streamed => None,
        Err(OriginFault::Down) => Some(RefundCause::Connect),
        Err(OriginFault::TimedOut) => Some(RefundCause::Timeout),
        Err(OriginFault::Invalid | OriginFault::Left) => None,
    }
}

/// Digits alone, and not more than [`TOLD_UNITS_MAX`].
fn units(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let units = text.parse().ok().filter(|_| is_digits);
    units.filter(|units| *units <= TOLD_UNITS_MAX)
}
