//! The one credential of a request: found once, read once.
//!
//! Owns: where credentials may stand, and that there is only one. Does not own: judging it.

use crate::credential::api_key::{ApiKey, KeyFault, ROOT_PREFIX};
use crate::credential::possession::Scheme;
use crate::facts::Headers;
use crate::path::CanonicalQuery;
use crate::secret::Secret;

/// How one authenticator is presented to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// `Authorization: Bearer TOKEN` (RFC 6750 §2.1), and `DPoP TOKEN` (RFC 9449 §7.1).
    Token,
    /// An API key in a header of the policy's choice; `authorization` means as a bearer token.
    Header { name: String, prefix: String },
}

/// A credential as it came, not yet judged.
#[derive(Clone, Debug)]
pub enum Presented {
    Absent,
    /// A key for the authenticator of this name.
    Key {
        authenticator: String,
        key: Result<ApiKey, KeyFault>,
    },
    Token {
        text: Secret,
        scheme: Scheme,
    },
}

/// Why there is no single credential to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PresentFault {
    /// Two credentials, or one header twice: which of them counts is anyone's guess (RFC 6750 §2).
    Repeated,
    /// `Authorization` with a scheme that no authenticator here takes.
    Scheme,
    /// `Authorization` that is not a scheme and a token.
    Malformed,
    /// A token in the query (RFC 9700 §4.3.2).
    InQuery,
}

/// Finds the credential of a request.
///
/// - `known`: every authenticator of the policy and how it is presented to: a credential for one
///   that the route does not take is still a credential, and is judged as not taken.
pub fn find(
    headers: &Headers,
    query: &CanonicalQuery,
    known: &[(String, Carrier)],
) -> Result<Presented, PresentFault> {
    if query.pairs().iter().any(|(name, _)| name == "access_token") {
        return Err(PresentFault::InQuery);
    }
    if query.pairs().iter().any(|(_, value)| is_key(value, known)) {
        return Err(PresentFault::InQuery);
    }
    let mut found = Vec::new();
    if let Some(value) = headers.get("authorization") {
        found.push(authorization(value, known)?);
    }
    for (authenticator, carrier) in known {
        let Carrier::Header { name, prefix } = carrier else {
            continue;
        };
        let Some(value) = headers.get(name).filter(|_| name != "authorization") else {
            continue;
        };
        // Keys have no comma: a repeated header arrives joined by one.
        if value.contains(',') {
            return Err(PresentFault::Repeated);
        }
        let key = ApiKey::parse(value, prefix);
        found.push(Presented::Key {
            authenticator: authenticator.clone(),
            key,
        });
    }
    match (found.pop(), found.pop()) {
        (None, _) => Ok(Presented::Absent),
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(PresentFault::Repeated),
    }
}

/// Whether a text is an API key of this policy, or a root admin key: its check makes an accident
/// unlikely.
fn is_key(text: &str, known: &[(String, Carrier)]) -> bool {
    let is_root = ApiKey::parse(text, ROOT_PREFIX).is_ok();
    is_root
        || known.iter().any(|(_, carrier)| match carrier {
            Carrier::Header { prefix, .. } => ApiKey::parse(text, prefix).is_ok(),
            Carrier::Token => false,
        })
}

/// Reads `Bearer TOKEN` or `DPoP TOKEN`: the scheme without case, one space, then `b64token`
/// (RFC 6750 §2.1) or `token68` (RFC 9449 §7.1), which are the same.
fn authorization(value: &str, known: &[(String, Carrier)]) -> Result<Presented, PresentFault> {
    if value.contains(',') {
        return Err(PresentFault::Repeated);
    }
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ => return Err(PresentFault::Scheme),
    };
    let body = token.trim_end_matches('=');
    let sound = !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    if !sound {
        return Err(PresentFault::Malformed);
    }
    let key = known
        .iter()
        .find_map(|(authenticator, carrier)| match carrier {
            Carrier::Header { name, prefix } if name == "authorization" => {
                let starts = token
                    .strip_prefix(prefix.as_str())
                    .is_some_and(|rest| rest.starts_with('_'));
                starts.then(|| (authenticator.clone(), ApiKey::parse(token, prefix)))
            }
            Carrier::Header { .. } | Carrier::Token => None,
        });
    if let (Some((authenticator, key)), Scheme::Bearer) = (key, scheme) {
        return Ok(Presented::Key { authenticator, key });
    }
    // A key of the gateway's own in the wrong place is shown to no issuer.
    if is_key(token, known) {
        return Err(PresentFault::Scheme);
    }
    if known.iter().any(|(_, carrier)| *carrier == Carrier::Token) {
        Ok(Presented::Token {
            text: Secret::new(token.to_owned()),
            scheme,
        })
    } else {
        Err(PresentFault::Scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(fields: &[(&str, &str)], query: &str) -> String {
        let known = [
            (
                "keys".to_owned(),
                Carrier::Header {
                    name: "x-api-key".into(),
                    prefix: "ew".into(),
                },
            ),
            ("tokens".to_owned(), Carrier::Token),
        ];
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let query = CanonicalQuery::parse(Some(query)).unwrap();
        match find(&Headers::new(fields.collect()), &query, &known) {
            Ok(Presented::Absent) => "absent".into(),
            Ok(Presented::Key { authenticator, key }) => format!("{authenticator} {}", key.is_ok()),
            Ok(Presented::Token { .. }) => "token".into(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn a_key_in_the_place_of_a_token_is_shown_to_nobody() {
        for prefix in ["ew", ROOT_PREFIX] {
            let body = format!("{prefix}_live_{}_{}", "A".repeat(12), "B".repeat(32));
            let key = format!("{body}{}", crate::credential::api_key::check_of(&body));
            let value = format!("Bearer {key}");
            assert_eq!(find_in(&[("authorization", &value)], ""), "Scheme");
            assert_eq!(find_in(&[], &format!("x={key}")), "InQuery");
        }
    }

    #[test]
    fn one_credential_is_found_where_it_may_stand() {
        for (fields, query, expected) in [
            (vec![], "", "absent"),
            (vec![("authorization", "Bearer a.b.c")], "", "token"),
            (vec![("authorization", "dpop a.b.c")], "", "token"),
            (vec![("authorization", "DPoP a, DPoP b")], "", "Repeated"),
            (vec![("authorization", "bEARER a.b.c==")], "", "token"),
            (vec![("x-api-key", "nonsense")], "", "keys false"),
            (
                vec![("authorization", "Bearer a"), ("x-api-key", "k")],
                "",
                "Repeated",
            ),
            (
                vec![("authorization", "Bearer a, Bearer b")],
                "",
                "Repeated",
            ),
            (vec![("x-api-key", "a, b")], "", "Repeated"),
            (vec![("authorization", "Basic YTpi")], "", "Scheme"),
            (vec![("authorization", "a.b.c")], "", "Scheme"),
            (vec![("authorization", "Bearer")], "", "Malformed"),
            (vec![("authorization", "Bearer ")], "", "Malformed"),
            (vec![("authorization", "Bearer  a")], "", "Malformed"),
            (vec![("authorization", "Bearer\ta")], "", "Scheme"),
            (vec![("authorization", "Bearer a b")], "", "Malformed"),
            (vec![("authorization", "Bearer a\u{a0}")], "", "Malformed"),
            (vec![("authorization", "Bearer {\"alg\"}")], "", "Malformed"),
            (vec![("authorization", "Bearer =")], "", "Malformed"),
            (vec![], "access_token=a", "InQuery"),
            (vec![], "x=1&acc%65ss_token", "InQuery"),
        ] {
            assert_eq!(find_in(&fields, query), expected, "{fields:?} {query}");
        }
    }
}
