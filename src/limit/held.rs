//! One lease, as the isolate that holds it spends it.
//!
//! Owns: which of its units are spent, and which of those its object knows of.
//! Called by: `limit::purse`.

use crate::facts::UnixMs;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::settled::REFUND_PART;
use crate::limit::wire::{Lent, Report};

/// How finely it is told when units were used, and for how many marks.
const MARK_MS: u64 = 200;
const MARKS_MAX: usize = 8;
/// How long after its end a lease is kept for requests that are not decided: longer than an object is
/// waited for. By then they count as used.
const PENDING_MS_MAX: u64 = 5_000;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Held {
    pub(super) seq: u64,
    /// When it was lent, by the object's clock.
    pub(super) lent_at_ms: UnixMs,
    units: u64,
    used: u64,
    /// Of the used ones, those of requests that other objects may still refuse: the object is told of
    /// neither their use nor that they are free.
    pending: u64,
    /// Of the used ones, those the object was told of: they are nobody's to give back.
    reported: u64,
    reported_ms: UnixMs,
    refunded: u64,
    last_used_ms: UnixMs,
    /// How many were used up to which instants, before the last: what was used early is free early.
    marks: Vec<(u64, UnixMs)>,
    pub(super) expires_ms: UnixMs,
    is_over: bool,
    /// Some of it was lent on: it may be used until this lease ends.
    is_open: bool,
}

impl Held {
    pub(super) fn new(sent_ms: UnixMs, lent_at_ms: UnixMs, lent: Lent) -> Self {
        Self {
            seq: lent.seq,
            lent_at_ms,
            units: lent.units,
            used: 0,
            pending: 0,
            reported: 0,
            reported_ms: 0,
            refunded: 0,
            last_used_ms: sent_ms,
            marks: Vec::new(),
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

    /// Spends units for a request that is not decided yet.
    pub(super) fn spend(&mut self, now_ms: UnixMs, units: u64) {
        let marked_ms = self.marks.last().map_or(0, |(_, at_ms)| *at_ms);
        if self.used > self.reported && now_ms >= marked_ms.saturating_add(MARK_MS) {
            self.marks.push((self.used, self.last_used_ms));
            if self.marks.len() > MARKS_MAX {
                // These count as used by the next mark.
                self.marks.remove(0);
            }
        }
        self.used = self.used.saturating_add(units);
        self.pending = self.pending.saturating_add(units);
        self.last_used_ms = now_ms;
    }

    /// The request that the units were spent for is admitted.
    pub(super) fn confirm(&mut self, units: u64) {
        self.pending = self.pending.saturating_sub(units);
    }

    /// Lends units on: they count as used, and may be until this lease ends.
    pub(super) fn lend_on(&mut self, now_ms: UnixMs, units: u64) {
        self.spend(now_ms, units);
        self.confirm(units);
        self.is_open = true;
    }

    /// Takes back what was spent for a request that was refused elsewhere.
    pub(super) fn unspend(&mut self, units: u64) {
        self.confirm(units);
        self.forget(units);
    }

    /// Takes back what was used for nothing, as far as the object was not told of it.
    pub(super) fn refund(&mut self, at_ms: UnixMs, units: u64) -> u64 {
        let units = self.refundable(units);
        self.free(at_ms, units)
    }

    /// The same without a bound, for a request that turned out cheaper than was reserved.
    pub(super) fn give_back(&mut self, at_ms: UnixMs, units: u64) -> u64 {
        self.free(at_ms, units)
    }

    /// Frees units that were spent at `at_ms`, if that was after the last report. Those of before are
    /// the object's to free: freed here they would pass for those spent since, which were used later.
    fn free(&mut self, at_ms: UnixMs, units: u64) -> u64 {
        if self.reported > 0 && at_ms <= self.reported_ms {
            return 0;
        }
        let freed = units.min(self.used.saturating_sub(self.reported));
        self.forget(freed);
        freed
    }

    /// Units of whom nobody knows which they were: no mark may claim them.
    fn forget(&mut self, units: u64) {
        self.used = self.used.saturating_sub(units);
        for (used, _) in &mut self.marks {
            *used = used.saturating_sub(units);
        }
    }

    /// How many of `units` may be refunded of this lease, which counts them.
    fn refundable(&mut self, units: u64) -> u64 {
        let most = self.units / REFUND_PART;
        let allowed = units.min(most.saturating_sub(self.refunded));
        self.refunded = self.refunded.saturating_add(allowed);
        allowed
    }

    /// What was used so far, mark by mark.
    ///
    /// - `give_up`: no more is used of it.
    pub(super) fn report(&mut self, now_ms: UnixMs, give_up: bool) -> Vec<Report> {
        let ends = give_up || self.used >= self.units || self.expires_ms <= now_ms;
        self.is_over =
            ends && self.pending == 0 || self.expires_ms.saturating_add(PENDING_MS_MAX) <= now_ms;
        let used = self.used.saturating_sub(self.pending);
        let mut marks = std::mem::take(&mut self.marks);
        // Of those used up to a mark, all that are not decided may be.
        for (used, _) in &mut marks {
            *used = used.saturating_sub(self.pending);
        }
        marks.retain(|(used, _)| *used > self.reported);
        self.reported = self.reported.max(used);
        self.reported_ms = now_ms;
        marks.push((self.reported, self.last_used_ms));
        let keep = match ends {
            true => self.pending,
            false => self.units.saturating_sub(self.reported),
        };
        let last = marks.len() - 1;
        let reports = marks.into_iter().enumerate();
        let reports = reports.map(|(place, (used, at_ms))| Report {
            seq: self.seq,
            used,
            // The clock may have stepped, or stood still, since.
            age_ms: now_ms.saturating_sub(at_ms).saturating_sub(CLOCK_ERROR_MS),
            // The last word is the last report.
            keep: if place == last { keep } else { self.units },
            open: self.is_open,
        });
        reports.collect()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}
