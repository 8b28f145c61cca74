//! What becomes of a claim when its request was answered, or failed.
//!
//! Owns: whose answer is kept, and what else is told of a claim.

use crate::idempotency::Granted;
use crate::ports::{OriginAnswer, OriginFault};
use crate::trail::Told;

/// Whose answer is kept, and what is told instead. An origin that broke off may have acted; one that
/// refused the credential, or asked to come later, did not.
///
/// - `retries`: how often the request was sent again. What the last try was told is not the whole of it
///   then: an earlier one may have acted, or be at it still.
pub(super) fn claim_after<A: OriginAnswer>(
    granted: Option<Granted>,
    answer: &Result<A, OriginFault>,
    retries: u32,
) -> (Option<Granted>, Option<Told>) {
    let Some(granted) = granted else {
        return (None, None);
    };
    match answer.as_ref().map(OriginAnswer::status) {
        Ok(401 | 429) if retries == 0 => (None, Some(Told::of(&granted, Granted::free))),
        // An origin that knows keys answers 409 or 425 while it is at an earlier try.
        Ok(401 | 409 | 425 | 429) if retries > 0 => (None, Some(Told::of(&granted, Granted::lose))),
        Ok(200..=599) => (Some(granted), None),
        // It was not sent.
        Err(OriginFault::Open { .. } | OriginFault::Full) => {
            (None, Some(Told::of(&granted, Granted::free)))
        }
        Ok(_) | Err(_) => (None, Some(Told::of(&granted, Granted::lose))),
    }
}
