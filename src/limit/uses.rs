//! When a caller's keys were used: counted on each use, written down now and then.
//!
//! Owns: when writing is due, so that a busy key costs one write in a minute and not one a request.
//! What was not written is lost if the object is moved: at most the uses of [`WRITE_MS`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::wire::KeyUse;

/// How long uses may stay unwritten.
pub const WRITE_MS: u64 = 60_000;
/// Most keys of one caller whose uses are kept; beyond, the one that was quiet longest is dropped.
pub const KEYS_MAX: usize = 64;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct KeyUses {
    keys: BTreeMap<String, KeyUse>,
    #[serde(skip)]
    written_at_ms: UnixMs,
    #[serde(skip)]
    changed: bool,
}

impl KeyUses {
    /// Counts a use; says whether writing is due.
    pub fn count(&mut self, key_id: &str, now_ms: UnixMs) -> bool {
        if !self.keys.contains_key(key_id) && self.keys.len() >= KEYS_MAX {
            let quiet = self
                .keys
                .iter()
                .min_by_key(|(_, used)| used.last_used_at_ms);
            if let Some(id) = quiet.map(|(id, _)| id.clone()) {
                self.keys.remove(&id);
            }
        }
        let used = self.keys.entry(key_id.to_owned()).or_default();
        used.count = used.count.saturating_add(1);
        used.last_used_at_ms = now_ms;
        self.changed = true;
        now_ms.saturating_sub(self.written_at_ms) >= WRITE_MS
    }

    pub fn of(&self, key_id: &str) -> Option<KeyUse> {
        self.keys.get(key_id).copied()
    }

    /// What has to be written, if anything; it counts as written from here on.
    pub fn unwritten(&mut self, now_ms: UnixMs) -> Option<Self> {
        if !self.changed {
            return None;
        }
        self.changed = false;
        self.written_at_ms = now_ms;
        Some(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_key_is_written_once_in_a_minute() {
        let mut uses = KeyUses::default();
        let mut writes = 0;
        let start_ms = 1_800_000_000_000;
        for second in 0..180 {
            let now_ms = start_ms + second * 1_000;
            if uses.count("a", now_ms) {
                writes += 1;
                assert!(uses.unwritten(now_ms).is_some());
            }
        }
        assert_eq!(writes, 3);
        assert_eq!(uses.of("a").unwrap().count, 180);
        assert_eq!(uses.of("a").unwrap().last_used_at_ms, start_ms + 179_000);
        assert!(uses.unwritten(start_ms).is_some());
        assert!(uses.unwritten(start_ms).is_none());
    }

    #[test]
    fn the_quietest_key_makes_room() {
        let mut uses = KeyUses::default();
        for key in 0..=KEYS_MAX {
            uses.count(&key.to_string(), 100 + key as u64);
        }
        assert_eq!(uses.of("0"), None);
        assert!(uses.of("1").is_some());
        assert_eq!(uses.keys.len(), KEYS_MAX);
    }
}
