//! `idempotency` of a route as written.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum IdempotencyEntry {
    Key(KeyEntry),
    Rules {
        key: KeyEntry,
        keep_s: Option<u64>,
        answer_bytes_max: Option<u64>,
    },
}

impl Default for IdempotencyEntry {
    fn default() -> Self {
        Self::Key(KeyEntry::Off)
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum KeyEntry {
    Off,
    Optional,
    Required,
}
