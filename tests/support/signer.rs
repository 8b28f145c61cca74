//! The native twin of WebCrypto: the same questions, answered by Rust crates, and tokens to ask
//! about.

use base64ct::{Base64UrlUnpadded, Encoding};
use edgeward::credential::signature::{Algorithm, SignatureQuestion};
use edgeward::identity::IdentityKeys;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn member(question: &SignatureQuestion, name: &str) -> Vec<u8> {
    let text = question.key().members()[name]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Base64UrlUnpadded::decode_vec(&text).unwrap_or_default()
}

/// Signs as an Ed25519 key would that is held in a binding.
pub fn sign(keys: &IdentityKeys, text: &str) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let jwk: Value = serde_json::from_str(keys.private().expose()).unwrap();
    let seed = Base64UrlUnpadded::decode_vec(jwk["d"].as_str().unwrap()).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
    key.sign(text.as_bytes()).to_bytes().to_vec()
}

/// Checks a signature in Rust.
pub fn verify(question: &SignatureQuestion) -> bool {
    match question.algorithm() {
        Algorithm::Ed25519 => ed25519(question),
        Algorithm::Es256 => {
            use p256::ecdsa::signature::Verifier;
            let (x, y) = (member(question, "x"), member(question, "y"));
            let point = [&[4][..], &x, &y].concat();
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point);
            let signature = p256::ecdsa::Signature::from_slice(question.signature());
            matches!((key, signature), (Ok(key), Ok(signature))
                if key.verify(question.message(), &signature).is_ok())
        }
        Algorithm::Es384 => {
            use p384::ecdsa::signature::Verifier;
            let (x, y) = (member(question, "x"), member(question, "y"));
            let point = [&[4][..], &x, &y].concat();
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point);
            let signature = p384::ecdsa::Signature::from_slice(question.signature());
            matches!((key, signature), (Ok(key), Ok(signature))
                if key.verify(question.message(), &signature).is_ok())
        }
        Algorithm::Rs256 | Algorithm::Ps256 => rsa(question),
        Algorithm::Hs256 => false,
    }
}

fn ed25519(question: &SignatureQuestion) -> bool {
    let key = <[u8; 32]>::try_from(member(question, "x")).ok();
    let key = key.and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(&key).ok());
    let signature = ed25519_dalek::Signature::from_slice(question.signature()).ok();
    matches!((key, signature), (Some(key), Some(signature))
        if key.verify_strict(question.message(), &signature).is_ok())
}

fn rsa(question: &SignatureQuestion) -> bool {
    use rsa::signature::Verifier;
    let number = |name| rsa::BigUint::from_bytes_be(&member(question, name));
    let Ok(key) = rsa::RsaPublicKey::new(number("n"), number("e")) else {
        return false;
    };
    match question.algorithm() {
        Algorithm::Rs256 => {
            let key = rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(key);
            rsa::pkcs1v15::Signature::try_from(question.signature())
                .is_ok_and(|signature| key.verify(question.message(), &signature).is_ok())
        }
        _ => {
            let key = rsa::pss::VerifyingKey::<rsa::sha2::Sha256>::new(key);
            rsa::pss::Signature::try_from(question.signature())
                .is_ok_and(|signature| key.verify(question.message(), &signature).is_ok())
        }
    }
}

/// An Ed25519 issuer.
pub struct Issuer {
    key: ed25519_dalek::SigningKey,
    pub key_id: &'static str,
}

impl Issuer {
    pub fn new(seed: u8, key_id: &'static str) -> Self {
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(&[seed; 32]),
            key_id,
        }
    }

    pub fn jwk(&self) -> Value {
        let x = base64url(self.key.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.key_id })
    }

    pub fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.key_id })
    }

    /// Signs any header and payload, as text: also those that no library would make.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let (header, payload) = (header.as_bytes(), payload.as_bytes());
        self.sign_input(&format!("{}.{}", base64url(header), base64url(payload)))
    }

    /// Signs any text as if it were header and payload.
    pub fn sign_input(&self, input: &str) -> String {
        use ed25519_dalek::Signer;
        let signature = self.key.sign(input.as_bytes()).to_bytes();
        format!("{input}.{}", base64url(&signature))
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_text(&self.header().to_string(), &claims.to_string())
    }
}

/// Signs with the P-256 key `[seed; 32]`, whatever `header` says; see [`es256_jwk`].
pub fn es256(seed: u8, header: &Value, claims: &Value) -> String {
    use p256::ecdsa::signature::Signer;
    let input = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    );
    let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
    let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature.to_bytes()))
}

/// The public half of the P-256 key `[seed; 32]`.
pub fn es256_jwk(seed: u8, key_id: &str) -> Value {
    let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
    let point = key.verifying_key().to_encoded_point(false);
    let (x, y) = (base64url(point.x().unwrap()), base64url(point.y().unwrap()));
    json!({ "kty": "EC", "crv": "P-256", "kid": key_id, "x": x, "y": y })
}

/// Signs with HMAC-SHA-256, whatever `header` says.
pub fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let input = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(input.as_bytes());
    format!("{input}.{}", base64url(&mac.finalize().into_bytes()))
}
