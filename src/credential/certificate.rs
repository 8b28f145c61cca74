//! Client certificates as credentials of their own: those that the policy lists.
//!
//! Owns: whether a certificate is a caller's. Does not own: the TLS handshake, which is the
//! platform's, as is the check of the certificate's chain.

use crate::credential::caller::{CallerKind, CallerObjects, KnownCaller};
use crate::credential::own_limit::OwnLimits;
use crate::facts::ClientCertificate;
use crate::revocation::Credential;

/// A certificate that the policy lists, and the caller it stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateSubject {
    pub fingerprint: [u8; 32],
    pub subject: String,
    pub tenant: Option<String>,
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
    pub plan: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificateFault {
    /// The platform could not verify it, or it is revoked.
    Unverified,
    /// No authenticator of the route lists it.
    Unknown,
}

/// Finds the caller of a certificate.
///
/// - `known`: the route's authenticators of this kind, each with its name.
pub fn admit<'a>(
    certificate: &ClientCertificate,
    known: impl Iterator<Item = (&'a str, &'a [CertificateSubject])>,
) -> Result<KnownCaller, CertificateFault> {
    if !certificate.is_verified {
        return Err(CertificateFault::Unverified);
    }
    // Fingerprints are public: there is nothing here for a clock to tell.
    let mut listed = known.flat_map(|(name, subjects)| subjects.iter().map(move |one| (name, one)));
    let found = listed.find(|(_, one)| one.fingerprint == certificate.fingerprint);
    let (authenticator, listed) = found.ok_or(CertificateFault::Unknown)?;
    Ok(KnownCaller {
        kind: CallerKind::Certificate,
        authenticator: authenticator.to_owned(),
        issuer: String::new(),
        subject: listed.subject.clone(),
        tenant: listed.tenant.clone(),
        scopes: listed.scopes.clone(),
        roles: listed.roles.clone(),
        plan: listed.plan.clone(),
        credential: Credential::Configured,
        // The platform says of a certificate that it is good now.
        good_until_ms: None,
        limits: OwnLimits::new(),
        claims: serde_json::Map::new(),
        objects: CallerObjects::default(),
    })
}

/// Reads 64 hexadecimal digits, in either case.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let octet = |[high, low]: &[u8; 2]| u8::try_from(digit(high)? * 16 + digit(low)?).ok();
    let octets: Option<Vec<u8>> = pairs.iter().map(octet).collect();
    octets?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_64_hexadecimal_digits() {
        assert_eq!(parse_fingerprint(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(parse_fingerprint(&"0F".repeat(32)), Some([15; 32]));
        for wrong in [
            "",
            "0f",
            &"0f".repeat(33),
            &"0g".repeat(32),
            &"f".repeat(63),
        ] {
            assert_eq!(parse_fingerprint(wrong), None, "{wrong}");
        }
    }
}
