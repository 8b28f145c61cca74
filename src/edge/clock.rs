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
