//! What an isolate may remember about limits: refusals until they may pass, and the counters that
//! stand in for an object that does not answer. Never a grant: those are the object's alone.
//!
//! Owns: both maps and their bounds. Called by: `limit::ask`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::facts::UnixMs;
use crate::limit::charge::UnitCharge;
use crate::limit::standing::{Standing, StandingQuestion};
use crate::limit::window::{Full, Room, Window, WindowRule};
use crate::object::ObjectName;
use crate::revocation::Credential;
use crate::revocation::Marks;

/// Most refusals remembered; the soonest to pass is dropped first.
pub const REFUSALS_MAX: usize = 4_096;
/// Most stand-in counters; a charge beyond is refused, so that failure stays bounded too.
pub const STAND_INS_MAX: usize = 4_096;
/// Most callers whose good standing is remembered, and most issuers whose marks are. A full memory
/// is emptied: what is forgotten is only asked again.
pub const STANDINGS_MAX: usize = 4_096;
pub const ISSUERS_MAX: usize = 64;
/// Longest a refusal is remembered without asking again: units may be given back meanwhile.
pub const REFUSAL_MS_MAX: u64 = 10_000;

/// A row of an object under one rule. The rule is part of it, so that a policy with a new limit
/// does not meet old refusals.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct RowKey {
    object: ObjectName,
    row: String,
    limit: u64,
    window_ms: u64,
}

impl RowKey {
    fn new(object: &ObjectName, unit: &UnitCharge) -> Self {
        let WindowRule { limit, window_ms } = unit.rule.window;
        Self {
            object: object.clone(),
            row: unit.row.clone(),
            limit,
            window_ms,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Refused {
    units: u64,
    /// When the charge may pass.
    until_ms: UnixMs,
    /// When the object is asked again all the same.
    ask_at_ms: UnixMs,
}

#[derive(Debug, Default)]
pub struct LimitMemory {
    refusals: HashMap<RowKey, Refused>,
    stand_ins: HashMap<RowKey, Window>,
    /// What was found of a credential, and until when that is relied on.
    standings: HashMap<(ObjectName, Credential), (Standing, UnixMs)>,
    marks: HashMap<ObjectName, (Rc<Marks>, UnixMs)>,
}

impl LimitMemory {
    /// What was found of a credential, recently enough.
    pub fn standing(&self, question: &StandingQuestion, now_ms: UnixMs) -> Option<Standing> {
        let key = (question.caller.clone(), question.credential.clone());
        let (standing, until_ms) = self.standings.get(&key)?;
        (*until_ms > now_ms).then_some(*standing)
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
        let key = (question.caller.clone(), question.credential.clone());
        self.standings.insert(key, (standing, until_ms));
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
        self.marks
            .insert(issuer.clone(), (Rc::clone(marks), until_ms));
    }

    /// Milliseconds until a remembered refusal of the same charge may pass.
    pub fn refused_for_ms(
        &self,
        object: &ObjectName,
        unit: &UnitCharge,
        now_ms: UnixMs,
    ) -> Option<u64> {
        let refused = self.refusals.get(&RowKey::new(object, unit))?;
        // A cheaper charge may have room where a dearer one had not.
        let stands = refused.ask_at_ms > now_ms && unit.units >= refused.units;
        stands.then(|| refused.until_ms - now_ms)
    }

    /// Remembers that the object had no room for `unit` until `retry_after_ms` from now.
    pub fn remember_refusal(
        &mut self,
        object: &ObjectName,
        unit: &UnitCharge,
        now_ms: UnixMs,
        retry_after_ms: u64,
    ) {
        if self.refusals.len() >= REFUSALS_MAX {
            self.refusals
                .retain(|_, refused| refused.ask_at_ms > now_ms);
        }
        if self.refusals.len() >= REFUSALS_MAX {
            let soonest = self
                .refusals
                .iter()
                .min_by_key(|(_, refused)| refused.ask_at_ms);
            if let Some(key) = soonest.map(|(key, _)| key.clone()) {
                self.refusals.remove(&key);
            }
        }
        let refused = Refused {
            units: unit.units,
            until_ms: now_ms.saturating_add(retry_after_ms),
            ask_at_ms: now_ms.saturating_add(retry_after_ms.min(REFUSAL_MS_MAX)),
        };
        self.refusals.insert(RowKey::new(object, unit), refused);
    }

    /// Charges the stand-in counter of one row, or only looks; `Full::Never` also when there is no room for
    /// another counter.
    pub fn stand_in(
        &mut self,
        object: &ObjectName,
        unit: &UnitCharge,
        now_ms: UnixMs,
    ) -> Result<Room, Full> {
        let key = RowKey::new(object, unit);
        if !self.stand_ins.contains_key(&key) && self.stand_ins.len() >= STAND_INS_MAX {
            self.stand_ins
                .retain(|_, window| window.empty_at_ms() > now_ms);
            if self.stand_ins.len() >= STAND_INS_MAX {
                return Err(Full::Until {
                    retry_after_ms: unit.rule.window.window_ms,
                });
            }
        }
        let window = self.stand_ins.entry(key).or_default();
        window.fit(unit.rule.window);
        let room = window.room(unit.rule.window, now_ms, unit.units)?;
        if !unit.look {
            window.take(now_ms, room, unit.units);
        }
        Ok(room)
    }
}
