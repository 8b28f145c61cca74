//! Faults that are sown into the protocol, at its seams: the model has to find each of them.
//!
//! Owns: what each fault does. The gateway's own code stays as it is.

use serde_json::Value;

use crate::limit::row::{CLOCK_ERROR_MS, Row};
use crate::limit::wire::Report;
use crate::model::protocol;
use crate::model::scenario::{self, Scenario};

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bug {
    /// What nobody accounted for is free when its lease ends, as if it had not been used.
    ObjectForgetsLeases,
    /// The object holds a lease no longer than its holder does, by a clock that is right.
    ObjectHoldsNoLonger,
    /// The object answers before it has written what it lends.
    GrantNotWritten,
    /// The object writes that it lent twice as much as was free.
    ObjectLendsTooMuch,
    /// The object holds a lease for ten seconds more.
    ObjectHoldsTooLong,
    /// The object does not know a question again.
    ObjectForgetsQuestions,
    /// What is given back counts each time it comes.
    SettlingCountsEachTime,
    /// What is undone is undone each time it is said.
    UndoneEachTime,
    /// A question that was undone before it arrived is granted.
    UndoneForgotten,
    /// A question that was given up is never undone.
    NothingUndone,
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
    /// The object's clock jumps ahead.
    ObjectJumpsAhead,
}

/// Every fault, each in a scenario where it does harm.
pub fn sown() -> Vec<Scenario> {
    let window = |bug| scenario::window().with(bug);
    // Time passes once by so much, and once by nearly the window.
    let after = |mut scenario: Scenario, ms: u64, bug| {
        scenario.passes_ms[0] = ms;
        scenario.budget.passes = [1, 1];
        scenario.with(bug)
    };
    let steps = |mut scenario: Scenario, ms: u64, bug| {
        scenario.budget.clock_steps = 1;
        after(scenario, ms, bug)
    };
    let mut copied = scenario::window();
    copied.budget.copies = 1;
    let mut refused = scenario::settlings();
    refused.asks = &[(50, 0), (100, 0)];
    refused.budget.passes = [0, 0];
    let mut reported = scenario::window();
    reported.budget.questions = 4;
    vec![
        window(Bug::ObjectForgetsLeases),
        steps(scenario::window(), 998, Bug::ObjectHoldsNoLonger),
        window(Bug::GrantNotWritten),
        window(Bug::ObjectLendsTooMuch),
        scenario::quiet().with(Bug::ObjectHoldsTooLong),
        copied.with(Bug::ObjectForgetsQuestions),
        refused.with(Bug::SettlingCountsEachTime),
        scenario::undoings().with(Bug::UndoneEachTime),
        scenario::undoings().with(Bug::UndoneForgotten),
        scenario::undoings().with(Bug::NothingUndone),
        after(scenario::window(), 1_400, Bug::HolderCountsFromReceipt),
        window(Bug::AnswerTakenTwice),
        window(Bug::HolderKeepsWhatItGaveBack),
        after(reported, 499, Bug::ReportsTooOld),
        after(scenario::period(), 1_650, Bug::HolderToldLonger),
        steps(scenario::window(), 1_100, Bug::ClockStepsBeyond),
        steps(scenario::shares(), 499, Bug::ShareClockStepsBeyond),
        window(Bug::ObjectJumpsAhead),
    ]
}

impl Bug {
    /// The property that does not hold with it.
    pub fn breaks(self) -> &'static str {
        match self {
            Self::AnswerTakenTwice => protocol::SPENT_TWICE,
            Self::ObjectLendsTooMuch => protocol::OVERLENT,
            Self::ObjectHoldsTooLong => protocol::STUCK,
            Self::ObjectForgetsQuestions => protocol::REGRANTED,
            Self::UndoneEachTime | Self::UndoneForgotten | Self::NothingUndone => protocol::LEFT,
            _ => protocol::TOO_MANY,
        }
    }

    /// Changes what the faults of clocks change.
    pub fn arm(self, scenario: &mut Scenario) {
        match self {
            Self::ClockStepsBeyond => scenario.offsets_ms = &[-1_000, 0],
            Self::ShareClockStepsBeyond => scenario.offsets_ms = &[0, 500],
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
                each_lease(row, |lease| {
                    let ends_ms = number(lease, "ends_at_ms") - CLOCK_ERROR_MS;
                    if ends_ms <= now_ms {
                        lease["ends_at_ms"] = ends_ms.into();
                    }
                });
            }),
            Self::ObjectForgetsQuestions => changed(row, |row| {
                each_lease(row, |lease| lease["granted_seq"] = u64::MAX.into());
                row.as_object_mut().map(|row| row.remove("questions"));
            }),
            Self::UndoneForgotten => changed(row, |row| {
                if let Some(questions) = row.get_mut("questions") {
                    questions["undone"] = Value::Array(Vec::new());
                }
            }),
            Self::SettlingCountsEachTime => changed(row, |row| {
                row.as_object_mut().map(|row| row.remove("heard"));
            }),
            _ => row,
        }
    }

    /// The row as it is written; `None` if it is not.
    ///
    /// - `before`: as it was.
    pub fn save(self, row: &Row, before: Option<&Row>) -> Option<Row> {
        if self == Self::UndoneEachTime {
            // Whatever was ever charged is there to be undone.
            let before = before.map(|row| serde_json::to_value(row).unwrap_or_default());
            let charged = before.and_then(|row| row.pointer("/questions/charged").cloned());
            let known = charged.as_ref().and_then(Value::as_array);
            return Some(changed(row.clone(), |row| {
                let charged = row.pointer("/questions/charged").and_then(Value::as_array);
                let new = charged.into_iter().flatten();
                let new = new.filter(|one| known.is_none_or(|known| !known.contains(one)));
                let all: Vec<Value> = known.into_iter().flatten().chain(new).cloned().collect();
                if !all.is_empty() {
                    row["questions"]["charged"] = all.into();
                }
            }));
        }
        if !matches!(
            self,
            Self::GrantNotWritten | Self::ObjectLendsTooMuch | Self::ObjectHoldsTooLong
        ) {
            return Some(row.clone());
        }
        let seen_ms = number(&serde_json::to_value(row).unwrap_or_default(), "seen_ms");
        let mut lends = false;
        let written = changed(row.clone(), |row| {
            each_lease(row, |lease| {
                let units = number(lease, "units");
                if number(lease, "at_ms") < seen_ms || units == 0 {
                    return;
                }
                lends = true;
                if self == Self::ObjectLendsTooMuch {
                    lease["units"] = (2 * units).into();
                }
                if self == Self::ObjectHoldsTooLong {
                    lease["ends_at_ms"] = (number(lease, "ends_at_ms") + 10_000).into();
                }
            });
        });
        (self != Self::GrantNotWritten || !lends).then_some(written)
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

fn each_lease(row: &mut Value, change: impl FnMut(&mut Value)) {
    let leases = row.get_mut("leases").and_then(Value::as_array_mut);
    leases.into_iter().flatten().for_each(change);
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
