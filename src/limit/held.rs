//! One lease, as the isolate that holds it spends it.
//!
//! Owns: which of its units are spent, and which of those its object knows of.
//! Called by: `limit::purse`.

use crate::facts::UnixMs;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::settled::REFUND_PART;
use crate::limit::wire::{Lent, Report};

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Held {
    pub(super) seq: u64,
    units: u64,
    used: u64,
    /// Of the used ones, those the object was told of: they are nobody's to give back.
    reported: u64,
    refunded: u64,
    last_used_ms: UnixMs,
    pub(super) expires_ms: UnixMs,
    is_over: bool,
    /// Some of it was lent on: it may be used until this lease ends.
    is_open: bool,
}

impl Held {
    pub(super) fn new(sent_ms: UnixMs, lent: Lent) -> Self {
        Self {
            seq: lent.seq,
            units: lent.units,
            used: 0,
            reported: 0,
            refunded: 0,
            last_used_ms: sent_ms,
            expires_ms: sent_ms.saturating_add(lent.ttl_ms),
            is_over: false,
            is_open: false,
        }
    }

    pub(super) fn left(&self) -> u64 {
        self.units.saturating_sub(self.used)
    }

    pub(super) fn covers(&self, now_ms: UnixMs, units: u64) -> bool {
        self.expires_ms > now_ms && self.left() >= units
    }

    pub(super) fn spend(&mut self, now_ms: UnixMs, units: u64) {
        self.used = self.used.saturating_add(units);
        self.last_used_ms = now_ms;
    }

    /// Lends units on: they count as used, and may be until this lease ends.
    pub(super) fn lend_on(&mut self, now_ms: UnixMs, units: u64) {
        self.spend(now_ms, units);
        self.is_open = true;
    }

    /// Takes back what was spent for nothing, as far as the object was not told of it.
    pub(super) fn unspend(&mut self, units: u64) -> u64 {
        let freed = units.min(self.used.saturating_sub(self.reported));
        self.used = self.used.saturating_sub(freed);
        freed
    }

    /// How many of `units` may be refunded of this lease, which counts them.
    pub(super) fn refundable(&mut self, units: u64) -> u64 {
        let most = self.units / REFUND_PART;
        let allowed = units.min(most.saturating_sub(self.refunded));
        self.refunded = self.refunded.saturating_add(allowed);
        allowed
    }

    /// What was used so far.
    ///
    /// - `give_up`: no more is used of it.
    pub(super) fn report(&mut self, now_ms: UnixMs, give_up: bool) -> Report {
        self.is_over = give_up || self.used >= self.units || self.expires_ms <= now_ms;
        self.reported = self.used;
        let age_ms = now_ms.saturating_sub(self.last_used_ms);
        Report {
            seq: self.seq,
            used: self.used,
            // The clock may have stepped, or stood still, since.
            age_ms: age_ms.saturating_sub(CLOCK_ERROR_MS),
            keep: match self.is_over {
                true => 0,
                false => self.left(),
            },
            open: self.is_open,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}
