//! All that an isolate holds of limits: by object, what was lent to it and what it was told.
//!
//! Owns: the map and its bounds, and who this isolate is to the objects. Does not own: one row's
//! units (`limit::purse`), carrying questions (`limit::ask`). Called by: `limit::ask`.

use std::collections::HashMap;

use crate::facts::UnixMs;
use crate::limit::charge::{Taken, TakenOf, UnitCharge};
use crate::limit::purse::{Left, Purse};
use crate::limit::row::{CLOCK_ERROR_MS, LEASE_MS_LEAST};
use crate::limit::wire::{Asking, HolderId, Lent, RowCharge, RowGranted, RowRefused};
use crate::object::ObjectName;

/// Most objects whose rows are remembered. What is forgotten with units in it counts as used.
pub const OBJECTS_MAX: usize = 4_096;
/// Most rows of one object.
pub const PURSES_MAX: usize = 64;
/// How often at most what is idle is looked for in a full memory.
const SWEEP_MS: u64 = 250;
/// How many settlings one account may make.
const ACCOUNT_TURNS: u64 = 1 << 32;
/// How long an object that was silent is not asked again: whoever waits for it waits in vain.
pub const SILENT_MS: u64 = 500;

mod account;
mod questions;

use account::Account;

/// What an isolate can say to a charge by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Local {
    /// It has what is asked for, or knows enough of what is looked for.
    Covered,
    /// The object has to be asked.
    Lacking,
    /// The object said no, and that still stands.
    Refused { retry_after_ms: u64 },
}

/// Why units are taken back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Back {
    /// Another object refused the request.
    Refused,
    /// The request turned out cheaper than what was reserved.
    Cheaper,
    /// The request was admitted, and failed behind the gateway.
    Failed,
}

/// A question to one object, ready to be sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub asking: Asking,
    pub at_ms: UnixMs,
}

#[derive(Debug)]
pub struct Wallet {
    holder: HolderId,
    seq: u64,
    /// The last question before the clock ran back: what is lent in answer to it or to an older one
    /// was reckoned by the clock as it was.
    distrusted_seq: u64,
    /// Where the turns of the newest account begin.
    turns: u64,
    /// The latest instant that the clock has shown.
    seen_ms: UnixMs,
    accounts: HashMap<ObjectName, Account>,
    swept_ms: UnixMs,
}

impl Wallet {
    /// - `holder`: drawn at random; two isolates with the same number would be taken for one.
    pub fn new(holder: HolderId) -> Self {
        Self {
            holder,
            seq: 0,
            distrusted_seq: 0,
            turns: 0,
            seen_ms: 0,
            accounts: HashMap::new(),
            swept_ms: 0,
        }
    }

    /// Takes the time. A clock that ran back makes worthless what was reckoned by it.
    pub fn tick(&mut self, now_ms: UnixMs) {
        if now_ms < self.seen_ms {
            let purses = self.accounts.values_mut().flat_map(|one| &mut one.purses);
            self.distrusted_seq = self.seq;
            purses.for_each(|purse| purse.distrust(now_ms));
        }
        self.seen_ms = now_ms;
    }

    /// What can be said to a charge without asking. Counts as demand.
    pub fn look_up(&mut self, object: &ObjectName, unit: &UnitCharge) -> Local {
        let now_ms = self.seen_ms;
        if unit.units > unit.rule.meter.capacity() {
            // Nobody has to be asked, and it is no demand.
            return Local::Refused {
                retry_after_ms: u64::MAX,
            };
        }
        let Some(purse) = self.purse(object, unit) else {
            return Local::Lacking;
        };
        if !unit.look {
            purse.note(now_ms, unit.units);
        }
        if purse.has(now_ms, unit) {
            return Local::Covered;
        }
        match purse.refused_for_ms(now_ms, unit.units) {
            Some(retry_after_ms) => Local::Refused { retry_after_ms },
            None => Local::Lacking,
        }
    }

    /// Whether a charge is covered now.
    pub fn has(&mut self, object: &ObjectName, unit: &UnitCharge) -> bool {
        let now_ms = self.seen_ms;
        let purse = self.find(object, unit);
        purse.is_some_and(|purse| purse.has(now_ms, unit))
    }

    /// Spends what [`Wallet::look_up`] found covered; names the lease, where one was spent of.
    pub fn spend(
        &mut self,
        object: &ObjectName,
        unit: &UnitCharge,
    ) -> Option<(Option<TakenOf>, Left)> {
        let now_ms = self.seen_ms;
        let purse = self.find(object, unit)?;
        match unit.look || unit.units == 0 {
            true => purse.shows(now_ms, unit.units).map(|left| (None, left)),
            false => {
                let (of, left) = purse.spend(now_ms, unit.units)?;
                Some((Some(of), left))
            }
        }
    }

    /// Lends up to `want` units on to another holder, for as long as that is safe: its clock may be
    /// wrong, too. What is lent counts as demand.
    pub fn lend_on(
        &mut self,
        object: &ObjectName,
        unit: &UnitCharge,
        asked_seq: u64,
        want: u64,
    ) -> Option<(Lent, TakenOf)> {
        let now_ms = self.seen_ms;
        let purse = self.find(object, unit)?;
        let ends_ms = purse.lasting_until()?;
        let ttl_ms = ends_ms.saturating_sub(now_ms.saturating_add(CLOCK_ERROR_MS));
        let ttl_ms = ttl_ms.min(purse.rule.lease_ms());
        if ttl_ms < LEASE_MS_LEAST {
            return None;
        }
        let (of, units) = purse.lend_on(now_ms, want)?;
        purse.note(now_ms, units);
        let lent = Lent {
            seq: asked_seq,
            units,
            ttl_ms,
            fair: units,
        };
        Some((lent, of))
    }

    /// Units of a row that nobody has, as far as is known, and those held here.
    pub fn known_left(&mut self, object: &ObjectName, unit: &UnitCharge) -> u64 {
        let now_ms = self.seen_ms;
        let purse = self.find(object, unit);
        purse.map_or(0, |purse| purse.known_left(now_ms))
    }

    /// The request that units of a lease were spent for is admitted.
    pub fn confirm(&mut self, taken: &Taken) {
        if let (TakenOf::Lease { seq, .. }, Some(purse)) = (taken.of, self.of_taken(taken)) {
            purse.confirm(seq, taken.units);
        }
    }

    /// Takes back units of a lease. Returns those that only the object can free, for it was told of
    /// them.
    pub fn take_back(&mut self, taken: &Taken, why: Back) -> u64 {
        let now_ms = self.seen_ms;
        let TakenOf::Lease { seq, at_ms, .. } = taken.of else {
            return taken.units;
        };
        let Some(purse) = self.of_taken(taken) else {
            return taken.units;
        };
        let freed = match why {
            Back::Refused => {
                purse.unspend(now_ms, seq, at_ms, taken.units);
                taken.units
            }
            Back::Cheaper => purse.give_back(now_ms, seq, at_ms, taken.units),
            Back::Failed => purse.refund(seq, at_ms, taken.units),
        };
        taken.units.saturating_sub(freed)
    }

    fn of_taken(&mut self, taken: &Taken) -> Option<&mut Purse> {
        let account = self.accounts.get_mut(&taken.object)?;
        let mut purses = account.purses.iter_mut();
        purses.find(|purse| purse.row == taken.row)
    }

    /// Notes that a row will be asked about behind the answers, in `after_ms`.
    pub fn will_ask(&mut self, object: &ObjectName, unit: &UnitCharge, after_ms: u64) {
        let at_ms = self.seen_ms.saturating_add(after_ms);
        if let Some(purse) = self.find(object, unit) {
            purse.will_ask(at_ms);
        }
    }

    /// Takes the answer to a question that was granted.
    pub fn granted(&mut self, object: &ObjectName, sent: &Sent, rows: &[RowGranted]) {
        self.heard(object, sent);
        let now_ms = self.seen_ms;
        let is_trusted = sent.asking.seq > self.distrusted_seq;
        for (asked, row) in sent.asking.rows.iter().zip(rows) {
            let Some(purse) = self.of_row(object, asked) else {
                continue;
            };
            let left = Left {
                remaining: row.remaining,
                frees_in_ms: row.frees_in_ms,
            };
            let lent = (row.at_ms, row.lent.filter(|_| is_trusted));
            purse.answered_in(now_ms.saturating_sub(sent.at_ms));
            purse.granted(sent.asking.seq, sent.at_ms, left, lent);
        }
    }

    /// Takes the answer to a question that was refused.
    pub fn refused(&mut self, object: &ObjectName, sent: &Sent, rows: &[RowRefused]) {
        self.heard(object, sent);
        let now_ms = self.seen_ms;
        for (asked, row) in sent.asking.rows.iter().zip(rows) {
            let Some(purse) = self.of_row(object, asked) else {
                continue;
            };
            match row.retry_after_ms {
                // This one had room; or no wait helps, and there is no instant to remember.
                0 | u64::MAX => purse.unanswered(sent.asking.seq),
                retry_after_ms => {
                    purse.refused(sent.asking.seq, now_ms, asked.units, retry_after_ms);
                }
            }
        }
    }

    /// Notes that a question brought nothing.
    ///
    /// - `silent`: the object did not answer, or not in time; it is not asked again for a moment. What
    ///   the question took either stands ([`Wallet::let_stand`]) or is undone ([`Wallet::give_up`]).
    pub fn unanswered(&mut self, object: &ObjectName, sent: &Sent, silent: bool) {
        let silent_until_ms = self.seen_ms.saturating_add(SILENT_MS);
        for asked in &sent.asking.rows {
            if let Some(purse) = self.of_row(object, asked) {
                purse.unanswered(sent.asking.seq);
            }
        }
        if let Some(account) = self.account(object) {
            match silent {
                true => account.silent_until_ms = silent_until_ms,
                false => account.closed(sent.asking.seq),
            }
        }
    }

    /// Whether an object was silent just now.
    pub fn is_silent(&self, object: &ObjectName) -> bool {
        let account = self.accounts.get(object);
        account.is_some_and(|account| account.silent_until_ms > self.seen_ms)
    }

    /// In how long more of a row should be asked for behind the answers, if at all.
    pub fn ask_in_ms(&self, object: &ObjectName, unit: &UnitCharge) -> Option<u64> {
        let account = self.accounts.get(object)?;
        let purse = account.purses.iter().find(|purse| purse.is_of(unit))?;
        purse.ask_in_ms(self.seen_ms)
    }

    /// Units held of a row: for tests and the audit of the simulation.
    pub fn balance(&self, object: &ObjectName, row: &str) -> u64 {
        let account = self.accounts.get(object);
        let purses = account.into_iter().flat_map(|account| &account.purses);
        let purses = purses.filter(|purse| purse.row == row);
        purses.map(|purse| purse.balance(self.seen_ms)).sum()
    }

    fn find(&mut self, object: &ObjectName, unit: &UnitCharge) -> Option<&mut Purse> {
        let account = self.accounts.get_mut(object)?;
        account.purses.iter_mut().find(|purse| purse.is_of(unit))
    }

    /// The purse of the row that was asked about, under the rule that it was asked with.
    fn of_row(&mut self, object: &ObjectName, asked: &RowCharge) -> Option<&mut Purse> {
        let account = self.accounts.get_mut(object)?;
        let mut purses = account.purses.iter_mut();
        purses.find(|purse| purse.row == asked.row && purse.rule == asked.rule)
    }

    /// The purse of a row, made where there is room for one. A row whose rule changed starts anew:
    /// what was lent under the old one is not spent.
    fn purse(&mut self, object: &ObjectName, unit: &UnitCharge) -> Option<&mut Purse> {
        let now_ms = self.seen_ms;
        let account = self.account(object)?;
        let place = account.purses.iter().position(|one| one.row == unit.row);
        let place = match place {
            Some(place) => place,
            None => {
                if account.purses.len() >= PURSES_MAX {
                    account.purses.retain(|purse| !purse.is_idle(now_ms));
                }
                if account.purses.len() >= PURSES_MAX {
                    return None;
                }
                account.purses.push(Purse::new(&unit.row, &unit.rule.meter));
                account.purses.len() - 1
            }
        };
        let purse = account.purses.get_mut(place)?;
        if !purse.is_of(unit) {
            *purse = Purse::new(&unit.row, &unit.rule.meter).after(purse);
        }
        Some(purse)
    }

    fn account(&mut self, object: &ObjectName) -> Option<&mut Account> {
        let now_ms = self.seen_ms;
        if !self.accounts.contains_key(object) && self.accounts.len() >= OBJECTS_MAX {
            // Sweeping takes time: a flood of names must not have it done for each.
            if now_ms.saturating_sub(self.swept_ms) >= SWEEP_MS {
                self.swept_ms = now_ms;
                self.accounts.retain(|_, account| {
                    account.forget(now_ms);
                    account.silent_until_ms > now_ms
                        || account.is_busy()
                        || account.purses.iter().any(|purse| !purse.is_idle(now_ms))
                });
            }
            if self.accounts.len() >= OBJECTS_MAX {
                return None;
            }
        }
        let turns = &mut self.turns;
        let account = self.accounts.entry(*object).or_insert_with(|| {
            // An account that is made anew goes on behind the turns of the one before.
            *turns += ACCOUNT_TURNS;
            Account::new(*turns)
        });
        Some(account)
    }
}

impl Purse {
    fn has(&self, now_ms: UnixMs, unit: &UnitCharge) -> bool {
        match unit.look || unit.units == 0 {
            true => self.shows(now_ms, unit.units).is_some(),
            false => self.covers(now_ms, unit.units),
        }
    }

    fn is_of(&self, unit: &UnitCharge) -> bool {
        self.row == unit.row && self.rule == unit.rule.meter
    }
}

#[cfg(test)]
mod tests;
