//! How fast an isolate uses a limit: what it asks to have lent follows from it, never from a guess.
//!
//! Owns: that estimate, in whole numbers. Called by: `limit::purse`.

use crate::facts::UnixMs;

/// How long units are gathered before the estimate follows them.
const SPAN_MS: u64 = 1_000;
/// After this long without a unit the past says nothing any more.
const FORGET_MS: u64 = 4_000;
/// Units that have to come before anything is lent ahead of them.
const UNITS_MIN: u64 = 3;
/// Slowest rate that is worth lending for, in thousandths of a unit a second.
const RATE_MIN: u64 = 1_000;

/// Units over time.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Demand {
    since_ms: UnixMs,
    units: u64,
    /// Thousandths of a unit a second, over the spans before.
    rate: u64,
}

impl Demand {
    /// Counts units that were asked for.
    pub fn note(&mut self, now_ms: UnixMs, units: u64) {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        if passed_ms >= SPAN_MS {
            let newest = per_second(self.units, passed_ms);
            self.rate = match passed_ms {
                FORGET_MS.. => newest,
                _ => self.rate.midpoint(newest),
            };
            self.since_ms = now_ms;
            self.units = 0;
        }
        self.units = self.units.saturating_add(units);
    }

    /// Units that are likely to be asked for within `ms`; 0 where it is too few to tell.
    pub fn within(&self, now_ms: UnixMs, ms: u64) -> u64 {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        if passed_ms >= FORGET_MS {
            return 0;
        }
        let newest = match self.units {
            0..UNITS_MIN => 0,
            units => per_second(units, passed_ms.max(SPAN_MS / 2)),
        };
        match self.rate.max(newest) {
            0..RATE_MIN => 0,
            rate => rate.saturating_mul(ms).div_ceil(1_000_000),
        }
    }
}

fn per_second(units: u64, ms: u64) -> u64 {
    units.saturating_mul(1_000_000) / ms.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_told_and_a_few_requests_are_none() {
        let mut demand = Demand::default();
        let start_ms = 1_800_000_000_000;
        demand.note(start_ms, 1);
        demand.note(start_ms + 10, 1);
        assert_eq!(demand.within(start_ms + 10, 2_000), 0);
        for tick in 2..500 {
            demand.note(start_ms + tick * 10, 1);
        }
        let told = demand.within(start_ms + 5_000, 2_000);
        assert!((195..=205).contains(&told), "{told}");
        assert_eq!(demand.within(start_ms + 5_000 + FORGET_MS, 2_000), 0);
    }

    #[test]
    fn a_slow_caller_is_lent_nothing() {
        let mut demand = Demand::default();
        for tick in 0..10 {
            demand.note(tick * 1_500, 1);
        }
        assert_eq!(demand.within(13_600, 2_000), 0);
    }
}
