//! Who a request turned out to come from.

use serde_json::{Map, Value};

/// How the caller proved itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallerKind {
    ApiKey,
    Token,
}

impl CallerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Token => "token",
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
    /// A token's `iss`; empty for an API key.
    pub issuer: String,
    pub subject: String,
    pub tenant: Option<String>,
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
    pub plan: Option<String>,
    /// An API key's public id.
    pub key_id: Option<String>,
    /// A token's claims; empty for an API key.
    pub claims: Map<String, Value>,
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
