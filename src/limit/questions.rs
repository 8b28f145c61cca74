//! What a row knows of the questions that it was asked: what each was charged at once, and which its
//! holder has given up.
//!
//! A holder that gave a question up takes no answer to it. So what the question was charged is freed,
//! once, and a question that arrives only afterwards is granted nothing.
//!
//! Owns: that memory and its bounds. Called by: `limit::row`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::wire::HolderId;

/// How long a question can be undone after it was charged, and how long one that was undone is known.
/// One that arrives later still is granted, and counts until its time has passed.
pub const UNDO_MS_MAX: u64 = 60_000;
/// Most charges of one row that can be undone, most questions known to be undone, and most holders
/// whose word on older questions is kept. Of more than that the oldest are forgotten.
pub const CHARGES_MAX: usize = 256;
pub const UNDONE_MAX: usize = 256;
pub const ASKERS_MAX: usize = 256;

/// The questions of one row.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Questions {
    /// Oldest first, as the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    charged: Vec<Charged>,
    /// The instant is that of the object when it heard of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    undone: Vec<(HolderId, u64, UnixMs)>,
    /// Of each holder, the oldest question that it may still take an answer to or undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<(HolderId, u64, UnixMs)>,
}

/// What one question was charged at once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Charged {
    holder: HolderId,
    seq: u64,
    pub(super) at_ms: UnixMs,
    pub(super) units: u64,
}

impl Questions {
    /// Whether nobody takes an answer to a question any more, as far as is known.
    pub fn is_over(&self, holder: HolderId, seq: u64) -> bool {
        self.is_undone(holder, seq)
            || self
                .open
                .iter()
                .any(|(known, open_seq, _)| *known == holder && seq < *open_seq)
    }

    fn is_undone(&self, holder: HolderId, seq: u64) -> bool {
        let is_it = |one: &(HolderId, u64, UnixMs)| one.0 == holder && one.1 == seq;
        self.undone.iter().any(is_it)
    }

    /// What a question was charged, if that is known.
    pub fn charged(&self, holder: HolderId, seq: u64) -> Option<Charged> {
        let is_it = |one: &&Charged| one.holder == holder && one.seq == seq;
        self.charged.iter().find(is_it).copied()
    }

    /// Notes a charge.
    pub fn charge(&mut self, (holder, seq): (HolderId, u64), at_ms: UnixMs, units: u64) {
        let charged = Charged {
            holder,
            seq,
            at_ms,
            units,
        };
        push(&mut self.charged, charged, CHARGES_MAX);
    }

    /// Takes a holder's word that it is done with its questions before `open_seq`. What it said
    /// later stands.
    pub fn hear_open(&mut self, now_ms: UnixMs, holder: HolderId, open_seq: u64) {
        let known = self.open.iter().position(|one| one.0 == holder);
        let known_seq = known.map(|place| self.open.remove(place).1);
        let open_seq = known_seq.unwrap_or(0).max(open_seq);
        let is_open = |of: HolderId, seq: u64| of != holder || seq >= open_seq;
        self.charged.retain(|one| is_open(one.holder, one.seq));
        self.undone.retain(|one| is_open(one.0, one.1));
        if open_seq > 0 {
            push(&mut self.open, (holder, open_seq, now_ms), ASKERS_MAX);
        }
    }

    /// Takes a holder's word that it gave a question up; returns what is to be freed, once.
    pub fn undo(&mut self, now_ms: UnixMs, holder: HolderId, seq: u64) -> Option<Charged> {
        let charged = self.charged(holder, seq);
        self.charged.retain(|one| Some(*one) != charged);
        if !self.is_over(holder, seq) {
            push(&mut self.undone, (holder, seq, now_ms), UNDONE_MAX);
        }
        charged
    }

    /// Forgets what is too old.
    pub fn forget(&mut self, now_ms: UnixMs) {
        let lasts = |at_ms: UnixMs| at_ms.saturating_add(UNDO_MS_MAX) > now_ms;
        self.charged.retain(|one| lasts(one.at_ms));
        self.undone.retain(|one| lasts(one.2));
        self.open.retain(|one| lasts(one.2));
    }

    /// When no question needs to be known as undone any more; 0 if none does.
    pub fn ends_at_ms(&self) -> UnixMs {
        let ends = self.undone.iter();
        let ends = ends.map(|one| one.2.saturating_add(UNDO_MS_MAX));
        ends.max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.charged.is_empty() && self.undone.is_empty() && self.open.is_empty()
    }
}

fn push<T>(all: &mut Vec<T>, one: T, most: usize) {
    if all.len() >= most {
        all.remove(0);
    }
    all.push(one);
}

#[cfg(test)]
mod tests;
