//! DPoP proofs (RFC 9449): that whoever sends a token holds the key it is bound to.
//!
//! Owns: the strict reading of a proof and the order of its checks, each a step that the next
//! needs. Does not own: the signature check (`credential::signature`), the memory of what was
//! used (`replay`), what a token is bound to (`credential::possession`).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::body::json::{TOKEN_LIMITS, parse};
use crate::credential::claims;
use crate::credential::jwk::PublicKey;
use crate::credential::signature::{Algorithm, SignatureAnswer, SignatureQuestion};
use crate::facts::UnixMs;
use crate::path::CanonicalPath;
use crate::replay::{ReplayAnswer, ReplayQuestion};

/// Longest proof, in bytes.
pub const PROOF_BYTES_MAX: usize = 8_192;
/// Longest `jti` of a proof, in bytes.
pub const JTI_BYTES_MAX: usize = 256;
/// How far `iat` may lie from now, in either direction.
pub const PROOF_AGE_S_MAX: u64 = 60;
/// How much longer than it is good a proof is remembered: the request may have waited for other
/// answers, and the clock of the memory is another.
const MEMORY_MORE_S: u64 = 30;
/// What proofs may be signed with: asymmetric all.
pub const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Es256,
    Algorithm::Ed25519,
    Algorithm::Es384,
    Algorithm::Ps256,
    Algorithm::Rs256,
];

/// Why a proof is refused (RFC 9449 §4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProofFault {
    /// The scheme is `DPoP`, and there is no proof.
    Missing,
    TooLarge,
    Malformed,
    Type,
    Algorithm,
    /// No public key of the algorithm's kind, or one with private members.
    Key,
    Claim {
        claim: &'static str,
    },
    Method,
    Target,
    Time,
    /// `ath` is of another token.
    Token,
    Signature,
    Replayed,
}

/// A proof that reads as one; its signature is not checked.
#[derive(Clone, Debug)]
pub struct Proof {
    question: SignatureQuestion,
    token_id: String,
    method: String,
    target: Option<String>,
    issued_at_s: u64,
    token_hash: Option<String>,
    nonce: Option<String>,
}

/// The request that a proof has to be made for.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// As sent; compared with case (RFC 9110 §9.1).
    pub method: &'a str,
    /// Scheme, authority and path, in the spelling of [`target`].
    pub target: &'a str,
    /// The token's text.
    pub token: &'a str,
    pub now_ms: UnixMs,
}

/// A proof that was made for this request, by the holder of its key. There is no copy of it: it is
/// spent by the answer whether it was used before.
#[derive(Debug)]
pub struct SignedProof {
    thumbprint: String,
    question: ReplayQuestion,
}

/// A key that the sender of this request holds, by a proof that was not used before.
#[derive(Debug, Eq, PartialEq)]
pub struct ProvenKey {
    thumbprint: String,
}

impl Proof {
    /// Reads a proof.
    ///
    /// Refuses what is no compact JWS of type `dpop+jwt` with a public `jwk` of its algorithm and
    /// the claims `jti`, `htm`, `htu` and `iat`, and header parameters that change the reading.
    pub fn parse(text: &str) -> Result<Self, ProofFault> {
        if text.len() > PROOF_BYTES_MAX {
            return Err(ProofFault::TooLarge);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(ProofFault::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(ProofFault::Malformed)?;
        let signature = Base64UrlUnpadded::decode_vec(signature);
        let signature = signature.map_err(|_| ProofFault::Malformed)?;
        let (header, claims) = (object(header)?, object(payload)?);
        let key = key_of(&header)?;
        let text_of = |claim: &'static str| match claims.get(claim) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            _ => Err(ProofFault::Claim { claim }),
        };
        let optional = |claim: &'static str| match claims.contains_key(claim) {
            true => text_of(claim).map(Some),
            false => Ok(None),
        };
        let message = message.as_bytes().to_vec();
        let question = SignatureQuestion::new(key.algorithm(), key, message, signature);
        let token_id = text_of("jti")?;
        if token_id.len() > JTI_BYTES_MAX {
            return Err(ProofFault::Claim { claim: "jti" });
        }
        let wrong_time = ProofFault::Claim { claim: "iat" };
        let issued_at_s = claims::date_s(&claims, "iat").map_err(|_| wrong_time)?;
        Ok(Self {
            question,
            token_id,
            method: text_of("htm")?,
            target: target(&text_of("htu")?),
            issued_at_s: issued_at_s.ok_or(wrong_time)?,
            token_hash: optional("ath")?,
            nonce: optional("nonce")?,
        })
    }

    /// The RFC 7638 thumbprint of the proof's key.
    pub fn thumbprint(&self) -> &str {
        self.question.key().thumbprint()
    }

    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether its key made its signature.
    pub fn question(&self) -> &SignatureQuestion {
        &self.question
    }

    /// Judges a proof against the request it came with, and its signature as `answer` found it.
    pub fn check(
        &self,
        occasion: &Occasion<'_>,
        answer: SignatureAnswer,
    ) -> Result<SignedProof, ProofFault> {
        self.fits(occasion)?;
        if !answer.proves(self.question.digest()) {
            return Err(ProofFault::Signature);
        }
        let kept_s = PROOF_AGE_S_MAX + 1 + MEMORY_MORE_S;
        let until_s = self.issued_at_s.saturating_add(kept_s);
        let parts = [self.method.as_str(), occasion.target, &self.token_id];
        Ok(SignedProof {
            thumbprint: self.thumbprint().to_owned(),
            question: ReplayQuestion::new(self.thumbprint(), &parts, until_s.saturating_mul(1_000)),
        })
    }

    /// What can be told without a signature check: that the proof is for this request and token.
    pub fn fits(&self, occasion: &Occasion<'_>) -> Result<(), ProofFault> {
        if self.method != occasion.method {
            return Err(ProofFault::Method);
        }
        if self.target.as_deref() != Some(occasion.target) {
            return Err(ProofFault::Target);
        }
        if (occasion.now_ms / 1_000).abs_diff(self.issued_at_s) > PROOF_AGE_S_MAX {
            return Err(ProofFault::Time);
        }
        let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(occasion.token.as_bytes()));
        match self.token_hash.as_deref() == Some(hash.as_str()) {
            true => Ok(()),
            false => Err(ProofFault::Token),
        }
    }
}

impl SignedProof {
    /// The RFC 7638 thumbprint of the key that made it.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The question whether it was used before.
    pub fn question(&self) -> &ReplayQuestion {
        &self.question
    }

    /// Judges the answer; `None` if it is to another question.
    pub fn used_once(self, answer: &ReplayAnswer) -> Option<Result<ProvenKey, ProofFault>> {
        let fresh = answer.to(&self.question)?;
        Some(match fresh {
            true => Ok(ProvenKey {
                thumbprint: self.thumbprint,
            }),
            false => Err(ProofFault::Replayed),
        })
    }
}

impl ProvenKey {
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// Scheme, authority and path of a URL in one spelling (RFC 9449 §4.3, RFC 3986 §6.2): lower case
/// before the path, no default port, the path as requests are read here, no query or fragment.
/// `None`: no http URL, or one that can be read in two ways.
pub fn target(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let authority = authority.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(host) {
        return None;
    }
    let path = CanonicalPath::parse_with_matrix(if path.is_empty() { "/" } else { path }).ok()?;
    Some(format!("{scheme}://{authority}{}", path.as_str()))
}

fn object(part: &str) -> Result<Map<String, Value>, ProofFault> {
    let bytes = Base64UrlUnpadded::decode_vec(part).map_err(|_| ProofFault::Malformed)?;
    match parse(&bytes, TOKEN_LIMITS) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(ProofFault::Malformed),
    }
}

fn key_of(header: &Map<String, Value>) -> Result<PublicKey, ProofFault> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let is_proof = text("typ").is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind == "dpop+jwt" || kind == "application/dpop+jwt"
    });
    if !is_proof {
        return Err(ProofFault::Type);
    }
    // What changes the reading, or names a key elsewhere.
    let changing = ["crit", "b64", "zip", "cty", "jku", "x5c", "x5u"];
    if changing.iter().any(|name| header.contains_key(*name)) {
        return Err(ProofFault::Malformed);
    }
    let algorithm = text("alg").and_then(Algorithm::parse);
    let algorithm = algorithm.filter(|one| ALGORITHMS.contains(one));
    let algorithm = algorithm.ok_or(ProofFault::Algorithm)?;
    let members = header.get("jwk").and_then(Value::as_object);
    members
        .and_then(|members| PublicKey::presented(members, algorithm))
        .ok_or(ProofFault::Key)
}
