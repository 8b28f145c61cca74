//! What an isolate holds of one object, and what the object may not have heard of yet.
//!
//! Owns: which questions are open, which were given up, and the bounds of both. Called by:
//! `limit::wallet`.

use crate::facts::UnixMs;
use crate::limit::purse::Purse;
use crate::limit::questions::UNDO_MS_MAX;
use crate::limit::settled::RECEIPT_MS_MAX;
use crate::limit::wire::{SETTLED_MAX, Settling, Undone};

/// How long a question may be without an answer: longer than an object is waited for. One that is
/// older is nobody's: the platform ended what waited for it.
pub(super) const OPEN_MS_MAX: u64 = 30_000;
/// Most questions to one object that are known to be open; beyond, the object is told of none.
pub(super) const OPEN_MAX: usize = 1_024;
/// Most rows of questions that were given up and of which the object has not heard. Of more the oldest
/// are forgotten: what they took counts until its time has passed.
pub(super) const GIVEN_UP_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) purses: Vec<Purse>,
    pub(super) silent_until_ms: UnixMs,
    /// The last turn of a settling.
    pub(super) turn: u64,
    /// What the object may not have heard of yet, each with when it was made, oldest first.
    pub(super) unsettled: Vec<(UnixMs, Settling)>,
    /// Questions that may still be answered, each with when it was sent, oldest first.
    open: Vec<(UnixMs, u64)>,
    /// Rows of questions that were given up, each with when that was, oldest first.
    given_up: Vec<(UnixMs, Undone)>,
    /// When the object is told of them, if no question does before.
    tells_at_ms: UnixMs,
}

impl Account {
    pub(super) fn new(turn: u64) -> Self {
        Self {
            turn,
            ..Self::default()
        }
    }

    /// Forgets what is too old to be heeded.
    pub(super) fn forget(&mut self, now_ms: UnixMs) {
        let lasts = |at_ms: UnixMs, ms: u64| at_ms.saturating_add(ms) > now_ms;
        self.unsettled.retain(|one| lasts(one.0, RECEIPT_MS_MAX));
        self.open.retain(|one| lasts(one.0, OPEN_MS_MAX));
        self.given_up.retain(|one| lasts(one.0, UNDO_MS_MAX));
    }

    /// Whether the object is to be told something, or is being asked.
    pub(super) fn is_busy(&self) -> bool {
        !self.unsettled.is_empty() || !self.open.is_empty() || !self.given_up.is_empty()
    }

    /// Notes that a question is on its way.
    pub(super) fn opened(&mut self, now_ms: UnixMs, seq: u64) {
        self.open.push((now_ms, seq));
    }

    /// Notes that no answer to a question is taken any more.
    pub(super) fn closed(&mut self, seq: u64) {
        self.open.retain(|one| one.1 != seq);
    }

    /// The oldest question that may still be answered or undone, up to `seq`; 0: too many are.
    pub(super) fn open_seq(&self, seq: u64) -> u64 {
        if self.open.len() > OPEN_MAX {
            return 0;
        }
        let open = self.open.iter().map(|one| one.1);
        let given_up = self.given_up.iter().map(|one| one.1.seq);
        open.chain(given_up).fold(seq, u64::min)
    }

    /// Notes rows of a question that was given up.
    pub(super) fn give_up(&mut self, now_ms: UnixMs, rows: impl Iterator<Item = Undone>) {
        self.given_up.extend(rows.map(|row| (now_ms, row)));
        let surplus = self.given_up.len().saturating_sub(GIVEN_UP_MAX);
        self.given_up.drain(..surplus);
    }

    /// Whether somebody has to tell the object of what was given up: then it is to be done in
    /// `after_ms`, and nobody else has to meanwhile.
    pub(super) fn needs_telling(&mut self, now_ms: UnixMs, after_ms: u64) -> bool {
        let is_due = now_ms >= self.tells_at_ms && !self.given_up.is_empty();
        if is_due {
            self.tells_at_ms = now_ms.saturating_add(after_ms);
        }
        is_due
    }

    /// What the next question tells of questions that were given up.
    pub(super) fn undone(&self) -> Vec<Undone> {
        let rows = self.given_up.iter().take(SETTLED_MAX);
        rows.map(|(_, row)| row.clone()).collect()
    }

    /// Notes that the object heard of questions that were given up.
    pub(super) fn heard_undone(&mut self, undone: &[Undone]) {
        self.given_up.retain(|(_, row)| !undone.contains(row));
    }
}
