//! From a token's text to a verified token: what is asked, in which order, and what is remembered.
//!
//! Owns: the choice of issuer and key. Does not own: the judgment (`credential::jwt`).
//! Called by: `admit`.

use std::rc::Rc;

use crate::credential::jwk::KeySet;
use crate::credential::jwt::{
    JwtRule, KeySource, TokenDigest, TokenFault, UnverifiedToken, VerifiedToken,
};
use crate::facts::UnixMs;
use crate::ports::{Freshness, PortDown, Ports};
use crate::refusal::{Port, Refusal};
use crate::secret::Secret;

/// Verifies a token by one of `rules`, or recalls that this isolate did.
///
/// What is recalled is checked again for time by the stage that takes it.
pub async fn verify<P: Ports>(
    ports: &P,
    text: &Secret,
    digest: TokenDigest,
    rules: &[&JwtRule],
    now_ms: UnixMs,
) -> Result<Rc<VerifiedToken>, Refusal> {
    if let Some(token) = ports.recall(&digest) {
        return Ok(token);
    }
    if rules.is_empty() {
        return Err(Refusal::NotTaken);
    }
    let token = UnverifiedToken::parse(text.expose()).map_err(refused)?;
    let rule = rules
        .iter()
        .find(|rule| rule.issuer == token.claimed_issuer());
    let rule = rule.ok_or_else(|| refused(TokenFault::Issuer))?;
    let (verified, keys_until_ms) = match &rule.keys {
        KeySource::Shared { current, previous } => {
            let secrets = std::iter::once(current).chain(previous);
            let verified = token.verify_shared(rule, secrets, now_ms);
            (verified.map_err(refused)?, UnixMs::MAX)
        }
        KeySource::Inline(keys) => (
            by_keys(ports, &token, rule, keys, now_ms).await?,
            UnixMs::MAX,
        ),
        KeySource::Uri(uri) => by_published_keys(ports, &token, rule, uri, now_ms).await?,
    };
    let verified = Rc::new(verified);
    // Never beyond the token's own end, nor the time after which its key may be gone.
    let until_ms = verified.good_until_ms().min(keys_until_ms);
    ports.remember(digest, Rc::clone(&verified), until_ms);
    Ok(verified)
}

/// A key that is not found may be new: the set is fetched again, as often as the port allows.
async fn by_published_keys<P: Ports>(
    ports: &P,
    token: &UnverifiedToken,
    rule: &JwtRule,
    uri: &str,
    now_ms: UnixMs,
) -> Result<(VerifiedToken, UnixMs), Refusal> {
    let (keys, until_ms) = ports
        .key_set(rule, uri, Freshness::Cached)
        .await
        .map_err(down)?;
    match by_keys(ports, token, rule, &keys, now_ms).await {
        Err(Refusal::TokenRefused {
            fault: TokenFault::KeyUnknown,
        }) => {
            let (keys, until_ms) = ports
                .key_set(rule, uri, Freshness::Newest)
                .await
                .map_err(down)?;
            Ok((by_keys(ports, token, rule, &keys, now_ms).await?, until_ms))
        }
        found => Ok((found?, until_ms)),
    }
}

async fn by_keys<P: Ports>(
    ports: &P,
    token: &UnverifiedToken,
    rule: &JwtRule,
    keys: &KeySet,
    now_ms: UnixMs,
) -> Result<VerifiedToken, Refusal> {
    let mut refusal = refused(TokenFault::KeyUnknown);
    for question in token.questions(rule, keys).map_err(refused)? {
        let answer = ports.verify_signature(&question).await.map_err(down)?;
        if !answer.answers(question.digest()) {
            return Err(Refusal::AnswerMismatch {
                port: Port::Signature,
            });
        }
        match token.clone().verify(rule, &question, answer, now_ms) {
            Ok(verified) => return Ok(verified),
            Err(TokenFault::Signature) => refusal = refused(TokenFault::Signature),
            Err(fault) => return Err(refused(fault)),
        }
    }
    Err(refusal)
}

fn refused(fault: TokenFault) -> Refusal {
    Refusal::TokenRefused { fault }
}

fn down(down: PortDown) -> Refusal {
    Refusal::PortDown { port: down.port }
}
