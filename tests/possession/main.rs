//! What binds a caller to its credential: DPoP proofs (RFC 9449: DP), client certificates
//! (RFC 8705: MT), what an issuer answers (RFC 7662: IN), step-up (RFC 9470: SU), and how clients
//! are told (RFC 9728: PR, RFC 9110 §11: WA); and where tokens go no further (RFC 9700: BC). Each
//! requirement by its id: a vector that breaks it, and the nearest that does not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod certificates;
mod challenges;
mod introspection;
mod login;
mod metadata;
mod nonces;
mod practices;
mod proofs;
mod published;
mod reading;
mod remembered;
mod replays;
#[path = "../support/mod.rs"]
mod support;
mod targets;

use edgeward::facts::{ClientCertificate, Facts};
use edgeward::policy::gate::Gate;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::holder::Holder;
use support::keys::{key, record};
use support::signer::{Issuer, base64url};
use support::told::{Told, tell};
use support::{FakePorts, NOW_MS, gate, request};

const NOW_S: u64 = NOW_MS / 1_000;
/// What every proof here is made for, unless a case says otherwise.
const TARGET: &str = "https://api.example.com/orders";

fn issuer() -> Issuer {
    Issuer::new(1, "one")
}

fn jwt_authenticator(issuer_name: &str) -> Value {
    json!({
        "kind": "jwt", "issuer": issuer_name, "audiences": ["https://api.example"],
        "algorithms": ["Ed25519"], "jwks": { "keys": [issuer().jwk()] },
        "claims": { "tenant": "org", "version": "ver" }
    })
}

/// One authenticator for each way to be bound; all tokens are signed by one key.
fn policy() -> Value {
    let with = |issuer_name, name: &str, value: Value| {
        let mut entry = jwt_authenticator(issuer_name);
        entry[name] = value;
        entry
    };
    let route = |id: &str, path: &str, auth: Value| {
        json!({
            "id": id, "match": { "methods": ["GET", "POST"], "path": path }, "origin": "orders",
            "auth": auth
        })
    };
    let tokens = json!(["accounts", "noncing", "strict", "loose", "keys"]);
    json!({
        "name": "orders", "profile": "development",
        "origins": { "orders": { "url": "https://origin.example" } },
        "authenticators": {
            "accounts": jwt_authenticator("https://issuer.example"),
            "noncing": with("https://nonce.example", "dpop_nonce_binding", json!("NONCE_SECRET")),
            "strict": with("https://strict.example", "sender_constraint", json!("required")),
            "loose": with("https://loose.example", "sender_constraint", json!("off")),
            "keys": { "kind": "api_key" },
            "devices": { "kind": "client_certificate", "subjects": [
                { "fingerprint_sha256": "0d".repeat(32), "subject": "device-13", "tenant": "acme" } ] },
            "robots": { "kind": "client_certificate", "subjects": [
                { "fingerprint_sha256": "0e".repeat(32), "subject": "robot-14" },
                { "fingerprint_sha256": "0f".repeat(32), "subject": "robot-15" } ] }
        },
        "routes": [
            route("orders", "/orders", tokens.clone()),
            route("order", "/orders/{order}", tokens),
            route("either", "/either", json!(["devices", "robots", "accounts", "keys"])),
            route("devices", "/devices", json!(["devices"])),
            route("robots", "/robots", json!(["robots"])),
            route("open", "/open", json!("public"))
        ]
    })
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records = [record("good", json!({}))].into();
    ports
}

/// A token of `accounts`, with some claims changed; null takes one away.
fn token(change: Value) -> String {
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "alice",
        "client_id": "app", "jti": "token-1", "iat": NOW_S - 10, "exp": NOW_S + 600
    });
    change_to(&mut claims, &change);
    issuer().sign(&claims)
}

fn change_to(claims: &mut Value, change: &Value) {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().shift_remove(name)),
            _ => claims[name] = value.clone(),
        }
    }
}

/// A token that `holder` alone may use.
fn bound(holder: &Holder, change: Value) -> String {
    let mut all = json!({ "cnf": { "jkt": holder.thumbprint() } });
    change_to(&mut all, &change);
    token(all)
}

fn hash(token: &str) -> String {
    base64url(&Sha256::digest(token.as_bytes()))
}

/// The claims of a proof for `GET` [`TARGET`] with `token`.
fn proof_claims(token: &str) -> Value {
    json!({ "jti": "proof-1", "htm": "GET", "htu": TARGET, "iat": NOW_S, "ath": hash(token) })
}

fn proof(holder: &Holder, token: &str, change: Value) -> String {
    let mut claims = proof_claims(token);
    change_to(&mut claims, &change);
    holder.sign(&claims)
}

/// `GET /orders` with a token and its proof.
fn with_proof(token: &str, proof: &str) -> Facts {
    let authorization = format!("DPoP {token}");
    request(
        "GET",
        "/orders",
        &[("authorization", &authorization), ("dpop", proof)],
        "",
    )
}

fn with_bearer(target: &str, token: &str) -> Facts {
    let authorization = format!("Bearer {token}");
    request("GET", target, &[("authorization", &authorization)], "")
}

fn showing(mut facts: Facts, fingerprint: u8, is_verified: bool) -> Facts {
    facts.connection.certificate = Some(ClientCertificate {
        fingerprint: [fingerprint; 32],
        is_verified,
    });
    facts
}

/// What came of one request to fresh storage.
fn ask(gate: &Gate, facts: Facts) -> Told {
    tell(gate, &ports(), facts)
}
