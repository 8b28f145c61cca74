//! The `Limiter` Durable Object, and the call to it.
//!
//! Owns: the alarm that clears what is held. The decision is `limit::ledger`'s.

mod rows;

use std::cell::{Cell, RefCell};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    durable_object,
};

use crate::edge::broker::Broker;
use crate::edge::limiter::rows::Table;
use crate::edge::platform::{self, Asking};
use crate::edge::{alarm, clock, table};
use crate::limit::ask::ObjectDown;
use crate::limit::ledger::{self, Rows};
use crate::limit::recent::Recent;
use crate::limit::tidy::{Holding, Tidy, tidy};
use crate::limit::uses::KeyUses;
use crate::limit::wire::{Answer, Question};
use crate::object::ObjectName;

/// How long a request waits for a counter.
const CALL_TIMEOUT_MS: u64 = 2_000;
/// Most rows of one object: the addresses of a network that are counted at once.
const ROWS_HELD_MAX: u64 = 20_000;
/// The largest whole number that the platform stores exactly.
const INTEGER_MAX: u64 = (1 << 53) - 1;
/// How often at most an object that is in use looks for rows that are over.
const TIDY_MS_MIN: u64 = 10_000;
/// The same of one that is full.
const FORGET_MS_MIN: u64 = 1_000;
/// The rows of `notes`: an object has one of each at most.
const MARKS: &str = "marks";
const USES: &str = "uses";
const BINDING: &str = "LIMITER";

/// The counters of one limit key, and the marks against the credentials of one caller.
#[durable_object(alarm)]
pub struct Limiter {
    state: State,
    sql: SqlStorage,
    /// What was read or written last of rows and marks.
    recent: Recent,
    /// Uses of the caller's keys, the newest not yet written.
    uses: RefCell<Option<KeyUses>>,
    /// Whether the tables are there: an object that holds nothing has none.
    has_tables: Cell<bool>,
    /// How many rows it holds, counted once since it woke.
    held: Cell<Option<u64>>,
    /// When rows were forgotten last.
    forgot_at_ms: Cell<u64>,
    /// When the alarm rings that was set since this object woke; `u64::MAX`: none was.
    rings_at_ms: Cell<u64>,
    /// What it borrowed, where it is a broker: in memory alone.
    broker: Broker,
}

// A panic leaves no half-made state: every change is one write to storage.
impl std::panic::RefUnwindSafe for Limiter {}

impl DurableObject for Limiter {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        // `windows` is what an older version counted in; its `notes` are read on.
        let held = ["rows", "notes", "windows"].map(|name| table::exists(&sql, name));
        let limiter = Self {
            broker: Broker::new(env),
            state,
            sql,
            recent: Recent::default(),
            uses: RefCell::new(None),
            has_tables: Cell::new(false),
            held: Cell::new(None),
            forgot_at_ms: Cell::new(0),
            rings_at_ms: Cell::new(u64::MAX),
        };
        if held.contains(&true) {
            // Where it fails, the next question fails too, and grants nothing.
            let _ = limiter.need_tables();
            limiter.has_tables.set(true);
        }
        limiter
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("charges come by RPC", 405)
    }

    /// Clears the object when nothing is held any more. Marks stay as long as what they name could
    /// be used, and the uses of keys stay.
    async fn alarm(&self) -> Result<Response> {
        self.rings_at_ms.set(u64::MAX);
        if !self.has_tables.get() {
            return Response::empty();
        }
        self.write_uses()?;
        let now_ms = clock::now_ms();
        self.forget_rows()?;
        // What follows may take more away.
        self.recent.forget();
        let holding = Holding {
            empty_at_ms: self.number("SELECT min(ends_at_ms) FROM rows")?,
            marks_end_at_ms: Table(self).marks()?.end_at_ms(),
            has_uses: self.note(USES)?.is_some(),
        };
        match tidy(holding, now_ms) {
            Tidy::Wait { until_ms } => {
                self.arm(until_ms.max(now_ms.saturating_add(TIDY_MS_MIN)))?
            }
            Tidy::Clear => {
                self.has_tables.set(false);
                self.held.set(Some(0));
                self.state.storage().delete_all().await?;
            }
            Tidy::Keep {
                drop_marks,
                look_at_ms,
            } => {
                if drop_marks {
                    let drop = "DELETE FROM notes WHERE name = ?";
                    self.sql.exec(drop, vec![MARKS.into()])?;
                }
                if let Some(at_ms) = look_at_ms {
                    self.arm(at_ms)?;
                }
            }
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Limiter {
    /// Answers a question (`limit::wire`, JSON), having written whatever it grants. By RPC.
    pub fn charge(&self, question: &str) -> std::result::Result<String, JsValue> {
        let answer = match serde_json::from_str::<Question>(question) {
            Ok(question) => {
                ledger::answer(&self.recent.over(&Table(self)), clock::now_ms(), &question)
                    .map_err(|_| JsValue::from_str("the counter's storage failed"))?
            }
            Err(_) => Answer::NotUnderstood,
        };
        serde_json::to_string(&answer).map_err(|_| JsValue::from_str("no answer"))
    }

    /// Answers a question for rows of another object, of which it borrows. By RPC.
    pub fn broker(&self, root: &str, question: &str) -> Promise {
        self.broker.answer(root, question)
    }
}

impl Limiter {
    fn need_tables(&self) -> Result<()> {
        if self.has_tables.get() {
            return Ok(());
        }
        for table in [
            "CREATE TABLE IF NOT EXISTS rows \
             (name TEXT PRIMARY KEY, state TEXT NOT NULL, ends_at_ms INTEGER NOT NULL) \
             WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS notes \
             (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
        ] {
            self.sql.exec(table, None)?;
        }
        self.has_tables.set(true);
        Ok(())
    }

    /// Forgets the rows in which nothing counts any more; looked for once a second at most.
    fn forget_rows(&self) -> Result<()> {
        let now_ms = clock::now_ms();
        if now_ms.saturating_sub(self.forgot_at_ms.get()) >= FORGET_MS_MIN {
            self.forgot_at_ms.set(now_ms);
            let over = vec![integer(now_ms)?];
            self.recent.forget();
            let delete = "DELETE FROM rows WHERE ends_at_ms <= ?";
            self.sql.exec(delete, over)?;
            self.held.set(None);
        }
        Ok(())
    }

    /// How many rows there are, as far as it matters.
    fn rows_held(&self) -> Result<u64> {
        if let Some(held) = self.held.get() {
            return Ok(held);
        }
        let held = self.number("SELECT count(*) FROM rows")?;
        self.held.set(Some(held));
        Ok(held)
    }

    fn number(&self, query: &str) -> Result<u64> {
        let row = self.sql.exec(query, None)?.raw().next().transpose()?;
        match row.and_then(|row| row.into_iter().next()) {
            Some(SqlStorageValue::Integer(number)) => Ok(u64::try_from(number).unwrap_or(0)),
            None | Some(SqlStorageValue::Null) => Ok(0),
            Some(_) => Err(Error::RustError("a row of another type".into())),
        }
    }

    fn note(&self, name: &str) -> Result<Option<String>> {
        let query = "SELECT text FROM notes WHERE name = ?";
        self.text(query, name)
    }

    fn write_note(&self, name: &str, text: String) -> Result<()> {
        self.need_tables()?;
        let write = "INSERT INTO notes (name, text) VALUES (?, ?) \
                     ON CONFLICT (name) DO UPDATE SET text = excluded.text";
        self.sql.exec(write, vec![name.into(), text.into()])?;
        Ok(())
    }

    /// The one text that a query for `name` finds.
    fn text(&self, query: &str, name: &str) -> Result<Option<String>> {
        if !self.has_tables.get() {
            return Ok(None);
        }
        let found = self.sql.exec(query, vec![name.into()])?;
        let row = found.raw().next().transpose()?;
        match row.and_then(|row| row.into_iter().next()) {
            None => Ok(None),
            Some(SqlStorageValue::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::RustError("a row of another type".into())),
        }
    }

    /// The uses, read from storage the first time since this object woke.
    fn with_uses<T>(&self, change: impl FnOnce(&mut KeyUses) -> T) -> Result<T> {
        let mut uses = self.uses.borrow_mut();
        if uses.is_none() {
            let text = self.note(USES)?;
            let read = text.map(|text| serde_json::from_str(&text)).transpose()?;
            *uses = Some(read.unwrap_or_default());
        }
        Ok(change(uses.get_or_insert_default()))
    }

    fn write_uses(&self) -> Result<()> {
        let now_ms = clock::now_ms();
        match self.with_uses(|uses| uses.unwritten(now_ms))? {
            Some(uses) => self.write_note(USES, serde_json::to_string(&uses)?),
            None => Ok(()),
        }
    }

    fn arm(&self, end_at_ms: u64) -> Result<()> {
        alarm::set(&self.state, end_at_ms)?;
        self.rings_at_ms.set(end_at_ms);
        Ok(())
    }
}

/// A number as the platform stores it: a whole one up to 2^53.
fn integer(number: u64) -> Result<SqlStorageValue> {
    SqlStorageValue::try_from_i64(i64::try_from(number).unwrap_or(i64::MAX))
}

/// How long a broker waits for the object that it borrows from: an isolate waits for the broker.
const ROOT_TIMEOUT_MS: u64 = CALL_TIMEOUT_MS / 2;

/// Asks one object, once: a question that may have been granted is not asked again.
/// - `request`: that asks, if it is one.
pub(super) async fn ask(
    request: Option<&web_sys::Request>,
    env: &Env,
    object: &ObjectName,
    question: &Question,
) -> std::result::Result<Answer, ObjectDown> {
    let answer = call(request, env, object, question, CALL_TIMEOUT_MS).await;
    answer.ok_or(ObjectDown)
}

/// The same, asked by a broker.
pub(super) async fn ask_root(
    env: &Env,
    object: &ObjectName,
    question: &Question,
) -> std::result::Result<Answer, ObjectDown> {
    let answer = call(None, env, object, question, ROOT_TIMEOUT_MS).await;
    answer.ok_or(ObjectDown)
}

async fn call(
    request: Option<&web_sys::Request>,
    env: &Env,
    object: &ObjectName,
    question: &Question,
    waits_ms: u64,
) -> Option<Answer> {
    let root = object.root_hex();
    let method = match root {
        None => "charge",
        Some(_) => "broker",
    };
    let asking = Asking {
        binding: BINDING,
        name: &object.hex(),
        method,
        root: root.as_deref(),
        question: &serde_json::to_string(question).ok()?,
        waits_ms,
    };
    let text = platform::ask(request, env, &asking).await?;
    serde_json::from_str(&text).ok()
}
