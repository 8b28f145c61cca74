//! Log lines, each one JSON object on the console.

use std::cell::RefCell;

use serde::Serialize;
use serde_json::{Map, Value, json};
use worker::Env;

use crate::admin::Act;
use crate::admin::caller::Admin;
use crate::decision::{Chain, Line, timestamp};
use crate::edge::clock;
use crate::facts::Facts;
use crate::origin::flow::Cut;
use crate::policy::fault::PolicyFault;
use crate::secret::Secret;

const AUDIT_BINDING: &str = "AUDIT_KEY";

thread_local! {
    static CHAIN: RefCell<Option<Chain>> = const { RefCell::new(None) };
}

/// Writes the line of one request, chained to the one before it in this isolate.
pub(super) fn decision(env: &Env, line: &Line<'_>) {
    sealed(env, line);
}

/// Writes the line of one change by the admin API, in the same chain.
pub(super) fn admin(env: &Env, act: &Act, admin: &Admin, facts: &Facts) {
    let ts = timestamp(facts.received_at_ms);
    sealed(env, &act.line(admin, &facts.request_id.to_string(), &ts));
}

/// Writes the line of a session that has ended, in the same chain.
pub(super) fn session(env: &Env, line: &Map<String, Value>) {
    sealed(env, line);
}

fn sealed(env: &Env, line: &impl Serialize) {
    let text = CHAIN.with_borrow_mut(|chain| {
        let chain = chain.get_or_insert_with(|| {
            let key = env
                .secret(AUDIT_BINDING)
                .ok()
                .map(|key| Secret::new(key.to_string()));
            Chain::new(
                clock::request_id().as_trace_id(),
                key.filter(|key| !key.expose().is_empty()),
            )
        });
        chain.seal(line)
    });
    print(&text);
}

/// Writes that a policy was taken or turned away.
/// - `version`: of the policy in force after that.
pub(super) fn policy(version: Option<&str>, faults: &[PolicyFault]) {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let line = match faults.is_empty() {
        true => json!({ "event": "policy", "verdict": "loaded", "policy": version }),
        // The version is that of the one that stays.
        false => json!({
            "event": "policy", "verdict": "refused", "in_force": version, "faults": faults,
        }),
    };
    print(&line.to_string());
}

/// Writes that an answer was cut off on its way, after its decision line.
pub(super) fn cut(request_id: &str, cut: Cut, bytes: u64) {
    let line = json!({
        "event": "cut", "ts": timestamp(clock::now_ms()), "request_id": request_id,
        "reason": cut.as_str(), "bytes": bytes,
    });
    print(&line.to_string());
}

fn print(text: &str) {
    web_sys::console::log_1(&text.into());
}
