//! Compact JSON Web Signatures, read strictly (RFC 7515, RFC 7797, RFC 8725bis): one text, one
//! reading, one algorithm that a key and the policy agree on.
//!
//! Owns: the form, the header, and what a signature check is asked. Does not own: claims
//! (`credential::jwt`), keys (`credential::jwk`), the check itself (`credential::signature`).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

use crate::body::json::{TOKEN_LIMITS, parse};
use crate::credential::jwk::{KEY_ID_BYTES_MAX, KeySet, PublicKey};
use crate::credential::jwt::TokenFault;
use crate::credential::signature::{Algorithm, SignatureAnswer, SignatureQuestion, verify_hs256};
use crate::secret::Secret;

/// Longest token, and longest header of one, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8_192;
pub const HEADER_BYTES_MAX: usize = 2_048;
/// Most keys that one token is tried against.
pub const ATTEMPTS_MAX: usize = 3;

/// Header parameters that choose keys or change the reading (RFC 7515 §4.1, RFC 7797 §3,
/// RFC 7516 §4.1.3): none may be there. `crit` names what must be understood; nothing is.
const FORBIDDEN: [&str; 8] = ["crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "cty"];

/// A signed text that reads as one; its signature is not checked.
#[derive(Clone, Debug)]
pub struct CompactJws {
    text: Secret,
    algorithm: Algorithm,
    key_id: Option<String>,
    token_type: Option<String>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl CompactJws {
    /// Reads `HEADER.PAYLOAD.SIGNATURE` (RFC 7515 §7.1); the payload may be any bytes.
    ///
    /// Refuses: other than three parts (an encrypted token has five, the JSON serialization one),
    /// base64url in any but its one spelling, no signature, a header that is not a JSON object
    /// with one reading, that has a forbidden parameter or none of the algorithms known
    /// here. Total: no input panics.
    pub fn parse(text: &str) -> Result<Self, TokenFault> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::TooLarge);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err(TokenFault::Malformed);
        };
        if header.len() > HEADER_BYTES_MAX {
            return Err(TokenFault::TooLarge);
        }
        if signature.is_empty() {
            return Err(TokenFault::Malformed);
        }
        let Ok(Value::Object(header)) = parse(&decode(header)?, TOKEN_LIMITS) else {
            return Err(TokenFault::Malformed);
        };
        let found = FORBIDDEN.iter().find(|name| header.contains_key(**name));
        if let Some(parameter) = found {
            return Err(TokenFault::Header { parameter });
        }
        let algorithm = text_of(&header, "alg")?.and_then(Algorithm::parse);
        Ok(Self {
            algorithm: algorithm.ok_or(TokenFault::Algorithm)?,
            key_id: text_of(&header, "kid")?.map(str::to_owned),
            token_type: text_of(&header, "typ")?.map(str::to_owned),
            payload: decode(payload)?,
            signature: decode(signature)?,
            text: Secret::new(text.to_owned()),
        })
    }

    /// What the header says; a key has to agree.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn text(&self) -> &Secret {
        &self.text
    }

    /// The signature checks that would prove it, at most [`ATTEMPTS_MAX`].
    ///
    /// - `allowed`: the policy's algorithms.
    /// - `keys`: of the one issuer it is from. A key is asked of its own algorithm alone.
    ///
    /// Fails on an algorithm that is not allowed, on a signature of a length that no key of the
    /// algorithm makes, and where no key is left to ask.
    pub fn questions(
        &self,
        allowed: &[Algorithm],
        keys: &KeySet,
    ) -> Result<Vec<SignatureQuestion>, TokenFault> {
        if !allowed.contains(&self.algorithm) {
            return Err(TokenFault::Algorithm);
        }
        if !self.algorithm.may_make(&self.signature) {
            return Err(TokenFault::Signature);
        }
        let candidates = keys.candidates(self.key_id.as_deref(), self.algorithm);
        let question = |key: &PublicKey| {
            let message = self.signing_input().to_vec();
            SignatureQuestion::new(self.algorithm, key.clone(), message, self.signature.clone())
        };
        let asked = candidates.into_iter().take(ATTEMPTS_MAX).map(question);
        let questions: Vec<_> = asked.collect();
        if questions.is_empty() {
            Err(TokenFault::KeyUnknown)
        } else {
            Ok(questions)
        }
    }

    /// Whether `answer` is yes to `question`, and `question` is about this text.
    pub fn is_proven_by(&self, question: &SignatureQuestion, answer: SignatureAnswer) -> bool {
        question.message() == self.signing_input()
            && question.signature() == self.signature
            && question.algorithm() == self.algorithm
            && question.key().algorithm() == self.algorithm
            && answer.proves(question.digest())
    }

    /// Whether it is an HS256 text made with `secret`.
    pub fn is_sealed_by(&self, secret: &[u8]) -> bool {
        self.algorithm == Algorithm::Hs256
            && verify_hs256(secret, self.signing_input(), &self.signature)
    }

    /// What is signed: the text before the last point (RFC 7515 §5.2).
    fn signing_input(&self) -> &[u8] {
        let parts = self.text.expose().rsplit_once('.');
        parts.map_or(&[], |(input, _)| input.as_bytes())
    }
}

/// A header parameter that is text, where it is there at all: of another type it is wrong, not
/// absent.
fn text_of<'a>(
    header: &'a Map<String, Value>,
    parameter: &'static str,
) -> Result<Option<&'a str>, TokenFault> {
    match header.get(parameter) {
        None => Ok(None),
        Some(Value::String(value)) if value.len() <= KEY_ID_BYTES_MAX => Ok(Some(value)),
        Some(_) => Err(TokenFault::Header { parameter }),
    }
}

/// Base64url without padding, in its one spelling (RFC 7515 §2): no other character, and no bits
/// left over in the last.
fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenFault::Malformed)
}
