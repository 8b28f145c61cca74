//! Fakes for the outside: the questions of `Ports`, answered from memory, each noted.
//!
//! The counters are the real ledger over rows in memory; signatures are checked in Rust, as the
//! native twin of WebCrypto.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

pub mod answer;
pub mod bindings;
pub mod holder;
pub mod issuer;
pub mod keys;
pub mod memory;
pub mod requests;
pub mod rows;
pub mod running;
pub mod signer;
pub mod store;
pub mod told;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

pub use answer::Arrived;
use answer::FakeAnswer;
pub use bindings::bindings;
use edgeward::credential::api_key::{KeyAnswer, KeyId, KeyRecord, Peppers, Stored};
use edgeward::credential::introspection::{IntrospectionAnswer, IntrospectionRule};
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, TokenDigest};
use edgeward::credential::signature::{SignatureAnswer, SignatureQuestion};
use edgeward::credential::verify::Verdict;
use edgeward::idempotency::{self, Act, ClaimAnswer, ClaimQuestion, Word};
use edgeward::identity::{IdentityKeys, Signable};
use edgeward::limit::ask::{ObjectDown, Objects};
use edgeward::limit::errand::Errand;
use edgeward::limit::ledger;
use edgeward::limit::memory::LimitMemory;
use edgeward::limit::wire::{Answer, Question};
use edgeward::object::ObjectName;
use edgeward::origin::state::{OriginMemory, SharedState};
use edgeward::policy::gate::{Gate, Origin};
use edgeward::policy::load::load;
use edgeward::ports::{Freshness, OriginFault, PortDown, Ports, ReadFault, Reading};
use edgeward::refusal::Port;
use edgeward::replay::{self, ReplayAnswer, ReplayQuestion};
use edgeward::revocation::Marks;
use edgeward::secret::Secret;
use edgeward::stage::forward::Forward;
use edgeward::stage::validated::Content;
use edgeward::stored::StoredAnswer;
use edgeward::stored::entry::Filing;
use edgeward::stored::key::StoreKey;
use edgeward::trail::Told;
use memory::Memory;
#[allow(unused_imports, reason = "not every test sends one")]
pub use requests::request;
use rows::{FakeClaims, FakeRows, FakeUses};
pub use running::run;
use serde_json::Value;

pub const NOW_MS: u64 = 1_800_000_000_000;
pub const PEPPER: &str = "a pepper of more than sixteen bytes";

pub fn gate(policy: &Value) -> Gate {
    load(policy.to_string().as_bytes(), &bindings()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[derive(Default)]
pub struct FakePorts {
    pub records: HashMap<String, KeyRecord>,
    /// An issuer's keys, for ever; without them `issuer` is asked.
    pub key_set: Option<Rc<KeySet>>,
    /// Several isolates may share them.
    pub objects: Rc<RefCell<HashMap<String, FakeRows>>>,
    pub issuer: issuer::FakeIssuer,
    pub counters_down: Cell<bool>,
    /// Objects that do not answer, by name.
    pub silent: RefCell<HashSet<String>>,
    pub keys_down: Cell<bool>,
    pub origin: Cell<Option<OriginFault>>,
    /// How many requests it breaks off before it answers.
    pub origin_fails_first: Cell<u32>,
    pub origin_status: Cell<u16>,
    /// A field of its answers.
    pub origin_tells: Cell<Option<(&'static str, &'static str)>>,
    /// Further fields of its answers, and their content.
    pub origin_answers: answer::Answers,
    pub clock_ms: Cell<u64>,
    /// What the store says of marks; `None`: it is silent too.
    pub stored_marks: RefCell<Option<Marks>>,
    /// What an issuer answers about a token; `None`: nothing.
    pub introspected: RefCell<Option<Value>>,
    pub replay_down: Cell<bool>,
    /// Uses, by the object that remembers them.
    pub uses: RefCell<HashMap<String, FakeUses>>,
    /// How often the signer still answers; `None`: always.
    pub signers_left: Cell<Option<u32>>,
    pub claims_down: Cell<bool>,
    /// Whether answers to claims get lost on their way, or are another's.
    pub claims_lost: Cell<bool>,
    pub claims_confused: Cell<bool>,
    /// Idempotency keys, by the object that remembers them.
    pub claims: RefCell<HashMap<String, FakeClaims>>,
    pub asked: RefCell<Vec<&'static str>>,
    pub arrived: RefCell<Vec<Arrived>>,
    /// Whether sending panics, or never ends.
    pub origin_panics: Cell<bool>,
    pub origin_hangs: Cell<bool>,
    /// How often a request is carried to its end whatever its client does.
    pub stays: Cell<u32>,
    /// What was left to be done after requests.
    pub errands: RefCell<Vec<Errand>>,
    /// What is known of origins, and of which others are to be told or asked.
    pub origins: RefCell<OriginMemory>,
    pub shared: RefCell<Vec<Rc<Origin>>>,
    /// The cache of answers.
    pub store: store::FakeStore,
    memory: Memory,
    tokens: RefCell<HashMap<TokenDigest, (Verdict, u64)>>,
}

impl FakePorts {
    pub fn new() -> Self {
        let ports = Self::default();
        ports.clock_ms.set(NOW_MS);
        ports.origin_status.set(200);
        *ports.stored_marks.borrow_mut() = Some(Marks::default());
        ports
    }

    /// Another isolate, with the same objects and keys and nothing remembered.
    pub fn beside(&self) -> Self {
        let mut other = Self::new();
        other.objects = Rc::clone(&self.objects);
        other.records.clone_from(&self.records);
        other.clock_ms.set(self.clock_ms.get());
        other
    }

    /// What an object of idempotency keys says.
    pub fn act(&self, object: &ObjectName, act: &Act) -> Word {
        let mut claims = self.claims.borrow_mut();
        let claims = claims.entry(object.hex()).or_default();
        idempotency::claims::answer(claims, self.clock_ms.get(), act).unwrap()
    }

    fn note(&self, what: &'static str) {
        self.asked.borrow_mut().push(what);
    }
}

impl Objects for FakePorts {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        self.note("counter");
        if self.counters_down.get() || self.silent.borrow().contains(&object.hex()) {
            return Err(ObjectDown);
        }
        let mut objects = self.objects.borrow_mut();
        let rows = objects.entry(object.hex()).or_default();
        ledger::answer(rows, self.clock_ms.get(), question).map_err(|()| ObjectDown)
    }

    async fn stored_marks(&self, _object: &ObjectName) -> Result<Marks, ObjectDown> {
        self.note("stored marks");
        self.stored_marks.borrow().clone().ok_or(ObjectDown)
    }

    fn now_ms(&self) -> u64 {
        self.clock_ms.get()
    }

    async fn pause(&self, ms: u64) {
        self.clock_ms.set(self.clock_ms.get() + ms);
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        &self.memory.0
    }

    fn defer(&self, errand: Errand) {
        self.errands.borrow_mut().push(errand);
    }
}

impl Ports for FakePorts {
    type Body = Vec<u8>;
    type Answer = FakeAnswer;

    async fn key_record(&self, id: &KeyId, _peppers: &Peppers) -> Result<KeyAnswer, PortDown> {
        self.note("key");
        if self.keys_down.get() {
            return Err(PortDown { port: Port::Keys });
        }
        let record = self.records.get(id.as_str());
        let stored = record.map_or(Stored::Absent, |record| {
            Stored::Record(Box::new(record.clone()))
        });
        Ok(KeyAnswer {
            id: id.clone(),
            stored,
        })
    }

    fn recall(&self, digest: &TokenDigest) -> Option<Verdict> {
        let tokens = self.tokens.borrow();
        let (verdict, until_ms) = tokens.get(digest)?;
        (*until_ms > self.clock_ms.get()).then(|| verdict.clone())
    }

    fn remember(&self, digest: TokenDigest, verdict: Verdict, until_ms: u64) {
        self.tokens.borrow_mut().insert(digest, (verdict, until_ms));
    }

    async fn introspect(
        &self,
        _rule: &IntrospectionRule,
        _token: &Secret,
        digest: TokenDigest,
    ) -> Result<IntrospectionAnswer, PortDown> {
        self.note("introspection");
        let port = Port::Introspection;
        let answer = self.introspected.borrow();
        let answer = answer.as_ref().ok_or(PortDown { port })?;
        Ok(IntrospectionAnswer {
            of: digest,
            bytes: answer.to_string().into_bytes(),
        })
    }

    async fn take(&self, question: &ReplayQuestion) -> Result<ReplayAnswer, PortDown> {
        self.note("replay");
        let port = Port::Replay;
        if self.replay_down.get() {
            return Err(PortDown { port });
        }
        let mut uses = self.uses.borrow_mut();
        let uses = uses.entry(question.object.hex());
        let taken = replay::take(uses.or_default(), self.clock_ms.get(), &question.take);
        let name = question.take.name.clone();
        match taken {
            Ok(taken) => Ok(ReplayAnswer { name, taken }),
            Err(()) => Err(PortDown { port }),
        }
    }

    async fn key_set(
        &self,
        rule: &JwtRule,
        uri: &str,
        freshness: Freshness,
    ) -> Result<(Rc<KeySet>, u64), PortDown> {
        self.note("key set");
        let now_ms = self.clock_ms.get();
        let ever = self.key_set.clone().map(|keys| (keys, u64::MAX));
        ever.or_else(|| self.issuer.find(rule, uri, freshness, now_ms))
            .ok_or(PortDown { port: Port::KeySet })
    }

    async fn verify_signature(
        &self,
        question: &SignatureQuestion,
    ) -> Result<SignatureAnswer, PortDown> {
        self.note("signature");
        Ok(question.answered(signer::verify(question)))
    }

    async fn read(&self, body: Vec<u8>, max_bytes: u64) -> Result<Vec<u8>, ReadFault> {
        self.note("content");
        if body.len() as u64 > max_bytes {
            Err(ReadFault::TooLarge)
        } else {
            Ok(body)
        }
    }

    async fn sign<S: Signable>(
        &self,
        keys: &IdentityKeys,
        unsigned: S,
    ) -> Result<(S, Vec<u8>), PortDown> {
        self.note("signer");
        let left = self.signers_left.get();
        self.signers_left
            .set(left.map(|left| left.saturating_sub(1)));
        if left == Some(0) {
            return Err(PortDown { port: Port::Signer });
        }
        let signature = signer::sign(keys, unsigned.signing_input());
        Ok((unsigned, signature))
    }

    async fn claim(&self, question: &ClaimQuestion) -> Result<ClaimAnswer, PortDown> {
        self.note("claim");
        let port = Port::Idempotency;
        if self.claims_down.get() {
            return Err(PortDown { port });
        }
        let act = Act::Claim(question.claim.clone());
        let word = self.act(&question.object, &act);
        if self.claims_lost.get() {
            return Err(PortDown { port });
        }
        let name = match self.claims_confused.get() {
            true => "another".to_owned(),
            false => question.claim.name.clone(),
        };
        Ok(ClaimAnswer {
            name,
            attempt: question.claim.attempt.clone(),
            word,
        })
    }

    fn tell(&self, told: Told) {
        self.act(&told.object, &told.act);
    }

    async fn send(&self, forward: Forward<Vec<u8>>) -> Result<FakeAnswer, OriginFault> {
        self.note("origin");
        self.arrived.borrow_mut().push(Arrived {
            url: forward.url().to_owned(),
            method: forward.method().as_str(),
            removed: forward.remove().to_vec(),
            set: forward.set().to_vec(),
            outlives_client: forward.outlives_client(),
            content: match forward.into_content() {
                Content::Nothing => None,
                Content::Unread(bytes) | Content::Bytes(bytes) => Some(bytes),
            },
        });
        assert!(!self.origin_panics.get(), "asked to");
        if self.origin_hangs.get() {
            std::future::pending::<()>().await;
        }
        let fails = self.origin_fails_first.get();
        self.origin_fails_first.set(fails.saturating_sub(1));
        match self
            .origin
            .get()
            .or((fails > 0).then_some(OriginFault::Down))
        {
            Some(fault) => Err(fault),
            None => Ok(FakeAnswer(
                self.origin_status.get(),
                self.origin_tells.get(),
                self.origin_answers.fields.borrow().clone(),
                None,
            )),
        }
    }

    async fn read_answer(
        &self,
        answer: &FakeAnswer,
        _max_bytes: u64,
        _reading: Reading,
    ) -> Result<Vec<u8>, ReadFault> {
        self.note("answer");
        match &answer.3 {
            Some(content) => Ok(content.clone()),
            None => self.origin_answers.read(),
        }
    }

    async fn stored(&self, key: &StoreKey, _bytes_max: u64) -> Result<Option<Vec<u8>>, ReadFault> {
        self.note("stored");
        self.store.get(key)
    }

    fn revive(&self, stored: StoredAnswer) -> Option<FakeAnswer> {
        self.store.revive(stored)
    }

    fn file(&self, _answer: &FakeAnswer, filing: Filing) {
        self.store.put(&filing, self.origin_answers.read());
    }

    fn origin_state(&self, origin: &Origin) -> SharedState {
        self.origins.borrow_mut().of(origin)
    }

    fn share(&self, origin: Rc<Origin>) {
        self.shared.borrow_mut().push(origin);
    }

    fn stay(&self) {
        self.stays.set(self.stays.get() + 1);
    }
}
