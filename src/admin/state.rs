//! What the gateway enforces, and what it would make of another policy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::admin::ports::AdminPorts;
use crate::admin::{Desk, Done};
use crate::policy::fault::PolicyFault;
use crate::policy::gate::Gate;
use crate::policy::notices;
use crate::policy::openapi::{self, Imported};

/// Most routes that are told as open.
const OPEN_ROUTES_TOLD_MAX: usize = 100;

/// The policy in force, the newer one that did not load, and the authenticators.
pub(super) fn status<P: AdminPorts>(desk: &Desk<'_, P>) -> Done {
    let gate = desk.gate;
    let authenticators = gate.iter().flat_map(|gate| &gate.authenticators);
    let authenticators: Vec<Value> = authenticators
        .map(|one| json!({ "name": one.name, "kind": one.kind.as_str() }))
        .collect();
    let policy = gate.map(|gate| {
        let profile = match gate.production {
            true => "production",
            false => "development",
        };
        json!({ "name": gate.name, "version": gate.version, "profile": profile })
    });
    told(json!({
        "policy": policy,
        "refused": desk.ports.refused_policy(),
        "authenticators": authenticators,
        "origins": origins(desk),
        "silent_counters": desk.ports.limit_memory().borrow().silences(),
    }))
}

/// Each origin that a route leads to, as this isolate sees it.
fn origins<P: AdminPorts>(desk: &Desk<'_, P>) -> Vec<Value> {
    let mut told = BTreeMap::new();
    for route in desk.gate.iter().flat_map(|gate| &gate.routes) {
        let others = route.split.iter().map(|(_, target)| &target.origin);
        for origin in others.chain([&route.origin]) {
            told.entry(origin.name.as_str())
                .or_insert_with(|| desk.ports.told_origin(origin));
        }
    }
    told.into_values().collect()
}

/// Whether a policy would load, with the secrets that are bound here.
pub(super) fn check<P: AdminPorts>(desk: &Desk<'_, P>, text: &[u8]) -> Done {
    told(match desk.ports.load(text) {
        Ok(gate) => json!({
            "loads": true, "name": gate.name, "version": gate.version, "faults": [],
            "open_routes": open_routes(&gate), "notices": notices::of(&gate),
        }),
        Err(faults) => {
            let document: Option<Value> = serde_json::from_slice(text).ok();
            let name = document.as_ref().and_then(|one| one.get("name")?.as_str());
            let name = name.filter(|name| name.len() <= 256);
            json!({ "loads": false, "name": name, "version": null, "faults": list(&faults) })
        }
    })
}

/// The routes on which nothing depends on who a caller is, by their ids: a rule may have been
/// forgotten.
fn open_routes(gate: &Gate) -> Vec<&str> {
    let open = gate
        .routes
        .iter()
        .filter(|one| one.is_open_to_every_caller());
    open.map(|route| route.id.as_str())
        .take(OPEN_ROUTES_TOLD_MAX)
        .collect()
}

/// A policy made of a policy and its documents, and whether it would load.
pub(super) fn import<P: AdminPorts>(desk: &Desk<'_, P>, bundle: &[u8]) -> Done {
    let Imported { policy, report } = match openapi::import(bundle) {
        Ok(imported) => imported,
        Err(faults) => {
            return told(json!({
                "loads": false, "name": null, "version": null, "faults": list(&faults),
                "policy": null, "report": null,
            }));
        }
    };
    let Done { mut document, .. } = check(desk, policy.to_string().as_bytes());
    if let Some(document) = document.as_object_mut() {
        document.insert("policy".into(), policy);
        document.insert("report".into(), report);
    }
    told(document)
}

/// Faults as the API tells them.
pub fn list(faults: &[PolicyFault]) -> Value {
    let told = faults.iter().map(
        |fault| json!({ "pointer": fault.pointer, "problem": fault.problem, "fix": fault.fix }),
    );
    Value::Array(told.collect())
}

fn told(document: Value) -> Done {
    Done {
        status: 200,
        document,
    }
}
