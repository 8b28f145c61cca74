//! What an `Idempotency` object decides: each request is carried out at most once.
//!
//! Owns: the rule, and the bounds of one caller's keys. Does not own: storage (`Claims`), the clock.
//! Called by: `edge::idempotency`.
//!
//! A claim is written before it is granted, and only its own attempt can say what became of it. One
//! of which nobody said anything stays: first as in flight, then as lost, until its time is over.
//! So whatever dies, is lost or comes late can keep a request from being carried out, never have it
//! carried out twice.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::idempotency::{Act, Claim, KeptAnswer, Word, after};

/// Most keys of one caller that stand at the same time.
pub const KEYS_MAX: u64 = 100_000;
/// Most bytes of answers that are kept of one caller.
pub const KEPT_BYTES_MAX: u64 = 256 << 20;

/// One key, as it is stored.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    pub fingerprint: String,
    pub attempt: String,
    pub pending_until_ms: UnixMs,
    pub keep_until_ms: UnixMs,
    pub answer: Option<KeptAnswer>,
}

/// An object's storage, synchronous.
pub trait Claims {
    type Fault;
    fn find(&self, name: &str) -> Result<Option<Held>, Self::Fault>;
    fn put(&self, name: &str, held: &Held) -> Result<(), Self::Fault>;
    fn remove(&self, name: &str) -> Result<(), Self::Fault>;
    /// How many keys stand, and how many bytes their answers have, after those that ended before
    /// `now_ms` were dropped where there are many.
    fn count(&self, now_ms: UnixMs) -> Result<(u64, u64), Self::Fault>;
}

/// Answers one question; what is granted is written before this returns.
pub fn answer<C: Claims>(claims: &C, now_ms: UnixMs, act: &Act) -> Result<Word, C::Fault> {
    match act {
        Act::Claim(claim) => self::claim(claims, now_ms, claim),
        Act::Keep {
            name,
            attempt,
            answer,
        } => {
            let Some(mut held) = own(claims, name, attempt)? else {
                return Ok(Word::Noted);
            };
            let (_, bytes) = claims.count(now_ms)?;
            let more = answer
                .content
                .as_ref()
                .map_or(0, |content| content.len() as u64);
            let mut answer = answer.clone();
            if bytes.saturating_add(more) > KEPT_BYTES_MAX {
                answer.content = None;
            }
            held.answer = Some(answer);
            claims.put(name, &held)?;
            Ok(Word::Noted)
        }
        Act::Free { name, attempt } => {
            if own(claims, name, attempt)?.is_some() {
                claims.remove(name)?;
            }
            Ok(Word::Noted)
        }
        Act::Lose { name, attempt } => {
            if let Some(mut held) = own(claims, name, attempt)? {
                held.pending_until_ms = 0;
                claims.put(name, &held)?;
            }
            Ok(Word::Noted)
        }
    }
}

fn claim<C: Claims>(claims: &C, now_ms: UnixMs, claim: &Claim) -> Result<Word, C::Fault> {
    let held = claims.find(&claim.name)?;
    if let Some(held) = held.filter(|held| held.keep_until_ms > now_ms) {
        let is_pending = held.pending_until_ms > now_ms;
        return Ok(match held.answer {
            _ if held.fingerprint != claim.fingerprint => Word::Reused,
            Some(answer) => Word::Kept(answer),
            // The same question, twice.
            None if held.attempt == claim.attempt && is_pending => Word::Granted,
            None if is_pending => Word::InFlight {
                for_ms: held.pending_until_ms.saturating_sub(now_ms),
            },
            None => Word::Lost,
        });
    }
    let (keys, _) = claims.count(now_ms)?;
    if keys >= KEYS_MAX {
        return Ok(Word::Full);
    }
    let pending_until_ms = after(now_ms, claim.pending_ms);
    let held = Held {
        fingerprint: claim.fingerprint.clone(),
        attempt: claim.attempt.clone(),
        pending_until_ms,
        // A request that may be on its way is not forgotten.
        keep_until_ms: after(now_ms, claim.keep_ms).max(pending_until_ms),
        answer: None,
    };
    claims.put(&claim.name, &held)?;
    Ok(Word::Granted)
}

/// The claim of an attempt, as long as nothing was said of it.
fn own<C: Claims>(claims: &C, name: &str, attempt: &str) -> Result<Option<Held>, C::Fault> {
    let held = claims.find(name)?;
    Ok(held.filter(|held| held.attempt == attempt && held.answer.is_none()))
}

#[cfg(test)]
mod tests;
