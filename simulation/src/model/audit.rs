//! What passed, counted in true time and with nothing but the definition of each limit.
//!
//! Owns: the judgment whether too many passed. Shares no code with the limits.

use crate::limit::meter::MeterRule;
use crate::limit::period::Span;

const NS_PER_MS: u64 = 1_000_000;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Passed {
    /// `(instant, units)` of the last window.
    Window(Vec<(u64, u64)>),
    /// When the exact bucket, into which each unit falls as it passes, is empty.
    Bucket { empty_at_ns: u64 },
    /// `(period, units)`.
    Period(Vec<(u64, u64)>),
}

impl Passed {
    pub fn new(rule: &MeterRule) -> Self {
        match rule {
            MeterRule::Window(_) | MeterRule::Permits(_) => Self::Window(Vec::new()),
            MeterRule::Bucket(_) => Self::Bucket { empty_at_ns: 0 },
            MeterRule::Period(_) => Self::Period(Vec::new()),
        }
    }

    /// Notes units that pass now; says whether they are within the limit.
    ///
    /// - `period_ms`: the instant as the object has it, for a period is a matter of its clock.
    pub fn note(&mut self, rule: &MeterRule, now_ms: u64, period_ms: u64, units: u64) -> bool {
        match (self, rule) {
            (Self::Window(log), MeterRule::Window(rule) | MeterRule::Permits(rule)) => {
                match log.last_mut() {
                    Some((at_ms, sum)) if *at_ms == now_ms => *sum += units,
                    _ => log.push((now_ms, units)),
                }
                let within = log
                    .iter()
                    .filter(|(at_ms, _)| at_ms + rule.window_ms > now_ms);
                within.map(|(_, units)| units).sum::<u64>() <= rule.limit
            }
            (Self::Bucket { empty_at_ns }, MeterRule::Bucket(rule)) => {
                let now_ns = now_ms * NS_PER_MS;
                *empty_at_ns = (*empty_at_ns).max(now_ns) + units * rule.interval_ns;
                *empty_at_ns - now_ns <= rule.capacity * rule.interval_ns
            }
            (Self::Period(log), MeterRule::Period(rule)) => {
                let index = period_ms / period_length_ms(&rule.span);
                match log.iter_mut().find(|(period, _)| *period == index) {
                    Some((_, sum)) => *sum += units,
                    None => log.push((index, units)),
                }
                log.iter()
                    .all(|(period, units)| *period != index || *units <= rule.limit)
            }
            _ => false,
        }
    }

    /// Takes back what was noted at `at_ms`: it did not pass after all.
    pub fn retract(&mut self, at_ms: u64, units: u64) {
        if let Self::Window(log) = self {
            for (at, sum) in log.iter_mut().filter(|(at, _)| *at == at_ms) {
                debug_assert!(*sum >= units, "{at}");
                *sum -= units;
            }
            log.retain(|(_, sum)| *sum > 0);
        }
    }

    /// Units that passed in the last window.
    pub fn units(&self) -> u64 {
        match self {
            Self::Window(log) | Self::Period(log) => log.iter().map(|(_, units)| units).sum(),
            Self::Bucket { .. } => 0,
        }
    }

    /// Forgets what no window holds any more.
    pub fn forget(&mut self, rule: &MeterRule, now_ms: u64) {
        match (self, rule) {
            (Self::Window(log), MeterRule::Window(rule) | MeterRule::Permits(rule)) => {
                log.retain(|(at_ms, _)| at_ms + rule.window_ms > now_ms);
            }
            (Self::Bucket { empty_at_ns }, _) if *empty_at_ns <= now_ms * NS_PER_MS => {
                *empty_at_ns = 0;
            }
            _ => {}
        }
    }

    /// Whether all passed that the limit allows.
    pub fn is_full(&self, rule: &MeterRule, now_ms: u64) -> bool {
        match (self, rule) {
            (Self::Window(log), _) => {
                log.iter().map(|(_, units)| units).sum::<u64>() == rule.capacity()
            }
            (Self::Bucket { empty_at_ns }, MeterRule::Bucket(rule)) => {
                let level_ns = empty_at_ns.saturating_sub(now_ms * NS_PER_MS);
                level_ns > (rule.capacity - 1) * rule.interval_ns
            }
            (Self::Period(log), _) => log.iter().any(|(_, units)| *units == rule.capacity()),
            _ => false,
        }
    }
}

fn period_length_ms(span: &Span) -> u64 {
    span.length_ms().unwrap_or(u64::MAX)
}
