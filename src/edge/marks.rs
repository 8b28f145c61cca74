//! The copy of revocation marks in `STORE`: read where an object is silent, written by the admin API.

use worker::Env;

use crate::edge::bounded;
use crate::limit::ask::ObjectDown;
use crate::object::ObjectName;
use crate::revocation::Marks;

const TIMEOUT_MS: u64 = 2_000;
/// KV's smallest: how long a location may serve a value it has.
const KV_CACHE_S: u64 = 30;

/// The name of the copy.
pub(super) fn name(object: &ObjectName) -> String {
    format!("marks/{}", object.hex())
}

/// The marks of an object, as the store has them; none where it has nothing.
pub(super) async fn stored(env: &Env, object: &ObjectName) -> Result<Marks, ObjectDown> {
    let read = bounded::within(TIMEOUT_MS, read(env, object)).await;
    read.flatten().ok_or(ObjectDown)
}

async fn read(env: &Env, object: &ObjectName) -> Option<Marks> {
    let store = env.kv("STORE").ok()?;
    let text = store.get(&name(object)).cache_ttl(KV_CACHE_S).text().await;
    match text.ok()? {
        None => Some(Marks::default()),
        // Marks that do not read must not read as none.
        Some(text) => serde_json::from_str(&text).ok(),
    }
}
