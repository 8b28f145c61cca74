//! The policy of the decision table, and its callers.

use std::rc::Rc;

use edgeward::credential::jwk::KeySet;
use edgeward::credential::signature::Algorithm;
use serde_json::{Value, json};

#[allow(unused_imports, reason = "each program takes what it needs")]
pub(crate) use crate::support::keys::{SECRET, key, record};
use crate::support::signer::Issuer;
use crate::support::{FakePorts, NOW_MS};

pub(crate) fn policy() -> Value {
    json!({
        "name": "orders",
        "origins": { "orders": { "url": "https://origin.example" } },
        "authenticators": {
            "keys": { "kind": "api_key" },
            "accounts": {
                "kind": "jwt", "issuer": "https://issuer.example",
                "audiences": ["https://api.example"], "algorithms": ["Ed25519"],
                "jwks_uri": "https://issuer.example/jwks.json",
                "claims": { "tenant": "org" }
            }
        },
        "roles": { "clerk": ["orders:*"] },
        "limits": {
            "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 5, "window_s": 60, "on_error": "admit" },
            "minute": { "by": "caller", "algorithm": "sliding_window", "limit": 2, "window_s": 60, "on_error": "refuse" },
            "org": { "by": "tenant", "algorithm": "sliding_window", "limit": 3, "window_s": 60, "on_error": "local" }
        },
        "routes": [
            { "id": "health", "match": { "methods": ["GET"], "path": "/health" }, "origin": "orders",
              "auth": "public", "limits": ["ip"] },
            { "id": "create", "match": { "methods": ["POST"], "path": "/accounts/{account}/orders" },
              "origin": "orders", "auth": ["keys", "accounts"], "require": { "scopes": ["orders:write"] },
              "allow": "path.account == caller.tenant", "limits": ["ip", "minute", "org"],
              "request": { "max_bytes": 64, "body": {
                  "type": "object", "additionalProperties": false, "required": ["item"],
                  "properties": { "item": { "type": "string", "maxLength": 8 } } } } }
        ]
    })
}

pub(crate) fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records = [
        record("good", json!({})),
        record("clerk", json!({ "scopes": [], "roles": ["clerk"] })),
        record("reader", json!({ "scopes": ["orders:read"] })),
        record("stranger", json!({ "tenant": "other" })),
        record("tenantless", json!({ "tenant": null })),
        record("expired", json!({ "expires_at": NOW_MS / 1_000 })),
        record("revoked", json!({ "state": "revoked" })),
        record("elsewhere", json!({ "cidrs": ["198.51.100.0/24"] })),
    ]
    .into();
    let keys = json!({ "keys": [Issuer::new(1, "one").jwk()] });
    ports.key_set = KeySet::from_value(&keys, &[Algorithm::Ed25519])
        .ok()
        .map(Rc::new);
    ports
}

pub(crate) fn token(change: Value) -> String {
    let now_s = NOW_MS / 1_000;
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "alice",
        "iat": now_s, "exp": now_s + 300, "scope": "orders:write", "org": "acme"
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    format!("Bearer {}", Issuer::new(1, "one").sign(&claims))
}
