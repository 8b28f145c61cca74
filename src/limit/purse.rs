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
use crate::limit::charge::TakenOf;
use crate::limit::demand::Demand;
use crate::limit::held::Held;
use crate::limit::meter::MeterRule;
use crate::limit::row::TIGHT_PART;
use crate::limit::share::Share;
use crate::limit::wire::{Lent, Report};

/// Most leases that are kept of one row; of those beyond the oldest is given up.
const LEASES_MAX: usize = 6;
/// How long what was told without a lease is relied on.
pub const TOLD_MS: u64 = 2_000;
/// How long an answer takes where none came yet.
const ANSWER_MS: u64 = 100;
/// Longest a refusal is remembered without asking again: units may come back meanwhile.
pub const REFUSAL_MS_MAX: u64 = 2_000;

use asking::PROBE_MS;

mod asking;

/// One row, as an isolate knows it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Purse {
    pub(super) row: String,
    pub(super) rule: MeterRule,
    leases: Vec<Held>,
    share: Option<Share>,
    told: Option<Told>,
    /// Whether little was left when the object last told.
    is_tight: bool,
    refused: Option<Refused>,
    demand: Demand,
    awaited: Awaited,
    asked_ms: UnixMs,
    /// How long answers took lately.
    answer_ms: u64,
    /// How long the newest lease lasted, when it came: a broker lends for less than an object does.
    term_ms: u64,
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

/// The question that may bring more, on its way or announced.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Awaited {
    seq: u64,
    until_ms: UnixMs,
}

impl Awaited {
    fn is_over(&mut self, asked_seq: u64) {
        if self.seq == asked_seq {
            *self = Self::default();
        }
    }
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
            is_tight: false,
            refused: None,
            demand: Demand::default(),
            awaited: Awaited::default(),
            asked_ms: 0,
            answer_ms: ANSWER_MS,
            term_ms: rule.lease_ms(),
        }
    }

    /// Goes on after the purse of a row whose rule changed: nothing that was lent under the old one is
    /// spent, and what was used of a share counts on.
    #[must_use]
    pub(super) fn after(mut self, older: &Self) -> Self {
        self.share = older.share.clone().map(Share::ended);
        self
    }

    /// Notes that `units` are wanted.
    pub(super) fn note(&mut self, now_ms: UnixMs, units: u64) {
        self.demand.note(now_ms, units);
    }

    /// Milliseconds until a remembered refusal of as many units may pass. A hot row that is asked
    /// behind the answers just now refuses meanwhile.
    pub(super) fn refused_for_ms(&self, now_ms: UnixMs, units: u64) -> Option<u64> {
        let refused = self.refused?;
        let is_asked = self.is_hot(now_ms) && self.awaited.until_ms > now_ms;
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

    /// What nobody had when the object told of it, and what is held here.
    pub(super) fn known_left(&self, now_ms: UnixMs) -> u64 {
        let told = self.told.filter(|told| told.until_ms > now_ms);
        let free = told.map_or(0, |told| told.free);
        free.saturating_add(self.balance(now_ms))
    }

    /// Whether one lease, or the share, covers `units`.
    pub fn covers(&self, now_ms: UnixMs, units: u64) -> bool {
        self.leases.iter().any(|held| held.covers(now_ms, units))
            || self.share_left(now_ms) >= units.max(1)
    }

    /// Spends `units` of the share, or of the oldest lease that covers them; says which, and what is
    /// left.
    pub fn spend(&mut self, now_ms: UnixMs, units: u64) -> Option<(TakenOf, Left)> {
        let (seq, lent_at_ms) = match &mut self.share {
            Some(share) if share.left(now_ms) >= units => {
                share.spend(now_ms, units);
                (share.seq, UnixMs::MAX)
            }
            _ => {
                let covers = |held: &&mut Held| held.covers(now_ms, units);
                let held = self.leases.iter_mut().find(covers)?;
                held.spend(now_ms, units);
                (held.seq, held.lent_at_ms)
            }
        };
        let of = TakenOf::Lease {
            seq,
            at_ms: now_ms,
            lent_at_ms,
        };
        Some((of, self.left(now_ms)))
    }

    /// Lends up to `want` units on, of the lease that lasts longest: half of it at most, for others
    /// are there. Says of which, and how many.
    pub(super) fn lend_on(&mut self, now_ms: UnixMs, want: u64) -> Option<(TakenOf, u64)> {
        let held = self.leases.iter_mut().max_by_key(|held| held.expires_ms)?;
        let units = want.min(held.left().div_ceil(2));
        (units > 0).then(|| {
            held.lend_on(now_ms, units);
            let of = TakenOf::Lease {
                seq: held.seq,
                at_ms: now_ms,
                lent_at_ms: held.lent_at_ms,
            };
            (of, units)
        })
    }

    /// When the lease that lasts longest ends.
    pub(super) fn lasting_until(&self) -> Option<UnixMs> {
        self.leases.iter().map(|held| held.expires_ms).max()
    }

    /// The request that units were spent for is admitted.
    pub fn confirm(&mut self, seq: u64, units: u64) {
        if let Some(held) = self.leases.iter_mut().find(|held| held.seq == seq) {
            held.confirm(units);
        }
    }

    /// Takes back units that were spent at `at_ms` for a request that was refused elsewhere.
    pub fn unspend(&mut self, now_ms: UnixMs, seq: u64, at_ms: UnixMs, units: u64) {
        if let Some(share) = self.share.as_mut().filter(|share| share.seq == seq) {
            share.unspend(now_ms, at_ms, units);
        } else if let Some(held) = self.leases.iter_mut().find(|held| held.seq == seq) {
            held.unspend(units);
        }
    }

    /// Takes back units of a request that was admitted and failed behind the gateway, as far as their
    /// object was not told of them: a part of each lease at most. Returns how many.
    pub(super) fn refund(&mut self, seq: u64, at_ms: UnixMs, units: u64) -> u64 {
        let held = self.leases.iter_mut().find(|held| held.seq == seq);
        held.map_or(0, |held| held.refund(at_ms, units))
    }

    /// Takes back a part of what was reserved for a request that turned out cheaper, likewise.
    pub(super) fn give_back(&mut self, now_ms: UnixMs, seq: u64, at_ms: UnixMs, units: u64) -> u64 {
        if let Some(share) = self.share.as_mut().filter(|share| share.seq == seq) {
            share.unspend(now_ms, at_ms, units);
            return units;
        }
        let held = self.leases.iter_mut().find(|held| held.seq == seq);
        held.map_or(0, |held| held.give_back(at_ms, units))
    }

    /// Notes that no answer came to a question.
    pub fn unanswered(&mut self, asked_seq: u64) {
        self.awaited.is_over(asked_seq);
        self.refused = None;
    }

    /// What became of the leases so far. Those that are over are forgotten.
    ///
    /// - `asked_seq`: the question that this goes with.
    /// - `want`: the share that is asked for with it.
    pub fn reports(&mut self, now_ms: UnixMs, asked_seq: u64, want: u64) -> Vec<Report> {
        let surplus = self.leases.len().saturating_sub(LEASES_MAX);
        let mut reports = self.give_up(now_ms, surplus);
        let share = self.share.as_mut();
        reports.extend(share.and_then(|share| share.report(now_ms, asked_seq, want)));
        reports
    }

    /// The same of leases alone, giving up the first `count` of them whatever is left.
    pub fn give_up(&mut self, now_ms: UnixMs, count: usize) -> Vec<Report> {
        let leases = self.leases.iter_mut().enumerate();
        let reports = leases.flat_map(|(place, held)| held.report(now_ms, place < count));
        let reports = reports.collect();
        self.leases.retain(|held| !held.is_over());
        reports
    }

    /// Takes an answer that granted what was asked.
    ///
    /// - `asked_seq`, `sent_ms`: the question, and when it was sent; a lease is reckoned from then.
    /// - `lent_at_ms`: when that was, by the object's clock.
    pub fn granted(
        &mut self,
        asked_seq: u64,
        sent_ms: UnixMs,
        left: Left,
        (lent_at_ms, lent): (UnixMs, Option<Lent>),
    ) {
        self.refused = None;
        self.awaited.is_over(asked_seq);
        let frees_at_ms = sent_ms.saturating_add(left.frees_in_ms);
        self.told = Some(Told {
            free: left.remaining,
            frees_at_ms,
            until_ms: sent_ms.saturating_add(TOLD_MS),
        });
        self.is_tight = left.remaining < self.rule.capacity() / TIGHT_PART;
        if self.is_hot(sent_ms) && left.remaining <= self.demand.within(sent_ms, PROBE_MS) {
            // What was lent is spent first; then nobody waits for an object that has next to nothing.
            let wait_ms = if left.remaining > 0 {
                1
            } else {
                left.frees_in_ms
            };
            self.refused(asked_seq, sent_ms, 1, wait_ms.max(PROBE_MS));
        }
        match (lent, self.rule.shared(), &mut self.share) {
            (None, _, _) => {}
            (Some(lent), Some(_), Some(share)) if share.seq == lent.seq => {
                share.extend(asked_seq, sent_ms, lent);
            }
            (Some(lent), Some(rule), share) => {
                *share = Some(Share::new(rule, sent_ms, lent).after(share.take()));
            }
            (Some(lent), None, _) => {
                self.term_ms = lent.ttl_ms;
                self.leases.push(Held::new(sent_ms, lent_at_ms, lent));
            }
        }
    }

    /// Remembers that there was no room for `units` until `retry_after_ms` from now.
    pub fn refused(&mut self, asked_seq: u64, now_ms: UnixMs, units: u64, retry_after_ms: u64) {
        self.awaited.is_over(asked_seq);
        self.told = None;
        self.is_tight = true;
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
        self.awaited = Awaited::default();
        self.asked_ms = 0;
    }

    /// Whether a lease has ended of which its object was not told the last.
    pub(super) fn has_ended(&self, now_ms: UnixMs) -> bool {
        let share = self.share.as_ref();
        share.is_some_and(|share| share.has_ended(now_ms))
            || self.leases.iter().any(|held| held.expires_ms <= now_ms)
    }

    /// Whether there is nothing here that is worth remembering.
    pub(super) fn is_idle(&self, now_ms: UnixMs) -> bool {
        let refused = self.refused.is_some_and(|one| one.ask_at_ms > now_ms);
        let told = self.told.is_some_and(|told| told.until_ms > now_ms);
        let share = self.share.as_ref();
        let shares = share.is_some_and(|share| !share.is_idle(now_ms));
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
        self.balance(now_ms.saturating_add(self.term_ms / 2))
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
