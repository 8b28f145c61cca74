//! Answers that are kept at the gateway, each for the caller it was made for (RFC 9111).
//!
//! Owns: which request may be answered by one (`asked`), which answer may be kept and for how long
//! (`freshness`), what makes two requests the same (`key`), and what lies in the platform's cache
//! (`entry`). Does not own: that every check is made all the same (`stage::stored`), or the cache
//! itself (`Ports`).

pub mod asked;
pub mod entry;
pub mod freshness;
pub mod key;

use crate::facts::Headers;
use asked::Use;
use key::StoreKey;

/// Most content of an answer that is kept unless said, in bytes.
pub const CONTENT_BYTES_DEFAULT: u64 = 262_144;
/// Most header fields of an answer that is kept, in bytes of names and values.
pub const FIELD_BYTES_MAX: usize = 16_384;
/// Fields by which every kept answer may differ.
pub const NEGOTIATED: [&str; 2] = ["accept", "accept-language"];

/// What a route's policy says, as enforced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreRule {
    pub age_s_max: u64,
    pub content_bytes_max: u64,
    /// How long an answer is fresh whose origin says nothing of that; `None`: not at all.
    pub age_s_default: Option<u64>,
    /// The fields of a caller that reach the origin, in lower case, each once: all of them are part
    /// of the key.
    pub fields: Vec<String>,
    /// Fields that the gateway itself tells the origin, other ones each time, in lower case: by these
    /// an answer may not differ.
    pub told: Vec<String>,
    /// Whether callers are nobody in particular, and share what is kept.
    pub is_shared: bool,
}

/// What a request wants of the cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    pub key: StoreKey,
    pub using: Use,
}

/// An answer as it is given again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredAnswer {
    pub status: u16,
    /// In lower case, each once.
    pub fields: Vec<(String, String)>,
    pub content: Vec<u8>,
}

/// What became of looking for a kept answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheNote {
    /// One was given, which is fresh for so many seconds yet.
    Hit {
        left_s: u64,
    },
    Miss,
    /// The cache did not answer, or not in time.
    Silent,
    /// The caller asked for a new one.
    Request,
    /// None could be an answer to this request.
    Bypass,
}

impl CacheNote {
    /// The log's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit { .. } => "hit",
            Self::Miss => "miss",
            Self::Silent => "silent",
            Self::Request => "request",
            Self::Bypass => "bypass",
        }
    }

    /// The value of `Cache-Status` (RFC 9211 §2).
    pub fn field(self) -> String {
        match self {
            Self::Hit { left_s } => format!("edgeward; hit; ttl={left_s}"),
            Self::Miss => "edgeward; fwd=miss".into(),
            Self::Silent => "edgeward; fwd=miss; detail=silent".into(),
            Self::Request => "edgeward; fwd=request".into(),
            Self::Bypass => "edgeward; fwd=bypass".into(),
        }
    }
}

/// The values of `names` in a request.
pub fn values<'a>(headers: &'a Headers, names: &'a [String]) -> Vec<(&'a str, Option<&'a str>)> {
    let value = |name: &'a String| (name.as_str(), headers.get(name));
    names.iter().map(value).collect()
}
