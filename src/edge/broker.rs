//! A `Limiter` object as a broker: its memory, and its way to the object that it borrows from.
//!
//! Owns: nothing that is stored. The decision is `limit::broker`'s. Called by: `edge::limiter`.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use worker::Env;

use crate::edge::{bounded, clock, limiter};
use crate::facts::UnixMs;
use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::broker::{self, Grants};
use crate::limit::errand::{self, Errand};
use crate::limit::memory::LimitMemory;
use crate::limit::wire::{Answer, Question};
use crate::object::ObjectName;
use crate::revocation::Marks;

pub(super) struct Broker(Rc<Borrowed>);

/// What a broker knows; shared with what it does after it answered.
struct Borrowed {
    env: Env,
    memory: RefCell<LimitMemory>,
    grants: RefCell<Grants>,
}

impl Broker {
    pub(super) fn new(env: Env) -> Self {
        Self(Rc::new(Borrowed {
            env,
            memory: RefCell::new(LimitMemory::new(clock::holder())),
            grants: RefCell::new(Grants::new(clock::holder())),
        }))
    }

    /// Answers a question as `limit::wire` writes it, in JSON.
    pub(super) fn answer(&self, root: &str, question: &str) -> Promise {
        let borrowed = Rc::clone(&self.0);
        let asked = ObjectName::from_hex(root).zip(serde_json::from_str::<Question>(question).ok());
        // A panic leaves no half-made state: what is lost of it counts as used.
        future_to_promise(AssertUnwindSafe(async move {
            let answer = match &asked {
                Some((root, question)) => {
                    let ports = BrokerPorts(Rc::clone(&borrowed));
                    broker::answer(&ports, &borrowed.grants, root, question).await
                }
                None => Some(Answer::NotUnderstood),
            };
            let answer = answer.ok_or_else(|| JsValue::from_str("the counter is silent"))?;
            let text = serde_json::to_string(&answer).map_err(|_| JsValue::from_str("no answer"));
            text.map(|text| JsValue::from_str(&text))
        }))
    }
}

struct BrokerPorts(Rc<Borrowed>);

impl Objects for BrokerPorts {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        limiter::ask_root(&self.0.env, object, question).await
    }

    /// A broker stands before counters, and no counter of a service has marks.
    async fn stored_marks(&self, _object: &ObjectName) -> Result<Marks, ObjectDown> {
        Err(ObjectDown)
    }

    async fn pause(&self, ms: u64) {
        bounded::pause(ms).await;
    }

    fn now_ms(&self) -> UnixMs {
        clock::now_ms()
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        &self.0.memory
    }

    fn defer(&self, errand: Errand) {
        let ports = Self(Rc::clone(&self.0));
        // An object stays as long as something is under way.
        spawn_local(async move { errand::run(&ports, errand).await });
    }
}
