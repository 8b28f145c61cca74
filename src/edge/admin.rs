//! The admin API's outside: `STORE` as it is written, randomness, the policy in force.

use serde_json::Value;
use worker::{Env, Result};

use crate::admin::Act;
use crate::admin::caller::{Admin, RootHashes};
use crate::admin::entrance::{Admitted, serve};
use crate::admin::ports::{AdminPorts, RecordPage};
use crate::credential::api_key::KeyRecord;
use crate::edge::ports::{EdgePorts, Unread, told_origin};
use crate::edge::{bounded, clock, incoming, log, marks, policy, reply};
use crate::facts::Facts;
use crate::object::ObjectName;
use crate::policy::fault::PolicyFault;
use crate::policy::gate::{Gate, Origin};
use crate::ports::PortDown;
use crate::refusal::Port;
use crate::revocation::Marks;
use crate::trail::{Refused, Trail};

/// How long one read or write of the store may take, and a page of reads.
const TIMEOUT_MS: u64 = 3_000;
const PAGE_TIMEOUT_MS: u64 = 20_000;
/// The last end that the runtime takes: beyond it, as for what never ends, there is none.
const KV_END_S_MAX: u64 = 2_147_483_647;
/// The nearest end that KV takes, from now.
const KV_END_S_MIN: u64 = 60;
const DOWN: PortDown = PortDown { port: Port::Keys };

/// The hashes of the root key; `None`: the admin API is off.
pub(super) fn hashes(env: &Env) -> Option<RootHashes> {
    let secret = |name: &str| {
        let text = env.secret(name).ok()?.to_string();
        (!text.is_empty()).then_some(text)
    };
    Some(RootHashes {
        current: secret("ADMIN_KEY_HASH")?,
        previous: secret("ADMIN_KEY_HASH_PREVIOUS"),
    })
}

/// Answers one request to the admin API; its status, and what the decision line is written from.
pub(super) async fn answer(
    ports: &EdgePorts<'_>,
    gate: Option<&Gate>,
    hashes: &RootHashes,
    trail: Box<Trail>,
) -> std::result::Result<(Result<reply::Reply>, Box<Trail>), Refused> {
    let is_local = incoming::is_loopback_listener(ports.env);
    let admitted = serve(ports, gate, hashes, is_local, trail, Unread(())).await?;
    let Admitted { done, trail } = admitted;
    let reply = reply::document(gate, &trail, done.status, &done.document);
    Ok((reply, trail))
}

impl AdminPorts for EdgePorts<'_> {
    fn told_origin(&self, origin: &Origin) -> serde_json::Value {
        told_origin(origin)
    }

    async fn record(&self, id: &str) -> std::result::Result<Option<KeyRecord>, PortDown> {
        let read = bounded::within(TIMEOUT_MS, record(self.env, &key_name(id))).await;
        read.flatten().ok_or(DOWN)
    }

    async fn put_record(&self, record: &KeyRecord) -> std::result::Result<(), PortDown> {
        let text = serde_json::to_string(record).map_err(|_| DOWN)?;
        put(self.env, &key_name(&record.id), text, None).await
    }

    async fn records(
        &self,
        cursor: Option<&str>,
        limit: u32,
    ) -> std::result::Result<RecordPage, PortDown> {
        let read = bounded::within(PAGE_TIMEOUT_MS, page(self.env, cursor, limit)).await;
        read.flatten().ok_or(DOWN)
    }

    async fn put_marks(
        &self,
        object: &ObjectName,
        marks: &Marks,
    ) -> std::result::Result<(), PortDown> {
        let text = serde_json::to_string(marks).map_err(|_| DOWN)?;
        put(self.env, &marks::name(object), text, marks.end_at_ms()).await
    }

    fn random(&self, bytes: &mut [u8]) -> std::result::Result<(), PortDown> {
        getrandom::fill(bytes).map_err(|_| DOWN)
    }

    fn load(&self, text: &[u8]) -> std::result::Result<Gate, Vec<PolicyFault>> {
        policy::judge(self.env, text)
    }

    fn audit(&self, act: &Act, admin: &Admin, facts: &Facts) {
        log::admin(self.env, act, admin, facts);
    }

    fn refused_policy(&self) -> Value {
        policy::refused()
    }
}

fn key_name(id: &str) -> String {
    format!("key/{id}")
}

/// Outer `None`: the store did not answer.
async fn record(env: &Env, name: &str) -> Option<Option<KeyRecord>> {
    let store = env.kv("STORE").ok()?;
    let text = store.get(name).text().await.ok()?;
    Some(text.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn page(env: &Env, cursor: Option<&str>, limit: u32) -> Option<RecordPage> {
    let store = env.kv("STORE").ok()?;
    let mut asked = store.list().prefix("key/".into()).limit(u64::from(limit));
    if let Some(cursor) = cursor {
        asked = asked.cursor(cursor.to_owned());
    }
    let listed = asked.execute().await.ok()?;
    let names: Vec<&str> = listed.keys.iter().map(|key| key.name.as_str()).collect();
    let reads = names.iter().map(|name| record(env, name));
    let read = futures_util::future::join_all(reads).await;
    let mut records = Vec::with_capacity(read.len());
    for found in read {
        records.extend(found?);
    }
    let cursor = listed.cursor.filter(|_| !listed.list_complete);
    Some(RecordPage { records, cursor })
}

/// - `end_at_ms`: when the store may forget it; `None`: never.
async fn put(
    env: &Env,
    name: &str,
    text: String,
    end_at_ms: Option<u64>,
) -> std::result::Result<(), PortDown> {
    // KV takes no end that is nearer than a minute.
    let soonest_s = clock::now_ms() / 1_000 + 2 * KV_END_S_MIN;
    let end_s = end_at_ms.map(|end_ms| (end_ms / 1_000).max(soonest_s));
    let end_s = end_s.filter(|end_s| *end_s <= KV_END_S_MAX);
    let write = async {
        let store = env.kv("STORE").ok()?;
        let mut put = store.put(name, text).ok()?;
        if let Some(end_s) = end_s {
            put = put.expiration(end_s);
        }
        put.execute().await.ok()
    };
    let written = bounded::within(TIMEOUT_MS, write).await;
    written.flatten().ok_or(DOWN)
}
