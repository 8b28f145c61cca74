//! One counter of an object: what was used of a limit, and what is lent of it to isolates.
//!
//! Owns: the rule that what counts and what is lent never exceed the limit. A unit that is lent
//! may be used at any time until its lease ends, so it counts as if it were used until its holder
//! says otherwise; what nobody accounted for by then counts as used at the end.
//! Does not own: the arithmetic of each algorithm (`limit::meter`), one lease (`limit::lease`),
//! which rows a request touches (`limit::ledger`). Proof: `docs/decisions/0016-leases.md`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::lease::Lease;
use crate::limit::meter::{LEASE_MS_MAX, Meter, MeterRule};
use crate::limit::questions::Questions;
use crate::limit::settled::{Heard, RECEIPT_MS_MAX, Refunded};
use crate::limit::wire::{HolderId, Lent, Receipt, Report};

/// How much longer than its holder an object holds a lease for good: what clocks may be wrong by
/// over one lease, steps and readings before a wait included.
pub const CLOCK_ERROR_MS: u64 = 500;
/// How long one waits for a permit before it is asked for again.
pub const PERMIT_WAIT_MS: u64 = 100;
/// Most leases of one row; a holder beyond is granted what it asks for now and nothing more.
pub const LEASES_MAX: usize = 256;
/// Most holders that are known to wait for a share.
pub const WAITING_MAX: usize = 16;
/// How long a holder that was refused is taken to wait for a share.
const WAITING_MS: u64 = 2 * LEASE_MS_MAX;
/// Little is left where it is less than a part of this many of the limit.
pub const TIGHT_PART: u64 = 8;
/// Then of what a holder would like for a whole lease a part of this many is lent.
pub const SCARCE_PART: u64 = 6;
/// Shortest lease that is worth its name.
pub const LEASE_MS_LEAST: u64 = 100;

/// One counter, as it is stored.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Row {
    rule: MeterRule,
    meter: Meter,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    leases: Vec<Lease>,
    #[serde(default, skip_serializing_if = "Heard::is_empty")]
    heard: Heard,
    #[serde(default, skip_serializing_if = "Questions::is_empty")]
    questions: Questions,
    #[serde(default)]
    refunded: Refunded,
    /// Holders that were refused while others had shares, each with when it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<(HolderId, UnixMs)>,
    /// The latest instant that the object's clock has shown: charges and leases are dated by it.
    seen_ms: UnixMs,
    /// The latest instant that is believed: what is over by then is free. A clock that runs back frees
    /// nothing, one that runs ahead of those that ask next to nothing.
    #[serde(default)]
    freed_ms: UnixMs,
    /// When the rule changed last: what was charged before is nobody's to give back.
    #[serde(default)]
    changed_ms: UnixMs,
}

/// What was granted to one question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    pub at_ms: UnixMs,
    pub lent: Option<Lent>,
}

impl Row {
    pub fn new(rule: &MeterRule) -> Self {
        Self {
            rule: rule.clone(),
            meter: Meter::new(rule),
            leases: Vec::new(),
            heard: Heard::default(),
            questions: Questions::default(),
            refunded: Refunded::default(),
            waiting: Vec::new(),
            seen_ms: 0,
            freed_ms: 0,
            changed_ms: 0,
        }
    }

    /// Makes ready for a question: heeds a rule that changed, and counts what was lent and is over.
    /// Comes before all else that takes the time from here.
    #[must_use]
    pub fn opened(self, rule: &MeterRule, now_ms: UnixMs) -> Self {
        self.opened_by(rule, now_ms, now_ms)
    }

    /// The same, where the object's clock is not believed beyond an instant.
    #[must_use]
    pub fn opened_by(mut self, rule: &MeterRule, now_ms: UnixMs, believed_ms: UnixMs) -> Self {
        self.seen_ms = self.seen_ms.max(now_ms);
        self.freed_ms = self.freed_ms.max(believed_ms.min(self.seen_ms));
        if self.rule != *rule {
            self.meter = self.meter.fit(&self.rule, rule, self.freed_ms);
            self.rule = rule.clone();
            self.changed_ms = self.seen_ms;
        }
        let (over, lasting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.leases)
            .into_iter()
            .partition(|lease| lease.ends_at_ms <= self.freed_ms);
        self.leases = lasting;
        for lease in over.iter().filter(|one| one.outstanding() > 0) {
            // Nobody said what became of them: used, at the last moment.
            self.meter
                .take(&self.rule, lease.ends_at_ms, lease.outstanding());
        }
        self.meter.forget(self.freed_ms);
        self.questions.forget(self.freed_ms);
        self
    }

    /// The same, where the question does not say the rule.
    #[must_use]
    pub fn reopened(self, now_ms: UnixMs, believed_ms: UnixMs) -> Self {
        let rule = self.rule.clone();
        self.opened_by(&rule, now_ms, believed_ms)
    }

    /// Takes a holder's word for what it used of a lease. What comes again, or after what was said
    /// later, changes nothing.
    ///
    /// - `seq`: the question that the report came with.
    pub fn report(&mut self, holder: HolderId, seq: u64, report: &Report) {
        let of = |lease: &Lease| lease.holder == holder && lease.seq == report.seq;
        let Some(place) = self.leases.iter().position(of) else {
            return;
        };
        let Some(lease) = self.leases.get_mut(place) else {
            return;
        };
        let used_at_ms = match report.open {
            true => lease.ends_at_ms,
            false => self.seen_ms.saturating_sub(report.age_ms),
        };
        // Not before it was lent, whatever the holder's clock says.
        let used_at_ms = used_at_ms.max(lease.at_ms).min(lease.ends_at_ms);
        let newly = lease.report(seq, report);
        if lease.outstanding() == 0 && report.keep == 0 {
            self.leases.remove(place);
        }
        self.meter.take(&self.rule, used_at_ms, newly);
    }

    /// Sets right what was charged at once; counts each settling once.
    pub fn settle<'r>(
        &mut self,
        (holder, turn): (HolderId, u64),
        receipts: impl Iterator<Item = &'r Receipt>,
        owed: u64,
    ) {
        if !self.heard.is_first(self.seen_ms, holder, turn) {
            return;
        }
        for receipt in receipts {
            let is_late = receipt.at_ms.saturating_add(RECEIPT_MS_MAX) < self.seen_ms;
            let is_of_old_rule = self.changed_ms > 0 && receipt.at_ms <= self.changed_ms;
            if is_late || is_of_old_rule || receipt.at_ms > self.seen_ms {
                continue;
            }
            let units = match receipt.refund {
                false => receipt.units,
                true => self.refunded.allow(
                    self.seen_ms,
                    self.rule.refund_window_ms(),
                    self.rule.capacity(),
                    receipt.units,
                ),
            };
            self.meter
                .give_back(&self.rule, self.seen_ms, receipt.at_ms, units);
        }
        if owed > 0 {
            self.meter.take(&self.rule, self.seen_ms, owed);
        }
    }

    /// Frees units that were charged at `at_ms` for nothing, where each is given back once.
    pub fn give_back(&mut self, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        self.meter.give_back(&self.rule, now_ms, at_ms, units);
    }

    /// Units that count now, used or lent.
    pub fn held(&self, now_ms: UnixMs) -> u64 {
        let row = self.clone().reopened(now_ms, now_ms);
        let used = row.meter.used(&row.rule, row.freed_ms);
        used.saturating_add(row.lent())
    }

    /// Units that are neither used nor lent.
    pub fn free(&self) -> u64 {
        let used = self.meter.used(&self.rule, self.freed_ms);
        let capacity = self.rule.capacity();
        capacity.saturating_sub(used.saturating_add(self.lent()))
    }

    fn lent(&self) -> u64 {
        let units = self.leases.iter().map(Lease::outstanding);
        units.fold(0, u64::saturating_add)
    }

    /// The smallest wait after which `units` have room if nothing else is charged and nothing that
    /// is lent comes back; at least 1. `None`: more than there can ever be.
    pub fn wait_ms(&self, units: u64) -> Option<u64> {
        if units > self.rule.capacity() {
            return None;
        }
        let meter = self.settled_meter();
        let wait_ms = meter.wait_ms(&self.rule, self.freed_ms, units);
        Some(match self.rule {
            // When a request that is open ends is known to nobody.
            MeterRule::Permits(_) => wait_ms.min(PERMIT_WAIT_MS),
            _ => wait_ms,
        })
    }

    /// Charges `units`, for which there is room, and lends up to `want` of what is left.
    pub fn grant(&mut self, holder: HolderId, seq: u64, units: u64, want: u64) -> Grant {
        let at_ms = self.seen_ms;
        self.meter.take(&self.rule, at_ms, units);
        if units > 0 {
            self.questions.charge((holder, seq), at_ms, units);
        }
        self.waiting.retain(|(waits, _)| *waits != holder);
        // What is accounted for is kept only to tell a question that comes twice: the last one.
        self.leases.retain(|lease| {
            lease.holder != holder || lease.granted_seq > seq || lease.outstanding() > 0
        });
        let lent = match self.rule.shared() {
            Some(_) => self.share(holder, seq, want),
            None => self.lend(holder, seq, want),
        };
        if lent.is_none() && units > 0 {
            self.push(Lease::settled(holder, seq, self.seen_ms));
        }
        Grant { at_ms, lent }
    }

    /// Notes that a holder was refused while others have shares; says whether that is new.
    pub fn wait_for_share(&mut self, holder: HolderId) -> bool {
        let now_ms = self.seen_ms;
        self.waiting
            .retain(|(_, since_ms)| since_ms.saturating_add(WAITING_MS) > now_ms);
        let others_share = self.rule.shared().is_some()
            && self.rule.lease_units_max() > 0
            && self
                .leases
                .iter()
                .any(|lease| lease.holder != holder && lease.units > 0)
            && !self
                .leases
                .iter()
                .any(|lease| lease.holder == holder && lease.units > 0);
        let is_new = others_share
            && self.waiting.len() < WAITING_MAX
            && !self.waiting.iter().any(|(waits, _)| *waits == holder);
        if is_new {
            self.waiting.push((holder, now_ms));
        }
        is_new
    }

    /// Milliseconds until the oldest units are free again; at least 1.
    pub fn frees_in_ms(&self) -> u64 {
        let free = self.free();
        self.wait_ms(free.saturating_add(1).min(self.rule.capacity()))
            .unwrap_or(1)
    }

    /// When nothing of it counts any more, and nothing needs to be remembered.
    pub fn empty_at_ms(&self) -> UnixMs {
        let leases = self.leases.iter().map(|lease| lease.ends_at_ms).max();
        self.settled_meter()
            .empty_at_ms()
            .max(leases.unwrap_or(0))
            .max(self.heard.ends_at_ms())
            .max(self.questions.ends_at_ms())
    }

    /// The meter as it will be if every lease is used at its last moment.
    fn settled_meter(&self) -> Meter {
        let mut meter = self.meter.clone();
        for lease in self.leases.iter().filter(|one| one.outstanding() > 0) {
            meter.take(&self.rule, lease.ends_at_ms, lease.outstanding());
        }
        meter
    }

    /// Lends units of what is left, shared among those who hold something: nobody gets
    /// all of it while others are there.
    fn lend(&mut self, holder: HolderId, seq: u64, want: u64) -> Option<Lent> {
        let until_end_ms = self
            .meter
            .ends_at_ms(&self.rule, self.seen_ms)
            .saturating_sub(self.seen_ms);
        let ttl_ms = self
            .rule
            .lease_ms()
            .min(until_end_ms.saturating_sub(2 * CLOCK_ERROR_MS));
        let free = self.free();
        // Where little is left, little is lent, and none of it lies idle for long.
        let is_tight = free < self.rule.capacity() / TIGHT_PART;
        let want = if is_tight {
            want.div_ceil(SCARCE_PART)
        } else {
            want
        };
        // Half of what is left, while others are there.
        let part = if self.holders(holder) > 1 { 2 } else { 1 };
        let units = want
            .min(free.div_ceil(part))
            .min(self.rule.lease_units_max());
        if units == 0 || ttl_ms < LEASE_MS_LEAST {
            return None;
        }
        self.push(Lease::of(holder, seq, units, self.seen_ms, ttl_ms))
    }

    /// Lends a share, or more of the one that the holder has, for a lease's time from now.
    fn share(&mut self, holder: HolderId, seq: u64, want: u64) -> Option<Lent> {
        let free = self.free();
        let fair = self.fair(holder);
        let now_ms = self.seen_ms;
        let own = |lease: &&mut Lease| lease.holder == holder && lease.units > 0;
        if let Some(lease) = self.leases.iter_mut().find(own) {
            if want == 0 {
                return None;
            }
            let more = want.min(fair).saturating_sub(lease.units);
            lease.extend(seq, more.min(free), now_ms);
            let lease = lease.clone();
            return Some(self.lent_as(&lease));
        }
        let units = want.min(fair).min(free).min(self.rule.lease_units_max());
        if units == 0 {
            return None;
        }
        self.push(Lease::of(holder, seq, units, now_ms, self.rule.lease_ms()).shared())
    }

    /// How many hold something of the row, with one that asks.
    fn holders(&self, holder: HolderId) -> u64 {
        let mut holders: Vec<_> = self.leases.iter().map(|lease| lease.holder).collect();
        holders.push(holder);
        holders.sort_unstable();
        holders.dedup();
        (holders.len() as u64).max(1)
    }

    /// A holder's part of the limit, where others hold or wait for theirs.
    fn fair(&self, holder: HolderId) -> u64 {
        let now_ms = self.seen_ms;
        let waiting = self.waiting.iter().filter(|(waits, since_ms)| {
            *waits != holder && since_ms.saturating_add(WAITING_MS) > now_ms
        });
        let others = self.holders(holder).saturating_add(waiting.count() as u64);
        (self.rule.capacity() / others).max(1)
    }

    /// Keeps a lease, if there is room for it; tells its holder of it.
    fn push(&mut self, lease: Lease) -> Option<Lent> {
        if self.leases.len() >= LEASES_MAX {
            // What is accounted for goes first: a question that comes twice may then be charged
            // twice, never granted twice.
            let settled = self.leases.iter().position(|one| one.outstanding() == 0);
            self.leases.remove(settled?);
        }
        let lent = (lease.units > 0).then(|| self.lent_as(&lease));
        self.leases.push(lease);
        lent
    }

    fn lent_as(&self, lease: &Lease) -> Lent {
        let left_ms = lease.ends_at_ms.saturating_sub(self.seen_ms);
        Lent {
            seq: lease.seq,
            units: lease.units,
            ttl_ms: left_ms.saturating_sub(CLOCK_ERROR_MS),
            fair: self.fair(lease.holder),
        }
    }
}

mod asked;
#[cfg(test)]
mod tests;
