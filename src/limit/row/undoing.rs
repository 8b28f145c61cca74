//! Questions whose holder never got an answer, and the notes by which they are known.
//!
//! Owns: what a row remembers of questions that were granted, so that one that comes twice is granted
//! once, and one that is undone not at all. Called by: `limit::row`.

use super::Row;
use crate::limit::lease::Lease;
use crate::limit::wire::HolderId;

/// Most questions of one holder that are remembered; what is forgotten can be undone no more, and counts
/// until its time has passed.
pub(super) const NOTES_MAX: usize = 16;

impl Row {
    /// Undoes a question whose holder got no answer: what it was charged at once is free again, and what
    /// it was lent. One that did not come yet will be granted nothing.
    pub(super) fn undo(&mut self, holder: HolderId, seq: u64) {
        let (now_ms, changed_ms) = (self.seen_ms, self.changed_ms);
        let Some(lease) = self.granted(holder, seq) else {
            self.keep_notes(holder);
            self.push(Lease::undone(holder, seq, now_ms));
            return;
        };
        let at_ms = lease.at_ms;
        let units = lease.undo();
        if changed_ms == 0 || at_ms > changed_ms {
            self.give_back(now_ms, at_ms, units);
        }
    }

    /// Whether a question is to be granted nothing.
    pub fn is_undone(&self, holder: HolderId, seq: u64) -> bool {
        let of = |lease: &Lease| lease.holder == holder && lease.granted_seq == seq;
        self.leases.iter().any(|lease| of(lease) && lease.is_undone)
    }

    pub(super) fn granted(&mut self, holder: HolderId, seq: u64) -> Option<&mut Lease> {
        let of = |lease: &&mut Lease| lease.holder == holder && lease.granted_seq == seq;
        self.leases.iter_mut().find(of)
    }

    /// Makes room for one more note of a holder: the oldest go.
    pub(super) fn keep_notes(&mut self, holder: HolderId) {
        let of = |lease: &Lease| lease.holder == holder && lease.is_note();
        let count = self.leases.iter().filter(|lease| of(lease)).count();
        let mut surplus = (count + 1).saturating_sub(NOTES_MAX);
        self.leases.retain(|lease| {
            let goes = of(lease) && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}
