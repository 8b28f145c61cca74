//! What an isolate holds of one row: units that were lent to it, and what it was told.
//!
//! Owns: how lent units are spent and accounted for. Does not own: how many are lent (`limit::row`).
//! Called by: `limit::wallet`.
//!
//! A lease is over, for its holder, `ttl_ms` after the holder *sent* its question. The object holds
//! it longer, and counts what nobody accounted for as used: whatever is lost on the way, a unit is
//! spent once at most, and within the time that it counts.

use crate::facts::UnixMs;
use crate::limit::demand::Demand;
use crate::limit::ledger::REPORTS_MAX;
use crate::limit::meter::MeterRule;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::wire::{Lent, Report};

/// How long what was told without a lease is relied on.
pub const TOLD_MS: u64 = 2_000;
/// Longest a refusal is remembered without asking again: units may come back meanwhile.
pub const REFUSAL_MS_MAX: u64 = 2_000;
/// How long before it is needed more is asked for.
const LEAD_MS: u64 = 500;
/// How many units a second are asked for in vain before what becomes free is gathered.
const GATHER_MIN: u64 = 10;
const GATHER_PER_MS: u64 = 1_000;
/// How long an answer is awaited before another question for more is sent.
const AWAITED_MS: u64 = 2_000;
/// How long one question stands for all after a refusal.
const PROBE_MS: u64 = 250;

/// One row, as an isolate knows it.
#[derive(Clone, Debug)]
pub struct Purse {
    pub(super) row: String,
    pub(super) rule: MeterRule,
    leases: Vec<Held>,
    told: Option<Told>,
    refused: Option<Refused>,
    demand: Demand,
    /// Until when an answer is awaited that may bring a lease.
    awaited_until_ms: UnixMs,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    seq: u64,
    units: u64,
    used: u64,
    /// Of the used ones, those the object was told of: they are nobody's to give back.
    reported: u64,
    last_used_ms: UnixMs,
    expires_ms: UnixMs,
}

/// What an object told of the row.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// Units neither used nor lent, then.
    free: u64,
    frees_at_ms: UnixMs,
    until_ms: UnixMs,
}

#[derive(Clone, Copy, Debug)]
struct Refused {
    units: u64,
    /// When the charge may pass.
    until_ms: UnixMs,
    /// When the object is asked again all the same.
    ask_at_ms: UnixMs,
}

/// Units left and when there are more, as far as this isolate knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Left {
    pub remaining: u64,
    pub frees_in_ms: u64,
}

impl Purse {
    pub(super) fn new(row: &str, rule: &MeterRule) -> Self {
        Self {
            row: row.to_owned(),
            rule: rule.clone(),
            leases: Vec::new(),
            told: None,
            refused: None,
            demand: Demand::default(),
            awaited_until_ms: 0,
        }
    }

    /// Notes that `units` are wanted.
    pub(super) fn note(&mut self, now_ms: UnixMs, units: u64) {
        self.demand.note(now_ms, units);
    }

    /// Milliseconds until a remembered refusal of as many units may pass.
    pub(super) fn refused_for_ms(&self, now_ms: UnixMs, units: u64) -> Option<u64> {
        let refused = self.refused?;
        // A cheaper charge may have room where a dearer one had not.
        let stands = refused.ask_at_ms > now_ms && units >= refused.units;
        stands.then(|| refused.until_ms.saturating_sub(now_ms).max(1))
    }

    /// Whether a look for `units` can be answered from what was told a moment ago. What is looked
    /// for is charged later, by the object.
    pub(super) fn shows(&self, now_ms: UnixMs, units: u64) -> Option<Left> {
        let told = self.told?;
        (told.until_ms > now_ms && told.free >= units).then(|| self.left(now_ms))
    }

    /// Whether one lease covers `units`.
    pub(super) fn covers(&self, now_ms: UnixMs, units: u64) -> bool {
        self.leases.iter().any(|held| held.covers(now_ms, units))
    }

    /// Spends `units` of the oldest lease that covers them; says which, and what is left.
    pub(super) fn spend(&mut self, now_ms: UnixMs, units: u64) -> Option<(u64, Left)> {
        let covers = |held: &&mut Held| held.covers(now_ms, units);
        let held = self.leases.iter_mut().find(covers)?;
        held.used = held.used.saturating_add(units);
        held.last_used_ms = now_ms;
        let seq = held.seq;
        Some((seq, self.left(now_ms)))
    }

    /// Takes back units that were spent for nothing, if the object was not told of them yet.
    pub(super) fn unspend(&mut self, seq: u64, units: u64) {
        let of = |held: &&mut Held| held.seq == seq;
        if let Some(held) = self.leases.iter_mut().find(of)
            && held.used.saturating_sub(units) >= held.reported
        {
            held.used = held.used.saturating_sub(units);
        }
    }

    /// Units to ask for: what is likely to be used until the next lease, less what is there.
    pub(super) fn want(&self, now_ms: UnixMs) -> u64 {
        let lease_ms = self.rule.lease_ms().saturating_add(LEAD_MS);
        let wanted = self.demand.within(now_ms, lease_ms);
        let wanted = wanted.min(self.rule.lease_units_max());
        match self.awaited_until_ms > now_ms {
            true => 0,
            false => wanted.saturating_sub(self.lasting(now_ms)),
        }
    }

    /// Whether more should be asked for while there still is some.
    pub(super) fn runs_low(&self, now_ms: UnixMs) -> bool {
        let soon = self.demand.within(now_ms, LEAD_MS);
        let half_ms = self.rule.lease_ms() / 2;
        self.want(now_ms) > 0
            && (self.balance(now_ms) < soon || !self.lasts_until(now_ms.saturating_add(half_ms)))
    }

    /// Notes that a question is on its way which may bring more. Where a refusal has just ended it
    /// is the only one for a moment: the others would find what it left.
    pub(super) fn asked(&mut self, now_ms: UnixMs, may_bring_more: bool) {
        if may_bring_more {
            self.awaited_until_ms = now_ms.saturating_add(AWAITED_MS);
        }
        if let Some(refused) = &mut self.refused
            && self.rule.lease_units_max() > 0
        {
            refused.ask_at_ms = now_ms.saturating_add(PROBE_MS);
            refused.until_ms = refused.ask_at_ms;
        }
    }

    /// Notes that no answer came.
    pub(super) fn unanswered(&mut self) {
        self.awaited_until_ms = 0;
        self.refused = None;
    }

    /// What became of the leases so far. Those that are over, or given up, are forgotten.
    ///
    /// - `give_up`: whether all that is left is handed back.
    pub(super) fn reports(&mut self, now_ms: UnixMs, give_up: bool) -> Vec<Report> {
        let mut reports = Vec::with_capacity(self.leases.len());
        let surplus = self.leases.len().saturating_sub(REPORTS_MAX - 2);
        for (place, held) in self.leases.iter_mut().enumerate() {
            let is_over = held.used >= held.units || held.expires_ms <= now_ms;
            let ended = give_up || is_over || place < surplus;
            held.reported = held.used;
            let age_ms = now_ms.saturating_sub(held.last_used_ms);
            reports.push(Report {
                seq: held.seq,
                used: held.used,
                // The clock may have stepped, or stood still, since.
                age_ms: age_ms.saturating_sub(CLOCK_ERROR_MS),
                ended,
            });
            if ended {
                held.units = 0;
            }
        }
        self.leases.retain(|held| held.units > 0);
        reports
    }

    /// Takes an answer that granted what was asked.
    ///
    /// - `sent_ms`: when the question was sent; the lease is reckoned from then.
    pub(super) fn granted(&mut self, seq: u64, sent_ms: UnixMs, left: Left, lent: Option<Lent>) {
        self.refused = None;
        self.awaited_until_ms = 0;
        self.told = Some(Told {
            free: left.remaining,
            frees_at_ms: sent_ms.saturating_add(left.frees_in_ms),
            until_ms: sent_ms.saturating_add(TOLD_MS),
        });
        if let Some(lent) = lent {
            self.leases.push(Held {
                seq,
                units: lent.units,
                used: 0,
                reported: 0,
                last_used_ms: sent_ms,
                expires_ms: sent_ms.saturating_add(lent.ttl_ms),
            });
        }
    }

    /// Remembers that there was no room for `units` until `retry_after_ms` from now.
    pub(super) fn refused(&mut self, now_ms: UnixMs, units: u64, retry_after_ms: u64) {
        self.awaited_until_ms = 0;
        self.told = None;
        // Told in whole seconds, rounded up: nobody is told an instant at which it is refused.
        let told_ms = retry_after_ms.div_ceil(1_000).saturating_mul(1_000);
        let gather_ms = match self.demand.within(now_ms, GATHER_PER_MS) {
            0..GATHER_MIN => 0,
            _ => self.rule.gather_ms().min(told_ms),
        };
        let pause_ms = retry_after_ms.max(gather_ms);
        self.refused = Some(Refused {
            units,
            until_ms: now_ms.saturating_add(retry_after_ms),
            ask_at_ms: now_ms.saturating_add(pause_ms.min(REFUSAL_MS_MAX)),
        });
    }

    /// Forgets all that was lent: the clock ran back, and nobody knows how long it still counts.
    pub(super) fn distrust(&mut self) {
        self.leases.clear();
        self.told = None;
        self.refused = None;
        self.awaited_until_ms = 0;
    }

    /// The question that brought the newest lease.
    pub(super) fn newest(&self) -> Option<u64> {
        self.leases.last().map(|held| held.seq)
    }

    /// Whether there is nothing here that is worth remembering.
    pub(super) fn is_idle(&self, now_ms: UnixMs) -> bool {
        let refused = self.refused.is_some_and(|one| one.ask_at_ms > now_ms);
        let told = self.told.is_some_and(|told| told.until_ms > now_ms);
        self.balance(now_ms) == 0 && !refused && !told
    }

    /// Units that may still be spent.
    pub(super) fn balance(&self, now_ms: UnixMs) -> u64 {
        let live = self.leases.iter().filter(|held| held.expires_ms > now_ms);
        live.fold(0, |sum, held| sum.saturating_add(held.left()))
    }

    /// Those of them that last for another half of a lease.
    fn lasting(&self, now_ms: UnixMs) -> u64 {
        self.balance(now_ms.saturating_add(self.rule.lease_ms() / 2))
    }

    fn lasts_until(&self, at_ms: UnixMs) -> bool {
        self.balance(at_ms) > 0
    }

    /// What is left: what nobody had when the object told of it, and what is lent to this isolate.
    fn left(&self, now_ms: UnixMs) -> Left {
        let told = self.told.filter(|told| told.until_ms > now_ms);
        let free = told.map_or(0, |told| told.free);
        let frees_at_ms = told.map_or(now_ms, |told| told.frees_at_ms);
        Left {
            remaining: free.saturating_add(self.balance(now_ms)),
            frees_in_ms: frees_at_ms.saturating_sub(now_ms).max(1),
        }
    }
}

impl Held {
    fn left(&self) -> u64 {
        self.units.saturating_sub(self.used)
    }

    fn covers(&self, now_ms: UnixMs, units: u64) -> bool {
        self.expires_ms > now_ms && self.left() >= units
    }
}
