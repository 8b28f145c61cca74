//! Opaque tokens: their issuer is asked what they are worth (RFC 7662).
//!
//! Owns: the question's form and the strict reading of the answer. Does not own: sending it
//! (`edge::introspection`), what its claims say of a caller (`credential::verified`).

use base64ct::{Base64, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::body::json::{TOKEN_LIMITS, parse};
use crate::credential::claims;
use crate::credential::jwt::{TokenDigest, TokenFault};
use crate::credential::verified::{Lifetime, TokenRule, VerifiedToken};
use crate::secret::Secret;

/// Largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 65_536;
/// Longest that a "no" is remembered: a token may become good later, a wrong one stays wrong.
pub const REFUSAL_S_MAX: u64 = 10;

/// How the name of a client begins that acts for itself.
const CLIENT: &str = "client:";

/// What a form leaves as it is (WHATWG URL, "application/x-www-form-urlencoded").
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// An authenticator of kind `introspection`, as enforced.
#[derive(Clone, Debug)]
pub struct IntrospectionRule {
    pub token: TokenRule,
    pub endpoint: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub issuer: Option<String>,
    /// How long an answer is remembered.
    pub cache_s: u64,
}

/// What an issuer answered, with the token it was asked about.
#[derive(Clone, Debug)]
pub struct IntrospectionAnswer {
    pub of: TokenDigest,
    /// JSON, not yet read.
    pub bytes: Vec<u8>,
}

/// The answer is none: of another shape, or without a boolean `active`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAnAnswer;

impl IntrospectionRule {
    /// The body of the question, as a form (RFC 7662 §2.1). The token can add no field of its own.
    pub fn form(&self, token: &Secret) -> Secret {
        let token = utf8_percent_encode(token.expose(), FORM);
        Secret::new(format!("token={token}&token_type_hint=access_token"))
    }

    /// `Authorization` of the question: id and secret as form values (RFC 6749 §2.3.1).
    pub fn authorization(&self) -> Secret {
        let id = utf8_percent_encode(&self.client_id, FORM);
        let secret = utf8_percent_encode(self.client_secret.expose(), FORM);
        let pair = Secret::new(format!("{id}:{secret}"));
        let coded = Base64::encode_string(pair.expose().as_bytes());
        Secret::new(format!("Basic {coded}"))
    }

    /// The issuer as callers are named by: the endpoint stands for one that is not told.
    pub fn issuer_name(&self) -> &str {
        self.issuer.as_ref().unwrap_or(&self.endpoint)
    }

    /// Reads an answer.
    ///
    /// Fails with [`NotAnAnswer`] if nothing can be told from it: that is the issuer's fault and
    /// admits nobody. The inner result is what it says of the token.
    pub fn judge(&self, bytes: &[u8]) -> Result<Result<VerifiedToken, TokenFault>, NotAnAnswer> {
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(NotAnAnswer);
        }
        let Ok(Value::Object(answer)) = parse(bytes, TOKEN_LIMITS) else {
            return Err(NotAnAnswer);
        };
        match answer.get("active") {
            // Whatever else stands there (RFC 7662 §2.2).
            Some(Value::Bool(false)) => Ok(Err(TokenFault::Inactive)),
            Some(Value::Bool(true)) => Ok(self.read(&answer)),
            _ => Err(NotAnAnswer),
        }
    }

    fn read(&self, answer: &Map<String, Value>) -> Result<VerifiedToken, TokenFault> {
        let date = |name: &'static str| claims::date_s(answer, name);
        let issued_at_s = date("iat")?;
        let lifetime = Lifetime {
            issued_at_s,
            not_before_s: date("nbf")?
                .into_iter()
                .chain(issued_at_s)
                .max()
                .unwrap_or(0),
            expires_at_s: date("exp")?.unwrap_or(u64::MAX),
        };
        let issuer = match (&self.issuer, answer.get("iss")) {
            (Some(expected), Some(Value::String(told))) if told == expected => expected,
            (Some(_), _) => return Err(TokenFault::Issuer),
            (None, None | Some(Value::String(_))) => &self.endpoint,
            (None, Some(_)) => return Err(TokenFault::Claim { claim: "iss" }),
        };
        VerifiedToken::read(answer, &self.token, issuer, subject(answer)?, lifetime)
    }
}

/// Who the token is for. A client that acts for itself has no `sub` in many issuers' answers; it is
/// named so that it can never be taken for a person of the same name (RFC 9700 §4.15), and no
/// person may have such a name.
fn subject(answer: &Map<String, Value>) -> Result<String, TokenFault> {
    let wrong = TokenFault::Claim { claim: "sub" };
    match claims::text(answer, "sub")? {
        Some(subject) if subject.starts_with(CLIENT) => Err(wrong),
        Some(subject) => Ok(subject),
        None => {
            let client = claims::text(answer, "client_id")?.ok_or(wrong)?;
            Ok(format!("{CLIENT}{client}"))
        }
    }
}
