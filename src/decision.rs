//! The one log line of a request, and its chain: each line carries a MAC over itself and over the
//! line before, so that a changed, missing or reordered line is found.
//!
//! Owns: the chain. Does not own: the line's shape (`line`), printing it.

mod line;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

pub use self::line::{Caller, Ending, Line, caller, line};
use crate::secret::Secret;

/// RFC 3339 in UTC with milliseconds.
pub fn timestamp(ms: u64) -> String {
    let instant = i64::try_from(ms)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis);
    instant
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The chain of one isolate's lines.
#[derive(Debug)]
pub struct Chain {
    id: String,
    seq: u64,
    prev: String,
    key: Option<Secret>,
}

impl Chain {
    /// - `id`: names this chain among those of other isolates.
    /// - `key`: `AUDIT_KEY`; without one, lines are not chained.
    pub fn new(id: String, key: Option<Secret>) -> Self {
        Self {
            id,
            seq: 0,
            prev: Base64UrlUnpadded::encode_string(&[0; 32]),
            key,
        }
    }

    /// Ends a line: as text, with its place in the chain.
    ///
    /// The MAC is HMAC-SHA-256 over the text of the line with `chain` but without `chain.mac`.
    pub fn seal(&mut self, line: &impl Serialize) -> String {
        // A line has no map with keys that are no text, the one thing that cannot be written.
        let mut text = serde_json::to_string(line).unwrap_or_default();
        let Some(key) = &self.key else {
            return text;
        };
        let chain = json!({ "id": self.id, "seq": self.seq, "prev": self.prev });
        text.truncate(text.len().saturating_sub(1));
        text.push_str(&format!(r#","chain":{chain}}}"#));
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) else {
            return text;
        };
        mac.update(text.as_bytes());
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        self.seq += 1;
        self.prev = Base64UrlUnpadded::encode_string(&mac);
        // The chain is the last member, and the MAC the last of it: the line is not written twice.
        text.truncate(text.len().saturating_sub(2));
        text.push_str(&format!(r#","mac":"{}"}}}}"#, self.prev));
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn sealed(chain: &mut Chain, text: &str) -> Value {
        let line = json!({ "event": "decision", "text": text });
        serde_json::from_str(&chain.seal(&line)).unwrap()
    }

    #[test]
    fn each_line_names_the_one_before_it() {
        let mut chain = Chain::new("a".into(), Some(Secret::new("key".into())));
        let (first, second) = (sealed(&mut chain, "one"), sealed(&mut chain, "two"));
        assert_eq!(first["chain"]["prev"], "A".repeat(43));
        assert_eq!(second["chain"]["prev"], first["chain"]["mac"]);
        assert_eq!(
            (&first["chain"]["seq"], &second["chain"]["seq"]),
            (&json!(0), &json!(1))
        );
        assert_ne!(first["chain"]["mac"], second["chain"]["mac"]);
    }

    #[test]
    fn another_key_or_text_makes_another_mac() {
        let mac = |key: &str, text: &str| {
            let mut chain = Chain::new("a".into(), Some(Secret::new(key.into())));
            sealed(&mut chain, text)["chain"]["mac"].clone()
        };
        assert_eq!(mac("key", "one"), mac("key", "one"));
        assert_ne!(mac("key", "one"), mac("other", "one"));
        assert_ne!(mac("key", "one"), mac("key", "two"));
    }

    #[test]
    fn a_timestamp_is_rfc_3339() {
        assert_eq!(timestamp(1_800_000_000_123), "2027-01-15T08:00:00.123Z");
    }
}
