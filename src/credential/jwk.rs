//! The public keys of an issuer (RFC 7517, RFC 7518 §6, RFC 8037), read strictly.
//!
//! Owns: which members of a key set may verify, and for which one algorithm; `material` reads the
//! numbers of one key.
//! Does not own: fetching (`edge::key_sets`), the check itself (`edge::signature`).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::body::json::{POLICY_LIMITS, parse};
use crate::credential::signature::Algorithm;

mod material;

/// Largest key set that is read, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 65_536;
/// Most keys in one set.
pub const KEYS_MAX: usize = 100;
/// Longest key id, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 256;

/// A key that may verify signatures of its one algorithm.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    /// The key's public members alone, as WebCrypto imports them.
    members: Value,
    thumbprint: String,
    /// It came with a request, and is nobody's until a token says so.
    is_presented: bool,
}

/// The keys of one issuer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeySet(Vec<PublicKey>);

/// Why a whole set is refused; single keys that do not fit are passed over (RFC 7517 §5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeySetFault {
    TooLarge,
    NotAKeySet,
    TooManyKeys,
    /// A private or symmetric key stands in a public set: nothing in it can be trusted.
    PrivateKey,
}

/// Whether a key set may come under this `Content-Type` (RFC 7517 §8.5.1, and plain JSON, as many
/// issuers say).
pub fn is_key_set_type(content_type: &str) -> bool {
    let kind = content_type.parse::<mime::Mime>();
    kind.is_ok_and(|kind| {
        ["application/jwk-set+json", "application/json"].contains(&kind.essence_str())
    })
}

impl PublicKey {
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn members(&self) -> &Value {
        &self.members
    }

    /// Whether it came with a request: then it is not worth a place in anyone's memory.
    pub fn is_presented(&self) -> bool {
        self.is_presented
    }

    /// The RFC 7638 thumbprint: names the key wherever it came from.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

impl PublicKey {
    /// Reads a key that its holder presents, for `algorithm`; `None` if it does not fit, or has
    /// private members: who shows those has lost the key.
    pub fn presented(key: &Map<String, Value>, algorithm: Algorithm) -> Option<Self> {
        let fits = !has_private(key) && algorithm_of(key, &[algorithm]) == Some(algorithm);
        let read = fits.then(|| read_key(key, algorithm)).flatten();
        read.map(|key| Self {
            is_presented: true,
            ..key
        })
    }
}

impl KeySet {
    /// Reads `{"keys": […]}` as an issuer serves it.
    ///
    /// - `allowed`: the algorithms of the policy. A key is bound to one of them: by its own `alg`,
    ///   else by its type and curve; never by a token.
    pub fn parse(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetFault> {
        if bytes.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetFault::TooLarge);
        }
        let document = parse(bytes, POLICY_LIMITS).map_err(|_| KeySetFault::NotAKeySet)?;
        Self::from_value(&document, allowed)
    }

    /// Reads a parsed key set; see [`KeySet::parse`].
    pub fn from_value(document: &Value, allowed: &[Algorithm]) -> Result<Self, KeySetFault> {
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeySetFault::NotAKeySet)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetFault::TooManyKeys);
        }
        let objects = keys.iter().filter_map(Value::as_object);
        if objects.clone().any(has_private) {
            return Err(KeySetFault::PrivateKey);
        }
        let keys = objects.filter_map(|key| read_key(key, algorithm_of(key, allowed)?));
        let keys: Vec<_> = keys.collect();
        // One key, one algorithm (RFC 8725bis §3.1): which of two is meant is anyone's guess.
        let single = |key: &PublicKey| {
            keys.iter()
                .filter(|other| other.thumbprint == key.thumbprint)
                .all(|other| other.algorithm == key.algorithm)
        };
        Ok(Self(
            keys.iter().filter(|key| single(key)).cloned().collect(),
        ))
    }

    /// The keys that a token may have been signed with: of its algorithm, and of its key id.
    /// A token without a key id has candidates only if there is just one key to choose.
    pub fn candidates(&self, key_id: Option<&str>, algorithm: Algorithm) -> Vec<&PublicKey> {
        let fits = self.0.iter().filter(|key| key.algorithm == algorithm);
        let fits: Vec<_> = match key_id {
            Some(id) => fits.filter(|key| key.id.as_deref() == Some(id)).collect(),
            None => fits.collect(),
        };
        match key_id {
            None if fits.len() > 1 => Vec::new(),
            _ => fits,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a key has members that only its owner may know (RFC 7518 §6.2.2, §6.3.2, §6.4; `priv`
/// is that of newer key types).
fn has_private(key: &Map<String, Value>) -> bool {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    private.iter().any(|member| key.contains_key(*member))
}

/// The one algorithm that `key` may verify (RFC 8725bis §3.1): its own `alg`, else the first of the
/// policy's that its type and curve allow.
fn algorithm_of(key: &Map<String, Value>, allowed: &[Algorithm]) -> Option<Algorithm> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let possible: &[Algorithm] = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => &[Algorithm::Rs256, Algorithm::Ps256],
        (Some("EC"), Some("P-256")) => &[Algorithm::Es256],
        (Some("EC"), Some("P-384")) => &[Algorithm::Es384],
        (Some("OKP"), Some("Ed25519")) => &[Algorithm::Ed25519],
        _ => return None,
    };
    let own = match key.get("alg") {
        None => None,
        Some(name) => Some(name.as_str().and_then(Algorithm::parse)?),
    };
    let mut fitting = allowed.iter().filter(|one| possible.contains(one));
    fitting
        .find(|one| own.is_none_or(|own| own == **one))
        .copied()
}

fn read_key(key: &Map<String, Value>, algorithm: Algorithm) -> Option<PublicKey> {
    if !may_verify(key) {
        return None;
    }
    let members = material::public_members(key, algorithm)?;
    let id = match key.get("kid") {
        None => None,
        Some(Value::String(id)) if id.len() <= KEY_ID_BYTES_MAX => Some(id.clone()),
        Some(_) => return None,
    };
    let digest = Sha256::digest(members.to_string().as_bytes());
    let thumbprint = Base64UrlUnpadded::encode_string(&digest);
    Some(PublicKey {
        id,
        algorithm,
        members,
        thumbprint,
        is_presented: false,
    })
}

/// RFC 7517 §4.2 and §4.3: a key for another use does not verify.
fn may_verify(key: &Map<String, Value>) -> bool {
    let for_signatures = match key.get("use") {
        None => true,
        Some(purpose) => purpose == "sig",
    };
    let operations = match key.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => {
            let mut seen: Vec<&Value> = Vec::new();
            let distinct = operations.iter().all(|operation| {
                let new = !seen.contains(&operation);
                seen.push(operation);
                new
            });
            distinct && operations.iter().any(|operation| operation == "verify")
        }
        Some(_) => false,
    };
    for_signatures && operations
}

#[cfg(test)]
mod tests;
