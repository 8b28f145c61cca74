//! JSON Web Tokens: from text to a caller in one step that checks everything (RFC 7519, RFC 7515,
//! RFC 8725bis, RFC 9068).
//!
//! Owns: what a token must say, and the one function that turns it into a caller. `jwt-compact`
//! decodes it and keeps unverified claims out of reach. Does not own: the form (`credential::jws`),
//! keys (`credential::jwk`), the signature check (`credential::signature`, answered at the edge).

use jwt_compact::{AlgorithmExt, UntrustedToken};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::body::json::{TOKEN_LIMITS, parse};
use crate::credential::checked_elsewhere::{CheckedElsewhere, Proof};
use crate::credential::claims;
use crate::credential::jwk::KeySet;
use crate::credential::jws::CompactJws;
use crate::credential::signature::{Algorithm, SignatureAnswer, SignatureQuestion};
use crate::credential::verified::{Lifetime, TokenRule, VerifiedToken};
use crate::facts::UnixMs;
use crate::secret::Secret;

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Fetched, and fetched again when they change.
    Uri(String),
    /// Written in the policy.
    Inline(KeySet),
    /// HS256: a secret both sides hold, and the one before it.
    Shared {
        current: Secret,
        previous: Option<Secret>,
    },
}

/// An authenticator of kind `jwt`, as enforced.
#[derive(Clone, Debug)]
pub struct JwtRule {
    pub token: TokenRule,
    pub issuer: String,
    pub algorithms: Vec<Algorithm>,
    pub keys: KeySource,
    /// The `typ` that a token must have; `None`: none, `JWT` or `at+jwt`.
    pub token_type: Option<String>,
    pub max_lifetime_s: u64,
}

/// Why a token is refused. Callers are told none of it; the log is told which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenFault {
    TooLarge,
    Malformed,
    /// A header parameter that a token here may not have.
    Header {
        parameter: &'static str,
    },
    Algorithm,
    Issuer,
    Type,
    KeyUnknown,
    Signature,
    /// A claim is missing, or of the wrong type.
    Claim {
        claim: &'static str,
    },
    Audience,
    Expired,
    NotYetValid,
    Lifetime,
    /// The token is bound to a key or certificate that its bearer did not prove to hold (`cnf`,
    /// RFC 7800): taken as a bearer token it would be worth stealing again (RFC 9449 §7.2).
    Bound,
    /// The token is bound to nothing, where the policy or its scheme asks for a binding.
    Unbound,
    /// Its issuer says that it is not good (RFC 7662 §2.2).
    Inactive,
}

/// Names a token in an isolate's memory: a hash of all of it. Never of a part: signatures and
/// headers can be changed without changing what is signed (RFC 7515 §10.11).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Hashes a token once; gives its name by the authenticator that judges it: another may know more
    /// of it.
    ///
    /// - `gate`: the version of the gate that judges it: another policy judges anew.
    pub fn of(text: &str, gate: &str) -> impl Fn(&str) -> Self + use<> {
        let mut hash = Sha256::new();
        for part in [gate, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        move |authenticator| {
            let mut hash = hash.clone();
            hash.update(authenticator.as_bytes());
            Self(hash.finalize().into())
        }
    }
}

/// A token that reads as one; nothing it says is known to be true.
#[derive(Clone, Debug)]
pub struct UnverifiedToken {
    jws: CompactJws,
    issuer: String,
    claims: Map<String, Value>,
}

impl UnverifiedToken {
    /// Reads a compact JWS whose payload is a JSON object with an issuer (RFC 7519 §7.2).
    ///
    /// Refuses before any key is looked at: whatever [`CompactJws::parse`] refuses, claims with
    /// two readings, an `iss` that is no string.
    pub fn parse(text: &str) -> Result<Self, TokenFault> {
        let jws = CompactJws::parse(text)?;
        let Ok(Value::Object(claims)) = parse(jws.payload(), TOKEN_LIMITS) else {
            return Err(TokenFault::Malformed);
        };
        let Some(Value::String(issuer)) = claims.get("iss") else {
            return Err(TokenFault::Claim { claim: "iss" });
        };
        Ok(Self {
            jws,
            issuer: issuer.clone(),
            claims,
        })
    }

    /// Whom the token claims to be from: chooses the authenticator, proves nothing.
    pub fn claimed_issuer(&self) -> &str {
        &self.issuer
    }

    /// The signature checks that would prove it under `rule`; see [`CompactJws::questions`].
    pub fn questions(
        &self,
        rule: &JwtRule,
        keys: &KeySet,
    ) -> Result<Vec<SignatureQuestion>, TokenFault> {
        self.jws.questions(&rule.algorithms, keys)
    }

    /// Judges a token by an issuer's public keys: the signature as `answer` found it, then every
    /// claim, at `now_ms`.
    pub fn verify(
        &self,
        rule: &JwtRule,
        question: &SignatureQuestion,
        answer: SignatureAnswer,
        now_ms: UnixMs,
    ) -> Result<VerifiedToken, TokenFault> {
        let proven = self.jws.is_proven_by(question, answer);
        self.verify_as(rule, Proof(proven), now_ms)
    }

    /// Judges an HS256 token by the secrets both sides hold.
    pub fn verify_shared<'a>(
        &self,
        rule: &JwtRule,
        mut secrets: impl Iterator<Item = &'a Secret>,
        now_ms: UnixMs,
    ) -> Result<VerifiedToken, TokenFault> {
        let proven = secrets.any(|secret| self.jws.is_sealed_by(secret.expose().as_bytes()));
        self.verify_as(rule, Proof(proven), now_ms)
    }

    fn verify_as(
        &self,
        rule: &JwtRule,
        proof: Proof,
        now_ms: UnixMs,
    ) -> Result<VerifiedToken, TokenFault> {
        if !rule.algorithms.contains(&self.jws.algorithm()) {
            return Err(TokenFault::Algorithm);
        }
        if self.issuer != rule.issuer {
            return Err(TokenFault::Issuer);
        }
        if !proof.0 {
            return Err(TokenFault::Signature);
        }
        check_type(self.jws.token_type(), rule)?;
        let verified = read_claims(&self.claims, rule)?;
        let untrusted =
            UntrustedToken::new(self.jws.text().expose()).map_err(|_| TokenFault::Malformed)?;
        let checked = CheckedElsewhere {
            name: untrusted.algorithm().to_owned(),
        };
        let token = checked
            .validator::<Map<String, Value>>(&proof)
            .validate(&untrusted);
        let token = token.map_err(|_| TokenFault::Malformed)?;
        // What `jwt-compact` releases after the signature is what was read strictly before it.
        if token.claims().custom.get("sub") != self.claims.get("sub") {
            return Err(TokenFault::Malformed);
        }
        verified.check_time(now_ms)?;
        Ok(verified)
    }
}

/// RFC 7515 §4.1.9: a value without `/` stands for `application/` and the value; media types have
/// no case. A token of another kind (`dpop+jwt`, `logout+jwt`) is no access token.
fn check_type(presented: Option<&str>, rule: &JwtRule) -> Result<(), TokenFault> {
    let presented = presented.map(bare);
    let fits = match (&rule.token_type, presented.as_deref()) {
        (Some(expected), Some(presented)) => bare(expected) == presented,
        (Some(_), None) => false,
        (None, presented) => matches!(presented, None | Some("jwt" | "at+jwt")),
    };
    if fits { Ok(()) } else { Err(TokenFault::Type) }
}

/// A media type without its case and without `application/`.
fn bare(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower
        .strip_prefix("application/")
        .map(str::to_owned)
        .unwrap_or(lower)
}

/// The claims that RFC 9068 §2.2 adds to every token of its type.
const ACCESS_TOKEN_CLAIMS: [&str; 2] = ["client_id", "jti"];

/// Claims that stand in ID Tokens alone (OpenID Connect Core §2, §3.3.2.11): where the policy names
/// no type, they tell one that was sent as an access token.
const ID_TOKEN_CLAIMS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

fn read_claims(claims: &Map<String, Value>, rule: &JwtRule) -> Result<VerifiedToken, TokenFault> {
    let date = |name: &'static str| claims::date_s(claims, name);
    let expires_at_s = date("exp")?.ok_or(TokenFault::Claim { claim: "exp" })?;
    let issued_at_s = date("iat")?.ok_or(TokenFault::Claim { claim: "iat" })?;
    let not_before_s = date("nbf")?.unwrap_or(issued_at_s).max(issued_at_s);
    if expires_at_s.saturating_sub(issued_at_s) > rule.max_lifetime_s {
        return Err(TokenFault::Lifetime);
    }
    if rule.token_type.as_deref().map(bare).as_deref() == Some("at+jwt") {
        for claim in ACCESS_TOKEN_CLAIMS {
            claims::text(claims, claim)?.ok_or(TokenFault::Claim { claim })?;
        }
    }
    let is_of_login = ID_TOKEN_CLAIMS
        .iter()
        .any(|claim| claims.contains_key(*claim));
    if rule.token_type.is_none() && is_of_login {
        return Err(TokenFault::Type);
    }
    let subject = claims::text(claims, "sub").ok().flatten();
    let subject = subject.ok_or(TokenFault::Claim { claim: "sub" })?;
    let lifetime = Lifetime {
        issued_at_s: Some(issued_at_s),
        not_before_s,
        expires_at_s,
    };
    VerifiedToken::read(claims, &rule.token, &rule.issuer, subject, lifetime)
}
