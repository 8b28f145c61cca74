//! Exact counters of every algorithm over the world's own time: no grains, no leases, no bounds.
//!
//! They are the yardstick twice: the audit adds what was admitted and asks whether that was too
//! much, the oracle asks first. Written apart from the gateway's, and on purpose not like them.
//!
//! Owns: that arithmetic. Called by: `audit`, `oracle`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::limit::meter::MeterRule;
use crate::limit::period::Span;

const DAY_MS: u64 = 86_400_000;

/// One admission as a counter sees it; they come in the order of their instants.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    pub at_us: u64,
    pub units: u64,
    /// When a permit is given back.
    pub ends_us: u64,
    /// What the object's clock showed: periods are reckoned by it.
    pub object_ms: u64,
}

/// What counts of one limit.
#[derive(Clone, Debug)]
pub struct Exact {
    rule: MeterRule,
    kept: Kept,
    /// The longest window that there will be.
    longest_us: u64,
}

#[derive(Clone, Debug)]
enum Kept {
    Log {
        log: VecDeque<(u64, u64)>,
        /// How many of the first are outside the window, kept for a longer one; units of the others.
        outside: usize,
        sum: u64,
    },
    /// When a bucket would be empty, in ns of the world.
    Bucket {
        empty_ns: u128,
    },
    Periods(VecDeque<(u64, u64)>),
    /// Open permits, by when they end.
    Open {
        ends: BinaryHeap<Reverse<(u64, u64)>>,
        sum: u64,
    },
}

impl Exact {
    /// - `longest_ms`: the longest window that it will be counted under.
    pub fn new(rule: &MeterRule, longest_ms: u64) -> Self {
        let kept = match rule {
            MeterRule::Window(_) => Kept::Log {
                log: VecDeque::new(),
                outside: 0,
                sum: 0,
            },
            MeterRule::Bucket(_) => Kept::Bucket { empty_ns: 0 },
            MeterRule::Period(_) => Kept::Periods(VecDeque::new()),
            MeterRule::Permits(_) => Kept::Open {
                ends: BinaryHeap::new(),
                sum: 0,
            },
        };
        Self {
            rule: rule.clone(),
            kept,
            longest_us: longest_ms * 1_000,
        }
    }

    /// Goes on under another rule of the same algorithm; what is counted stays as far as it is known.
    pub fn change(&mut self, rule: &MeterRule) {
        self.rule = rule.clone();
        match &mut self.kept {
            Kept::Log { log, outside, sum } => {
                *outside = 0;
                *sum = log.iter().map(|(_, units)| units).sum();
            }
            Kept::Bucket { empty_ns } => *empty_ns = 0,
            Kept::Periods(_) | Kept::Open { .. } => {}
        }
    }

    /// Units that count just before an admission is added.
    pub fn count(&mut self, admission: &Admission) -> u64 {
        let Admission {
            at_us, object_ms, ..
        } = *admission;
        match (&mut self.kept, &self.rule) {
            (Kept::Log { log, outside, sum }, MeterRule::Window(rule)) => {
                let window_us = rule.window_ms * 1_000;
                while let Some((first_us, units)) = log.get(*outside).copied()
                    && first_us + window_us <= at_us
                {
                    *outside += 1;
                    *sum -= units;
                }
                while *outside > 0
                    && log
                        .front()
                        .is_some_and(|one| one.0 + self.longest_us <= at_us)
                {
                    log.pop_front();
                    *outside -= 1;
                }
                *sum
            }
            (Kept::Bucket { empty_ns }, MeterRule::Bucket(rule)) => {
                let left_ns = empty_ns.saturating_sub(u128::from(at_us) * 1_000);
                left_ns.div_ceil(u128::from(rule.interval_ns)) as u64
            }
            (Kept::Periods(periods), MeterRule::Period(rule)) => {
                let number = object_ms / span_ms(&rule.span);
                let known = periods.iter().find(|(period, _)| *period == number);
                known.map_or(0, |(_, units)| *units)
            }
            (Kept::Open { ends, sum }, MeterRule::Permits(_)) => {
                while let Some(Reverse((ends_us, units))) = ends.peek().copied()
                    && ends_us <= at_us
                {
                    ends.pop();
                    *sum -= units;
                }
                *sum
            }
            _ => 0,
        }
    }

    /// Adds an admission after [`Exact::count`]; returns how many units count then.
    pub fn add(&mut self, admission: &Admission) -> u64 {
        let counted = self.count(admission);
        let Admission {
            at_us,
            units,
            ends_us,
            object_ms,
        } = *admission;
        match (&mut self.kept, &self.rule) {
            (Kept::Log { log, sum, .. }, _) => {
                match log.back_mut() {
                    Some((last_us, held)) if *last_us == at_us => *held += units,
                    _ => log.push_back((at_us, units)),
                }
                *sum += units;
                *sum
            }
            (Kept::Bucket { empty_ns }, MeterRule::Bucket(rule)) => {
                let from_ns = (*empty_ns).max(u128::from(at_us) * 1_000);
                *empty_ns = from_ns + u128::from(units) * u128::from(rule.interval_ns);
                self.count(admission)
            }
            (Kept::Periods(periods), MeterRule::Period(rule)) => {
                let number = object_ms / span_ms(&rule.span);
                match periods.iter_mut().find(|(period, _)| *period == number) {
                    Some((_, held)) => *held += units,
                    None => periods.push_back((number, units)),
                }
                if periods.len() > 4 {
                    periods.pop_front();
                }
                counted + units
            }
            (Kept::Open { ends, sum }, MeterRule::Permits(rule)) => {
                let ends_us = ends_us.min(at_us + rule.window_ms * 1_000);
                ends.push(Reverse((ends_us, units)));
                *sum += units;
                *sum
            }
            _ => counted,
        }
    }

    /// Of a window: units admitted at `from_us` or later.
    pub fn since(&self, from_us: u64) -> Option<u64> {
        let Kept::Log { log, .. } = &self.kept else {
            return None;
        };
        let counted = log.iter().filter(|(at_us, _)| *at_us >= from_us);
        Some(counted.map(|(_, units)| units).sum())
    }

    pub fn window_ms(&self) -> u64 {
        self.rule.window_ms().unwrap_or(0)
    }

    pub fn capacity(&self) -> u64 {
        self.rule.capacity()
    }
}

fn span_ms(span: &Span) -> u64 {
    match span {
        Span::Fixed { window_ms } => *window_ms,
        Span::Day { .. } | Span::Month { .. } => DAY_MS,
    }
}
