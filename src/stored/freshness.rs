//! Whether an origin's answer may be kept, and for how long (RFC 9111 §3, §4.2).
//!
//! Owns: what the head of an answer says of that. What it says in two ways, or in none that can be
//! read, is not kept.

use chrono::DateTime;

use crate::answer::keeping::{directives, is_targeted, named};
use crate::facts::UnixMs;
use crate::spoken_for::is_spoken_for;
use crate::stored::asked::{digits, seconds};
use crate::stored::{FIELD_BYTES_MAX, StoreRule};

/// An answer's header fields: names in lower case, each once.
pub type Fields = [(String, String)];

/// When an answer came, and how it looked then.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub status: u16,
    pub fields: &'a Fields,
    /// When its head came.
    pub at_ms: UnixMs,
    /// How long that took, from the first time it was asked for.
    pub took_ms: u64,
    /// Whether its content has an end of its own, where no length is told: one that ends with its
    /// connection cannot be told from half of it (RFC 9112 §8).
    pub has_end: bool,
}

/// How long an answer may be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fresh {
    /// How old it is.
    pub age_ms: u64,
    /// How much longer it is fresh: over 0.
    pub left_ms: u64,
    /// How many bytes of content its head tells of.
    pub told_bytes: Option<u64>,
}

/// Content that has no end, or comes part by part for as long as somebody reads.
const ENDLESS: [&str; 2] = ["text/event-stream", "multipart/x-mixed-replace"];
/// Fields that make an answer one client's, or a part of one.
const NEVER: [&str; 3] = ["set-cookie", "set-cookie2", "content-range"];
/// What the platform tells an origin of the way that a request took (RFC 8586).
const CDN_LOOP: &str = "cdn-loop";

/// `None`: the answer is not kept.
pub fn fresh(seen: &Seen<'_>, rule: &StoreRule) -> Option<Fresh> {
    let field = |name: &str| value(seen.fields, name);
    let bytes = seen
        .fields
        .iter()
        .map(|(name, value)| name.len() + value.len());
    let has = |name: &&str| field(name).is_some();
    if seen.status != 200 || NEVER.iter().any(has) {
        return None;
    }
    if bytes.sum::<usize>() > FIELD_BYTES_MAX || !is_plain(seen.fields) {
        return None;
    }
    let told_bytes = match field("content-length") {
        None if !seen.has_end => return None,
        None => None,
        Some(text) => Some(digits(text).filter(|bytes| *bytes <= rule.content_bytes_max)?),
    };
    if !varies_by_what_is_known(field("vary"), rule) {
        return None;
    }
    let age_ms = age_ms(seen)?;
    let lifetime_ms = lifetime_ms(seen, rule)?;
    let most_ms = rule.age_s_max.saturating_mul(1_000);
    let left_ms = lifetime_ms.saturating_sub(age_ms).min(most_ms);
    let fresh = Fresh {
        age_ms,
        left_ms,
        told_bytes,
    };
    (left_ms > 0).then_some(fresh)
}

/// The value of a field.
pub(super) fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let known = fields.iter().find(|(known, _)| known == name);
    known.map(|(_, value)| value.as_str())
}

/// Whether the content is as it reads, and has an end.
fn is_plain(fields: &Fields) -> bool {
    let coding = value(fields, "content-encoding").unwrap_or("identity");
    let kind = value(fields, "content-type").unwrap_or_default();
    let kind = kind.trim_start().to_ascii_lowercase();
    coding.trim().eq_ignore_ascii_case("identity")
        && !ENDLESS.iter().any(|one| kind.starts_with(one))
}

/// Whether every field that the answer varies by is part of the key, or is the same in all requests that
/// are kept for (RFC 9111 §4.1): what is no part of the key does not reach the origin. What no caller can
/// say there, somebody behind this gateway may: the platform tells an origin its clients' address and country.
fn varies_by_what_is_known(vary: Option<&str>, rule: &StoreRule) -> bool {
    let names = vary.unwrap_or_default().split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).all(|name| {
        let name = name.to_ascii_lowercase();
        let is_told = rule.told.contains(&name) || is_spoken_for(&name) || name == CDN_LOOP;
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'*');
        is_name && (rule.fields.contains(&name) || !is_told)
    })
}

/// How old the answer is (RFC 9111 §4.2.3).
fn age_ms(seen: &Seen<'_>) -> Option<u64> {
    let told_ms = match value(seen.fields, "age") {
        None => 0,
        Some(text) => digits(text.trim())?.saturating_mul(1_000),
    };
    let apparent_ms = match value(seen.fields, "date") {
        None => 0,
        Some(text) => seen.at_ms.saturating_sub(date_ms(text)?),
    };
    Some(told_ms.saturating_add(seen.took_ms).max(apparent_ms))
}

/// How long the answer is fresh from when it was made (RFC 9111 §4.2.1).
fn lifetime_ms(seen: &Seen<'_>, rule: &StoreRule) -> Option<u64> {
    for (name, value) in seen.fields.iter().filter(|(name, _)| is_targeted(name)) {
        let forbids = |one: &&str| is_one_of(one, &["no-store", "no-cache", "private"]);
        let told = directives(value).filter(|_| name.ends_with("-control"));
        // What is told to another kind of cache is heeded where it forbids.
        if told.is_none_or(|told| told.iter().any(forbids)) {
            return None;
        }
    }
    let told = directives(value(seen.fields, "cache-control").unwrap_or_default())?;
    let forbidden: &[&str] = match rule.is_shared {
        true => &["no-store", "no-cache", "private"],
        false => &["no-store", "no-cache"],
    };
    if told.iter().any(|one| is_one_of(one, forbidden)) {
        return None;
    }
    for name in ["s-maxage", "max-age"] {
        let mut said = told.iter().filter(|one| is_one_of(one, &[name]));
        let Some(first) = said.next() else { continue };
        // RFC 9111 §4.2.1: what is said twice is stale.
        return match said.next() {
            None => Some(seconds(first)?.saturating_mul(1_000)),
            Some(_) => None,
        };
    }
    match value(seen.fields, "expires") {
        Some(until) => {
            let made_ms = value(seen.fields, "date").map_or(Some(seen.at_ms), date_ms)?;
            Some(date_ms(until)?.saturating_sub(made_ms))
        }
        None => Some(rule.age_s_default?.saturating_mul(1_000)),
    }
}

fn is_one_of(directive: &str, names: &[&str]) -> bool {
    let name = named(directive);
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// A date as HTTP writes it (RFC 9110 §5.6.7); older forms are none.
fn date_ms(text: &str) -> Option<UnixMs> {
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    UnixMs::try_from(date.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests;
