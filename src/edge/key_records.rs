//! Records of API keys, from `STORE`, with a short memory.

use std::cell::RefCell;

use worker::Env;

use crate::credential::api_key::{KeyAnswer, KeyId, KeyRecord, Peppers, Rehash, Stored};
use crate::edge::cache::Cache;
use crate::edge::{bounded, clock};
use crate::ports::PortDown;
use crate::refusal::Port;

/// How long an isolate takes a record, or that there is none, from memory.
const MEMORY_MS: u64 = 5_000;
const ENTRIES_MAX: usize = 4_096;
const READ_TIMEOUT_MS: u64 = 2_000;
const KV_CACHE_S: u64 = 30;

/// How often an isolate stores one key's newer hash: until every location reads it.
const REHASH_MS: u64 = 60_000;

thread_local! {
    static REHASHED: RefCell<Cache<String, ()>> = RefCell::new(Cache::new(ENTRIES_MAX));
    static RECORDS: RefCell<Cache<KeyId, Stored>> = RefCell::new(Cache::new(ENTRIES_MAX));
}

/// The record of a key.
///
/// - `peppers`: a record that is not under the newest of them is overlaid with the hash that was
///   stored when the key was used, if that is under one of them.
pub(super) async fn find(env: &Env, id: &KeyId, peppers: &Peppers) -> Result<KeyAnswer, PortDown> {
    let remembered = RECORDS.with_borrow(|records| records.get(id, clock::now_ms()));
    let stored = match remembered {
        Some(stored) => stored,
        None => {
            let read = bounded::within(READ_TIMEOUT_MS, read_newest(env, id, peppers))
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
async fn read_newest(env: &Env, id: &KeyId, peppers: &Peppers) -> Option<Stored> {
    let mut stored = read(env, id).await?;
    if let Stored::Record(record) = &mut stored
        && record.pepper != peppers.current.id()
    {
        let store = env.kv("STORE").ok()?;
        let text = store.get(&hash_name(id.as_str())).text().await.ok()?;
        let newer = text.and_then(|text| serde_json::from_str::<Rehash>(&text).ok());
        if let Some(newer) =
            newer.filter(|newer| peppers.knows(&newer.pepper) && newer.id == record.id)
        {
            record.hash = newer.hash;
            record.pepper = newer.pepper;
        }
    }
    Some(stored)
}

/// Stores a key's hash under the newest pepper. If it is lost, the next use stores it.
pub(super) async fn store_hash(env: &Env, rehash: &Rehash) {
    let now_ms = clock::now_ms();
    let known = REHASHED.with_borrow(|known| known.get(&rehash.id, now_ms));
    let Ok(text) = serde_json::to_string(rehash) else {
        return;
    };
    if known.is_some() {
        return;
    }
    REHASHED.with_borrow_mut(|known| known.put(rehash.id.clone(), (), now_ms + REHASH_MS, now_ms));
    let write = async {
        let store = env.kv("STORE").ok()?;
        let put = store.put(&hash_name(&rehash.id), text).ok()?;
        put.execute().await.ok()
    };
    let _ = bounded::within(READ_TIMEOUT_MS, write).await;
}

fn hash_name(id: &str) -> String {
    format!("hash/{id}")
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
