//! What an isolate may remember about limits: what was lent to it, whose credential was good a
//! moment ago, and the counters that stand in for an object that does not answer.
//!
//! Owns: the maps and their bounds. Called by: `limit::ask`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::facts::UnixMs;
use crate::limit::charge::{Taken, UnitCharge};
use crate::limit::purse::Left;
use crate::limit::row::Row;
use crate::limit::standing::{Standing, StandingQuestion};
use crate::limit::wallet::Wallet;
use crate::limit::wire::HolderId;
use crate::object::ObjectName;
use crate::revocation::Credential;
use crate::revocation::Marks;

/// Most stand-in counters; a charge beyond is refused, so that failure stays bounded too.
pub const STAND_INS_MAX: usize = 4_096;
/// What a caller waits for where there is no room for another stand-in counter.
const STAND_IN_WAIT_MS: u64 = 60_000;
/// Most callers whose good standing is remembered, and most issuers whose marks are. A full memory
/// is emptied: what is forgotten is only asked again.
pub const STANDINGS_MAX: usize = 4_096;
pub const ISSUERS_MAX: usize = 64;
#[derive(Debug)]
pub struct LimitMemory {
    /// What is lent to this isolate, and what it was told.
    pub wallet: Wallet,
    stand_ins: HashMap<(ObjectName, String), Row>,
    /// What was found of a credential, and until when that is relied on.
    standings: HashMap<(ObjectName, Credential), (Standing, UnixMs)>,
    marks: HashMap<ObjectName, (Rc<Marks>, UnixMs)>,
    /// Uses of credentials that no object was told of yet.
    uses: HashMap<(ObjectName, Credential), u64>,
    /// How often limits were decided without their counter.
    silences: u64,
}

impl LimitMemory {
    /// - `holder`: a number drawn at random, by which the objects know this isolate.
    pub fn new(holder: HolderId) -> Self {
        Self {
            wallet: Wallet::new(holder),
            stand_ins: HashMap::new(),
            standings: HashMap::new(),
            marks: HashMap::new(),
            uses: HashMap::new(),
            silences: 0,
        }
    }

    /// What was found of a credential, recently enough.
    pub fn standing(&self, question: &StandingQuestion, now_ms: UnixMs) -> Option<Standing> {
        let key = (question.caller, question.credential.clone());
        let (standing, until_ms) = self.standings.get(&key)?;
        (*until_ms > now_ms).then_some(*standing)
    }

    /// Whether what was found of a credential is still relied on `ahead_ms` from now.
    pub fn standing_lasts(
        &self,
        question: &StandingQuestion,
        now_ms: UnixMs,
        ahead_ms: u64,
    ) -> bool {
        self.standing(question, now_ms.saturating_add(ahead_ms))
            .is_some()
    }

    pub fn remember_standing(
        &mut self,
        question: &StandingQuestion,
        standing: Standing,
        until_ms: UnixMs,
        now_ms: UnixMs,
    ) {
        if self.standings.len() >= STANDINGS_MAX {
            self.standings.retain(|_, (_, until_ms)| *until_ms > now_ms);
        }
        if self.standings.len() >= STANDINGS_MAX {
            self.standings.clear();
        }
        let key = (question.caller, question.credential.clone());
        // An older "good" may arrive after a newer "revoked".
        let known = self.standings.get(&key);
        let stands = known.is_some_and(|(known, until_ms)| {
            matches!(known, Standing::Revoked(_)) && *until_ms > now_ms
        });
        if !stands || standing != Standing::Good {
            self.standings.insert(key, (standing, until_ms));
        }
    }

    /// Counts limits that were decided without their counter.
    pub fn note_silence(&mut self, limits: usize) {
        self.silences = self.silences.saturating_add(limits as u64);
    }

    /// How often limits were decided without their counter since this isolate woke.
    pub fn silences(&self) -> u64 {
        self.silences
    }

    /// Forgets what was found of a caller's credentials: one of them was taken back just now.
    pub fn forget_standings(&mut self, caller: &ObjectName) {
        let is_good = |standing: &Standing| *standing == Standing::Good;
        self.standings
            .retain(|(of, _), (standing, _)| of != caller || !is_good(standing));
        self.marks.remove(caller);
    }

    /// Notes a use that no object was told of; says whether it is the first. Where there is no room it
    /// is not counted.
    pub fn note_use(&mut self, question: &StandingQuestion) -> bool {
        let key = (question.caller, question.credential.clone());
        if self.uses.len() >= STANDINGS_MAX && !self.uses.contains_key(&key) {
            return false;
        }
        let uses = self.uses.entry(key).or_default();
        *uses = uses.saturating_add(1);
        *uses == 1
    }

    /// The uses that were noted, which forgets them.
    pub fn take_uses(&mut self, question: &StandingQuestion) -> u64 {
        let key = (question.caller, question.credential.clone());
        self.uses.remove(&key).unwrap_or(0)
    }

    /// An issuer's marks, if they were read recently enough.
    pub fn marks(&self, issuer: &ObjectName, now_ms: UnixMs) -> Option<Rc<Marks>> {
        let (marks, until_ms) = self.marks.get(issuer)?;
        (*until_ms > now_ms).then(|| Rc::clone(marks))
    }

    pub fn remember_marks(&mut self, issuer: &ObjectName, marks: &Rc<Marks>, until_ms: UnixMs) {
        if self.marks.len() >= ISSUERS_MAX {
            self.marks.clear();
        }
        self.marks.insert(*issuer, (Rc::clone(marks), until_ms));
    }

    /// Charges the stand-in counter of one row, or only looks; refuses also when there is no room
    /// for another counter. `Err`: the wait in milliseconds, `u64::MAX` where none helps.
    pub fn stand_in(
        &mut self,
        object: &ObjectName,
        unit: &UnitCharge,
        now_ms: UnixMs,
    ) -> Result<Left, u64> {
        let rule = &unit.rule.meter;
        let key = (*object, unit.row.clone());
        if !self.stand_ins.contains_key(&key) && self.stand_ins.len() >= STAND_INS_MAX {
            self.stand_ins.retain(|_, row| row.empty_at_ms() > now_ms);
            if self.stand_ins.len() >= STAND_INS_MAX {
                return Err(STAND_IN_WAIT_MS);
            }
        }
        let row = self
            .stand_ins
            .remove(&key)
            .unwrap_or_else(|| Row::new(rule));
        let mut row = row.opened(rule, now_ms);
        let verdict = match unit.units > row.free() {
            true => Err(row.wait_ms(unit.units).unwrap_or(u64::MAX)),
            false => {
                if !unit.look {
                    row.grant(0, 0, unit.units, 0);
                    // No question asked for it, so none has to be known again.
                    row.hear_open(0, 1);
                }
                Ok(Left {
                    remaining: row.free(),
                    frees_in_ms: row.frees_in_ms(),
                })
            }
        };
        self.stand_ins.insert(key, row);
        verdict
    }

    /// Frees what was taken of a stand-in counter at `at_ms` for nothing.
    pub fn give_back_stand_in(&mut self, taken: &Taken, at_ms: UnixMs, now_ms: UnixMs) {
        let key = (taken.object, taken.row.clone());
        if let Some(row) = self.stand_ins.get_mut(&key) {
            row.give_back(now_ms, at_ms, taken.units);
        }
    }
}
