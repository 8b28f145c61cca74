//! `WWW-Authenticate`: how a caller may prove itself, and what was wrong with how it did
//! (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3, RFC 9728 §5.1).
//!
//! Owns: the challenges' text, one a field line. Does not own: which a route has (`stage::routed`).

use crate::credential::dpop::ALGORITHMS;
use crate::problem::{Slug, slug_of};
use crate::refusal::Refusal;

/// A credential that a route takes, as an authentication scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Challenge {
    Bearer,
    Dpop,
    ApiKey {
        header: String,
    },
    /// There is no scheme for what stands on the connection; a 401 needs one all the same
    /// (RFC 9110 §15.5.2).
    ClientCertificate,
}

/// What all challenges of one answer share.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The policy's name; printable ASCII.
    pub realm: &'a str,
    /// Where the API's metadata is published (RFC 9728).
    pub metadata: &'a str,
}

impl Challenge {
    /// The field's value in the answer to `refusal`.
    pub fn value(&self, asking: &Asking<'_>, refusal: &Refusal) -> String {
        let realm = ("realm", asking.realm.to_owned());
        let metadata = ("resource_metadata", asking.metadata.to_owned());
        let (scheme, told) = match self {
            Self::Bearer => {
                let error = token_error(refusal).unwrap_or_default();
                ("Bearer", [vec![realm], error, vec![metadata]].concat())
            }
            Self::Dpop => {
                let error = proof_error(refusal).or_else(|| token_error(refusal));
                let names: Vec<_> = ALGORITHMS.iter().map(|one| one.as_str()).collect();
                let algorithms = ("algs", names.join(" "));
                let error = error.unwrap_or_default();
                (
                    "DPoP",
                    [vec![realm], error, vec![algorithms, metadata]].concat(),
                )
            }
            Self::ApiKey { header } => ("ApiKey", vec![realm, ("header", header.clone())]),
            Self::ClientCertificate => ("ClientCertificate", vec![realm]),
        };
        let told: Vec<_> = told
            .iter()
            .map(|(name, value)| parameter(name, value))
            .collect();
        format!("{scheme} {}", told.join(", "))
    }

    /// Whether it is answered with an OAuth token.
    pub fn is_of_token(&self) -> bool {
        matches!(self, Self::Bearer | Self::Dpop)
    }
}

/// RFC 6750 §3.1: no error where no credential came.
fn token_error(refusal: &Refusal) -> Option<Vec<(&'static str, String)>> {
    match refusal {
        // A bad key too: what is told does not say which kind of credential is how near to good.
        _ if slug_of(refusal) == Slug::CredentialInvalid => {
            Some(vec![("error", "invalid_token".into())])
        }
        Refusal::MissingScopes { missing } => Some(vec![
            ("error", "insufficient_scope".into()),
            ("scope", missing.join(" ")),
        ]),
        // One is enough: a client is not sent for all of them.
        Refusal::MissingAnyScope { any } => Some(vec![
            ("error", "insufficient_scope".into()),
            ("scope", any.first().cloned().unwrap_or_default()),
        ]),
        Refusal::StepUp {
            acr,
            max_auth_age_s,
        } => {
            let mut told = vec![("error", "insufficient_user_authentication".to_owned())];
            if !acr.is_empty() {
                told.push(("acr_values", acr.join(" ")));
            }
            told.extend(max_auth_age_s.map(|age_s| ("max_age", age_s.to_string())));
            Some(told)
        }
        _ => None,
    }
}

fn proof_error(refusal: &Refusal) -> Option<Vec<(&'static str, String)>> {
    let error = match refusal {
        Refusal::ProofRefused { .. } => "invalid_dpop_proof",
        Refusal::NonceNeeded => "use_dpop_nonce",
        _ => return None,
    };
    Some(vec![("error", error.to_owned())])
}

/// A parameter with a quoted value (RFC 9110 §5.6.4). A policy's schema keeps quotes out of most
/// values, but not a client out of its `Host`: none may end the quotes, or the field.
fn parameter(name: &str, value: &str) -> String {
    let mut text = format!("{name}=\"");
    for letter in value.chars().filter(|letter| matches!(letter, ' '..='~')) {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    text
}
