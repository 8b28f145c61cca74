//! The core's questions, answered by the platform, for one request.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;
use worker::{Context, Env};

use crate::credential::api_key::{KeyAnswer, KeyId, Peppers};
use crate::credential::introspection::{IntrospectionAnswer, IntrospectionRule};
use crate::credential::jwk::KeySet;
use crate::credential::jwt::{JwtRule, TokenDigest};
use crate::credential::signature::{SignatureAnswer, SignatureQuestion};
use crate::credential::verify::Verdict;
use crate::edge::cache::Cache;
use crate::edge::watch::Stay;
use crate::edge::{
    bounded, clock, idempotency, introspection, key_records, key_sets, limiter, marks, origin,
    platform, replay, signature, stored,
};
use crate::facts::UnixMs;
use crate::idempotency::{ClaimAnswer, ClaimQuestion};
use crate::identity::{IdentityKeys, Signable};
use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::errand::{self, Errand};
use crate::limit::memory::LimitMemory;
use crate::limit::wire::{Answer, Question};
use crate::object::ObjectName;
use crate::origin::share;
use crate::origin::state::{OriginMemory, SharedState};
use crate::policy::gate::Origin;
use crate::ports::{Freshness, OriginFault, PortDown, Ports, ReadFault, Reading};
use crate::replay::{ReplayAnswer, ReplayQuestion};
use crate::revocation::Marks;
use crate::secret::Secret;
use crate::stage::forward::Forward;
use crate::stored::StoredAnswer;
use crate::stored::entry::Filing;
use crate::stored::key::StoreKey;
use crate::trail::Told;

/// Tokens whose verdict an isolate remembers.
const TOKENS_MAX: usize = 8_192;
/// How long a caller may take to send content that has to be read.
const READ_TIMEOUT_MS: u64 = 30_000;

thread_local! {
    static TOKENS: RefCell<Cache<TokenDigest, Verdict>> =
        RefCell::new(Cache::new(TOKENS_MAX));
    static ORIGINS: RefCell<OriginMemory> = RefCell::default();
    /// Leaked once per isolate, so that it can be lent without a closure around every use.
    static LIMITS: &'static RefCell<LimitMemory> =
        Box::leak(Box::new(RefCell::new(LimitMemory::new(clock::holder()))));
}

/// What the status page says of an origin.
pub(super) fn told_origin(origin: &Origin) -> serde_json::Value {
    ORIGINS.with_borrow(|origins| origins.told(origin, clock::now_ms()))
}

/// That the request's content was not read; the content itself stays with the platform.
pub(super) struct Unread(pub(super) ());

pub(super) struct EdgePorts<'a> {
    pub(super) env: &'a Env,
    pub(super) context: &'a Context,
    pub(super) request: &'a Request,
    /// Until when the platform stays at the request.
    pub(super) stay: Stay,
}

/// Does an errand behind the answer: when `after` has settled, if something is waited for.
pub(super) fn run_behind(env: &Env, context: &Context, after: Option<Promise>, errand: Errand) {
    let env = env.clone();
    context.wait_until(async move {
        if let Some(after) = after {
            let _ = JsFuture::from(after).await;
        }
        let context = None;
        errand::run(&ErrandPorts { env, context }, errand).await;
    });
}

/// What errands need of the outside, and sessions: they outlive the handling of their request.
pub(super) struct ErrandPorts {
    env: Env,
    /// Where there is somebody to do further errands.
    context: Option<Context>,
}

impl ErrandPorts {
    /// For what lasts as long as its request.
    pub(super) fn staying(env: &Env, context: &Context) -> Self {
        let env = env.clone();
        // The same context: another handle to it.
        let handle: &JsValue = context.as_ref().as_ref();
        let context = Some(Context::new(handle.clone().unchecked_into()));
        Self { env, context }
    }
}

impl Objects for EdgePorts<'_> {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        limiter::ask(Some(self.request), self.env, object, question).await
    }

    async fn stored_marks(&self, object: &ObjectName) -> Result<Marks, ObjectDown> {
        marks::stored(self.env, object).await
    }

    async fn pause(&self, ms: u64) {
        bounded::pause(ms).await;
    }

    fn now_ms(&self) -> UnixMs {
        clock::now_ms()
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        LIMITS.with(|limits| *limits)
    }

    fn defer(&self, errand: Errand) {
        run_behind(self.env, self.context, None, errand);
    }
}

impl Objects for ErrandPorts {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        limiter::ask(None, &self.env, object, question).await
    }

    async fn stored_marks(&self, object: &ObjectName) -> Result<Marks, ObjectDown> {
        marks::stored(&self.env, object).await
    }

    async fn pause(&self, ms: u64) {
        bounded::pause(ms).await;
    }

    fn now_ms(&self) -> UnixMs {
        clock::now_ms()
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        LIMITS.with(|limits| *limits)
    }

    /// An errand makes none: what it was lent and does not use is held until it ends. A session does.
    fn defer(&self, errand: Errand) {
        if let Some(context) = &self.context {
            run_behind(&self.env, context, None, errand);
        }
    }
}

impl Ports for EdgePorts<'_> {
    type Body = Unread;
    type Answer = origin::Answer;

    async fn key_record(&self, id: &KeyId, peppers: &Peppers) -> Result<KeyAnswer, PortDown> {
        key_records::find(self.env, id, peppers).await
    }

    fn recall(&self, digest: &TokenDigest) -> Option<Verdict> {
        TOKENS.with_borrow(|tokens| tokens.get(digest, clock::now_ms()))
    }

    fn remember(&self, digest: TokenDigest, verdict: Verdict, until_ms: UnixMs) {
        TOKENS.with_borrow_mut(|tokens| tokens.put(digest, verdict, until_ms, clock::now_ms()));
    }

    async fn introspect(
        &self,
        rule: &IntrospectionRule,
        token: &Secret,
        digest: TokenDigest,
    ) -> Result<IntrospectionAnswer, PortDown> {
        introspection::ask(rule, token, digest).await
    }

    async fn take(&self, question: &ReplayQuestion) -> Result<ReplayAnswer, PortDown> {
        replay::ask(self.request, self.env, question).await
    }

    async fn key_set(
        &self,
        rule: &JwtRule,
        uri: &str,
        freshness: Freshness,
    ) -> Result<(Rc<KeySet>, UnixMs), PortDown> {
        key_sets::find(rule, uri, freshness).await
    }

    async fn verify_signature(
        &self,
        question: &SignatureQuestion,
    ) -> Result<SignatureAnswer, PortDown> {
        signature::verify(self.request, question).await
    }

    async fn read(&self, _body: Unread, max_bytes: u64) -> Result<Vec<u8>, ReadFault> {
        platform::take(self.request, max_bytes, READ_TIMEOUT_MS).await
    }

    async fn sign<S: Signable>(
        &self,
        keys: &IdentityKeys,
        unsigned: S,
    ) -> Result<(S, Vec<u8>), PortDown> {
        signature::sign(self.request, keys, unsigned).await
    }

    async fn claim(&self, question: &ClaimQuestion) -> Result<ClaimAnswer, PortDown> {
        idempotency::claim(self.env, question).await
    }

    fn tell(&self, told: Told) {
        let env = self.env.clone();
        self.context.wait_until(async move {
            let _ = idempotency::tell(&env, &told.object, &told.act).await;
        });
    }

    async fn stored(&self, key: &StoreKey, bytes_max: u64) -> Result<Option<Vec<u8>>, ReadFault> {
        stored::find(self.request, key, bytes_max).await
    }

    fn revive(&self, stored: StoredAnswer) -> Option<origin::Answer> {
        stored::revive(&stored)
    }

    fn file(&self, answer: &origin::Answer, filing: Filing) {
        stored::file(self.context, answer, filing);
    }

    async fn send(&self, forward: Forward<Unread>) -> Result<origin::Answer, OriginFault> {
        let state = self.origin_state(forward.origin());
        origin::send(self.env, self.request, forward, state).await
    }

    fn origin_state(&self, origin: &Origin) -> SharedState {
        ORIGINS.with_borrow_mut(|origins| origins.of(origin))
    }

    fn share(&self, origin: Rc<Origin>) {
        let state = self.origin_state(&origin);
        let env = self.env.clone();
        self.context.wait_until(async move {
            if let Some(rule) = &origin.rules.breaker {
                let context = None;
                let ports = ErrandPorts { env, context };
                share::share(&ports, &origin.known_as(), rule, &state).await;
            }
        });
    }

    async fn read_answer(
        &self,
        answer: &origin::Answer,
        max_bytes: u64,
        reading: Reading,
    ) -> Result<Vec<u8>, ReadFault> {
        let stream = match reading {
            Reading::Taken => answer.response.body(),
            Reading::Copied => {
                let copy = answer.response.clone();
                copy.map_err(|_| ReadFault::Broken)?.body()
            }
        };
        let Some(stream) = stream else {
            return Ok(Vec::new());
        };
        let waits_ms = answer.care.reading_ms(READ_TIMEOUT_MS);
        platform::read(&stream, max_bytes, waits_ms).await
    }

    fn stay(&self) {
        self.stay.begin(self.context);
    }
}
