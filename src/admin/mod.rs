//! The admin API under `/.edgeward/`: the life of keys, revocation, and what the gateway enforces.
//!
//! `command` reads what is asked, by `schemas/admin.openapi.json`; `caller` finds out who asks;
//! `entrance` is the order of both; `keys`, `tokens` and `state` do it; `making` makes keys and
//! `marks` asks the objects; `ports` is the outside. What changes something leaves one line
//! (`Act`). Off until `ADMIN_KEY_HASH` is bound.

pub mod caller;
pub mod command;
pub mod entrance;
pub mod keys;
pub mod making;
mod marks;
pub mod ports;
pub mod state;
pub mod tokens;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::admin::caller::Admin;
use crate::admin::command::Command;
use crate::admin::ports::AdminPorts;
use crate::body::finding::{Finding, Location};
use crate::credential::api_key::KeyRecord;
use crate::facts::{Facts, UnixMs};
use crate::policy::gate::Gate;
use crate::refusal::Refusal;

/// What came of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub status: u16,
    pub document: Value,
}

/// A change, for the audit line.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// As `keys.rotate`.
    pub name: &'static str,
    /// What was changed; never a secret.
    pub target: Map<String, Value>,
    /// Digests of the record before and after; `None` where there was none.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a command is carried out with.
pub struct Desk<'a, P> {
    pub ports: &'a P,
    pub gate: Option<&'a Gate>,
    pub admin: &'a Admin,
    /// The request.
    pub facts: &'a Facts,
}

impl<P: AdminPorts> Desk<'_, P> {
    /// Writes the audit line of a change: as soon as something is changed, whatever comes after.
    fn note(&self, act: &Act) {
        self.ports.audit(act, self.admin, self.facts);
    }
}

impl<P> Desk<'_, P> {
    fn now_ms(&self) -> UnixMs {
        self.facts.received_at_ms
    }
}

/// Carries out a command whose scope was checked.
pub async fn perform<P: AdminPorts>(desk: &Desk<'_, P>, command: Command) -> Result<Done, Refusal> {
    match command {
        Command::Status => Ok(state::status(desk)),
        Command::CheckPolicy(text) => Ok(state::check(desk, &text)),
        Command::ImportPolicy(bundle) => Ok(state::import(desk, &bundle)),
        Command::CreateKey(asked) => keys::create(desk, *asked).await,
        Command::ListKeys(page) => keys::list(desk, &page).await,
        Command::ShowKey(id) => keys::show(desk, &id).await,
        Command::RotateKey { id, overlap_s } => keys::ending::rotate(desk, &id, overlap_s).await,
        Command::LimitKey { id, asked } => keys::numbers::change(desk, &id, asked).await,
        Command::RevokeKey(id) => keys::ending::revoke(desk, &id).await,
        Command::RevokeTokens(asked) => tokens::revoke(desk, asked).await,
    }
}

impl Act {
    /// The line of this change, without its chain.
    ///
    /// - `request_id`: also in the decision line of the same request.
    pub fn line(&self, admin: &Admin, request_id: &str, ts: &str) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("event".into(), json!("admin"));
        line.insert("ts".into(), json!(ts));
        line.insert("request_id".into(), json!(request_id));
        line.insert("actor".into(), admin.told());
        line.insert("act".into(), json!(self.name));
        line.insert("target".into(), Value::Object(self.target.clone()));
        line.insert("before".into(), json!(self.before));
        line.insert("after".into(), json!(self.after));
        line
    }
}

/// A digest of a record, for comparison: SHA-256 over its JSON, in hexadecimal.
fn digest(record: &KeyRecord) -> Option<String> {
    let text = serde_json::to_string(record).ok()?;
    let digest = Sha256::digest(text.as_bytes());
    Some(base16ct::lower::encode_string(&digest))
}

/// A command that reads well and cannot be carried out.
fn unfit(pointer: &str, keyword: &str, message: &str, fix: &str) -> Refusal {
    let finding = Finding::new(Location::Body, pointer, keyword, message, fix);
    Refusal::Invalid {
        findings: vec![finding],
    }
}
