//! What is stored of one API key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::credential::own_limit::OwnLimits;
use crate::facts::UnixMs;

/// How long a key lives; that it does not end has to be said.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Expiry {
    /// Unix seconds.
    At(u64),
    Never(Never),
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Never {
    Never,
}

impl Expiry {
    /// When it ends, in Unix milliseconds; `None`: never.
    pub fn until_ms(&self) -> Option<UnixMs> {
        match self {
            Self::At(at_s) => Some(at_s.saturating_mul(1_000)),
            Self::Never(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Active,
    /// Replaced, and still admitted until it expires.
    Retiring,
    Revoked,
}

/// A key at rest. `STORE` holds it as JSON under `key/ID`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    pub id: String,
    /// base64url of HMAC-SHA-256 of the secret under the pepper.
    pub hash: String,
    /// The id of that pepper.
    pub pepper: String,
    /// The policy's name of the authenticator it is for; one made by hand may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<String>,
    /// `live` or `test`, as it stands in the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Networks it may be used from; empty for any.
    #[serde(default)]
    pub cidrs: Vec<String>,
    /// Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    pub expires_at: Expiry,
    /// Numbers of the key's own, by the names of limits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: OwnLimits,
    pub state: KeyState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl KeyRecord {
    /// Whether the key is for the authenticator of this name.
    pub fn is_of(&self, authenticator: &str) -> bool {
        let own = self.authenticator.as_deref();
        own.is_none_or(|own| own == authenticator)
    }
}
