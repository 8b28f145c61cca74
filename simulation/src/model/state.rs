//! One moment of the world: two isolates, one object, what is on its way between them, and what
//! passed.
//!
//! Owns: the shape of it. Called by: `model::{isolate, object, protocol}`.

use crate::limit::purse::Purse;
use crate::limit::row::Row;
use crate::limit::wire::{HolderId, Lent, Report};
use crate::model::audit::Passed;
use crate::model::isolate::Isolate;
use crate::model::object::ANSWER_MS;
use crate::model::scenario::{Budget, START_MS, Scenario};

/// What must never be seen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Fault {
    /// More passed than the limit allows.
    TooMany,
    /// More counts and is lent than the limit.
    Overlent,
    /// A unit of a lease passed twice.
    SpentTwice,
    /// A question that came again was granted more.
    Regranted,
    /// What nobody uses any more is not free again.
    Stuck,
    /// With nothing on its way, the object holds more, or less, than what passed.
    Left,
}

/// A question on its way; one that arrives twice stays after the first time.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Asked {
    pub holder: HolderId,
    pub seq: u64,
    /// By the holder's clock, and in truth.
    pub clock_ms: u64,
    pub sent_ms: u64,
    pub units: u64,
    pub want: u64,
    pub reports: Vec<Report>,
    /// `(turn, instant, units)` of a charge that is given back.
    pub settling: Option<(u64, u64, u64)>,
    /// A question that its holder has given up.
    pub undone: Option<u64>,
    /// The holder's oldest question that is open; 0: it does not say.
    pub open_seq: u64,
    pub answered: Answered,
}

/// What became of a question that arrived before.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Answered {
    /// When the request passed, if it did.
    pub passed_ms: Option<u64>,
    pub granted: bool,
    pub lent: Option<Lent>,
    /// Its holder has an answer and reads no other.
    pub is_read: bool,
}

/// An answer on its way.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Told {
    pub holder: HolderId,
    pub seq: u64,
    pub clock_ms: u64,
    pub sent_ms: u64,
    /// Units charged at once, and when by the object's clock; when in truth they passed.
    pub units: u64,
    pub at_ms: u64,
    pub passed_ms: u64,
    pub lent_seq: u64,
    pub lent_units: u64,
    pub ttl_ms: u64,
    pub fair: u64,
}

/// Units lent, and how many of them passed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lot {
    pub holder: HolderId,
    pub seq: u64,
    pub units: u64,
    pub spent: u64,
    /// From when on nothing can come of it.
    pub ends_ms: u64,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    /// The true time since the beginning.
    pub now_ms: u64,
    /// What the object's clock shows beyond it.
    pub object_offset_ms: i64,
    /// The greatest instant at which the object was asked.
    pub object_seen_ms: u64,
    pub row: Option<Row>,
    pub isolates: [Isolate; 2],
    pub asked: Vec<Asked>,
    pub told: Vec<Told>,
    pub passed: Passed,
    pub lots: Vec<Lot>,
    /// When the object was asked last, in truth.
    pub heard_ms: Option<u64>,
    pub left: Budget,
    pub fault: Option<Fault>,
}

impl State {
    pub fn new(scenario: &Scenario) -> Self {
        let begins_ms = START_MS + scenario.begins_ms;
        let isolate = |holder| Isolate::new(holder, begins_ms, &scenario.rule);
        Self {
            now_ms: begins_ms,
            object_offset_ms: 0,
            object_seen_ms: 0,
            row: None,
            isolates: [isolate(1), isolate(2)],
            asked: Vec::new(),
            told: Vec::new(),
            passed: Passed::new(&scenario.rule),
            lots: Vec::new(),
            heard_ms: None,
            left: scenario.budget,
            fault: None,
        }
    }

    pub fn object_ms(&self) -> u64 {
        self.now_ms.saturating_add_signed(self.object_offset_ms)
    }

    /// Lets time pass, and forgets what it leaves behind.
    pub fn pass(&mut self, scenario: &Scenario, ms: u64) {
        self.now_ms += ms;
        let now_ms = self.now_ms;
        self.lots.retain(|lot| lot.ends_ms > now_ms);
        self.passed.forget(&scenario.rule, now_ms);
        if !scenario.is_late {
            self.asked
                .retain(|asked| asked.sent_ms + ANSWER_MS >= now_ms);
            self.told.retain(|told| told.sent_ms + ANSWER_MS >= now_ms);
        }
    }

    /// Whether nothing was asked so far.
    pub fn is_fresh(&self) -> bool {
        self.row.is_none() && self.asked.is_empty() && self.isolates.iter().all(Isolate::is_new)
    }

    /// Whether nothing can pass any more.
    pub fn is_over(&self) -> bool {
        self.left.questions == 0
            && self.asked.is_empty()
            && self.told.is_empty()
            && self
                .isolates
                .iter()
                .all(|isolate| isolate.purse.balance(0) == 0)
    }

    /// Makes one of all states that only differ in what nothing hangs on.
    pub fn reduced(mut self, scenario: &Scenario) -> Self {
        // Only what there is on its way matters.
        self.asked
            .sort_unstable_by_key(|asked| (asked.holder, asked.seq));
        self.told.sort_unstable();
        self.lots.sort_unstable_by_key(|lot| (lot.holder, lot.seq));
        let may_step = self.left.clock_steps > 0;
        for isolate in &mut self.isolates {
            let holder = isolate.holder;
            if scenario.rule.shared().is_none() && !self.lots.iter().any(|lot| lot.holder == holder)
            {
                isolate.purse = Purse::new("", &scenario.rule);
            }
            let awaits = self.asked.iter().any(|asked| asked.holder == holder)
                || self.told.iter().any(|told| told.holder == holder);
            isolate.settle_clock(scenario, self.now_ms, may_step, awaits);
        }
        if scenario.is_steady() {
            let object_ms = self.object_ms();
            self.row = self.row.map(|row| row.reopened(object_ms, object_ms));
            self.object_seen_ms = object_ms;
        }
        self
    }

    /// Notes that requests passed.
    ///
    /// - `period_ms`: the instant by the object's clock, which periods go by.
    pub fn note_passed(&mut self, scenario: &Scenario, period_ms: u64, units: u64) {
        let is_within = self
            .passed
            .note(&scenario.rule, self.now_ms, period_ms, units);
        if !is_within {
            self.fault = Some(Fault::TooMany);
        }
    }
}
