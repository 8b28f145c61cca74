//! What an isolate holds of one row: units that were lent to it, and what it was told.
//!
//! Owns: how lent units are spent and accounted for. Does not own: how many are lent
//! (`limit::row`), a share of a short window (`limit::share`), when more are asked for
//! (`limit::purse::asking`).
//! Called by: `limit::wallet`.
//!
//! A lease is over, for its holder, `ttl_ms` after the holder *sent* its question. The object holds
//! it longer, and counts what nobody accounted for as used: whatever is lost on the way, a unit is
//! spent once at most, and within the time that it counts.

use crate::facts::UnixMs;
use crate::limit::demand::Demand;
use crate::limit::held::Held;
use crate::limit::ledger::REPORTS_MAX;
use crate::limit::meter::MeterRule;
use crate::limit::share::Share;
use crate::limit::wire::{Lent, Report};

/// How long what was told without a lease is relied on.
pub const TOLD_MS: u64 = 2_000;
/// Longest a refusal is remembered without asking again: units may come back meanwhile.
pub const REFUSAL_MS_MAX: u64 = 2_000;

mod asking;

/// One row, as an isolate knows it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Purse {
    pub(super) row: String,
    pub(super) rule: MeterRule,
    leases: Vec<Held>,
    share: Option<Share>,
    told: Option<Told>,
    refused: Option<Refused>,
    demand: Demand,
    /// Until when an answer is awaited that may bring a lease.
    awaited_until_ms: UnixMs,
    asked_ms: UnixMs,
}

/// What an object told of the row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Told {
    /// Units neither used nor lent, then.
    free: u64,
    frees_at_ms: UnixMs,
    until_ms: UnixMs,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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
    pub fn new(row: &str, rule: &MeterRule) -> Self {
        Self {
            row: row.to_owned(),
            rule: rule.clone(),
            leases: Vec::new(),
            share: None,
            told: None,
            refused: None,
            demand: Demand::default(),
            awaited_until_ms: 0,
            asked_ms: 0,
        }
    }

    /// Notes that `units` are wanted.
    pub(super) fn note(&mut self, now_ms: UnixMs, units: u64) {
        self.demand.note(now_ms, units);
    }

    /// Milliseconds until a remembered refusal of as many units may pass. A hot row that is asked
    /// behind the answers just now refuses meanwhile.
    pub(super) fn refused_for_ms(&self, now_ms: UnixMs, units: u64) -> Option<u64> {
        let refused = self.refused?;
        let is_asked = self.is_hot(now_ms) && self.awaited_until_ms > now_ms;
        // A cheaper charge may have room where a dearer one had not.
        let stands = units >= refused.units && (refused.ask_at_ms > now_ms || is_asked);
        let own = self
            .share
            .as_ref()
            .and_then(|share| share.wait_ms(now_ms, units));
        let wait_ms = refused.until_ms.saturating_sub(now_ms).max(1);
        stands.then(|| own.map_or(wait_ms, |own| own.min(wait_ms)))
    }

    /// Whether a look for `units` can be answered from what was told a moment ago. What is looked
    /// for is charged later, by the object.
    pub(super) fn shows(&self, now_ms: UnixMs, units: u64) -> Option<Left> {
        let told = self.told?;
        (told.until_ms > now_ms && told.free >= units).then(|| self.left(now_ms))
    }

    /// Whether one lease, or the share, covers `units`.
    pub fn covers(&self, now_ms: UnixMs, units: u64) -> bool {
        self.leases.iter().any(|held| held.covers(now_ms, units))
            || self.share_left(now_ms) >= units.max(1)
    }

    /// Spends `units` of the share, or of the oldest lease that covers them; says which, and what is
    /// left.
    pub fn spend(&mut self, now_ms: UnixMs, units: u64) -> Option<(u64, Left)> {
        let seq = match &mut self.share {
            Some(share) if share.left(now_ms) >= units => {
                share.spend(now_ms, units);
                share.seq
            }
            _ => {
                let covers = |held: &&mut Held| held.covers(now_ms, units);
                let held = self.leases.iter_mut().find(covers)?;
                held.spend(now_ms, units);
                held.seq
            }
        };
        Some((seq, self.left(now_ms)))
    }

    /// Lends up to `want` units on, of the lease that lasts longest: half of it at most, for others
    /// are there. Returns how many.
    pub(super) fn lend_on(&mut self, now_ms: UnixMs, want: u64) -> Option<u64> {
        let held = self.leases.iter_mut().max_by_key(|held| held.expires_ms)?;
        let units = want.min(held.left().div_ceil(2));
        (units > 0).then(|| {
            held.lend_on(now_ms, units);
            units
        })
    }

    /// When the lease that lasts longest ends.
    pub(super) fn lasting_until(&self) -> Option<UnixMs> {
        self.leases.iter().map(|held| held.expires_ms).max()
    }

    /// Takes back units that were spent at `at_ms` for nothing, if the object was not told of them
    /// yet. Returns how many.
    pub fn unspend(&mut self, now_ms: UnixMs, seq: u64, at_ms: UnixMs, units: u64) -> u64 {
        if let Some(share) = self.share.as_mut().filter(|share| share.seq == seq) {
            share.unspend(now_ms, at_ms, units);
            return units;
        }
        let held = self.leases.iter_mut().find(|held| held.seq == seq);
        held.map_or(0, |held| held.unspend(units))
    }

    /// The same for a request that failed behind the gateway: a part of each lease at most.
    pub(super) fn refund(&mut self, now_ms: UnixMs, seq: u64, at_ms: UnixMs, units: u64) -> u64 {
        let allowed = match self.leases.iter_mut().find(|held| held.seq == seq) {
            Some(held) => held.refundable(units),
            None => 0,
        };
        self.unspend(now_ms, seq, at_ms, allowed)
    }

    /// Notes that no answer came.
    pub fn unanswered(&mut self) {
        self.awaited_until_ms = 0;
        self.refused = None;
    }

    /// What became of the leases so far. Those that are over, or given up, are forgotten.
    ///
    /// - `asked_seq`: the question that this goes with.
    /// - `want`: the share that is asked for with it.
    pub fn reports(&mut self, now_ms: UnixMs, asked_seq: u64, want: u64) -> Vec<Report> {
        self.reports_keeping(now_ms, asked_seq, want, false)
    }

    /// The same, handing back all that is left.
    pub fn give_up(&mut self, now_ms: UnixMs, asked_seq: u64) -> Vec<Report> {
        self.reports_keeping(now_ms, asked_seq, 0, true)
    }

    fn reports_keeping(
        &mut self,
        now_ms: UnixMs,
        asked_seq: u64,
        want: u64,
        give_up: bool,
    ) -> Vec<Report> {
        let mut reports = Vec::with_capacity(self.leases.len());
        let surplus = self.leases.len().saturating_sub(REPORTS_MAX - 2);
        for (place, held) in self.leases.iter_mut().enumerate() {
            reports.push(held.report(now_ms, give_up || place < surplus));
        }
        self.leases.retain(|held| !held.is_over());
        let is_over = |share: &Share| share.expires_ms <= now_ms;
        if let Some(share) = &mut self.share
            && !share.is_ended()
            && (give_up || want > 0 || is_over(share))
        {
            let keep = if give_up || is_over(share) { 0 } else { want };
            reports.push(share.report(now_ms, asked_seq, keep));
        }
        reports
    }

    /// Takes an answer that granted what was asked.
    ///
    /// - `asked_seq`, `sent_ms`: the question, and when it was sent; a lease is reckoned from then.
    pub fn granted(&mut self, asked_seq: u64, sent_ms: UnixMs, left: Left, lent: Option<Lent>) {
        self.refused = None;
        self.awaited_until_ms = 0;
        let frees_at_ms = sent_ms.saturating_add(left.frees_in_ms);
        self.told = Some(Told {
            free: left.remaining,
            frees_at_ms,
            until_ms: sent_ms.saturating_add(TOLD_MS),
        });
        if left.remaining == 0 && self.is_hot(sent_ms) {
            // What was lent is spent first; then nobody has to be asked.
            self.refused(sent_ms, 1, left.frees_in_ms);
        }
        match (lent, self.rule.shared(), &mut self.share) {
            (None, _, _) => {}
            (Some(lent), Some(_), Some(share)) if share.seq == lent.seq => {
                share.extend(asked_seq, sent_ms, lent);
            }
            (Some(lent), Some(rule), share) => {
                *share = Some(Share::new(rule, sent_ms, lent).after(share.take()));
            }
            (Some(lent), None, _) => self.leases.push(Held::new(sent_ms, lent)),
        }
    }

    /// Remembers that there was no room for `units` until `retry_after_ms` from now.
    pub fn refused(&mut self, now_ms: UnixMs, units: u64, retry_after_ms: u64) {
        self.awaited_until_ms = 0;
        self.told = None;
        self.refused = Some(Refused {
            units,
            until_ms: now_ms.saturating_add(retry_after_ms),
            ask_at_ms: now_ms.saturating_add(retry_after_ms.min(REFUSAL_MS_MAX)),
        });
    }

    /// Forgets all that was lent: the clock ran back, and nobody knows how long it still counts.
    pub fn distrust(&mut self, now_ms: UnixMs) {
        self.leases.clear();
        if let Some(share) = &mut self.share {
            share.distrust(now_ms);
        }
        self.told = None;
        self.refused = None;
        self.awaited_until_ms = 0;
        self.asked_ms = 0;
    }

    /// Whether the lease `seq` is about to end with units in it, and there is none after it.
    pub(super) fn ends_unused(&self, now_ms: UnixMs, seq: u64) -> bool {
        let soon_ms = now_ms.saturating_add(self.rule.lease_ms() / 2);
        let share = self.share.as_ref().filter(|share| !share.is_ended());
        let (newest, expires_ms) = match (share, self.leases.last()) {
            (Some(share), _) => (share.seq, share.expires_ms),
            (None, Some(held)) => (held.seq, held.expires_ms),
            (None, None) => return false,
        };
        newest == seq && expires_ms <= soon_ms && self.balance(now_ms) > 0
    }

    /// Whether there is nothing here that is worth remembering.
    pub(super) fn is_idle(&self, now_ms: UnixMs) -> bool {
        let refused = self.refused.is_some_and(|one| one.ask_at_ms > now_ms);
        let told = self.told.is_some_and(|told| told.until_ms > now_ms);
        let shares = self
            .share
            .as_ref()
            .is_some_and(|share| !share.is_idle(now_ms));
        self.balance(now_ms) == 0 && !refused && !told && !shares
    }

    /// Units that may still be spent.
    pub fn balance(&self, now_ms: UnixMs) -> u64 {
        let live = self.leases.iter().filter(|held| held.expires_ms > now_ms);
        let leased = live.fold(0, |sum: u64, held| sum.saturating_add(held.left()));
        leased.saturating_add(self.share_left(now_ms))
    }

    /// Those of them that last for another half of a lease.
    fn lasting(&self, now_ms: UnixMs) -> u64 {
        self.balance(now_ms.saturating_add(self.rule.lease_ms() / 2))
    }

    fn share_left(&self, now_ms: UnixMs) -> u64 {
        self.share.as_ref().map_or(0, |share| share.left(now_ms))
    }

    /// What is left for certain: what is lent to this isolate. What nobody had when the object told of
    /// it may be gone by now.
    fn left(&self, now_ms: UnixMs) -> Left {
        let told = self.told.filter(|told| told.until_ms > now_ms);
        let frees_at_ms = told.map_or(now_ms, |told| told.frees_at_ms);
        Left {
            remaining: self.balance(now_ms),
            frees_in_ms: frees_at_ms.saturating_sub(now_ms).max(1),
        }
    }
}

#[cfg(test)]
mod tests;
