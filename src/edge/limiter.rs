//! The `Limiter` Durable Object, and the call to it.
//!
//! Owns: rows in SQLite and the alarm that clears them. The decision is `limit::ledger`'s.

use std::cell::Cell;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    durable_object,
};

use crate::edge::{bounded, clock};
use crate::limit::ask::{ObjectDown, ObjectName};
use crate::limit::ledger::{self, Rows};
use crate::limit::window::Window;
use crate::limit::wire::{Answer, Question};

/// How long a request waits for a counter.
const CALL_TIMEOUT_MS: u64 = 2_000;
/// How long after its last unit is free an object clears itself.
const IDLE_MS: u64 = 1_000;
const BINDING: &str = "LIMITER";

/// The counters of one limit key.
#[durable_object(alarm)]
pub struct Limiter {
    state: State,
    sql: SqlStorage,
    /// Whether an alarm was set since this object woke.
    is_armed: Cell<bool>,
}

// A panic leaves no half-made state: every change is one write to storage.
impl std::panic::RefUnwindSafe for Limiter {}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        let limiter = Self {
            state,
            sql,
            is_armed: Cell::new(false),
        };
        // Without the table every question fails, and a failed question grants nothing.
        let _ = limiter.make_table();
        limiter
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("charges come by RPC", 405)
    }

    /// Clears the object when nothing is held any more.
    async fn alarm(&self) -> Result<Response> {
        let rows = self.sql.exec("SELECT held FROM windows", None)?;
        let held = rows
            .raw()
            .filter_map(|row| match row.ok()?.into_iter().next()? {
                SqlStorageValue::String(text) => serde_json::from_str::<Window>(&text).ok(),
                _ => None,
            });
        let empty_at_ms = held.map(|window| window.empty_at_ms()).max().unwrap_or(0);
        if empty_at_ms <= clock::now_ms() {
            self.state.storage().delete_all().await?;
            self.is_armed.set(false);
            self.make_table()?;
        } else {
            self.arm(empty_at_ms)?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Limiter {
    /// Answers a question (`limit::wire`, JSON), having written whatever it grants. By RPC.
    pub fn charge(&self, question: &str) -> std::result::Result<String, JsValue> {
        let answer = match serde_json::from_str::<Question>(question) {
            Ok(question) => ledger::answer(&Table(self), clock::now_ms(), &question)
                .map_err(|_| JsValue::from_str("the counter's storage failed"))?,
            Err(_) => Answer::NotUnderstood,
        };
        serde_json::to_string(&answer).map_err(|_| JsValue::from_str("no answer"))
    }
}

impl Limiter {
    fn make_table(&self) -> Result<()> {
        let table = "CREATE TABLE IF NOT EXISTS windows \
                     (name TEXT PRIMARY KEY, held TEXT NOT NULL) WITHOUT ROWID";
        self.sql.exec(table, None).map(|_| ())
    }

    /// Sets the alarm to when the last unit is free. The call starts at once and belongs to the
    /// same write as the rows; awaiting it would let another question in between.
    fn arm(&self, empty_at_ms: u64) -> Result<()> {
        let failed = || Error::RustError("no alarm".into());
        let storage: JsValue = self.state.storage().as_raw().into();
        let set = Reflect::get(&storage, &JsValue::from_str("setAlarm")).map_err(|_| failed())?;
        let set: Function = set.dyn_into().map_err(|_| failed())?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are far below 2^53"
        )]
        let at = JsValue::from_f64(empty_at_ms.saturating_add(IDLE_MS) as f64);
        set.call1(&storage, &at).map_err(|_| failed())?;
        self.is_armed.set(true);
        Ok(())
    }
}

struct Table<'a>(&'a Limiter);

impl Rows for Table<'_> {
    type Fault = Error;

    fn load(&self, row: &str) -> Result<Window> {
        let found = self
            .0
            .sql
            .exec("SELECT held FROM windows WHERE name = ?", vec![row.into()])?;
        let held = found
            .raw()
            .next()
            .transpose()?
            .and_then(|row| row.into_iter().next());
        match held {
            None => Ok(Window::default()),
            // A row that does not read must not read as empty.
            Some(SqlStorageValue::String(text)) => Ok(serde_json::from_str(&text)?),
            Some(_) => Err(Error::RustError("a row of another type".into())),
        }
    }

    fn save(&self, row: &str, window: &Window) -> Result<()> {
        let held = serde_json::to_string(window)?;
        let write = "INSERT INTO windows (name, held) VALUES (?, ?) \
                     ON CONFLICT (name) DO UPDATE SET held = excluded.held";
        self.0.sql.exec(write, vec![row.into(), held.into()])?;
        if !self.0.is_armed.get() {
            self.0.arm(window.empty_at_ms())?;
        }
        Ok(())
    }
}

#[wasm_bindgen]
extern "C" {
    type LimiterStub;

    #[wasm_bindgen(method, catch)]
    fn charge(this: &LimiterStub, question: &str) -> std::result::Result<Promise, JsValue>;
}

/// Asks one object, once: a question that may have been granted is not asked again.
pub(super) async fn ask(
    env: &Env,
    object: &ObjectName,
    question: &Question,
) -> std::result::Result<Answer, ObjectDown> {
    let asked = bounded::within(CALL_TIMEOUT_MS, call(env, object, question)).await;
    asked.flatten().ok_or(ObjectDown)
}

async fn call(env: &Env, object: &ObjectName, question: &Question) -> Option<Answer> {
    let namespace = env.durable_object(BINDING).ok()?;
    let stub = namespace
        .get_by_name(object.as_str())
        .ok()?
        .into_rpc::<LimiterStub>();
    let answer = stub.charge(&serde_json::to_string(question).ok()?).ok()?;
    let text = JsFuture::from(answer).await.ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}
