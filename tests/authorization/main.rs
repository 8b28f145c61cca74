//! Who may do what: roles and scopes of every kind of caller, tenants, what trying one object after
//! another costs, and every route of the example policies against every kind of caller.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod checking;
mod expense;
mod log;
mod matrix;
mod probing;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod tenants;

use edgeward::facts::ClientCertificate;
use edgeward::policy::gate::Gate;
use serde_json::{Value, json};
use support::FakePorts;
use support::keys::{key, record};
use support::signer::Issuer;
use support::told::{Told, tell};
use support::{NOW_MS, request};

const NOW_S: u64 = NOW_MS / 1_000;
const ISSUER: &str = "https://issuer.example";

/// A policy with every kind of authenticator; `change` is laid over its fields.
fn policy(change: Value) -> Value {
    let mut policy = json!({
        "name": "orders", "profile": "development",
        "origins": { "orders": { "url": "https://origin.example" } },
        "authenticators": {
            "keys": { "kind": "api_key" },
            "accounts": {
                "kind": "jwt", "issuer": ISSUER, "audiences": ["https://api.example"],
                "algorithms": ["Ed25519"], "jwks": { "keys": [Issuer::new(1, "one").jwk()] },
                "claims": { "tenant": "org", "roles": "roles" }
            },
            "opaque": {
                "kind": "introspection", "endpoint": "https://opaque.example/introspect",
                "client_id": "gateway", "client_secret_binding": "INTROSPECTION_SECRET",
                "audiences": ["https://api.example"],
                "claims": { "tenant": "org", "roles": "/realm/roles" }
            },
            "machines": {
                "kind": "client_certificate",
                "subjects": [
                    { "fingerprint_sha256": "01".repeat(32), "subject": "one", "tenant": "acme", "roles": ["lead"] },
                    { "fingerprint_sha256": "02".repeat(32), "subject": "two", "roles": ["reader"] }
                ]
            }
        },
        "roles": {
            "reader": ["orders:read"],
            "support": { "inherits": ["reader"], "scopes": ["notes:*"] },
            "lead": { "inherits": ["support"], "scopes": ["orders:refund:*"] },
            "admin": ["*"]
        },
        "limits": {},
        "routes": []
    });
    for (name, value) in change.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

/// `GET PATH` for every kind of caller, with `change` laid over.
fn route(id: &str, path: &str, change: Value) -> Value {
    let mut route = json!({
        "id": id, "match": { "methods": ["GET"], "path": path }, "origin": "orders",
        "auth": ["keys", "accounts", "opaque", "machines"]
    });
    for (name, value) in change.as_object().unwrap() {
        route[name] = value.clone();
    }
    route
}

/// How a caller proves itself.
#[derive(Clone, Debug)]
enum By {
    /// The record of its key.
    Key(Value),
    /// Claims of its token.
    Token(Value),
    /// What its issuer says of its token.
    Opaque(Value),
    /// The octet that its certificate's fingerprint repeats.
    Certificate(u8),
    Nothing,
}

/// Sends a request of this caller through the whole driver.
fn send(
    gate: &Gate,
    ports: &mut FakePorts,
    by: &By,
    target: &str,
    fields: &[(&str, &str)],
) -> Told {
    let mut fields: Vec<(&str, String)> = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let mut certificate = None;
    match by {
        By::Key(change) => {
            ports.records = [record("good", change.clone())].into();
            fields.push(("x-api-key", key("good")));
        }
        By::Token(change) => {
            let mut claims = json!({
                "iss": ISSUER, "aud": "https://api.example", "sub": "alice", "client_id": "app",
                "jti": change.to_string(), "iat": NOW_S, "exp": NOW_S + 800
            });
            lay(&mut claims, change);
            let token = Issuer::new(1, "one").sign(&claims);
            fields.push(("authorization", format!("Bearer {token}")));
        }
        By::Opaque(change) => {
            let mut answer =
                json!({ "active": true, "sub": "alice", "aud": "https://api.example" });
            lay(&mut answer, change);
            *ports.introspected.borrow_mut() = Some(answer);
            fields.push(("authorization", "Bearer opaque".into()));
        }
        By::Certificate(octet) => {
            certificate = Some(ClientCertificate {
                fingerprint: [*octet; 32],
                is_verified: true,
            });
        }
        By::Nothing => {}
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut facts = request("GET", target, &fields, "");
    facts.received_at_ms = ports.clock_ms.get();
    facts.connection.certificate = certificate;
    tell(gate, ports, facts)
}

fn lay(claims: &mut Value, change: &Value) {
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
}

/// What came of one request, in one word.
fn reason(gate: &Gate, by: &By, target: &str, fields: &[(&str, &str)]) -> &'static str {
    let told = send(gate, &mut FakePorts::new(), by, target, fields);
    match told.status {
        200 => "admitted",
        _ => told.reason,
    }
}
