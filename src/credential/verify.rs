//! From a token's text to a verified token: what is asked, in which order, and what is remembered.
//!
//! Owns: the choice of authenticator and key. Does not own: the judgment (`credential::jwt`,
//! `credential::introspection`, `credential::dpop`). Called by: `admit`.

use std::rc::Rc;

use crate::credential::dpop::{Occasion, Proof, ProvenKey, SignedProof};
use crate::credential::introspection::{IntrospectionRule, REFUSAL_S_MAX};
use crate::credential::jwk::KeySet;
use crate::credential::jwt::{JwtRule, KeySource, TokenDigest, TokenFault, UnverifiedToken};
use crate::credential::verified::VerifiedToken;
use crate::facts::UnixMs;
use crate::ports::{Freshness, Ports};
use crate::refusal::{Port, Refusal};
use crate::secret::Secret;

/// What an isolate remembers of a token: that it was good, or why it was not.
pub type Verdict = Result<Rc<VerifiedToken>, TokenFault>;

/// The authenticators of a route that may verify a token.
#[derive(Clone, Debug)]
pub struct TokenRules<'g> {
    /// Each of its own issuer.
    pub signed: Vec<&'g JwtRule>,
    /// Asked about every token that is of none of those issuers.
    pub opaque: Option<&'g IntrospectionRule>,
    /// The issuers of the whole policy: a token of one that the route does not take is shown to
    /// nobody.
    pub known: Vec<&'g str>,
}

/// Verifies a token, or recalls that this isolate did.
///
/// What is recalled is checked again for time and binding by the stage that takes it.
pub async fn verify<P: Ports>(
    ports: &P,
    text: &Secret,
    rules: &TokenRules<'_>,
    gate: &str,
    now_ms: UnixMs,
) -> Result<Rc<VerifiedToken>, Refusal> {
    let digest = TokenDigest::of(text.expose(), gate);
    // Before it is read: the same bytes say the same. Only what an authenticator of this route judged
    // is found, and it was asked because the token is of its issuer, or of none that the policy knows.
    let signed_rules = rules.signed.iter().map(|rule| &rule.token.name);
    let opaque_rule = rules.opaque.iter().map(|rule| &rule.token.name);
    let mut names = signed_rules.chain(opaque_rule);
    if let Some(verdict) = names.find_map(|name| ports.recall(&digest(name))) {
        return verdict.map_err(refused);
    }
    let token = UnverifiedToken::parse(text.expose());
    let of_issuer = token.as_ref().ok().and_then(|token| {
        let issuer = token.claimed_issuer();
        rules.signed.iter().find(|rule| rule.issuer == issuer)
    });
    if let (Ok(token), Some(rule)) = (&token, of_issuer) {
        return signed(ports, token, rule, digest(&rule.token.name), now_ms).await;
    }
    let is_foreign = token
        .as_ref()
        .is_ok_and(|token| rules.known.contains(&token.claimed_issuer()));
    if let Some(rule) = rules.opaque.filter(|_| !is_foreign) {
        return opaque(ports, text, rule, digest(&rule.token.name), now_ms).await;
    }
    match token {
        _ if rules.signed.is_empty() => Err(Refusal::NotTaken),
        Err(fault) => Err(refused(fault)),
        Ok(_) => Err(refused(TokenFault::Issuer)),
    }
}

/// Checks that a proof was made for this request, by the holder of its key.
///
/// Comes before the token is looked at: what it answers tells nothing of the token, to somebody who
/// stole one without its key.
pub async fn check_proof<P: Ports>(
    ports: &P,
    proof: &Proof,
    occasion: &Occasion<'_>,
) -> Result<SignedProof, Refusal> {
    let unproven = |fault| Refusal::ProofRefused { fault };
    proof.fits(occasion).map_err(unproven)?;
    let question = proof.question();
    let answer = ports.verify_signature(question).await?;
    if !answer.answers(question.digest()) {
        return Err(Refusal::AnswerMismatch {
            port: Port::Signature,
        });
    }
    proof.check(occasion, answer).map_err(unproven)
}

/// Proves that the sender holds the key that `token` is bound to, once.
///
/// - `has_nonce`: whether the proof has the nonce that the token's authenticator asks for.
///
/// Only the holder of a good token and of its key is asked for a nonce, and fills the memory of
/// uses.
pub async fn prove<P: Ports>(
    ports: &P,
    signed: SignedProof,
    has_nonce: bool,
    token: &VerifiedToken,
) -> Result<ProvenKey, Refusal> {
    if !token.confirmation().is_to_key(signed.thumbprint()) {
        return Err(refused(TokenFault::Bound));
    }
    if !has_nonce {
        return Err(Refusal::NonceNeeded);
    }
    let answer = ports.take(signed.question()).await?;
    match signed.used_once(&answer) {
        Some(proven) => proven.map_err(|fault| Refusal::ProofRefused { fault }),
        None => Err(Refusal::AnswerMismatch { port: Port::Replay }),
    }
}

async fn signed<P: Ports>(
    ports: &P,
    token: &UnverifiedToken,
    rule: &JwtRule,
    digest: TokenDigest,
    now_ms: UnixMs,
) -> Result<Rc<VerifiedToken>, Refusal> {
    let (verified, keys_until_ms) = match &rule.keys {
        KeySource::Shared { current, previous } => {
            let secrets = std::iter::once(current).chain(previous);
            let verified = token.verify_shared(rule, secrets, now_ms);
            (verified.map_err(refused)?, UnixMs::MAX)
        }
        KeySource::Inline(keys) => (
            by_keys(ports, token, rule, keys, now_ms).await?,
            UnixMs::MAX,
        ),
        KeySource::Uri(uri) => by_published_keys(ports, token, rule, uri, now_ms).await?,
    };
    let verified = Rc::new(verified);
    // Never beyond the token's own end, nor the time after which its key may be gone.
    let until_ms = verified.good_until_ms().min(keys_until_ms);
    ports.remember(digest, Ok(Rc::clone(&verified)), until_ms);
    Ok(verified)
}

async fn opaque<P: Ports>(
    ports: &P,
    text: &Secret,
    rule: &IntrospectionRule,
    digest: TokenDigest,
    now_ms: UnixMs,
) -> Result<Rc<VerifiedToken>, Refusal> {
    let port = Port::Introspection;
    let answer = ports.introspect(rule, text, digest).await?;
    if answer.of != digest {
        return Err(Refusal::AnswerMismatch { port });
    }
    let verdict = rule.judge(&answer.bytes);
    let verdict = verdict.map_err(|_| Refusal::PortDown { port })?;
    let verdict = verdict.map(Rc::new);
    let (cache_s, ends_at_ms) = match &verdict {
        Ok(token) => (rule.cache_s, token.good_until_ms()),
        Err(_) => (rule.cache_s.min(REFUSAL_S_MAX), UnixMs::MAX),
    };
    if cache_s > 0 {
        let until_ms = now_ms.saturating_add(cache_s.saturating_mul(1_000));
        ports.remember(digest, verdict.clone(), until_ms.min(ends_at_ms));
    }
    verdict.map_err(refused)
}

/// A key that is not found may be new: the set is fetched again, as often as the port allows.
async fn by_published_keys<P: Ports>(
    ports: &P,
    token: &UnverifiedToken,
    rule: &JwtRule,
    uri: &str,
    now_ms: UnixMs,
) -> Result<(VerifiedToken, UnixMs), Refusal> {
    let (keys, until_ms) = ports.key_set(rule, uri, Freshness::Cached).await?;
    match by_keys(ports, token, rule, &keys, now_ms).await {
        Err(Refusal::TokenRefused {
            fault: TokenFault::KeyUnknown,
        }) => {
            let (keys, until_ms) = ports.key_set(rule, uri, Freshness::Newest).await?;
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
        let answer = ports.verify_signature(&question).await?;
        if !answer.answers(question.digest()) {
            return Err(Refusal::AnswerMismatch {
                port: Port::Signature,
            });
        }
        match token.verify(rule, &question, answer, now_ms) {
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
