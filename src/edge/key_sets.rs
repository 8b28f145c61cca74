//! Issuers' key sets, fetched. When, and what is served meanwhile: `credential::key_cache`.

use std::cell::RefCell;
use std::time::Duration;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, RequestRedirect, Response, WorkerGlobalScope};
use worker::Delay;

use crate::credential::jwk::{self, KEY_SET_BYTES_MAX, KeySet};
use crate::credential::jwt::JwtRule;
use crate::credential::key_cache::{
    FETCH_MS_MAX, Flight, KeyCache, LOOK_MS, LOOKS_MAX, Served, SourceName, Step,
};
use crate::edge::{bounded, clock, platform};
use crate::ports::{Freshness, PortDown};
use crate::refusal::Port;

thread_local! {
    static SETS: RefCell<KeyCache> = RefCell::new(KeyCache::default());
}

const DOWN: PortDown = PortDown { port: Port::KeySet };

/// The keys at `uri`, and until when a token verified by them may be remembered.
pub(super) async fn find(
    rule: &JwtRule,
    uri: &str,
    freshness: Freshness,
) -> Result<Served, PortDown> {
    let name = SourceName::of(rule, uri);
    for _ in 0..=LOOKS_MAX {
        let step = SETS.with_borrow_mut(|sets| sets.decide(&name, freshness, clock::now_ms()));
        match step {
            Step::Serve(served) => return Ok(served),
            Step::Fetch(flight) => return fly(&name, flight, rule, uri).await.ok_or(DOWN),
            Step::Wait => Delay::from(Duration::from_millis(LOOK_MS)).await,
            Step::Down => return Err(DOWN),
        }
    }
    Err(DOWN)
}

async fn fly(name: &SourceName, flight: Flight, rule: &JwtRule, uri: &str) -> Option<Served> {
    let fetched = bounded::within(FETCH_MS_MAX, fetch(rule, uri)).await;
    let now_ms = clock::now_ms();
    SETS.with_borrow_mut(|sets| match fetched.flatten() {
        Some(keys) => sets.fetched(name, flight, keys, now_ms),
        None => sets.failed(name, flight, now_ms),
    })
}

/// `None`: not a key set, whatever it was. Redirects are not followed: they lead where the policy
/// did not send us.
async fn fetch(rule: &JwtRule, uri: &str) -> Option<KeySet> {
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(scope.fetch_with_str_and_init(uri, &init))
        .await
        .ok()?;
    let response: Response = response.dyn_into().ok()?;
    let content_type = response.headers().get("content-type").ok().flatten()?;
    if response.status() != 200 || !jwk::is_key_set_type(&content_type) {
        return None;
    }
    let body = response.body()?;
    let bytes = platform::read(&body, KEY_SET_BYTES_MAX as u64, FETCH_MS_MAX)
        .await
        .ok()?;
    KeySet::parse(&bytes, &rule.algorithms).ok()
}
