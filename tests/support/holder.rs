//! Whoever holds a key and signs DPoP proofs with it, one for each algorithm.

use base64ct::{Base64UrlUnpadded, Encoding};
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::signer::base64url;

/// The RSA key of RFC 7515 appendix A.2: known to everyone, good for tests alone.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const EXPONENT: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
const PRIMES: [&str; 2] = [
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
];

enum Key {
    Ed25519(ed25519_dalek::SigningKey),
    Es256(p256::ecdsa::SigningKey),
    Es384(p384::ecdsa::SigningKey),
    Rs256(Box<rsa::RsaPrivateKey>),
    Ps256(Box<rsa::RsaPrivateKey>),
}

pub struct Holder {
    key: Key,
    pub algorithm: &'static str,
}

impl Holder {
    /// Two seeds make two keys; there is one RSA key only.
    pub fn new(algorithm: &'static str, seed: u8) -> Self {
        let key = match algorithm {
            "Ed25519" | "EdDSA" => Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[seed; 32])),
            "ES256" => Key::Es256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()),
            "ES384" => Key::Es384(p384::ecdsa::SigningKey::from_slice(&[seed; 48]).unwrap()),
            "RS256" => Key::Rs256(Box::new(rsa_key())),
            "PS256" => Key::Ps256(Box::new(rsa_key())),
            _ => panic!("no key for {algorithm}"),
        };
        Self { key, algorithm }
    }

    /// The public key, its members in the order of RFC 7638 §3.2.
    pub fn jwk(&self) -> Value {
        match &self.key {
            Key::Ed25519(key) => {
                let x = base64url(key.verifying_key().as_bytes());
                json!({ "crv": "Ed25519", "kty": "OKP", "x": x })
            }
            Key::Es256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                point_jwk("P-256", point.as_bytes())
            }
            Key::Es384(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                point_jwk("P-384", point.as_bytes())
            }
            Key::Rs256(_) | Key::Ps256(_) => json!({ "e": "AQAB", "kty": "RSA", "n": MODULUS }),
        }
    }

    /// RFC 7638: the SHA-256 of the members above, without a space.
    pub fn thumbprint(&self) -> String {
        base64url(&Sha256::digest(self.jwk().to_string().as_bytes()))
    }

    pub fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk() })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_text(&self.header().to_string(), &claims.to_string())
    }

    /// Signs any header and payload, as text: also those that no library would make.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let input = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(payload.as_bytes())
        );
        let signature = base64url(&self.signature(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        use rsa::signature::Signer;
        match &self.key {
            Key::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Key::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Key::Es384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Key::Rs256(key) => {
                let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new((**key).clone());
                key.sign(message).to_vec()
            }
            Key::Ps256(key) => {
                let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new((**key).clone());
                key.sign_with_rng(&mut Salt, message).to_vec()
            }
        }
    }

    /// The same signature as ASN.1 DER, which JOSE does not take (RFC 7518 §3.4).
    pub fn sign_der(&self, claims: &Value) -> String {
        use rsa::signature::Signer;
        let Key::Es256(key) = &self.key else {
            panic!("DER is asked of ES256 alone")
        };
        let input = format!(
            "{}.{}",
            base64url(self.header().to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
        format!("{input}.{}", base64url(signature.to_der().as_bytes()))
    }
}

fn point_jwk(curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at((point.len() - 1) / 2);
    json!({ "crv": curve, "kty": "EC", "x": base64url(x), "y": base64url(y) })
}

fn rsa_key() -> rsa::RsaPrivateKey {
    let number = |text| rsa::BigUint::from_bytes_be(&Base64UrlUnpadded::decode_vec(text).unwrap());
    let primes = PRIMES.map(number).to_vec();
    let public = rsa::BigUint::from(65_537_u32);
    rsa::RsaPrivateKey::from_components(number(MODULUS), public, number(EXPONENT), primes).unwrap()
}

/// The salt of a signature that nobody relies on.
struct Salt;

impl rsa::rand_core::RngCore for Salt {
    fn next_u32(&mut self) -> u32 {
        7
    }
    fn next_u64(&mut self) -> u64 {
        7
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        bytes.fill(7);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Salt {}
