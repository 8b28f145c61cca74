//! Records of API keys, from `STORE`, with a short memory.

use std::cell::RefCell;

use worker::Env;

use crate::credential::api_key::{KeyAnswer, KeyId, KeyRecord, Stored};
use crate::edge::cache::Cache;
use crate::edge::{bounded, clock};
use crate::ports::PortDown;
use crate::refusal::Port;

/// How long an isolate takes a record, or that there is none, from memory.
const MEMORY_MS: u64 = 5_000;
const ENTRIES_MAX: usize = 4_096;
const READ_TIMEOUT_MS: u64 = 2_000;
const KV_CACHE_S: u64 = 30;

thread_local! {
    static RECORDS: RefCell<Cache<KeyId, Stored>> = RefCell::new(Cache::new(ENTRIES_MAX));
}

/// The record of a key.
pub(super) async fn find(env: &Env, id: &KeyId) -> Result<KeyAnswer, PortDown> {
    let remembered = RECORDS.with_borrow(|records| records.get(id, clock::now_ms()));
    let stored = match remembered {
        Some(stored) => stored,
        None => {
            let read = bounded::within(READ_TIMEOUT_MS, read(env, id))
                .await
                .flatten();
            let stored = read.ok_or(PortDown { port: Port::Keys })?;
            let now_ms = clock::now_ms();
            RECORDS.with_borrow_mut(|records| {
                records.put(id.clone(), stored.clone(), now_ms + MEMORY_MS, now_ms);
            });
            stored
        }
    };
    Ok(KeyAnswer {
        id: id.clone(),
        stored,
    })
}

/// `None`: the store did not answer.
async fn read(env: &Env, id: &KeyId) -> Option<Stored> {
    let store = env.kv("STORE").ok()?;
    let key = format!("key/{}", id.as_str());
    let text = store.get(&key).cache_ttl(KV_CACHE_S).text().await.ok()?;
    Some(match text {
        None => Stored::Absent,
        Some(text) => match serde_json::from_str::<KeyRecord>(&text) {
            Ok(record) => Stored::Record(Box::new(record)),
            Err(_) => Stored::Unreadable,
        },
    })
}
