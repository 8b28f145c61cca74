//! The `Idempotency-Key` of a request.
//!
//! Owns: its form: a structured field, an Item that is a String (RFC 9651 §3.3.3), of bounded length.

use sfv::{BareItem, Parser};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// A key, as its caller chose it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header field's value. `None`: it is no String, empty, or too long.
    pub fn parse(value: &str) -> Option<Self> {
        // Each byte of a String may be escaped.
        if value.len() > 2 * KEY_BYTES_MAX + 2 {
            return None;
        }
        let item = Parser::new(value).parse::<sfv::Item>().ok()?;
        let BareItem::String(key) = item.bare_item else {
            return None;
        };
        let key = key.as_str();
        let is_fit = !key.is_empty() && key.len() <= KEY_BYTES_MAX && item.params.is_empty();
        is_fit.then(|| Self(key.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ik_01_and_09_a_key_is_a_quoted_text_of_bounded_length() {
        let longest = format!("\"{}\"", "k".repeat(KEY_BYTES_MAX));
        let escaped = format!("\"{}\"", "\\\"".repeat(KEY_BYTES_MAX));
        for good in [
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
            "\"a b,c\"",
            &longest,
            &escaped,
        ] {
            assert!(IdempotencyKey::parse(good).is_some(), "{good}");
        }
        assert_eq!(
            IdempotencyKey::parse(" \"a\\\\b\" ").unwrap().as_str(),
            "a\\b"
        );
        let too_long = format!("\"{}\"", "k".repeat(KEY_BYTES_MAX + 1));
        for bad in [
            "",
            "8e03978e-40d5",
            "token",
            "\"\"",
            "\"a",
            "a\"",
            "\"a\";p=1",
            "\"a\", \"b\"",
            ":YQ==:",
            "7",
            "\"caf\u{e9}\"",
            "'a'",
            &too_long,
        ] {
            assert_eq!(IdempotencyKey::parse(bad), None, "{bad}");
        }
    }
}
