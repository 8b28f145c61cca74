//! When a caller's keys were used: counted on each use, written down now and then.
//!
//! An isolate that decides by itself tells the object of uses with its next question.
//!
//! Owns: when writing is due, so that a busy key costs one write in a minute and not one a request.
//! What was not written is lost if the object is moved: at most the uses of [`WRITE_MS`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::ask::Objects;
use crate::limit::errand::Errand;
use crate::limit::standing::StandingQuestion;
use crate::limit::wire::{Act, Asking, KeyUse, Question};
use crate::revocation::Credential;

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
    /// Counts uses; says whether writing is due.
    pub fn count(&mut self, key_id: &str, count: u64, now_ms: UnixMs) -> bool {
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
        used.count = used.count.saturating_add(count);
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

/// How long a use that no object was told of may wait for the next question to it.
pub const TOLD_AFTER_MS: u64 = 2_000;

/// Notes a use of a credential of which no object was told: it goes with the next question, or is told
/// by itself in a while.
pub(super) fn note<O: Objects>(objects: &O, question: &StandingQuestion) {
    if !matches!(question.credential, Credential::Key { .. }) {
        return;
    }
    let is_first = objects.limit_memory().borrow_mut().note_use(question);
    if is_first {
        objects.defer(Errand::Uses {
            question: Box::new(question.clone()),
            after_ms: TOLD_AFTER_MS,
        });
    }
}

/// The uses to tell with a question: those noted, and the one that it is asked for.
pub(super) fn told_with_one<O: Objects>(objects: &O, question: &StandingQuestion) -> u64 {
    told(objects, question).saturating_add(1)
}

/// The uses that were noted, which counts them as told.
pub(super) fn told<O: Objects>(objects: &O, question: &StandingQuestion) -> u64 {
    objects.limit_memory().borrow_mut().take_uses(question)
}

/// Tells what was noted, if nothing else told it meanwhile.
pub(super) async fn tell<O: Objects>(objects: &O, question: &StandingQuestion) {
    let uses = told(objects, question);
    if uses > 0 {
        let told = Question {
            credential: Some(question.credential.clone()),
            uses,
            ..Question::of(Act::Charge(Asking::default()))
        };
        let _ = objects.ask(&question.caller, &told).await;
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
            if uses.count("a", 1, now_ms) {
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
            uses.count(&key.to_string(), 1, 100 + key as u64);
        }
        assert_eq!(uses.of("0"), None);
        assert!(uses.of("1").is_some());
        assert_eq!(uses.keys.len(), KEYS_MAX);
    }
}
