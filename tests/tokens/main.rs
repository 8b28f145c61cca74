//! Tokens that must not pass, by the ids of `docs/STANDARDS.md` (RFC 7515: JS, RFC 7797: B6,
//! RFC 7519: JW, RFC 8725bis: B, RFC 9068: AT, RFC 6750: BR, RFC 7518: AL, RFC 7517: JK), and
//! published vectors.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod access;
mod algorithms;
mod bearer;
mod claims;
mod form;
mod header;
mod key_sets;
mod mutations;
mod practices;
mod standards;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
mod wycheproof;

use edgeward::credential::claims::ClaimNames;
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, KeySource, TokenFault, UnverifiedToken};
use edgeward::credential::possession::{Scheme, SenderConstraint, Shown};
use edgeward::credential::signature::Algorithm;
use edgeward::credential::verified::TokenRule;
use serde_json::{Value, json};
use support::NOW_MS;
use support::signer::{self, Issuer};

const NOW_S: u64 = NOW_MS / 1_000;

fn rule(algorithms: &[Algorithm], keys: KeySource) -> JwtRule {
    JwtRule {
        token: TokenRule {
            name: "accounts".into(),
            audiences: vec!["https://api.example".into()],
            leeway_s: 30,
            sender_constraint: SenderConstraint::Optional,
            nonce_key: None,
            claims: ClaimNames {
                scopes: "scope".into(),
                roles: Some("roles".into()),
                tenant: Some("org".into()),
                plan: None,
                version: Some("ver".into()),
            },
        },
        issuer: "https://issuer.example".into(),
        algorithms: algorithms.to_vec(),
        keys,
        token_type: None,
        max_lifetime_s: 900,
    }
}

const BEARER: Shown<'static> = Shown {
    scheme: Scheme::Bearer,
    key: None,
    certificate: None,
};

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "alice",
        "iat": NOW_S, "exp": NOW_S + 300, "scope": "read write", "roles": ["customer"], "org": "acme"
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// What [`judge`] says of a good token.
fn alice() -> Result<String, TokenFault> {
    Ok("alice".into())
}

fn wrong_claim(claim: &'static str) -> Result<String, TokenFault> {
    Err(TokenFault::Claim { claim })
}

fn wrong_header(parameter: &'static str) -> Result<String, TokenFault> {
    Err(TokenFault::Header { parameter })
}

/// Judges a token by an issuer's published keys, signatures checked in Rust.
fn judge_by(text: &str, rule: &JwtRule, keys: &KeySet, now_ms: u64) -> Result<String, TokenFault> {
    let token = UnverifiedToken::parse(text)?;
    let mut last = TokenFault::KeyUnknown;
    for question in token.questions(rule, keys)? {
        let answer = question.answered(signer::verify(&question));
        match token.clone().verify(rule, &question, answer, now_ms) {
            Ok(verified) => {
                let caller = verified.admit(now_ms, &BEARER)?;
                return Ok(caller.subject.clone());
            }
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

fn issuer() -> Issuer {
    Issuer::new(1, "one")
}

fn ed25519() -> (JwtRule, KeySet) {
    let set = json!({ "keys": [issuer().jwk()] });
    let keys = KeySet::from_value(&set, &[Algorithm::Ed25519]).unwrap();
    (
        rule(&[Algorithm::Ed25519], KeySource::Inline(keys.clone())),
        keys,
    )
}

fn judge(text: &str) -> Result<String, TokenFault> {
    let (rule, keys) = ed25519();
    judge_by(text, &rule, &keys, NOW_MS)
}

/// Signs these claims as a good token says them, and judges it.
fn judge_claims(claims: &Value) -> Result<String, TokenFault> {
    judge(&issuer().sign(claims))
}

/// Signs good claims under this header, and judges the token.
fn judge_header(header: &Value) -> Result<String, TokenFault> {
    judge(&issuer().sign_text(&header.to_string(), &claims().to_string()))
}

/// A good header, with one parameter set.
fn header_with(name: &str, value: Value) -> Value {
    let mut header = issuer().header();
    header[name] = value;
    header
}

/// Holds each row's outcome against what it says; the row is told where they differ.
fn expect<I: std::fmt::Debug>(
    judge: impl Fn(&I) -> Result<String, TokenFault>,
    rows: impl IntoIterator<Item = (I, Result<String, TokenFault>)>,
) {
    for (row, expected) in rows {
        assert_eq!(judge(&row), expected, "{row:?}");
    }
}
