//! What a row does about questions that come twice, come late or were given up.
//!
//! Owns: undoing. Does not own: what is remembered (`limit::questions`). Called by: `limit::ledger`.

use super::{Grant, Row};
use crate::limit::wire::HolderId;

impl Row {
    /// Whether a question is one that its holder takes no answer to any more.
    pub fn is_over(&self, holder: HolderId, seq: u64) -> bool {
        self.questions.is_over(holder, seq)
    }

    /// What was granted to this question before, if it was.
    pub fn granted_before(&self, holder: HolderId, seq: u64) -> Option<Grant> {
        let mut leases = self.leases.iter();
        let lease = leases.find(|lease| lease.holder == holder && lease.granted_seq == seq);
        let charged = self.questions.charged(holder, seq);
        let at_ms = match (lease, charged) {
            (_, Some(charged)) => charged.at_ms,
            (Some(lease), None) => lease.at_ms,
            (None, None) => return None,
        };
        let lease = lease.filter(|lease| lease.units > 0);
        Some(Grant {
            at_ms,
            lent: lease.map(|lease| self.lent_as(lease)),
        })
    }

    /// Takes a holder's word that it is done with its questions before `open_seq`.
    pub fn hear_open(&mut self, holder: HolderId, open_seq: u64) {
        self.questions.hear_open(self.seen_ms, holder, open_seq);
    }

    /// Frees what a question took that its holder has given up: what was charged at once, and what
    /// was lent by an answer that nobody reads. Each is freed once, and the question takes nothing
    /// when it arrives again, or only now.
    pub fn undo(&mut self, holder: HolderId, seq: u64) {
        if let Some(charged) = self.questions.undo(self.seen_ms, holder, seq) {
            let is_of_old_rule = self.changed_ms > 0 && charged.at_ms <= self.changed_ms;
            if !is_of_old_rule {
                let (at_ms, units) = (charged.at_ms, charged.units);
                self.meter.give_back(&self.rule, self.seen_ms, at_ms, units);
            }
        }
        // A share that a later answer told of is known to its holder.
        self.leases
            .retain(|lease| lease.holder != holder || lease.seq != seq || lease.granted_seq != seq);
    }
}

#[cfg(test)]
mod tests;
