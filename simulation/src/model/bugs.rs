//! Faults that are sown into the protocol, at its seams: the model has to find each of them.
//!
//! Owns: what each fault does. The gateway's own code stays as it is.

use serde_json::Value;

use crate::limit::row::{CLOCK_ERROR_MS, Row};
use crate::limit::wire::Report;
use crate::model::scenario::{self, Scenario};

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bug {
    /// What nobody accounted for is free when its lease ends, as if it had not been used.
    ObjectForgetsLeases,
    /// The object holds a lease no longer than its holder does, by a clock that is right.
    ObjectHoldsNoLonger,
    /// The object answers before it has written what it lends.
    GrantNotWritten,
    /// What is given back counts each time it comes.
    SettlingCountsEachTime,
    /// A lease is reckoned from when the answer came.
    HolderCountsFromReceipt,
    /// The same answer brings a lease twice.
    AnswerTakenTwice,
    /// A holder hands back units and goes on with them.
    HolderKeepsWhatItGaveBack,
    /// A holder says that it used units earlier than it did.
    ReportsTooOld,
    /// A holder is told of a longer lease than the object has.
    HolderToldLonger,
    /// An isolate's clock steps back by more than is allowed for.
    ClockStepsBeyond,
    /// An isolate's clock steps ahead by more than is allowed for over a short window.
    ShareClockStepsBeyond,
    /// An isolate's clock is three seconds behind the object's from the beginning.
    ClockFarBehind,
    /// The object's clock jumps ahead.
    ObjectJumpsAhead,
}

/// Every fault, each in a scenario where it does harm.
pub fn sown() -> Vec<Scenario> {
    let mishaps = || scenario::window().with_steps();
    vec![
        scenario::window().with(Bug::ObjectForgetsLeases),
        mishaps().with(Bug::ObjectHoldsNoLonger),
        scenario::window().with(Bug::GrantNotWritten),
        scenario::settlings().with(Bug::SettlingCountsEachTime),
        scenario::window().with(Bug::HolderCountsFromReceipt),
        scenario::window().with(Bug::AnswerTakenTwice),
        scenario::window().with(Bug::HolderKeepsWhatItGaveBack),
        scenario::window().with(Bug::ReportsTooOld),
        scenario::period().with(Bug::HolderToldLonger),
        mishaps().with(Bug::ClockStepsBeyond),
        scenario::shares()
            .with_steps()
            .with(Bug::ShareClockStepsBeyond),
        scenario::window().with(Bug::ClockFarBehind),
        scenario::window().with(Bug::ObjectJumpsAhead),
    ]
}

impl Bug {
    /// Changes what the faults of clocks change.
    pub fn arm(self, scenario: &mut Scenario) {
        match self {
            Self::ClockStepsBeyond => scenario.offsets_ms = &[-1_500, 0],
            Self::ShareClockStepsBeyond => scenario.offsets_ms = &[0, 500],
            Self::ClockFarBehind => scenario.offsets_ms = &[-3_000],
            Self::ObjectJumpsAhead => {
                scenario.object_step_ms = 2_000;
                scenario.budget.object_steps = 1;
            }
            _ => {}
        }
    }

    /// The row as it is read.
    pub fn load(self, row: Row, now_ms: u64) -> Row {
        match self {
            Self::ObjectForgetsLeases => changed(row, |row| {
                if let Some(leases) = row.get_mut("leases").and_then(Value::as_array_mut) {
                    leases.retain(|lease| number(lease, "ends_at_ms") > now_ms);
                }
            }),
            Self::ObjectHoldsNoLonger => changed(row, |row| {
                let leases = row.get_mut("leases").and_then(Value::as_array_mut);
                for lease in leases.into_iter().flatten() {
                    let ends_ms = number(lease, "ends_at_ms") - CLOCK_ERROR_MS;
                    if ends_ms <= now_ms {
                        lease["ends_at_ms"] = ends_ms.into();
                    }
                }
            }),
            Self::SettlingCountsEachTime => changed(row, |row| {
                row.as_object_mut().map(|row| row.remove("heard"));
            }),
            _ => row,
        }
    }

    /// The row as it is written; `None` if it is not.
    pub fn save(self, row: &Row) -> Option<Row> {
        let lends = || {
            let row = serde_json::to_value(row).unwrap_or_default();
            let seen_ms = number(&row, "seen_ms");
            let leases = row.get("leases").and_then(Value::as_array);
            leases.is_some_and(|leases| {
                leases
                    .iter()
                    .any(|lease| number(lease, "at_ms") == seen_ms && number(lease, "units") > 0)
            })
        };
        match self {
            Self::GrantNotWritten if lends() => None,
            _ => Some(row.clone()),
        }
    }

    pub fn reports(self, reports: &mut [Report]) {
        if self == Self::ReportsTooOld {
            for report in reports {
                report.age_ms += 2 * CLOCK_ERROR_MS;
            }
        }
    }

    /// How much longer a holder thinks that its lease is.
    pub fn told_longer_ms(self) -> u64 {
        match self {
            Self::HolderToldLonger => 1_500,
            _ => 0,
        }
    }
}

fn changed(row: Row, change: impl FnOnce(&mut Value)) -> Row {
    let mut value = serde_json::to_value(&row).unwrap_or_default();
    change(&mut value);
    serde_json::from_value(value).unwrap_or(row)
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
