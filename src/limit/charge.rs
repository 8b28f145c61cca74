//! What one stage of a request charges, and what came of it: the question to the counters and its
//! answer, as data.

use std::rc::Rc;

use crate::limit::rule::{Counts, LimitRule};
use crate::limit::standing::{Standing, StandingQuestion};
use crate::object::ObjectName;

/// Everything one stage of a request charges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charge {
    pub objects: Vec<ObjectCharge>,
    /// The credential that must not have been taken back.
    pub standing: Option<StandingQuestion>,
}

impl Charge {
    /// A charge that asks for no credential.
    pub fn of(objects: Vec<ObjectCharge>) -> Self {
        Self {
            objects,
            standing: None,
        }
    }

    /// What was only looked at of limits that count refusals of one kind, as it is charged for one.
    #[must_use]
    pub fn for_refusal(&self, counts: Counts) -> Self {
        let mut objects = self.objects.clone();
        for object in &mut objects {
            object
                .units
                .retain(|unit| unit.look && unit.rule.counts == counts);
            object.units.iter_mut().for_each(|unit| unit.look = false);
        }
        objects.retain(|object| !object.units.is_empty());
        Self::of(objects)
    }
}

/// The charges that one object answers together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectCharge {
    pub object: ObjectName,
    /// Recorded, never decisive.
    pub observed: bool,
    pub units: Vec<UnitCharge>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnitCharge {
    pub rule: Rc<LimitRule>,
    /// The row in the object: the limit's name, and the route's where the limit is per route.
    pub row: String,
    pub units: u64,
    /// Only asks whether there is room.
    pub look: bool,
}

/// What became of one charge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Granted {
        remaining: u64,
        frees_in_ms: u64,
    },
    Exhausted {
        retry_after_ms: u64,
    },
    /// The request is refused for another reason: this limit was not charged, and perhaps not even
    /// asked.
    NotCharged {
        remaining: Option<u64>,
    },
    /// The counter did not answer and the limit says `admit`.
    Unmetered,
    /// The counter did not answer and the limit says `refuse`.
    Unanswered,
}

impl Verdict {
    /// Whether it turns a request away where the limit is enforced.
    pub fn refuses(&self) -> bool {
        matches!(self, Self::Exhausted { .. } | Self::Unanswered)
    }
}

/// The answer to a [`Charge`]: one verdict a unit, in its order, each with its question's names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charged {
    pub units: Vec<UnitCharged>,
    pub standing: Option<(StandingQuestion, Standing)>,
    /// What was taken, so that it can be given back; empty for a request that is refused.
    pub taken: Vec<Taken>,
}

/// Units taken of one row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    pub object: ObjectName,
    pub rule: Rc<LimitRule>,
    pub row: String,
    pub units: u64,
    pub of: TakenOf,
}

/// Where units were taken of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TakenOf {
    /// A lease of this isolate, by the question that brought it. `at_ms` of this isolate's clock,
    /// `lent_at_ms` of the object's.
    Lease {
        seq: u64,
        at_ms: u64,
        lent_at_ms: u64,
    },
    /// The object itself, at an instant of its clock.
    Object { at_ms: u64 },
    /// The counter of this isolate that stands in for a silent object.
    StandIn { at_ms: u64 },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnitCharged {
    pub object: ObjectName,
    pub observed: bool,
    pub unit: UnitCharge,
    pub verdict: Verdict,
    /// The counter did not answer: the verdict is what the limit's `on_error` makes of that.
    pub is_silent: bool,
}
