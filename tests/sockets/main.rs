//! WebSocket: which handshakes pass, what their origin is asked, and what a session may take.
//! Refresh with `UPDATE_EXPECT=1 cargo test --test sockets`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod handshakes;
mod policies;
mod sessions;
#[path = "../support/mod.rs"]
mod support;

use edgeward::admit::{Outcome, admit};
use edgeward::facts::{ClientCertificate, Facts};
use edgeward::policy::gate::Gate;
use edgeward::problem::slug_of;
use edgeward::stage::switching::Switch;
use serde_json::{Value, json};
use support::keys::{key, record};
use support::signer::Issuer;
use support::{FakePorts, NOW_MS, request, run};

const ISSUER: &str = "https://issuer.example";
const PAGE: &str = "https://app.example";
const NOW_S: u64 = NOW_MS / 1_000;
const LEEWAY_MS: u64 = 30_000;

/// Routes of sockets: `/keys` by key or token, `/open` public, `/certificates`; and `/plain`, of none.
///
/// - `change`: laid over `websocket` of `/keys`.
fn policy(change: Value) -> Value {
    let mut socket = json!({
        "origins": [PAGE], "protocols": ["chat", "chat.v2"], "messages": "said",
        "max_message_bytes": 100, "max_session_bytes": 250, "max_session_s": 500
    });
    let public = socket.clone();
    for (name, value) in change.as_object().unwrap() {
        socket[name] = value.clone();
    }
    let route = |id: &str, auth: Value, socket: Option<&Value>| {
        let mut route = json!({
            "id": id, "match": { "methods": ["GET"], "path": format!("/{id}") },
            "origin": "chat", "auth": auth, "limits": ["ip", "open"]
        });
        if let Some(socket) = socket {
            route["websocket"] = socket.clone();
        }
        route
    };
    let window = |by: &str, limit: u64, on_error: &str| {
        json!({
            "by": by, "algorithm": "sliding_window", "limit": limit, "window_s": 60,
            "on_error": on_error
        })
    };
    json!({
        "name": "chat", "profile": "development",
        "origins": { "chat": { "url": "https://origin.example" } },
        "authenticators": {
            "keys": { "kind": "api_key" },
            "accounts": {
                "kind": "jwt", "issuer": ISSUER, "audiences": ["https://api.example"],
                "algorithms": ["Ed25519"], "jwks": { "keys": [Issuer::new(1, "one").jwk()] }
            },
            "certificates": { "kind": "client_certificate", "subjects": [
                { "fingerprint_sha256": "0f".repeat(32), "subject": "device" }
            ] }
        },
        "limits": {
            "ip": window("ip", 1_000, "admit"),
            "said": window("caller", 5, "refuse"),
            "leniently": window("tenant", 5, "admit"),
            "open": { "by": "caller", "algorithm": "concurrency", "limit": 1, "on_error": "admit", "lifetime_s": 600 }
        },
        "routes": [
            route("keys", json!(["keys", "accounts"]), Some(&socket)),
            route("open", json!("public"), Some(&public)),
            route("certificates", json!(["certificates"]), Some(&public)),
            route("plain", json!("public"), None)
        ]
    })
}

/// An origin that switches, and asks for no subprotocol.
fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records = [
        record("good", json!({})),
        record("short", json!({ "expires_at": NOW_S + 60 })),
    ]
    .into();
    switches(&ports, &[]);
    ports
}

fn switches(ports: &FakePorts, fields: &[(&str, &str)]) {
    ports.origin_status.set(101);
    let accept = [("sec-websocket-accept", "x")];
    let fields = accept.iter().chain(fields);
    let fields = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    *ports.origin_answers.fields.borrow_mut() = fields.collect();
}

/// A token that is good for another minute, its leeway aside.
fn token() -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "https://api.example", "sub": "alice", "jti": "j",
        "iat": NOW_S, "exp": NOW_S + 60
    });
    format!("Bearer {}", Issuer::new(1, "one").sign(&claims))
}

/// A handshake; `fields` in place of its own, and an empty one takes it out.
fn handshake(target: &str, fields: &[(&str, &str)]) -> Facts {
    let mut all = vec![
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push((*name, *value));
        }
    }
    request("GET", target, &all, "")
}

fn with_certificate(mut facts: Facts) -> Facts {
    facts.connection.certificate = Some(ClientCertificate {
        fingerprint: [15; 32],
        is_verified: true,
    });
    facts
}

/// What came of a request, in one line.
fn told(gate: &Gate, ports: &FakePorts, facts: Facts) -> String {
    match run(admit(gate, ports, facts, Vec::new())) {
        Ok(Outcome::Switched(switch)) => match switch.protocol() {
            Some(protocol) => format!("101 {protocol}"),
            None => "101".into(),
        },
        Ok(Outcome::Released(release)) => format!("released {}", release.remove().len().min(1)),
        Ok(Outcome::Preflight { .. } | Outcome::Replayed { .. }) => "answered here".into(),
        Err(refused) => {
            let slug = slug_of(&refused.refusal);
            let reason = refused.refusal.reason();
            format!("{} {} {reason}", slug.status(), slug.as_str())
        }
    }
}

/// A handshake that has to pass.
fn switched<'p>(gate: &Gate, ports: &'p FakePorts, facts: Facts) -> Switch<'p, FakePorts> {
    match run(admit(gate, ports, facts, Vec::new())) {
        Ok(Outcome::Switched(switch)) => *switch,
        Ok(_) => panic!("no switch"),
        Err(refused) => panic!("{:?}", refused.refusal),
    }
}

fn by_key(name: &str) -> Facts {
    handshake("/keys", &[("x-api-key", &key(name))])
}
