//! What callers may do, as written: `roles`, `tenancy` and `require`.

use serde::Deserialize;

/// What a role grants: a list of scopes, or that and the roles it inherits.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RoleEntry {
    Scopes(Vec<String>),
    Full {
        #[serde(default)]
        inherits: Vec<String>,
        #[serde(default)]
        scopes: Vec<String>,
    },
}

impl RoleEntry {
    pub fn inherits(&self) -> &[String] {
        match self {
            Self::Scopes(_) => &[],
            Self::Full { inherits, .. } => inherits,
        }
    }

    pub fn scopes(&self) -> &[String] {
        match self {
            Self::Scopes(scopes) | Self::Full { scopes, .. } => scopes,
        }
    }
}

/// Where a request names its tenant: exactly one place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TenancyEntry {
    pub path: Option<String>,
    pub query: Option<String>,
    pub header: Option<String>,
    pub except_roles: Vec<String>,
}

/// What a route says in place of the policy's `tenancy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RouteTenancyEntry {
    Not(NoTenancyEntry),
    Of(TenancyEntry),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTenancyEntry {
    None,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequireEntry {
    pub scopes: ScopesEntry,
    pub roles: Vec<String>,
    pub acr: Vec<String>,
    pub max_auth_age_s: Option<u64>,
}

/// A list: all of them. An object: all of `all`, and one of `any`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ScopesEntry {
    All(Vec<String>),
    Either {
        #[serde(default)]
        all: Vec<String>,
        #[serde(default)]
        any: Vec<String>,
    },
}

impl Default for ScopesEntry {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl ScopesEntry {
    pub fn all(&self) -> &[String] {
        match self {
            Self::All(all) | Self::Either { all, .. } => all,
        }
    }

    pub fn any(&self) -> &[String] {
        match self {
            Self::All(_) => &[],
            Self::Either { any, .. } => any,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all().is_empty() && self.any().is_empty()
    }
}
