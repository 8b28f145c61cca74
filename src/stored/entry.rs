//! What lies in the platform's cache: one answer with all that is known of it, in one piece.
//!
//! Owns: its form, that nothing but a whole answer is written, and that only the answer to what was
//! asked is read. Does not own: which answers may be kept (`freshness`).

use serde::{Deserialize, Serialize};

use crate::answer::keeping::directives;
use crate::facts::UnixMs;
use crate::ports::ReadFault;
use crate::stored::asked::Look;
use crate::stored::freshness::{Fresh, Seen, value};
use crate::stored::key::StoreKey;
use crate::stored::{FIELD_BYTES_MAX, StoredAnswer};

/// Most bytes of what is written before the content: fields in JSON, where one byte may take six.
pub const HEAD_BYTES_MAX: u64 = 8 * FIELD_BYTES_MAX as u64;

/// An answer that may be kept, but for its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filing {
    key: StoreKey,
    content_bytes_max: u64,
    told_bytes: Option<u64>,
    at_ms: UnixMs,
    age_ms: u64,
    left_ms: u64,
    fields: Vec<(String, String)>,
}

/// The first line; the content follows.
#[derive(Deserialize, Serialize)]
struct Head {
    key: String,
    at_ms: UnixMs,
    age_ms: u64,
    left_ms: u64,
    bytes: u64,
    fields: Vec<(String, String)>,
}

/// A kept answer that is fresh.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    pub age_ms: u64,
    pub left_ms: u64,
    fields: Vec<(String, String)>,
    content: Vec<u8>,
}

/// Fields of an answer that says that a copy still holds (RFC 9110 §15.4.5), and its age.
const OF_COPIES: [&str; 7] = [
    "age",
    "cache-control",
    "content-location",
    "date",
    "etag",
    "expires",
    "vary",
];

impl Filing {
    /// - `fields`: what of the answer's fields is kept.
    pub fn new(key: StoreKey, seen: &Seen<'_>, fresh: Fresh, content_bytes_max: u64) -> Self {
        Self {
            key,
            content_bytes_max,
            told_bytes: fresh.told_bytes,
            at_ms: seen.at_ms,
            age_ms: fresh.age_ms,
            left_ms: fresh.left_ms,
            fields: seen.fields.to_vec(),
        }
    }

    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Most content to read.
    pub fn content_bytes_max(&self) -> u64 {
        self.content_bytes_max
    }

    /// For how long it is of use, in seconds: at least 1.
    pub fn left_s(&self) -> u64 {
        self.left_ms.div_ceil(1_000)
    }

    /// What is written; `None` where the content is not all there.
    pub fn entry(&self, read: Result<Vec<u8>, ReadFault>) -> Option<Vec<u8>> {
        let content = read.ok()?;
        let bytes = content.len() as u64;
        let is_whole = self.told_bytes.is_none_or(|told| told == bytes);
        if !is_whole || bytes > self.content_bytes_max {
            return None;
        }
        let head = Head {
            key: self.key.hex(),
            at_ms: self.at_ms,
            age_ms: self.age_ms,
            left_ms: self.left_ms,
            bytes,
            fields: self.fields.clone(),
        };
        let mut entry = serde_json::to_vec(&head).ok()?;
        entry.push(b'\n');
        entry.extend(content);
        Some(entry)
    }
}

impl Found {
    /// Reads what was written under `key`; `None` where it is another's, not whole, or not fresh.
    pub fn read(key: &StoreKey, entry: &[u8], now_ms: UnixMs) -> Option<Self> {
        let end = entry.iter().position(|byte| *byte == b'\n')?;
        let (head, content) = entry.split_at_checked(end)?;
        let content = content.get(1..)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        if head.key != key.hex() || head.bytes != content.len() as u64 {
            return None;
        }
        // A clock that runs behind the one that wrote tells nothing of age.
        let since_ms = now_ms.checked_sub(head.at_ms)?;
        let left_ms = head.left_ms.checked_sub(since_ms)?;
        let found = Self {
            age_ms: head.age_ms.saturating_add(since_ms),
            left_ms,
            fields: head.fields,
            content: content.to_vec(),
        };
        (left_ms > 0).then_some(found)
    }

    /// Whether it will do.
    pub fn does(&self, look: &Look) -> bool {
        let most_ms = look.age_s_max.map(|age_s| age_s.saturating_mul(1_000));
        most_ms.is_none_or(|most_ms| self.age_ms <= most_ms)
            && self.left_ms >= look.left_s_min.saturating_mul(1_000)
    }

    /// The answer as it is given (RFC 9111 §4, §4.3.2).
    ///
    /// - `is_judged`: its content is looked at before it leaves, and may be another then: it is given
    ///   whole, whatever the caller has.
    pub fn answer(self, look: &Look, is_judged: bool) -> StoredAnswer {
        let age = ("age".to_owned(), (self.age_ms / 1_000).to_string());
        let has_copy = !is_judged && self.is_copy(look);
        let is_given = |name: &str| name != "age" && (!has_copy || OF_COPIES.contains(&name));
        let mut fields = self.fields;
        fields.retain(|(name, _)| is_given(name));
        fields.push(age);
        let content = match has_copy || (look.is_head && !is_judged) {
            true => Vec::new(),
            false => self.content,
        };
        StoredAnswer {
            status: if has_copy { 304 } else { 200 },
            fields,
            content,
        }
    }

    /// Whether the caller has this answer already (RFC 9110 §13.1.2: the weak comparison).
    fn is_copy(&self, look: &Look) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let (Some(copies), Some(own)) = (&look.copies, value(&self.fields, "etag")) else {
            return false;
        };
        let own = opaque(own);
        let is_tag = own.len() >= 2 && own.starts_with('"') && own.ends_with('"');
        let copies = directives(copies).unwrap_or_default();
        is_tag
            && copies
                .into_iter()
                .any(|copy| copy == "*" || opaque(copy) == own)
    }
}

#[cfg(test)]
mod tests;
