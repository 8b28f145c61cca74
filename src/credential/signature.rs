//! A signature check as a question and an answer, so that it can run where it is cheap: in
//! WebCrypto at the edge, in Rust in native tests.
//!
//! Owns: the algorithms and the pairing of answer and question.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credential::jwk::PublicKey;

/// Signature algorithms (RFC 7518 §3, RFC 8037, RFC 9864). There is no `none`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    /// `Ed25519`, and its older polymorphic name `EdDSA`.
    Ed25519,
    Hs256,
}

impl Algorithm {
    /// Reads an `alg` value; case-sensitive (RFC 7515 §4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "Ed25519" | "EdDSA" => Some(Self::Ed25519),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ed25519 => "Ed25519",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether `signature` has a length that this algorithm makes with some key: R and S of ECDSA
    /// at full length side by side (RFC 7518 §3.4), never as ASN.1.
    pub fn may_make(self, signature: &[u8]) -> bool {
        match self {
            Self::Es256 | Self::Ed25519 => signature.len() == 64,
            Self::Es384 => signature.len() == 96,
            Self::Hs256 => signature.len() == 32,
            // As long as the key's modulus, which whoever holds the key compares.
            Self::Rs256 | Self::Ps256 => (256..=1_024).contains(&signature.len()),
        }
    }
}

/// Whether `signature` over `message` was made with `key`'s private half. It does not change: its digest is made once.
#[derive(Clone, Debug)]
pub struct SignatureQuestion {
    algorithm: Algorithm,
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
    digest: QuestionDigest,
}

/// A digest of everything a signature question says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuestionDigest([u8; 32]);

/// The answer, bound to its question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignatureAnswer {
    of: QuestionDigest,
    valid: bool,
}

impl SignatureQuestion {
    pub fn new(algorithm: Algorithm, key: PublicKey, message: Vec<u8>, signature: Vec<u8>) -> Self {
        let digest = digest(algorithm, key.thumbprint(), &message, &signature);
        Self {
            algorithm,
            key,
            message,
            signature,
            digest,
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub fn message(&self) -> &[u8] {
        &self.message
    }

    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub fn digest(&self) -> QuestionDigest {
        self.digest
    }

    /// Pairs what a verifier found with this question.
    pub fn answered(&self, valid: bool) -> SignatureAnswer {
        SignatureAnswer {
            of: self.digest,
            valid,
        }
    }
}

impl SignatureAnswer {
    /// Whether this answers `question`, and with yes.
    pub fn proves(&self, question: QuestionDigest) -> bool {
        self.valid && self.of == question
    }

    pub fn answers(&self, question: QuestionDigest) -> bool {
        self.of == question
    }
}

/// HMAC-SHA-256 is checked here: a crossing into JavaScript would cost more than the hash.
pub fn verify_hs256(secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    mac.update(message);
    let expected: [u8; 32] = mac.finalize().into_bytes().into();
    expected.ct_eq(signature).into()
}

fn digest(algorithm: Algorithm, key: &str, message: &[u8], signature: &[u8]) -> QuestionDigest {
    let mut hash = Sha256::new();
    for part in [
        algorithm.as_str().as_bytes(),
        key.as_bytes(),
        message,
        signature,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    QuestionDigest(hash.finalize().into())
}
