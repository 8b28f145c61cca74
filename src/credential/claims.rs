//! A token's claims, read by type: what is of the wrong type is not absent, it is wrong.
//!
//! Owns: NumericDate, audiences, and the mapping of claims to a caller.
//! (CVE-2026-25537 and CVE-2026-44459 are what happens otherwise.)

use serde_json::{Map, Value};

use crate::credential::jwt::TokenFault;

/// Largest NumericDate, 2^53 - 1: beyond, seconds are not exact in every reader.
const DATE_MAX: f64 = 9_007_199_254_740_991.0;
/// Longest subject, tenant, plan, scope or role.
pub const NAME_BYTES_MAX: usize = 256;
/// Most scopes or roles of one token.
pub const NAMES_MAX: usize = 256;

/// Which claims say what. A name that starts with `/` is a JSON Pointer into the claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimNames {
    pub scopes: String,
    pub roles: Option<String>,
    pub tenant: Option<String>,
    pub plan: Option<String>,
    pub version: Option<String>,
}

/// A claim by name or pointer.
pub fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.strip_prefix('/') {
        None => claims.get(name),
        Some(rest) => {
            let (first, below) = rest.split_once('/').unwrap_or((rest, ""));
            let first = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
            if below.is_empty() {
                Some(first)
            } else {
                first.pointer(&format!("/{below}"))
            }
        }
    }
}

/// A NumericDate (RFC 7519 §2): a finite number from 0 to 2^53 - 1. `None`: the claim is absent.
pub fn date_s(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenFault> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_f64().filter(|s| (0.0..=DATE_MAX).contains(s));
    let seconds = seconds.ok_or(TokenFault::Claim { claim: name })?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range, and a fraction of a second is dropped on purpose"
    )]
    Ok(Some(seconds as u64))
}

/// A claim that is text: not empty, bounded, without control characters.
pub fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenFault> {
    match claim(claims, name) {
        None => Ok(None),
        Some(Value::String(text)) if is_name(text) => Ok(Some(text.clone())),
        Some(_) => Err(TokenFault::Claim { claim: "mapped" }),
    }
}

/// Scopes or roles: one string split at spaces (RFC 8693 §4.2), or an array of strings.
pub fn names(claims: &Map<String, Value>, name: &str) -> Result<Vec<String>, TokenFault> {
    let wrong = TokenFault::Claim { claim: "mapped" };
    let names: Vec<&str> = match claim(claims, name) {
        None => Vec::new(),
        Some(Value::String(text)) => text.split(' ').filter(|name| !name.is_empty()).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or(wrong)?,
        Some(_) => return Err(wrong),
    };
    let sound = names.len() <= NAMES_MAX
        && names
            .iter()
            .all(|name| is_name(name) && !name.contains(char::is_whitespace));
    if sound {
        Ok(names.into_iter().map(str::to_owned).collect())
    } else {
        Err(wrong)
    }
}

/// Scopes. In `scope` itself they are one string (RFC 9068 §2.2.3); a claim of another name is its
/// issuer's own and may be a list.
pub fn scopes(claims: &Map<String, Value>, name: &str) -> Result<Vec<String>, TokenFault> {
    match (name, claims.get(name)) {
        ("scope", Some(value)) if !value.is_string() => Err(TokenFault::Claim { claim: "scope" }),
        _ => names(claims, name),
    }
}

/// A subject's token version: a whole number from 0 to 2^53 - 1.
pub fn version(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, TokenFault> {
    match claim(claims, name) {
        None => Ok(None),
        Some(value) => match value.as_u64().filter(|version| *version < 1 << 53) {
            Some(version) => Ok(Some(version)),
            None => Err(TokenFault::Claim { claim: "version" }),
        },
    }
}

/// Whether `aud` (a string or an array of strings, RFC 7519 §4.1.3) names one of `audiences`.
pub fn is_for(claims: &Map<String, Value>, audiences: &[String]) -> Result<bool, TokenFault> {
    let wrong = TokenFault::Claim { claim: "aud" };
    match claims.get("aud") {
        None => Err(TokenFault::Audience),
        Some(Value::String(one)) => Ok(audiences.contains(one)),
        Some(Value::Array(many)) if !many.is_empty() => {
            let many: Vec<&str> = many
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or(wrong)?;
            Ok(many
                .iter()
                .any(|one| audiences.iter().any(|audience| audience == one)))
        }
        Some(_) => Err(wrong),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_date_is_a_number_in_range_or_wrong() {
        for (value, expected) in [
            (json!(0), Some(Some(0))),
            (json!(1_800_000_000), Some(Some(1_800_000_000))),
            (json!(1.9), Some(Some(1))),
            (
                json!(9_007_199_254_740_991_u64),
                Some(Some(9_007_199_254_740_991)),
            ),
            (json!(9_007_199_254_740_993_u64), None),
            (json!(u64::MAX), None),
            (json!(-1), None),
            (json!("1800000000"), None),
            (json!(true), None),
            (json!(null), None),
            (json!([1]), None),
            (json!({}), None),
        ] {
            let claims = object(json!({ "exp": value }));
            assert_eq!(date_s(&claims, "exp").ok(), expected, "{value}");
        }
        assert_eq!(date_s(&Map::new(), "exp"), Ok(None));
    }

    #[test]
    fn scopes_are_exact_words() {
        for (value, expected) in [
            (json!("read write"), Some(vec!["read", "write"])),
            (json!(["read", "write"]), Some(vec!["read", "write"])),
            (json!(""), Some(vec![])),
            (json!(["read write"]), None),
            (json!(["read", 1]), None),
            (json!({ "read": true }), None),
            (json!(1), None),
            (json!("a".repeat(NAME_BYTES_MAX + 1)), None),
            (json!(vec!["a"; NAMES_MAX + 1]), None),
        ] {
            let claims = object(json!({ "scope": value }));
            let names = names(&claims, "scope").ok();
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(names, expected, "{value}");
        }
    }

    #[test]
    fn an_audience_matches_whole_or_not_at_all() {
        let audiences = ["https://api.example.com".to_owned()];
        for (value, expected) in [
            (json!("https://api.example.com"), Ok(true)),
            (json!(["x", "https://api.example.com"]), Ok(true)),
            (json!("https://api.example.com/"), Ok(false)),
            (json!("https://api.example.com.evil"), Ok(false)),
            (json!(["x"]), Ok(false)),
            (json!([]), Err(TokenFault::Claim { claim: "aud" })),
            (
                json!(["https://api.example.com", 1]),
                Err(TokenFault::Claim { claim: "aud" }),
            ),
            (json!(null), Err(TokenFault::Claim { claim: "aud" })),
        ] {
            let claims = object(json!({ "aud": value }));
            assert_eq!(is_for(&claims, &audiences), expected, "{value}");
        }
        assert_eq!(is_for(&Map::new(), &audiences), Err(TokenFault::Audience));
    }

    #[test]
    fn a_mapped_claim_may_lie_deeper() {
        let claims = object(json!({ "realm": { "roles": ["a"] }, "a/b": "t" }));
        assert_eq!(names(&claims, "/realm/roles"), Ok(vec!["a".to_owned()]));
        assert_eq!(text(&claims, "/a~1b"), Ok(Some("t".to_owned())));
        assert_eq!(text(&claims, "/realm/none"), Ok(None));
    }
}
