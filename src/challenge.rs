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
        let realm = asking.realm;
        match self {
            Self::Bearer => {
                let error = token_error(refusal).map(parameters).unwrap_or_default();
                let metadata = asking.metadata;
                format!("Bearer realm=\"{realm}\"{error}, resource_metadata=\"{metadata}\"")
            }
            Self::Dpop => {
                let error = proof_error(refusal).or_else(|| token_error(refusal));
                let error = error.map(parameters).unwrap_or_default();
                let names: Vec<_> = ALGORITHMS.iter().map(|one| one.as_str()).collect();
                let (names, metadata) = (names.join(" "), asking.metadata);
                format!(
                    "DPoP realm=\"{realm}\"{error}, algs=\"{names}\", resource_metadata=\"{metadata}\""
                )
            }
            Self::ApiKey { header } => format!("ApiKey realm=\"{realm}\", header=\"{header}\""),
            Self::ClientCertificate => format!("ClientCertificate realm=\"{realm}\""),
        }
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

/// The values come from the policy, whose schema keeps quotes and backslashes out of them.
fn parameters(told: Vec<(&'static str, String)>) -> String {
    let told = told.into_iter();
    told.map(|(name, value)| format!(", {name}=\"{value}\""))
        .collect()
}
