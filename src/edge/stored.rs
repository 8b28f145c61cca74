//! Kept answers in the platform's cache, which is one location's (`caches.open`).
//!
//! Owns: the calls, and that none is waited for long. Does not own: what is kept, for how long and for
//! whom (`stored`).

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::Request;
use worker::Context;

use crate::edge::origin::{Answer, Care};
use crate::edge::platform::{self, Edits};
use crate::ports::ReadFault;
use crate::stored::StoredAnswer;
use crate::stored::entry::{Filing, HEAD_BYTES_MAX};
use crate::stored::key::StoreKey;

/// How long a request waits for the cache: a miss costs no more than that.
const LOOK_MS_MAX: u64 = 500;
/// How long an answer's content may take that is kept.
const READ_MS_MAX: u64 = 30_000;
/// How long it may take to put it there.
const PUT_MS_MAX: u64 = 5_000;

/// A key of the cache has to be a URL; nobody is reached by this one (RFC 6761 §6.4).
fn url(key: &StoreKey) -> String {
    format!("https://answers.invalid/{}", key.hex())
}

/// What lies there, with content of at most `bytes_max`.
pub(super) async fn find(
    request: &Request,
    key: &StoreKey,
    bytes_max: u64,
) -> Result<Option<Vec<u8>>, ReadFault> {
    let most = bytes_max.saturating_add(HEAD_BYTES_MAX);
    platform::stored(request, &url(key), most, LOOK_MS_MAX).await
}

/// An answer of what was kept.
pub(super) fn revive(stored: &StoredAnswer) -> Option<Answer> {
    let mut edits = Edits::default();
    for (name, value) in &stored.fields {
        edits.begin.pair(name, value);
    }
    let content = match stored.content.as_slice() {
        [] => JsValue::NULL,
        bytes => Uint8Array::from(bytes).into(),
    };
    let response = platform::respond(stored.status, None, &edits, &content).ok()?;
    Some(Answer::new(response, Care::default()))
}

/// Keeps an answer behind itself: a copy of it is read.
pub(super) fn file(context: &Context, answer: &Answer, filing: Filing) {
    // What the platform does not copy passes, and is not kept.
    let Ok(copy) = answer.response.clone() else {
        return;
    };
    context.wait_until(async move {
        let read = match copy.body() {
            None => Ok(Vec::new()),
            Some(body) => platform::read(&body, filing.content_bytes_max(), READ_MS_MAX).await,
        };
        if let Some(entry) = filing.entry(read) {
            let url = url(filing.key());
            platform::store(&url, &entry, filing.left_s(), PUT_MS_MAX).await;
        }
    });
}
