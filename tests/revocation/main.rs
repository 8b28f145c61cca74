//! Credentials that were taken back, and credentials that are guessed: what every isolate refuses,
//! how soon, and whom it costs.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod guessing;
mod isolates;
mod standing;
#[path = "../support/mod.rs"]
mod support;

use edgeward::facts::Facts;
use edgeward::limit::ask::Objects;
use edgeward::limit::ledger::Rows;
use edgeward::limit::wire::{Act, Answer, Question};
use edgeward::object::ObjectName;
use edgeward::policy::gate::Gate;
use edgeward::revocation::Mark;
use serde_json::{Value, json};
use support::keys::{id, record};
use support::signer::Issuer;
use support::told::{Told, tell};
use support::{FakePorts, NOW_MS, gate, request, run};

const NOW_S: u64 = NOW_MS / 1_000;
const ISSUER: &str = "https://issuer.example";
/// The routes of [`policy`]: each charges in another way.
const ROUTES: [&str; 8] = [
    "bare",
    "caller",
    "tenant",
    "tenant-first",
    "watched",
    "observed",
    "off",
    "open",
];

/// - `on_error`: of every limit by caller and tenant.
fn policy(on_error: &str) -> Value {
    let limit = |by: &str, limit: u64, mode: &str| {
        json!({
            "by": by, "algorithm": "sliding_window", "limit": limit, "window_s": 60,
            "on_error": on_error, "mode": mode
        })
    };
    let route = |id: &str, auth: Value, limits: Value, mode: &str| {
        json!({
            "id": id, "match": { "methods": ["GET"], "path": format!("/{id}") }, "origin": "orders",
            "auth": auth, "limits": limits, "mode": mode
        })
    };
    let both = || json!(["keys", "accounts"]);
    json!({
        "name": "orders", "profile": "development",
        "origins": { "orders": { "url": "https://origin.example" } },
        "authenticators": {
            "keys": { "kind": "api_key" },
            "accounts": {
                "kind": "jwt", "issuer": ISSUER, "audiences": ["https://api.example"],
                "algorithms": ["Ed25519"], "jwks": { "keys": [Issuer::new(1, "one").jwk()] },
                "claims": { "tenant": "org", "version": "ver" }
            }
        },
        "limits": {
            "minute": limit("caller", 100, "enforce"),
            "org": limit("tenant", 100, "enforce"),
            "watch": limit("caller", 1, "observe")
        },
        "routes": [
            route("bare", both(), json!([]), "enforce"),
            route("caller", both(), json!(["minute"]), "enforce"),
            route("tenant", both(), json!(["org"]), "enforce"),
            route("tenant-first", both(), json!(["org", "watch", "minute"]), "enforce"),
            route("watched", both(), json!(["watch"]), "enforce"),
            route("observed", both(), json!(["minute", "org"]), "observe"),
            route("off", both(), json!(["minute", "org"]), "off"),
            route("open", json!("public"), json!(["minute"]), "enforce")
        ]
    })
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    // Two keys of one caller, and one of another in the same tenant.
    ports.records = [
        record("good", json!({})),
        record("spare", json!({ "subject": "good" })),
        record("other", json!({})),
    ]
    .into();
    ports
}

fn token(jti: &str, issued_at_s: u64, version: u64) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "https://api.example", "sub": "alice", "client_id": "app",
        "org": "acme", "jti": jti, "iat": issued_at_s, "exp": NOW_S + 800, "ver": version
    });
    format!("Bearer {}", Issuer::new(1, "one").sign(&claims))
}

/// `GET /ROUTE` with an API key or a token, at the clock of `ports`.
fn send(gate: &Gate, ports: &FakePorts, route: &str, credential: &str) -> Told {
    let name = match credential.starts_with("Bearer ") {
        true => "authorization",
        false => "x-api-key",
    };
    let facts = request("GET", &format!("/{route}"), &[(name, credential)], "");
    at_clock(gate, ports, facts)
}

fn at_clock(gate: &Gate, ports: &FakePorts, mut facts: Facts) -> Told {
    facts.received_at_ms = ports.clock_ms.get();
    tell(gate, ports, facts)
}

fn key_owner() -> ObjectName {
    ObjectName::of_caller("keys", "", "good")
}

fn token_owner() -> ObjectName {
    ObjectName::of_caller("accounts", ISSUER, "alice")
}

fn issuer_object() -> ObjectName {
    ObjectName::of_issuer("accounts", ISSUER)
}

/// Writes a mark as the admin does.
fn write(ports: &FakePorts, object: &ObjectName, mark: Mark) {
    let question = Question::of(Act::Mark(mark));
    assert_eq!(run(ports.ask(object, &question)), Ok(Answer::Marked));
}

fn of_key(name: &str) -> Mark {
    Mark::Key {
        id: id(name),
        until_ms: u64::MAX,
    }
}

fn of_token(jti: &str) -> Mark {
    Mark::Token {
        id: jti.into(),
        until_ms: u64::MAX,
    }
}

fn issued_up_to(at_s: u64) -> Mark {
    Mark::IssuedUpTo {
        at_s,
        until_ms: u64::MAX,
    }
}

/// Units held by `row` of `object` now.
fn used(ports: &FakePorts, object: &ObjectName, row: &str) -> u64 {
    let objects = ports.objects.borrow();
    let rows = objects.get(&object.hex());
    let row = rows.and_then(|rows| rows.load(row).unwrap());
    row.map_or(0, |row| row.held(ports.clock_ms.get()))
}
