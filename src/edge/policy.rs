//! The gate in force: loaded from the `POLICY` var or from `STORE`, read again while it serves.
//!
//! A policy that does not load leaves the last good one in force. A reading that fails or takes
//! too long does too.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use worker::{Context, Env};

use crate::admin::state::list;
use crate::edge::{bounded, clock, log, origin};
use crate::facts::UnixMs;
use crate::policy::fault::PolicyFault;
use crate::policy::gate::{Gate, Secrets};
use crate::policy::load::load;
use crate::secret::Secret;

/// The key of the policy in force.
const STORE_KEY: &str = "policy/active";
/// From this age on, a request that passes has the policy read again behind its back.
const FRESH_MS: u64 = 10_000;
/// From this age on, a request waits for the reading: an isolate that slept does not serve last
/// hour's policy.
const STALE_MS: u64 = 20_000;
const READ_TIMEOUT_MS: u64 = 2_000;
/// KV's smallest: how long a location may serve a value it has.
const KV_CACHE_S: u64 = 30;

#[derive(Default)]
struct Current {
    gate: Option<Rc<Gate>>,
    /// The text last looked at, good or bad, so that each is judged and logged once.
    text: Option<Vec<u8>>,
    checked_at_ms: UnixMs,
    reading_since_ms: UnixMs,
    /// The newest that did not load: when that was found, and why.
    refused: Option<(UnixMs, Vec<PolicyFault>)>,
}

thread_local! {
    static CURRENT: RefCell<Current> = RefCell::new(Current::default());
}

/// The gate in force; `None` if no policy ever loaded.
pub(super) async fn current(env: &Env, context: &Context) -> Option<Rc<Gate>> {
    let now_ms = clock::now_ms();
    let (gate, age_ms, reading) = CURRENT.with_borrow(|current| {
        let reading = now_ms.saturating_sub(current.reading_since_ms) < READ_TIMEOUT_MS;
        (
            current.gate.clone(),
            now_ms.saturating_sub(current.checked_at_ms),
            reading,
        )
    });
    if gate.is_none() || age_ms >= STALE_MS {
        read(env).await;
        return CURRENT.with_borrow(|current| current.gate.clone());
    }
    if age_ms >= FRESH_MS && !reading {
        CURRENT.with_borrow_mut(|current| current.reading_since_ms = now_ms);
        let env = env.clone();
        context.wait_until(async move { read(&env).await });
    }
    gate
}

/// What would become of a policy here.
pub(super) fn judge(env: &Env, text: &[u8]) -> Result<Gate, Vec<PolicyFault>> {
    load(text, &Bindings(env))
}

/// The newest policy that did not load, as `{at, faults}`; null if there is none.
pub(super) fn refused() -> Value {
    CURRENT.with_borrow(|current| {
        let told = current
            .refused
            .as_ref()
            .map(|(at_ms, faults)| json!({ "at": at_ms / 1_000, "faults": list(faults) }));
        told.unwrap_or(Value::Null)
    })
}

async fn read(env: &Env) {
    let text = match from_var(env) {
        Some(text) => Some(text),
        None => bounded::within(READ_TIMEOUT_MS, from_store(env))
            .await
            .flatten(),
    };
    let now_ms = clock::now_ms();
    let known = CURRENT.with_borrow_mut(|current| {
        // Also after a failed reading: the next is due when this one would have been.
        current.checked_at_ms = now_ms;
        current.reading_since_ms = 0;
        text.is_none() || current.text == text
    });
    if known {
        return;
    }
    let loaded = load(text.as_deref().unwrap_or_default(), &Bindings(env));
    CURRENT.with_borrow_mut(|current| {
        current.text = text;
        match loaded {
            Ok(gate) => {
                log::policy(Some(&gate.version), &[]);
                current.gate = Some(Rc::new(gate));
                current.refused = None;
            }
            Err(faults) => {
                told(current.gate.as_deref(), &faults);
                current.refused = Some((now_ms, faults));
            }
        }
    });
}

fn told(in_force: Option<&Gate>, faults: &[PolicyFault]) {
    log::policy(in_force.map(|gate| gate.version.as_str()), faults);
}

/// The `POLICY` var, as text or as a JSON object.
fn from_var(env: &Env) -> Option<Vec<u8>> {
    if let Ok(object) = env.object_var::<serde_json::Value>("POLICY") {
        return Some(object.to_string().into_bytes());
    }
    let text = env.var("POLICY").ok()?.to_string();
    (!text.is_empty()).then(|| text.into_bytes())
}

async fn from_store(env: &Env) -> Option<Vec<u8>> {
    let store = env.kv("STORE").ok()?;
    store
        .get(STORE_KEY)
        .cache_ttl(KV_CACHE_S)
        .bytes()
        .await
        .ok()
        .flatten()
}

struct Bindings<'a>(&'a Env);

impl Secrets for Bindings<'_> {
    fn secret(&self, binding: &str) -> Option<Secret> {
        let text = self.0.secret(binding).ok()?.to_string();
        (!text.is_empty()).then(|| Secret::new(text))
    }

    fn has_fetcher(&self, binding: &str) -> bool {
        origin::fetcher(self.0, binding).is_some()
    }
}
