//! One counter of an object: what was used of a limit, and what is lent of it to isolates.
//!
//! Owns: the rule that what counts and what is lent never exceed the limit. A unit that is lent
//! may be used at any time until its lease ends, so it counts as if it were used until its holder
//! says otherwise; what nobody accounted for by then counts as used at the end.
//! Does not own: the arithmetic of each algorithm (`limit::meter`), which rows a request touches
//! (`limit::ledger`). Proof: `docs/LIMITS.md`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::meter::{LEASE_MS_MAX, Meter, MeterRule};
use crate::limit::wire::{HolderId, Lent, Report};

/// How much longer than its holder an object holds a lease for good: what clocks may be wrong by
/// over one lease, steps and readings before a wait included.
pub const CLOCK_ERROR_MS: u64 = 500;
/// Most leases of one row; a holder beyond is granted what it asks for now and nothing more.
pub const LEASES_MAX: usize = 64;
/// Shortest lease that is worth its name.
const LEASE_MS_LEAST: u64 = 100;

/// One counter, as it is stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    rule: MeterRule,
    meter: Meter,
    leases: Vec<Lease>,
    /// The latest instant that the object's clock has shown: one that runs back frees nothing.
    seen_ms: UnixMs,
}

/// Units lent to a holder, or granted to it at once; kept until it ends, so that a question that
/// is asked twice is granted once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Lease {
    holder: HolderId,
    seq: u64,
    /// Units lent, and those of them that are accounted for.
    units: u64,
    used: u64,
    ends_at_ms: UnixMs,
    /// Names the units granted at once.
    named_ms: UnixMs,
}

impl Lease {
    fn outstanding(&self) -> u64 {
        self.units.saturating_sub(self.used)
    }
}

/// What was granted to one question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    pub named_ms: UnixMs,
    pub lent: Option<Lent>,
}

impl Row {
    pub fn new(rule: &MeterRule) -> Self {
        Self {
            rule: rule.clone(),
            meter: Meter::new(rule),
            leases: Vec::new(),
            seen_ms: 0,
        }
    }

    /// Makes ready for a question: heeds a rule that changed, and counts what was lent and is over.
    /// Comes before all else that takes the time from here.
    #[must_use]
    pub fn opened(mut self, rule: &MeterRule, now_ms: UnixMs) -> Self {
        self.seen_ms = self.seen_ms.max(now_ms);
        if self.rule != *rule {
            self.meter = self.meter.fit(&self.rule, rule, self.seen_ms);
            self.rule = rule.clone();
        }
        let (over, lasting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.leases)
            .into_iter()
            .partition(|lease| lease.ends_at_ms <= self.seen_ms);
        self.leases = lasting;
        for lease in over {
            // Nobody said what became of them: used, at the last moment.
            self.meter
                .take(&self.rule, lease.ends_at_ms, lease.outstanding());
        }
        self
    }

    /// Takes a holder's word for what it used of a lease. A lease that is over, and what was said
    /// before, count once.
    pub fn report(&mut self, holder: HolderId, report: &Report) {
        let of = |lease: &&mut Lease| lease.holder == holder && lease.seq == report.seq;
        let Some(lease) = self.leases.iter_mut().find(of) else {
            return;
        };
        let used = report.used.min(lease.units);
        let newly = used.saturating_sub(lease.used);
        lease.used = lease.used.max(used);
        let ends_at_ms = lease.ends_at_ms;
        if report.ended {
            self.leases
                .retain(|lease| lease.holder != holder || lease.seq != report.seq);
        }
        let used_at_ms = self.seen_ms.saturating_sub(report.age_ms).min(ends_at_ms);
        self.meter.take(&self.rule, used_at_ms, newly);
    }

    /// Units that count now, used or lent.
    pub fn held(&self, now_ms: UnixMs) -> u64 {
        let row = self.clone().opened(&self.rule, now_ms);
        row.rule.capacity().saturating_sub(row.free())
    }

    /// Units that are neither used nor lent.
    pub fn free(&self) -> u64 {
        let lent = self
            .leases
            .iter()
            .fold(0, |sum: u64, lease| sum.saturating_add(lease.outstanding()));
        let used = self.meter.used(&self.rule, self.seen_ms);
        let capacity = self.rule.capacity();
        capacity.saturating_sub(used.saturating_add(lent))
    }

    /// The smallest wait after which `units` have room if nothing else is charged and nothing that
    /// is lent comes back; at least 1. `None`: more than there can ever be.
    pub fn wait_ms(&self, units: u64) -> Option<u64> {
        if units > self.rule.capacity() {
            return None;
        }
        let mut meter = self.meter.clone();
        for lease in &self.leases {
            meter.take(&self.rule, lease.ends_at_ms, lease.outstanding());
        }
        Some(meter.wait_ms(&self.rule, self.seen_ms, units))
    }

    /// What was granted to this question before, if it was.
    pub fn granted_before(&self, holder: HolderId, seq: u64) -> Option<Grant> {
        let lease = self
            .leases
            .iter()
            .find(|lease| lease.holder == holder && lease.seq == seq)?;
        let left_ms = lease.ends_at_ms.saturating_sub(self.seen_ms);
        let ttl_ms = left_ms.saturating_sub(CLOCK_ERROR_MS);
        Some(Grant {
            named_ms: lease.named_ms,
            lent: (lease.units > 0).then_some(Lent {
                units: lease.units,
                ttl_ms,
            }),
        })
    }

    /// Charges `units`, for which there is room, and lends up to `want` of what is left.
    pub fn grant(&mut self, holder: HolderId, seq: u64, units: u64, want: u64) -> Grant {
        let named_ms = self.meter.take(&self.rule, self.seen_ms, units);
        // What is accounted for is kept only to tell a question that comes twice: the last one.
        self.leases
            .retain(|lease| lease.holder != holder || lease.seq > seq || lease.outstanding() > 0);
        let (lent, ttl_ms) = self.lendable(holder, want);
        if units > 0 || lent > 0 {
            self.make_room();
            if self.leases.len() < LEASES_MAX {
                self.leases.push(Lease {
                    holder,
                    seq,
                    units: lent,
                    used: 0,
                    ends_at_ms: self
                        .seen_ms
                        .saturating_add(ttl_ms)
                        .saturating_add(CLOCK_ERROR_MS),
                    named_ms,
                });
            } else {
                return Grant {
                    named_ms,
                    lent: None,
                };
            }
        }
        Grant {
            named_ms,
            lent: (lent > 0).then_some(Lent {
                units: lent,
                ttl_ms,
            }),
        }
    }

    /// Frees units that were granted at once, for a request that was refused elsewhere.
    pub fn give_back(&mut self, now_ms: UnixMs, named_ms: UnixMs, units: u64) {
        self.seen_ms = self.seen_ms.max(now_ms);
        self.meter
            .give_back(&self.rule, self.seen_ms, named_ms, units);
    }

    /// Milliseconds until the oldest units are free again; at least 1.
    pub fn frees_in_ms(&self) -> u64 {
        let free = self.free();
        self.wait_ms(free.saturating_add(1).min(self.rule.capacity()))
            .unwrap_or(1)
    }

    /// When nothing of it counts any more.
    pub fn empty_at_ms(&self) -> UnixMs {
        let mut meter = self.meter.clone();
        for lease in &self.leases {
            meter.take(&self.rule, lease.ends_at_ms, lease.outstanding());
        }
        let leases = self.leases.iter().map(|lease| lease.ends_at_ms).max();
        meter.empty_at_ms().max(leases.unwrap_or(0))
    }

    /// How many units may be lent, and for how long. What is left is shared among those who hold
    /// something: nobody gets the last of it while others are there.
    fn lendable(&self, holder: HolderId, want: u64) -> (u64, u64) {
        let until_end_ms = self
            .meter
            .ends_at_ms(&self.rule, self.seen_ms)
            .saturating_sub(self.seen_ms);
        let ttl_ms = self
            .rule
            .lease_ms()
            .min(until_end_ms.saturating_sub(2 * CLOCK_ERROR_MS));
        if ttl_ms < LEASE_MS_LEAST {
            return (0, LEASE_MS_MAX);
        }
        let mut holders: Vec<_> = self.leases.iter().map(|lease| lease.holder).collect();
        holders.push(holder);
        holders.sort_unstable();
        holders.dedup();
        let share = self.free() / (holders.len() as u64).max(1);
        (want.min(share).min(self.rule.lease_units_max()), ttl_ms)
    }

    /// Forgets the oldest of what is accounted for, if there is no room for another lease: then a
    /// question that comes twice may be charged twice, never granted twice.
    fn make_room(&mut self) {
        if self.leases.len() < LEASES_MAX {
            return;
        }
        let settled = self
            .leases
            .iter()
            .position(|lease| lease.outstanding() == 0);
        if let Some(place) = settled {
            self.leases.remove(place);
        }
    }
}
