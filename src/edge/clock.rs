//! Time and randomness. Nothing else at the edge asks for either.

use crate::facts::{RequestId, UnixMs};

/// Unix milliseconds. In production the clock moves only when the isolate waits for something.
pub(super) fn now_ms() -> UnixMs {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Date.now() is a whole number of milliseconds after 1970"
    )]
    let now_ms = js_sys::Date::now() as u64;
    now_ms
}

/// A fresh request id. Without randomness there is none to be had, and the id says so.
pub(super) fn request_id() -> RequestId {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    RequestId::from_random(bytes)
}

/// A number for this isolate, unlike any other's.
pub(super) fn holder() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness all isolates would be one holder to the objects: the time tells apart
    // those that woke at different instants.
    if getrandom::fill(&mut bytes).is_err() {
        return now_ms();
    }
    u64::from_be_bytes(bytes)
}
