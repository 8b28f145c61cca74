//! Who a request turned out to come from.

use serde_json::{Map, Value};

use crate::credential::own_limit::OwnLimits;
use crate::facts::UnixMs;
use crate::revocation::Credential;

/// How the caller proved itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallerKind {
    ApiKey,
    Token,
    Certificate,
}

impl CallerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// A caller whose credential was verified. Two issuers' same subject are two callers: the
/// authenticator and the issuer are part of who it is (RFC 9700 §4.15).
#[derive(Clone, Debug, PartialEq)]
pub struct KnownCaller {
    pub kind: CallerKind,
    /// The policy's name for the authenticator.
    pub authenticator: String,
    /// A token's issuer; empty for another credential.
    pub issuer: String,
    pub subject: String,
    pub tenant: Option<String>,
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
    pub plan: Option<String>,
    pub credential: Credential,
    /// When the credential stops being good by itself; `None` where that is nobody's to say here.
    pub good_until_ms: Option<UnixMs>,
    /// An API key's numbers in place of limits'; empty for another credential.
    pub limits: OwnLimits,
    /// A token's claims; empty for another credential.
    pub claims: Map<String, Value>,
}

impl KnownCaller {
    /// An API key's public id.
    pub fn key_id(&self) -> Option<&str> {
        match &self.credential {
            Credential::Key { id } => Some(id),
            Credential::Token { .. } | Credential::Configured => None,
        }
    }
}

/// The caller of a request: an optional identity is a verdict, not an absence.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// A public route, and no credential came.
    Anonymous,
    Known(Box<KnownCaller>),
}

impl Caller {
    pub fn known(&self) -> Option<&KnownCaller> {
        match self {
            Self::Anonymous => None,
            Self::Known(caller) => Some(caller),
        }
    }
}
