//! The `Idempotency` Durable Object: what one caller had carried out, by its keys. It clears itself.
//!
//! Owns: storage and the calls. The rule is `idempotency::claims`'s.

use std::cell::Cell;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    durable_object,
};

use crate::edge::platform::{self, Asking};
use crate::edge::{alarm, clock, table};
use crate::idempotency::claims::{Claims, Held, KEYS_MAX, answer};
use crate::idempotency::{Act, ClaimAnswer, ClaimQuestion, Word};
use crate::object::ObjectName;
use crate::ports::PortDown;
use crate::refusal::Port;

const CALL_TIMEOUT_MS: u64 = 2_000;
const BINDING: &str = "IDEMPOTENCY";
/// Shortest time between two clearings: keys that end one after the other are cleared together.
const CLEAR_MS: u64 = 60_000;

/// One caller's keys.
#[durable_object(alarm)]
pub struct Idempotency {
    state: State,
    sql: SqlStorage,
    /// Whether the table is there: an object that holds nothing has none.
    has_table: Cell<bool>,
    /// Whether an alarm is known to be set.
    has_alarm: Cell<bool>,
    /// How many keys there are, and bytes of what is held of them, counted once since it woke.
    held: Cell<Option<(u64, u64)>>,
    /// When keys whose time is over were dropped last.
    dropped_ms: Cell<u64>,
}

// A panic leaves no half-made state: every change is one write to storage.
impl std::panic::RefUnwindSafe for Idempotency {}

impl DurableObject for Idempotency {
    fn new(state: State, _env: Env) -> Self {
        let sql = state.storage().sql();
        let has_table = Cell::new(table::exists(&sql, "claims"));
        Self {
            state,
            sql,
            has_table,
            has_alarm: Cell::new(false),
            held: Cell::new(None),
            dropped_ms: Cell::new(0),
        }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("questions come by RPC", 405)
    }

    /// Drops keys whose time is over; clears the object when that is all of them.
    async fn alarm(&self) -> Result<Response> {
        if !self.has_table.get() {
            return Response::empty();
        }
        let now_ms = clock::now_ms();
        self.drop_ended(now_ms)?;
        match self.number("SELECT min(keep_until_ms) FROM claims")? {
            None => {
                self.has_table.set(false);
                self.has_alarm.set(false);
                self.held.set(None);
                self.state.storage().delete_all().await?;
            }
            Some(next_ms) => {
                alarm::set(&self.state, next_ms.max(now_ms.saturating_add(CLEAR_MS)))?;
                self.has_alarm.set(true);
            }
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Idempotency {
    /// Answers a question (`idempotency::Act`, JSON), having written down what it granted. By RPC.
    pub fn act(&self, act: &str) -> std::result::Result<String, JsValue> {
        let failed = |_| JsValue::from_str("the memory of keys failed");
        let act: Act = serde_json::from_str(act).map_err(|_| JsValue::NULL)?;
        let word = answer(self, clock::now_ms(), &act).map_err(failed)?;
        serde_json::to_string(&word).map_err(|_| JsValue::NULL)
    }
}

impl Idempotency {
    fn need_table(&self) -> Result<()> {
        if self.has_table.get() {
            return Ok(());
        }
        let table = "CREATE TABLE IF NOT EXISTS claims (name TEXT PRIMARY KEY, held TEXT NOT NULL, \
                     bytes INTEGER NOT NULL, keep_until_ms INTEGER NOT NULL)";
        self.sql.exec(table, None)?;
        let index = "CREATE INDEX IF NOT EXISTS claims_end ON claims (keep_until_ms)";
        self.sql.exec(index, None)?;
        self.has_table.set(true);
        Ok(())
    }

    /// The first number that a query gives; `None` for no row, or none that counts.
    fn number(&self, query: &str) -> Result<Option<u64>> {
        self.first(query, None)
    }

    fn first(&self, query: &str, bindings: Option<Vec<SqlStorageValue>>) -> Result<Option<u64>> {
        let found = self.sql.exec(query, bindings)?;
        let row = found.raw().next().transpose()?.unwrap_or_default();
        match row.into_iter().next() {
            Some(SqlStorageValue::Integer(number)) => Ok(u64::try_from(number).ok()),
            None | Some(SqlStorageValue::Null) => Ok(None),
            Some(_) => Err(another_type()),
        }
    }

    fn drop_ended(&self, now_ms: u64) -> Result<()> {
        let ended = "DELETE FROM claims WHERE keep_until_ms <= ?";
        self.sql.exec(ended, vec![integer(now_ms)])?;
        self.dropped_ms.set(now_ms);
        self.held.set(None);
        Ok(())
    }

    /// Keys, and bytes held of them. Counting reads every row: it is done once.
    fn held(&self) -> Result<(u64, u64)> {
        if let Some(held) = self.held.get() {
            return Ok(held);
        }
        let keys = self.number("SELECT count(*) FROM claims")?;
        let bytes = self.number("SELECT sum(bytes) FROM claims")?;
        let held = (keys.unwrap_or(0), bytes.unwrap_or(0));
        self.held.set(Some(held));
        Ok(held)
    }

    /// Notes that a row of `old` bytes (`None`: there was none) is now one of `new` (`None`: it is gone).
    fn note(&self, old: Option<u64>, new: Option<u64>) {
        let noted = self.held.get().map(|(keys, bytes)| {
            let keys = keys + u64::from(new.is_some());
            let bytes = bytes.saturating_add(new.unwrap_or(0));
            (
                keys.saturating_sub(u64::from(old.is_some())),
                bytes.saturating_sub(old.unwrap_or(0)),
            )
        });
        self.held.set(noted);
    }

    fn bytes_of(&self, name: &str) -> Result<Option<u64>> {
        let query = "SELECT bytes FROM claims WHERE name = ?";
        self.first(query, Some(vec![name.into()]))
    }
}

impl Claims for Idempotency {
    type Fault = Error;

    fn find(&self, name: &str) -> Result<Option<Held>> {
        if !self.has_table.get() {
            return Ok(None);
        }
        let query = "SELECT held FROM claims WHERE name = ?";
        let found = self.sql.exec(query, vec![name.into()])?;
        let row = found.raw().next().transpose()?.unwrap_or_default();
        match row.into_iter().next() {
            None => Ok(None),
            Some(SqlStorageValue::String(text)) => Ok(Some(serde_json::from_str(&text)?)),
            Some(_) => Err(another_type()),
        }
    }

    fn put(&self, name: &str, held: &Held) -> Result<()> {
        self.need_table()?;
        let text = serde_json::to_string(held)?;
        let (old, bytes) = (self.bytes_of(name)?, text.len() as u64);
        let write = "INSERT OR REPLACE INTO claims (name, held, bytes, keep_until_ms) \
                     VALUES (?, ?, ?, ?)";
        let row = vec![
            name.into(),
            text.into(),
            integer(bytes),
            integer(held.keep_until_ms),
        ];
        self.sql.exec(write, row)?;
        self.note(old, Some(bytes));
        if !self.has_alarm.get() {
            let first = self.number("SELECT min(keep_until_ms) FROM claims")?;
            alarm::set(&self.state, first.unwrap_or(held.keep_until_ms))?;
            self.has_alarm.set(true);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let old = self.bytes_of(name)?;
        let remove = "DELETE FROM claims WHERE name = ?";
        self.sql.exec(remove, vec![name.into()])?;
        self.note(old, None);
        Ok(())
    }

    fn count(&self, now_ms: u64) -> Result<(u64, u64)> {
        if !self.has_table.get() {
            return Ok((0, 0));
        }
        let held = self.held()?;
        // A caller with too many keys must not have all of them read for each one more.
        let is_due = now_ms.saturating_sub(self.dropped_ms.get()) >= CLEAR_MS;
        if held.0 < KEYS_MAX || !is_due {
            return Ok(held);
        }
        self.drop_ended(now_ms)?;
        self.held()
    }
}

fn integer(number: u64) -> SqlStorageValue {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn another_type() -> Error {
    Error::RustError("a row of another type".into())
}

/// Asks one object for a claim, once. Silence is no answer: nothing is carried out.
pub(super) async fn claim(
    env: &Env,
    question: &ClaimQuestion,
) -> std::result::Result<ClaimAnswer, PortDown> {
    let act = Act::Claim(question.claim.clone());
    let word = tell(env, &question.object, &act).await;
    let port = Port::Idempotency;
    Ok(ClaimAnswer {
        name: question.claim.name.clone(),
        attempt: question.claim.attempt.clone(),
        word: word.ok_or(PortDown { port })?,
    })
}

/// Tells one object something, once. `None`: no answer in time.
pub(super) async fn tell(env: &Env, object: &ObjectName, act: &Act) -> Option<Word> {
    let asking = Asking {
        binding: BINDING,
        name: &object.hex(),
        method: "act",
        root: None,
        question: &serde_json::to_string(act).ok()?,
        waits_ms: CALL_TIMEOUT_MS,
    };
    let text = platform::ask(None, env, &asking).await?;
    serde_json::from_str(&text).ok()
}
