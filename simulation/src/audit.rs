//! The audit: every admission, by the world's own time, against its limit.
//!
//! A leased unit counts at the isolate's decision, a unit granted at once when the object wrote it.
//! A request may be answered seconds after either, so admissions wait here until none can come that
//! is older, and are then checked one by one in their order.
//!
//! Owns: that order and the judgment. Does not own: the counting (`exact`). Called by: `world`.

use std::collections::VecDeque;

use crate::exact::{Admission, Exact};
use crate::limit::meter::MeterRule;
use crate::limit::window::WindowRule;
use crate::scenario::{Limit, Scenario};

/// How old an admission may be when it comes: a pause of an isolate, and what a call may take.
pub const HORIZON_US: u64 = 30_000_000;
/// How long leases of an old rule may last after the last isolate gave it up.
const LEASES_US: u64 = 5_000_000;

/// What the audit found wrong.
#[derive(Clone, Debug)]
pub struct Violation {
    pub at_us: u64,
    pub row: String,
    pub what: What,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// More was admitted than the limit.
    Over { counted: u64, limit: u64 },
    /// An object held more than its limit, after an answer.
    Held { held: u64, limit: u64 },
    /// With no message on its way, an object holds what nobody was admitted for, or less.
    Left { held: u64, admitted: u64 },
    /// An admission came later than the audit waits for: a fault of the simulation.
    Late,
}

/// One row's audit.
#[derive(Clone, Debug)]
pub struct RowAudit {
    pub name: String,
    exact: Exact,
    /// Rules still to come, each from an instant on.
    changes: VecDeque<(u64, MeterRule)>,
    waiting: VecDeque<Admission>,
    checked_us: u64,
    /// The most that ever counted, less the limit.
    pub worst: i64,
    pub admitted: u64,
}

impl RowAudit {
    pub fn new(name: String, limit: &Limit, scenario: &Scenario) -> Self {
        Self {
            name,
            exact: Exact::new(&limit.rule, scenario.longest_ms()),
            changes: changes(limit, scenario),
            waiting: VecDeque::new(),
            checked_us: 0,
            worst: -(limit.rule.capacity() as i64),
            admitted: 0,
        }
    }

    /// Takes an admission, and checks those that nothing older can come before any more.
    pub fn admit(&mut self, now_us: u64, admission: Admission, found: &mut Vec<Violation>) {
        self.admitted += admission.units;
        if admission.at_us < self.checked_us {
            self.report(admission.at_us, What::Late, found);
        }
        let place = self
            .waiting
            .iter()
            .rev()
            .position(|one| one.at_us <= admission.at_us);
        let place = place.map_or(0, |behind| self.waiting.len() - behind);
        self.waiting.insert(place, admission);
        self.check(now_us.saturating_sub(HORIZON_US), found);
    }

    /// Checks all admissions up to `until_us`.
    pub fn check(&mut self, until_us: u64, found: &mut Vec<Violation>) {
        self.checked_us = self.checked_us.max(until_us);
        while let Some(admission) = self.waiting.front().copied()
            && admission.at_us <= until_us
        {
            self.waiting.pop_front();
            while let Some((_, rule)) = self.changes.pop_front_if(|one| one.0 <= admission.at_us) {
                self.exact.change(&rule);
            }
            let (counted, limit) = (self.exact.add(&admission), self.exact.capacity());
            self.worst = self.worst.max(counted as i64 - limit as i64);
            if counted > limit {
                self.report(admission.at_us, What::Over { counted, limit }, found);
            }
        }
    }

    /// Whether `held` units are what was admitted within the window before `now_us`. Only where
    /// nothing is lent, no message is on its way and the rule is a window with grains of 1 ms.
    pub fn settled(&mut self, now_us: u64, held: u64, found: &mut Vec<Violation>) {
        const CLOCK_US: u64 = 1_500_000;
        self.check(now_us, found);
        let window_us = self.exact_window_us();
        // What lies at the edge may count or not, by the object's clock.
        let least = self
            .exact
            .since(now_us.saturating_sub(window_us.saturating_sub(CLOCK_US)));
        let most = self
            .exact
            .since(now_us.saturating_sub(window_us + CLOCK_US));
        if let (Some(least), Some(most)) = (least, most)
            && !(least..=most).contains(&held)
        {
            let admitted = if held > most { most } else { least };
            self.report(now_us, What::Left { held, admitted }, found);
        }
    }

    fn exact_window_us(&self) -> u64 {
        self.exact.window_ms() * 1_000
    }

    fn report(&self, at_us: u64, what: What, found: &mut Vec<Violation>) {
        found.push(Violation {
            at_us,
            row: self.name.clone(),
            what,
        });
    }
}

/// The rules of a limit that changes: while some isolates have the old policy and some the new one,
/// the laxer of both; when all have it and what the old one admitted has passed, the new one.
fn changes(limit: &Limit, scenario: &Scenario) -> VecDeque<(u64, MeterRule)> {
    let Some(changed) = &limit.changed else {
        return VecDeque::new();
    };
    let from_us = scenario.change_at_ms * 1_000;
    let settled_us = from_us
        + scenario.change_takes_ms * 1_000
        + LEASES_US
        + limit.rule.window_ms().unwrap_or(0) * 1_000;
    VecDeque::from([
        (from_us, laxer(&limit.rule, changed)),
        (settled_us, changed.clone()),
    ])
}

fn laxer(one: &MeterRule, other: &MeterRule) -> MeterRule {
    match (one, other) {
        (MeterRule::Window(one), MeterRule::Window(other)) => MeterRule::Window(WindowRule {
            limit: one.limit.max(other.limit),
            window_ms: one.window_ms.min(other.window_ms),
        }),
        (MeterRule::Bucket(one), MeterRule::Bucket(other)) => {
            let mut laxer = *one;
            laxer.capacity = one.capacity.max(other.capacity);
            laxer.interval_ns = one.interval_ns.min(other.interval_ns);
            MeterRule::Bucket(laxer)
        }
        (one, other) if one.capacity() > other.capacity() => one.clone(),
        (_, other) => other.clone(),
    }
}
