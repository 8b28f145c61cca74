//! The public keys of an issuer (RFC 7517, RFC 7518 §6, RFC 8037), read strictly.
//!
//! Owns: which members of a key set may verify, and for which one algorithm.
//! Does not own: fetching (`edge::key_sets`), the check itself (`edge::signature`).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::body::json::{POLICY_LIMITS, parse};
use crate::credential::signature::Algorithm;

/// Largest key set that is read, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 65_536;
/// Most keys in one set.
pub const KEYS_MAX: usize = 100;
/// Longest key id, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 256;
/// Smallest and largest RSA modulus, in bytes: 2048 bits (RFC 7518 §3.3) and 8192.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// A key that may verify signatures of its one algorithm.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    /// The key's public members alone, as WebCrypto imports them.
    members: Value,
    thumbprint: String,
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
        fits.then(|| read_key(key, algorithm)).flatten()
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
        Ok(Self(keys.collect()))
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

/// Whether a key has members that only its owner may know (RFC 7518 §6.2.2, §6.3.2, §6.4).
fn has_private(key: &Map<String, Value>) -> bool {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
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
    let octets = |name: &str| {
        let text = key.get(name)?.as_str()?;
        Base64UrlUnpadded::decode_vec(text)
            .ok()
            .map(|octets| (text, octets))
    };
    let coordinates = |curve: &str, length: usize| {
        let ((x, x_octets), (y, y_octets)) = (octets("x")?, octets("y")?);
        // Full length (RFC 7518 §6.2.1.2); that the point is on the curve is the importer's check.
        let sound = x_octets.len() == length && y_octets.len() == length;
        sound.then(|| json!({ "crv": curve, "kty": "EC", "x": x, "y": y }))
    };
    let members = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let ((n, n_octets), (e, e_octets)) = (octets("n")?, octets("e")?);
            let sound = RSA_BYTES.contains(&n_octets.len()) && n_octets.first() != Some(&0);
            // e = 65537: small and even exponents are how forgeries are made.
            (sound && e_octets == [1, 0, 1]).then(|| json!({ "e": e, "kty": "RSA", "n": n }))?
        }
        Algorithm::Es256 => coordinates("P-256", 32)?,
        Algorithm::Es384 => coordinates("P-384", 48)?,
        Algorithm::Ed25519 => {
            let (x, x_octets) = octets("x")?;
            (x_octets.len() == 32).then(|| json!({ "crv": "Ed25519", "kty": "OKP", "x": x }))?
        }
        Algorithm::Hs256 => return None,
    };
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
mod tests {
    use super::*;

    const ALL: [Algorithm; 5] = [
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Ed25519,
    ];

    fn okp(extra: Value) -> Value {
        let x = Base64UrlUnpadded::encode_string(&[7; 32]);
        let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a" });
        if let (Some(key), Some(extra)) = (key.as_object_mut(), extra.as_object()) {
            key.extend(extra.clone());
        }
        key
    }

    fn rsa(n_bytes: usize, e: &[u8]) -> Value {
        let n = Base64UrlUnpadded::encode_string(&vec![0xab; n_bytes]);
        json!({ "kty": "RSA", "n": n, "e": Base64UrlUnpadded::encode_string(e) })
    }

    fn read(keys: Vec<Value>) -> Result<Vec<Algorithm>, KeySetFault> {
        let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), &ALL)?;
        Ok(set.0.iter().map(PublicKey::algorithm).collect())
    }

    #[test]
    fn keys_that_may_not_verify_are_passed_over() {
        for (key, kept) in [
            (okp(json!({})), 1),
            (
                okp(json!({ "use": "sig", "key_ops": ["verify"], "alg": "EdDSA" })),
                1,
            ),
            (okp(json!({ "use": "enc" })), 0),
            (okp(json!({ "use": 1 })), 0),
            (okp(json!({ "key_ops": ["sign"] })), 0),
            (okp(json!({ "key_ops": ["verify", "verify"] })), 0),
            (okp(json!({ "alg": "ES256" })), 0),
            (okp(json!({ "alg": null })), 0),
            (okp(json!({ "kid": 1 })), 0),
            (okp(json!({ "kid": "a".repeat(KEY_ID_BYTES_MAX + 1) })), 0),
            (okp(json!({ "x": "AAAA" })), 0),
            (okp(json!({ "x": "A===" })), 0),
            (okp(json!({ "crv": "Ed448" })), 0),
            (rsa(256, &[1, 0, 1]), 1),
            (rsa(255, &[1, 0, 1]), 0),
            (rsa(1_024, &[1, 0, 1]), 1),
            (rsa(1_025, &[1, 0, 1]), 0),
            (rsa(256, &[3]), 0),
            (rsa(256, &[1]), 0),
            (rsa(256, &[1, 0, 0]), 0),
            (json!("no key"), 0),
            (json!({ "kty": "weird" }), 0),
        ] {
            assert_eq!(
                read(vec![key.clone()]).map(|keys| keys.len()),
                Ok(kept),
                "{key}"
            );
        }
    }

    #[test]
    fn a_set_with_a_private_or_symmetric_key_is_refused_whole() {
        for extra in [json!({ "d": "AA" }), json!({ "kty": "oct", "k": "AA" })] {
            assert_eq!(
                read(vec![okp(json!({})), okp(extra)]),
                Err(KeySetFault::PrivateKey)
            );
        }
    }

    #[test]
    fn a_set_is_bounded() {
        assert!(read(vec![okp(json!({})); KEYS_MAX]).is_ok());
        assert_eq!(
            read(vec![okp(json!({})); KEYS_MAX + 1]),
            Err(KeySetFault::TooManyKeys)
        );
        let spaces = " ".repeat(KEY_SET_BYTES_MAX);
        let sized = format!("{}{{\"keys\":[]}}", &spaces[11..]);
        assert!(KeySet::parse(sized.as_bytes(), &ALL).is_ok());
        let over = format!(" {sized}");
        assert_eq!(
            KeySet::parse(over.as_bytes(), &ALL),
            Err(KeySetFault::TooLarge)
        );
        assert_eq!(KeySet::parse(b"[]", &ALL), Err(KeySetFault::NotAKeySet));
    }

    #[test]
    fn a_token_without_a_key_id_chooses_only_where_there_is_no_choice() {
        let set = |ids: &[&str]| {
            let keys: Vec<_> = ids.iter().map(|id| okp(json!({ "kid": id }))).collect();
            KeySet::from_value(&json!({ "keys": keys }), &ALL).unwrap()
        };
        assert_eq!(set(&["a"]).candidates(None, Algorithm::Ed25519).len(), 1);
        assert_eq!(
            set(&["a", "b"]).candidates(None, Algorithm::Ed25519).len(),
            0
        );
        assert_eq!(
            set(&["a", "b"])
                .candidates(Some("b"), Algorithm::Ed25519)
                .len(),
            1
        );
        assert_eq!(set(&["a"]).candidates(Some("a"), Algorithm::Es256).len(), 0);
    }
}
