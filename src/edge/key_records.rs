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
    /// By the key's id and the newest pepper of who asks: another's sees another hash.
    static RECORDS: RefCell<Cache<(KeyId, String), Stored>> = RefCell::new(Cache::new(ENTRIES_MAX));
}

/// The record of a key.
///
/// - `peppers`: a record that is not under the newest of them is overlaid with the hash that was
///   stored when the key was used, if that is under one of them.
pub(super) async fn find(env: &Env, id: &KeyId, peppers: &Peppers) -> Result<KeyAnswer, PortDown> {
    let name = (id.clone(), peppers.current.id().to_owned());
    let remembered = RECORDS.with_borrow(|records| records.get(&name, clock::now_ms()));
    let stored = match remembered {
        Some(stored) => stored,
        None => {
            let read = bounded::within(READ_TIMEOUT_MS, read_newest(env, id, peppers))
                .await
                .flatten();
            let stored = read.ok_or(PortDown { port: Port::Keys })?;
            let now_ms = clock::now_ms();
            RECORDS.with_borrow_mut(|records| {
                records.put(name, stored.clone(), now_ms + MEMORY_MS, now_ms);
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
    // While a pepper is rotated, both are read for every id: the time tells nothing.
    let (mut stored, mut hash) = match peppers.previous {
        Some(_) => {
            let both = futures_util::future::join(read(env, id), read_hash(env, id)).await;
            (both.0?, both.1?)
        }
        None => (read(env, id).await?, None),
    };
    if let Stored::Record(record) = &mut stored
        && record.pepper != peppers.current.id()
    {
        if peppers.previous.is_none() {
            hash = read_hash(env, id).await?;
        }
        if let Some(newer) = hash.filter(|one| peppers.knows(&one.pepper) && one.id == record.id) {
            record.hash = newer.hash;
            record.pepper = newer.pepper;
        }
    }
    Some(stored)
}

/// Outer `None`: the store did not answer.
async fn read_hash(env: &Env, id: &KeyId) -> Option<Option<Rehash>> {
    let store = env.kv("STORE").ok()?;
    let text = store.get(&hash_name(id.as_str())).text().await.ok()?;
    Some(text.and_then(|text| serde_json::from_str(&text).ok()))
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
