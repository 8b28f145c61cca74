//! The `Replay` Durable Object: what was used once. It clears itself.
//!
//! Owns: storage and the call. The rule is `replay`'s.

use std::cell::Cell;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    durable_object,
};

use crate::edge::platform::{self, Asking};
use crate::edge::{alarm, clock, table};
use crate::ports::PortDown;
use crate::refusal::Port;
use crate::replay::{ReplayAnswer, ReplayQuestion, Take, Taken, Uses, take};

const CALL_TIMEOUT_MS: u64 = 2_000;
const BINDING: &str = "REPLAY";

/// What one key's proofs used up.
#[durable_object(alarm)]
pub struct Replay {
    state: State,
    sql: SqlStorage,
    /// Whether the table is there: an object that holds nothing has none.
    has_table: Cell<bool>,
    /// How many uses it holds, counted once since it woke.
    held: Cell<Option<u64>>,
}

// A panic leaves no half-made state: every change is one write to storage.
impl std::panic::RefUnwindSafe for Replay {}

impl DurableObject for Replay {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        let has_table = Cell::new(table::exists(&sql, "uses"));
        Self {
            state,
            sql,
            has_table,
            held: Cell::new(None),
        }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("questions come by RPC", 405)
    }

    /// Clears the object when nothing in it could be used any more.
    async fn alarm(&self) -> Result<Response> {
        if !self.has_table.get() {
            return Response::empty();
        }
        let last = self.number("SELECT max(until_ms) FROM uses", None)?;
        if last <= clock::now_ms() {
            self.has_table.set(false);
            self.held.set(Some(0));
            self.state.storage().delete_all().await?;
        } else {
            alarm::set(&self.state, last)?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Replay {
    /// Answers a question (`replay::Take`, JSON), having written down what is fresh. By RPC.
    pub fn take(&self, question: &str) -> std::result::Result<String, JsValue> {
        let failed = |_| JsValue::from_str("the memory of uses failed");
        let question: Take = serde_json::from_str(question).map_err(|_| JsValue::NULL)?;
        let taken = take(self, clock::now_ms(), &question).map_err(failed)?;
        serde_json::to_string(&taken).map_err(|_| JsValue::NULL)
    }
}

impl Replay {
    fn need_table(&self) -> Result<()> {
        if self.has_table.get() {
            return Ok(());
        }
        let table = "CREATE TABLE IF NOT EXISTS uses \
                     (name TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID";
        self.sql.exec(table, None)?;
        self.has_table.set(true);
        Ok(())
    }

    fn number(&self, query: &str, bindings: Option<Vec<SqlStorageValue>>) -> Result<u64> {
        let found = self.sql.exec(query, bindings)?;
        let row = found.raw().next().transpose()?.unwrap_or_default();
        match row.into_iter().next() {
            Some(SqlStorageValue::Integer(number)) => Ok(u64::try_from(number).unwrap_or(0)),
            None | Some(SqlStorageValue::Null) => Ok(0),
            Some(_) => Err(Error::RustError("a row of another type".into())),
        }
    }
}

impl Uses for Replay {
    type Fault = Error;

    fn is_used(&self, name: &str) -> Result<bool> {
        if !self.has_table.get() {
            return Ok(false);
        }
        let query = "SELECT count(*) FROM uses WHERE name = ?";
        Ok(self.number(query, Some(vec![name.into()]))? > 0)
    }

    fn count(&self, now_ms: u64) -> Result<u64> {
        if !self.has_table.get() {
            return Ok(0);
        }
        let all = "SELECT count(*) FROM uses";
        let count = match self.held.get() {
            Some(count) => count,
            None => self.number(all, None)?,
        };
        self.held.set(Some(count));
        if count < crate::replay::USES_MAX {
            return Ok(count);
        }
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let ended = "DELETE FROM uses WHERE until_ms <= ?";
        self.sql.exec(ended, vec![now_ms.into()])?;
        let count = self.number(all, None)?;
        self.held.set(Some(count));
        Ok(count)
    }

    fn write(&self, take: &Take) -> Result<()> {
        self.need_table()?;
        let until_ms = i64::try_from(take.until_ms).unwrap_or(i64::MAX);
        let write = "INSERT INTO uses (name, until_ms) VALUES (?, ?)";
        self.sql
            .exec(write, vec![take.name.as_str().into(), until_ms.into()])?;
        self.held.set(self.held.get().map(|held| held + 1));
        alarm::set(&self.state, take.until_ms)
    }
}

/// Asks one object, once. Silence is no answer: nobody passes by it.
pub(super) async fn ask(
    request: &web_sys::Request,
    env: &Env,
    question: &ReplayQuestion,
) -> std::result::Result<ReplayAnswer, PortDown> {
    let asked = call(request, env, question).await;
    let taken = asked.filter(|taken| *taken != Taken::Full);
    let taken = taken.ok_or(PortDown { port: Port::Replay })?;
    Ok(ReplayAnswer {
        name: question.take.name.clone(),
        taken,
    })
}

async fn call(request: &web_sys::Request, env: &Env, question: &ReplayQuestion) -> Option<Taken> {
    let asking = Asking {
        binding: BINDING,
        name: &question.object.hex(),
        method: "take",
        root: None,
        question: &serde_json::to_string(&question.take).ok()?,
        waits_ms: CALL_TIMEOUT_MS,
    };
    let text = platform::ask(Some(request), env, &asking).await?;
    serde_json::from_str(&text).ok()
}
