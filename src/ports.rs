//! The outside, as a handful of questions, each answered in bounded time.
//!
//! Owns: the questions' shapes. Answered by: `edge` under workerd, fakes in tests.

use std::rc::Rc;

use crate::credential::api_key::{KeyAnswer, KeyId, Peppers};
use crate::credential::introspection::{IntrospectionAnswer, IntrospectionRule};
use crate::credential::jwk::KeySet;
use crate::credential::jwt::{JwtRule, TokenDigest};
use crate::credential::signature::{SignatureAnswer, SignatureQuestion};
use crate::credential::verify::Verdict;
use crate::facts::UnixMs;
use crate::idempotency::{ClaimAnswer, ClaimQuestion};
use crate::identity::{IdentityKeys, Signable};
use crate::limit::ask::Objects;
use crate::origin::state::{Place, SharedState};
use crate::policy::gate::Origin;
use crate::refusal::{Port, Refusal};
use crate::replay::{ReplayAnswer, ReplayQuestion};
use crate::secret::Secret;
use crate::stage::forward::Forward;
use crate::stored::StoredAnswer;
use crate::stored::entry::Filing;
use crate::stored::key::StoreKey;
use crate::trail::Told;

/// How fresh an issuer's keys have to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Freshness {
    /// As the cache has them.
    Cached,
    /// A key was not found: fetch again, unless that was done just now.
    Newest,
}

/// The question was not answered, or not in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PortDown {
    pub port: Port,
}

impl From<PortDown> for Refusal {
    fn from(down: PortDown) -> Self {
        Self::PortDown { port: down.port }
    }
}

/// Why content could not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadFault {
    /// More than was asked for; not read to its end.
    TooLarge,
    /// It ended early.
    Broken,
    TimedOut,
}

/// Why an origin gave no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OriginFault {
    /// No connection, or it broke before the answer's head.
    Down,
    /// No head within the timeout.
    TimedOut,
    /// A head that is none: a status outside 200 to 599, or an upgrade nobody asked for.
    Invalid,
    /// It was not asked: it failed too often, and is left alone.
    Open { retry_after_ms: u64 },
    /// It was not asked: too many requests are open there.
    Full,
    /// Nobody waits for its answer any more: it was told to stop, and may have acted.
    Left,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// To its end: what leaves is what was read.
    Taken,
    /// A copy: the answer itself leaves as it came.
    Copied,
}

/// An origin's answer, as far as the core looks at it.
pub trait OriginAnswer {
    fn status(&self) -> u16;
    /// A response header field; a repeated one joined by `, `.
    fn field(&self, name: &str) -> Option<String>;
    /// The names of all response header fields, in lower case.
    fn names(&self) -> Vec<String>;
    /// Whether the origin switched to WebSocket and its end of the socket is here.
    fn has_socket(&self) -> bool {
        false
    }
    /// Holds a place at the origin until the answer has left.
    fn hold(&mut self, place: Place) {
        drop(place);
    }
    /// Lets the rest of it go unread.
    fn discard(self)
    where
        Self: Sized,
    {
    }
}

/// Everything the driver asks. One isolate, one thread: no future is ever sent.
#[allow(
    async_fn_in_trait,
    reason = "one isolate, one thread: no future is ever sent"
)]
pub trait Ports: Objects {
    /// A request's content, not yet read.
    type Body;
    type Answer: OriginAnswer;

    /// The record of an API key, at most five seconds old. Where its own hash is not under the newest
    /// of `peppers`, it has the hash that was stored when the key was used, if that is under one of
    /// them.
    async fn key_record(&self, id: &KeyId, peppers: &Peppers) -> Result<KeyAnswer, PortDown>;

    /// What this isolate found of a token before, under the same gate and authenticator.
    fn recall(&self, digest: &TokenDigest) -> Option<Verdict>;

    /// Remembers what was found of a token until `until_ms`.
    fn remember(&self, digest: TokenDigest, verdict: Verdict, until_ms: UnixMs);

    /// What an issuer says of a token; the answer repeats `digest`.
    async fn introspect(
        &self,
        rule: &IntrospectionRule,
        token: &Secret,
        digest: TokenDigest,
    ) -> Result<IntrospectionAnswer, PortDown>;

    /// Whether something is used for the first time; if so, it is written down.
    async fn take(&self, question: &ReplayQuestion) -> Result<ReplayAnswer, PortDown>;

    /// The keys of an issuer that publishes them at `uri`, and until when they may be relied on.
    async fn key_set(
        &self,
        rule: &JwtRule,
        uri: &str,
        freshness: Freshness,
    ) -> Result<(Rc<KeySet>, UnixMs), PortDown>;

    async fn verify_signature(
        &self,
        question: &SignatureQuestion,
    ) -> Result<SignatureAnswer, PortDown>;

    /// Reads content of at most `max_bytes`.
    async fn read(&self, body: Self::Body, max_bytes: u64) -> Result<Vec<u8>, ReadFault>;

    /// Signs a statement or a message to an origin; the answer repeats it.
    async fn sign<S: Signable>(
        &self,
        keys: &IdentityKeys,
        unsigned: S,
    ) -> Result<(S, Vec<u8>), PortDown>;

    /// Asks for the right to carry a request out; the answer repeats the names asked for.
    async fn claim(&self, question: &ClaimQuestion) -> Result<ClaimAnswer, PortDown>;

    /// Tells what became of a claim, behind the answer. Whatever fails: the request counts as lost.
    fn tell(&self, told: Told);

    /// What lies in the cache under a key, of at most `bytes_max`; a moment is waited for it at most.
    async fn stored(&self, key: &StoreKey, bytes_max: u64) -> Result<Option<Vec<u8>>, ReadFault>;

    /// Makes an answer of what was kept; `None`: the platform makes none of it.
    fn revive(&self, stored: StoredAnswer) -> Option<Self::Answer>;

    /// Reads a copy of the answer and keeps it, behind the answer. Whatever fails: nothing is kept.
    fn file(&self, answer: &Self::Answer, filing: Filing);

    async fn send(&self, forward: Forward<Self::Body>) -> Result<Self::Answer, OriginFault>;

    /// Reads content of at most `max_bytes` of an answer, without any coding.
    async fn read_answer(
        &self,
        answer: &Self::Answer,
        max_bytes: u64,
        reading: Reading,
    ) -> Result<Vec<u8>, ReadFault>;

    /// What this isolate knows of an origin.
    fn origin_state(&self, origin: &Origin) -> SharedState;

    /// Has that told to others, and theirs asked for, when the request has its answer
    /// (`origin::share`).
    fn share(&self, origin: Rc<Origin>);

    /// Carries the request to its end, also if its client goes away meanwhile.
    fn stay(&self);
}
