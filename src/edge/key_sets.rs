//! Issuers' key sets, fetched and kept.
//!
//! Fresh for five minutes; fetched again for an unknown key at most every thirty seconds; served
//! stale for a day while the issuer is down; never "no keys, so admit".

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, RequestRedirect, Response, WorkerGlobalScope};

use crate::credential::jwk::{KEY_SET_BYTES_MAX, KeySet};
use crate::credential::jwt::JwtRule;
use crate::edge::{bounded, clock, read};
use crate::facts::UnixMs;
use crate::ports::{Freshness, PortDown};
use crate::refusal::Port;

const FRESH_MS: u64 = 300_000;
const REFETCH_MS_MIN: u64 = 30_000;
const STALE_MS_MAX: u64 = 86_400_000;
const FETCH_TIMEOUT_MS: u64 = 3_000;
/// How long an issuer that failed and whose keys are not known is left alone.
const FAILED_REST_MS: u64 = 1_000;
const SETS_MAX: usize = 64;

#[derive(Clone)]
struct Kept {
    keys: Rc<KeySet>,
    fetched_at_ms: UnixMs,
}

#[derive(Default)]
struct Source {
    kept: Option<Kept>,
    tried_at_ms: UnixMs,
    failed_at_ms: UnixMs,
}

thread_local! {
    static SOURCES: RefCell<HashMap<String, Source>> = RefCell::new(HashMap::new());
}

/// The keys at `uri`, and until when a token verified by them may be remembered.
pub(super) async fn find(
    rule: &JwtRule,
    uri: &str,
    freshness: Freshness,
) -> Result<(Rc<KeySet>, UnixMs), PortDown> {
    // The same address read for other algorithms is another set of keys.
    let name = format!("{uri} {:?}", rule.algorithms);
    let now_ms = clock::now_ms();
    let (kept, tried_at_ms, failed_at_ms) = SOURCES.with_borrow(|sources| {
        sources.get(&name).map_or((None, 0, 0), |source| {
            (source.kept.clone(), source.tried_at_ms, source.failed_at_ms)
        })
    });
    let age_ms = kept
        .as_ref()
        .map(|kept| now_ms.saturating_sub(kept.fetched_at_ms));
    let rested = now_ms.saturating_sub(tried_at_ms) >= REFETCH_MS_MIN;
    let fetch_now = match (freshness, age_ms) {
        (Freshness::Newest, Some(_)) => rested,
        (Freshness::Cached, Some(age_ms)) => age_ms >= FRESH_MS && rested,
        // Nothing to serve: each request asks for itself, as none can wait for another's answer;
        // a short rest once one has failed.
        (_, None) => now_ms.saturating_sub(failed_at_ms) >= FAILED_REST_MS,
    };
    if !fetch_now {
        return kept.and_then(|kept| usable(kept, now_ms)).ok_or(DOWN);
    }
    note(&name, |source| source.tried_at_ms = now_ms);
    let fetched = bounded::within(FETCH_TIMEOUT_MS, fetch(rule, uri))
        .await
        .flatten();
    let now_ms = clock::now_ms();
    let kept = match fetched {
        Some(keys) => {
            let fresh = Kept {
                keys: Rc::new(keys),
                fetched_at_ms: now_ms,
            };
            note(&name, |source| source.kept = Some(fresh.clone()));
            Some(fresh)
        }
        None => {
            note(&name, |source| source.failed_at_ms = now_ms);
            kept
        }
    };
    kept.and_then(|kept| usable(kept, now_ms)).ok_or(DOWN)
}

const DOWN: PortDown = PortDown { port: Port::KeySet };

fn usable(kept: Kept, now_ms: UnixMs) -> Option<(Rc<KeySet>, UnixMs)> {
    let age_ms = now_ms.saturating_sub(kept.fetched_at_ms);
    let until_ms = kept
        .fetched_at_ms
        .saturating_add(FRESH_MS)
        .max(now_ms.saturating_add(REFETCH_MS_MIN));
    (age_ms < STALE_MS_MAX).then_some((kept.keys, until_ms))
}

fn note(name: &str, change: impl FnOnce(&mut Source)) {
    SOURCES.with_borrow_mut(|sources| {
        if sources.len() >= SETS_MAX && !sources.contains_key(name) {
            sources.clear();
        }
        change(sources.entry(name.to_owned()).or_default());
    });
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
    if response.status() != 200 {
        return None;
    }
    let bytes = read::whole(response.body()?, KEY_SET_BYTES_MAX as u64)
        .await
        .ok()?;
    KeySet::parse(&bytes, &rule.algorithms).ok()
}
