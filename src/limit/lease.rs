//! Units of one row that are lent to one holder, as the object keeps it.
//!
//! Owns: what of a lease is accounted for. Called by: `limit::row`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::meter::LEASE_MS_MAX;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::wire::{HolderId, Report};

/// A lease; or, with no units, that a question was granted at once, so that it is granted once.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Lease {
    pub(super) holder: HolderId,
    /// Names the lease: the question that it was first an answer to.
    pub(super) seq: u64,
    /// The question that it was last an answer to.
    pub(super) granted_seq: u64,
    /// The last question that told or was told how many units there are.
    told_seq: u64,
    /// Units lent, and those of them that are accounted for. Of a share, none ever are.
    pub(super) units: u64,
    used: u64,
    is_share: bool,
    pub(super) ends_at_ms: UnixMs,
    /// When the question was granted.
    pub(super) at_ms: UnixMs,
}

impl Lease {
    pub(super) fn of(holder: HolderId, seq: u64, units: u64, now_ms: UnixMs, ttl_ms: u64) -> Self {
        Self {
            holder,
            seq,
            granted_seq: seq,
            told_seq: seq,
            units,
            used: 0,
            is_share: false,
            ends_at_ms: now_ms.saturating_add(ttl_ms).saturating_add(CLOCK_ERROR_MS),
            at_ms: now_ms,
        }
    }

    /// A note that a question was granted at once.
    pub(super) fn settled(holder: HolderId, seq: u64, now_ms: UnixMs) -> Self {
        Self::of(holder, seq, 0, now_ms, LEASE_MS_MAX)
    }

    pub(super) fn shared(mut self) -> Self {
        self.is_share = true;
        self
    }

    /// Units that may still be used.
    pub(super) fn outstanding(&self) -> u64 {
        self.units.saturating_sub(self.used)
    }

    /// Heeds a report; returns the units that count as used from now on.
    ///
    /// Of units, those used beyond what was told before; the rest is free if nothing is kept. Of a
    /// share, those of its last window that what is kept does not cover: they may be used again
    /// when it has passed, the kept ones now.
    pub(super) fn report(&mut self, seq: u64, report: &Report) -> u64 {
        if !self.is_share {
            let used = report.used.min(self.units);
            let newly = used.saturating_sub(self.used);
            self.used = self.used.max(used);
            if report.keep == 0 {
                self.units = self.used;
            }
            return newly;
        }
        if seq <= self.told_seq {
            return 0;
        }
        self.told_seq = seq;
        let keep = report.keep.min(self.units);
        let newly = report.used.min(self.units).saturating_sub(keep);
        self.units = keep;
        newly
    }

    /// Lends a share for longer, and `more` units of it.
    pub(super) fn extend(&mut self, seq: u64, more: u64, now_ms: UnixMs) {
        let lasting = Self::of(self.holder, seq, 0, now_ms, LEASE_MS_MAX);
        self.ends_at_ms = self.ends_at_ms.max(lasting.ends_at_ms);
        self.units = self.units.saturating_add(more);
        self.granted_seq = seq;
        self.told_seq = self.told_seq.max(seq);
        self.at_ms = now_ms;
    }
}
