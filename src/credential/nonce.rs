//! Nonces for DPoP proofs (RFC 9449 §8), which no one has to remember: each is a MAC over the
//! minute in which it was given out, so that every isolate takes what another gave.
//!
//! Owns: making and judging them. Does not own: whether one is needed (`policy`).

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::facts::UnixMs;
use crate::secret::Secret;

/// How long one nonce is given out. It is taken for as long again.
pub const NONCE_MS: u64 = 60_000;
/// Bytes of the MAC that are told.
const NONCE_BYTES: usize = 16;

/// The secret that nonces are made with.
#[derive(Clone, Debug)]
pub struct NonceKey(Secret);

impl NonceKey {
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The nonce to give out at `now_ms`.
    pub fn current(&self, now_ms: UnixMs) -> String {
        self.of(now_ms / NONCE_MS)
    }

    /// Whether `nonce` was given out in this minute or in the one before.
    pub fn takes(&self, nonce: &str, now_ms: UnixMs) -> bool {
        let minute = now_ms / NONCE_MS;
        let same = |minute| self.of(minute).as_bytes().ct_eq(nonce.as_bytes());
        (same(minute) | same(minute.saturating_sub(1))).into()
    }

    fn of(&self, minute: u64) -> String {
        // An HMAC takes a key of any length: the error has no way to occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()) else {
            return String::new();
        };
        mac.update(b"edgeward dpop nonce\0");
        mac.update(&minute.to_be_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        Base64UrlUnpadded::encode_string(
            bytes
                .first_chunk::<NONCE_BYTES>()
                .unwrap_or(&[0; NONCE_BYTES]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_taken_for_its_minute_and_the_next() {
        let key = NonceKey::new(Secret::new("one".into()));
        let nonce = key.current(600_000);
        for (now_ms, taken) in [
            (540_000, false),
            (600_000, true),
            (719_999, true),
            (720_000, false),
        ] {
            assert_eq!(key.takes(&nonce, now_ms), taken, "{now_ms}");
        }
        assert!(!key.takes("", 600_000));
        let other = NonceKey::new(Secret::new("another".into()));
        assert!(!other.takes(&nonce, 600_000));
    }
}
