//! API keys as a caller has them, and their records as the store has them.

use edgeward::credential::api_key::{KeyRecord, Pepper, check_of};
use edgeward::secret::Secret;
use hmac::Mac;
use serde_json::{Value, json};

use super::PEPPER;
use super::signer::base64url;

pub const SECRET: &str = "0123456789abcdefghijABCDEFGHIJ01";

pub fn id(name: &str) -> String {
    format!("{name:0<12}")
}

pub fn key(name: &str) -> String {
    key_with(name, SECRET)
}

/// A key that reads as one: its check fits, whatever its secret.
pub fn key_with(name: &str, secret: &str) -> String {
    let checked = format!("ew_live_{}_{secret}", id(name));
    format!("{checked}{}", check_of(&checked))
}

pub fn record(name: &str, change: Value) -> (String, KeyRecord) {
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(PEPPER.as_bytes()).unwrap();
    mac.update(SECRET.as_bytes());
    let pepper = Pepper::new(Secret::new(PEPPER.into()));
    let mut record = json!({
        "id": id(name), "hash": base64url(&mac.finalize().into_bytes()), "pepper": pepper.id(),
        "subject": name, "tenant": "acme", "scopes": ["orders:write"], "expires_at": "never",
        "state": "active"
    });
    for (field, value) in change.as_object().unwrap() {
        record[field] = value.clone();
    }
    (id(name), serde_json::from_value(record).unwrap())
}
