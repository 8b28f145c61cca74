//! Who a request turned out to come from.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::credential::own_limit::OwnLimits;
use crate::facts::UnixMs;
use crate::object::ObjectName;
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
    /// Told by [`KnownCaller::object`] and [`KnownCaller::issuer_object`].
    pub objects: CallerObjects,
}

/// Where a caller is counted, once it was asked for: who shows a token again is not hashed again.
#[derive(Debug, Default)]
pub struct CallerObjects {
    own: OnceCell<ObjectName>,
    issuer: OnceCell<ObjectName>,
}

/// A copy may be changed, and is another caller then.
impl Clone for CallerObjects {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// They follow from who the caller is, and tell nobody apart.
impl PartialEq for CallerObjects {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl KnownCaller {
    /// An API key's public id.
    pub fn key_id(&self) -> Option<&str> {
        match &self.credential {
            Credential::Key { id } => Some(id),
            Credential::Token { .. } | Credential::Configured => None,
        }
    }

    /// The object that counts for this caller and holds the marks against its credentials.
    pub fn object(&self) -> ObjectName {
        let named = || ObjectName::of_caller(&self.authenticator, &self.issuer, &self.subject);
        *self.objects.own.get_or_init(named)
    }

    /// The object that holds the marks over all tokens of its issuer.
    pub fn issuer_object(&self) -> ObjectName {
        let named = || ObjectName::of_issuer(&self.authenticator, &self.issuer);
        *self.objects.issuer.get_or_init(named)
    }
}

/// The caller of a request: an optional identity is a verdict, not an absence.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// A public route, and no credential came.
    Anonymous,
    Known(Rc<KnownCaller>),
}

impl Caller {
    pub fn known(&self) -> Option<&Rc<KnownCaller>> {
        match self {
            Self::Anonymous => None,
            Self::Known(caller) => Some(caller),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_changed_is_counted_as_another() {
        let caller = KnownCaller {
            kind: CallerKind::Token,
            authenticator: "accounts".into(),
            issuer: "https://issuer.example".into(),
            subject: "alice".into(),
            tenant: None,
            scopes: Vec::new(),
            roles: Vec::new(),
            plan: None,
            credential: Credential::Configured,
            good_until_ms: None,
            limits: OwnLimits::new(),
            claims: Map::new(),
            objects: CallerObjects::default(),
        };
        let (own, issuer) = (caller.object(), caller.issuer_object());
        assert_ne!(own, issuer);
        assert_eq!((caller.object(), caller.issuer_object()), (own, issuer));
        let other = KnownCaller {
            authenticator: "others".into(),
            ..caller.clone()
        };
        assert_ne!(other.object(), own);
        assert_ne!(other.issuer_object(), issuer);
        assert_eq!(caller.clone().object(), own);
    }
}
