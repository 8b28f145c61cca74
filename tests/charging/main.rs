//! What a request is charged: by whom, over which routes, how many units, and what comes back.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod costs;
mod counters;
mod desk;
mod late;
mod own_numbers;
mod permits;
mod settling;
mod silence;
#[path = "../support/mod.rs"]
mod support;

use edgeward::admit::{Outcome, admit};
use edgeward::facts::Facts;
use edgeward::limit::errand::{self, Errand};
use edgeward::limit::ledger::Rows;
use edgeward::object::ObjectName;
use edgeward::policy::gate::Gate;
use edgeward::policy::load::load;
use edgeward::trail::Trail;
use serde_json::{Value, json};
use support::keys::{key, record};
use support::{FakePorts, bindings, request, run};

/// A policy of one origin and API keys; `change` is laid over its fields.
fn policy(change: Value) -> Value {
    let mut policy = json!({
        "name": "orders", "profile": "development",
        "origins": { "o": { "url": "https://origin.example" } },
        "authenticators": { "keys": { "kind": "api_key" } },
        "routes": [route(json!({ "auth": "public" }))]
    });
    lay(&mut policy, change);
    policy
}

/// A route for keys, with a path parameter.
fn route(change: Value) -> Value {
    let mut route = json!({
        "id": "list", "match": { "methods": ["GET", "POST"], "path": "/shops/{shop}" },
        "origin": "o", "auth": ["keys"]
    });
    lay(&mut route, change);
    route
}

/// A sliding window of a minute.
fn limit(change: Value) -> Value {
    let mut limit = json!({
        "by": "caller", "algorithm": "sliding_window", "limit": 2, "window_s": 60,
        "on_error": "refuse"
    });
    lay(&mut limit, change);
    limit
}

fn lay(over: &mut Value, change: Value) {
    for (name, value) in change.as_object().unwrap() {
        over[name] = value.clone();
    }
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records = ["alice", "bob", "carol"]
        .map(|name| record(name, json!({})))
        .into();
    ports
}

/// A request without content by the key of `caller`; by nobody if that is empty.
fn get(caller: &str, target: &str, fields: &[(&str, &str)]) -> Facts {
    let key = key(caller);
    let mut fields = fields.to_vec();
    if !caller.is_empty() {
        fields.push(("x-api-key", &key));
    }
    request("GET", target, &fields, "")
}

fn post(caller: &str, target: &str, body: &str) -> Facts {
    let key = key(caller);
    let fields = [
        ("x-api-key", key.as_str()),
        ("content-type", "application/json"),
    ];
    request("POST", target, &fields, body)
}

/// The reason of the refusal, or `ok`; and the notes.
fn outcome(gate: &Gate, ports: &FakePorts, facts: Facts, body: &str) -> (&'static str, Box<Trail>) {
    match run(admit(gate, ports, facts, body.as_bytes().to_vec())) {
        Ok(Outcome::Released(release)) => ("ok", Box::new(copy(release.trail()))),
        Ok(Outcome::Switched(_)) => panic!("nobody switched"),
        Ok(Outcome::Preflight { trail, .. }) => ("preflight", trail),
        Ok(Outcome::Replayed { trail, .. }) => ("replayed", trail),
        Err(refused) => (refused.refusal.reason(), refused.trail),
    }
}

/// The notes that tests look at.
fn copy(trail: &Trail) -> Trail {
    Trail {
        limits: trail.limits.clone(),
        silent: trail.silent.clone(),
        observed: trail.observed.clone(),
        cost: trail.cost,
        refund: trail.refund,
        origin: trail.origin.clone(),
        ..Trail::new(trail.facts.clone())
    }
}

fn ask(gate: &Gate, ports: &FakePorts, facts: Facts) -> &'static str {
    outcome(gate, ports, facts, "").0
}

/// Each fault of a policy, without what to do.
fn faults(policy: &Value) -> Vec<String> {
    let loaded = load(policy.to_string().as_bytes(), &bindings());
    let faults = loaded.err().unwrap_or_default().into_iter();
    faults
        .map(|fault| format!("{}: {}", fault.pointer, fault.problem))
        .collect()
}

/// Units of a row that are held now.
fn held(ports: &FakePorts, object: &ObjectName, limit: &str) -> u64 {
    let objects = ports.objects.borrow();
    let rows = objects.get(&object.hex());
    let row = rows.and_then(|rows| rows.load(&object.row(limit)).unwrap());
    row.map_or(0, |row| row.held(ports.clock_ms.get()))
}

/// Does what was left to be done for limits; the refilling of leases apart.
fn settle(ports: &FakePorts) {
    let errands = std::mem::take(&mut *ports.errands.borrow_mut());
    for errand in errands {
        let settles = matches!(
            errand,
            Errand::GiveBack { .. } | Errand::Refund { .. } | Errand::Owe { .. }
        );
        if settles {
            run(errand::run(ports, errand));
        }
    }
}

fn own(caller: &str) -> ObjectName {
    ObjectName::of_caller("keys", "", caller)
}

fn address() -> ObjectName {
    ObjectName::of_address("192.0.2.1", "192.0")
}

/// A decision line meets its schema.
fn check_line(line: &Value) {
    let text = include_str!("../../schemas/decision.schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::options().offline().build(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(line)
        .map(|one| one.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?} {line}");
}
