//! What binds a token to its caller, and what a request shows to prove that it may use it: a key
//! (DPoP, RFC 9449) or a client certificate (RFC 8705).
//!
//! Owns: `cnf` and the one judgment over it. Does not own: reading a proof (`credential::dpop`).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use crate::credential::dpop::ProvenKey;
use crate::credential::jwt::TokenFault;
use crate::facts::ClientCertificate;

/// Whether tokens of an authenticator have to be bound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SenderConstraint {
    /// Bearer tokens alone; a bound one is refused.
    Off,
    /// A binding that a token has is checked.
    #[default]
    Optional,
    /// A token without a binding is refused.
    Required,
}

/// The scheme that a token came under (RFC 6750 §2.1, RFC 9449 §7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    Bearer,
    Dpop,
}

/// What a request shows beside the token.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub scheme: Scheme,
    pub key: Option<&'a ProvenKey>,
    pub certificate: Option<&'a ClientCertificate>,
}

/// The `cnf` claim (RFC 7800 §3.1): what a token is bound to. Both at once bind to both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Confirmation {
    /// `x5t#S256` (RFC 8705 §3.1).
    certificate: Option<[u8; 32]>,
    /// `jkt`: an RFC 7638 thumbprint (RFC 9449 §6.1).
    key: Option<String>,
}

impl Confirmation {
    /// Reads `cnf` of a token's claims or of an introspection answer.
    ///
    /// Fails on a member that is not known: a binding that is not checked is none.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, TokenFault> {
        let wrong = TokenFault::Claim { claim: "cnf" };
        let members = match claims.get("cnf") {
            None => return Ok(Self::default()),
            Some(Value::Object(members)) if !members.is_empty() => members,
            Some(_) => return Err(wrong),
        };
        let mut read = Self::default();
        for (name, value) in members {
            let digest = value.as_str().and_then(digest_of).ok_or(wrong)?;
            match name.as_str() {
                "x5t#S256" => read.certificate = Some(digest),
                "jkt" => read.key = value.as_str().map(str::to_owned),
                _ => return Err(TokenFault::Bound),
            }
        }
        Ok(read)
    }

    /// Whether the token is bound to the key of this thumbprint.
    pub fn is_to_key(&self, thumbprint: &str) -> bool {
        let same = |key: &String| key.as_bytes().ct_eq(thumbprint.as_bytes()).into();
        self.key.as_ref().is_some_and(same)
    }

    /// Whether what was shown is what the token is bound to.
    ///
    /// A bound token as a bearer token is refused (RFC 9449 §7.2), and so is an unbound one under
    /// `DPoP`: its proof proves nothing of it.
    pub fn check(&self, constraint: SenderConstraint, shown: &Shown<'_>) -> Result<(), TokenFault> {
        let bound = self.key.is_some() || self.certificate.is_some();
        match (constraint, bound) {
            (SenderConstraint::Off, true) => return Err(TokenFault::Bound),
            (SenderConstraint::Required, false) => return Err(TokenFault::Unbound),
            _ => {}
        }
        let key_fits = match (&self.key, shown.scheme) {
            (Some(_), Scheme::Dpop) => {
                let proven = shown.key.map(ProvenKey::thumbprint);
                proven.is_some_and(|thumbprint| self.is_to_key(thumbprint))
            }
            (Some(_), Scheme::Bearer) => false,
            (None, Scheme::Dpop) => return Err(TokenFault::Unbound),
            (None, Scheme::Bearer) => true,
        };
        let certificate_fits = self.certificate.as_ref().is_none_or(|bound| {
            let verified = shown.certificate.filter(|shown| shown.is_verified);
            verified.is_some_and(|shown| shown.fingerprint.ct_eq(bound).into())
        });
        match key_fits && certificate_fits {
            true => Ok(()),
            false => Err(TokenFault::Bound),
        }
    }
}

/// 32 bytes in their one spelling as base64url (RFC 7515 §2).
fn digest_of(text: &str) -> Option<[u8; 32]> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    bytes.try_into().ok()
}
