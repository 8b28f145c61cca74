//! The bucket: pure arithmetic over the one instant at which it will have run empty.
//!
//! Owns: the arithmetic of `token_bucket` and `leaky_bucket`, which is the same. Does not own:
//! storage, the clock, and what is lent (`limit::row`). Called by: `limit::meter`.
//!
//! Exactness: each unit moves the instant by one interval, and a unit passes only if the instant
//! stays within one full bucket of now. So of units that pass in `(t1, t2]` the first leaves the
//! instant later than `t1` and one interval, each other adds an interval, and the last leaves it
//! at most a full bucket after `t2`: they are at most `capacity + (t2 - t1) / interval`, whatever
//! the clock does between. Nothing is rounded but the interval, once and up.
//!
//! Source: the generic cell rate algorithm of ITU-T I.371, in its form of virtual scheduling.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;

const NS_PER_MS: u64 = 1_000_000;
const NS_PER_S: f64 = 1e9;
/// Longest time between two units, some 104 days: up to here a float tells integers apart.
const INTERVAL_NS_MAX: f64 = 9_007_199_254_740_992.0;
/// An instant too late to be told, in the year 2554 or after: such a bucket stays full for good.
const NEVER: u64 = u64::MAX;

/// A limit that fills and drains.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct BucketRule {
    /// Units that pass at once; at least 1.
    pub capacity: u64,
    /// Time in which one unit drains; at least 1.
    pub interval_ns: u64,
}

impl BucketRule {
    /// The rule of so many units a second, with an interval rounded up, so that never more pass
    /// than the rate says. `None` for a rate that is not a number above zero, or of less than one
    /// unit in 104 days. Rates above 10⁹ are held at 10⁹.
    pub fn per_second(rate: f64, capacity: u64) -> Option<Self> {
        let interval_ns = (NS_PER_S / rate).trunc().max(1.0);
        if !rate.is_finite() || rate <= 0.0 || interval_ns >= INTERVAL_NS_MAX {
            return None;
        }
        // Whether one more is needed the quotient can not say: it may have been rounded to an
        // integer. The fused product is exact in its sign.
        let is_short = interval_ns.mul_add(rate, -NS_PER_S) < 0.0;
        Some(Self {
            capacity,
            interval_ns: (interval_ns as u64).saturating_add(u64::from(is_short)),
        })
    }

    /// The time in which a full bucket runs empty, rounded up.
    pub fn drain_ms(self) -> u64 {
        let drain_ns = u128::from(self.capacity) * u128::from(self.interval_ns);
        u64::try_from(drain_ns.div_ceil(u128::from(NS_PER_MS))).unwrap_or(u64::MAX)
    }
}

/// Units that have not drained yet.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Bucket {
    /// The interval that the instant was reckoned with; 0 in a bucket that was never used.
    interval_ns: u64,
    /// When it will be empty, in Unix nanoseconds; [`NEVER`] stands for any later instant.
    empty_at_ns: u64,
    /// When the interval last changed.
    fitted_at_ms: UnixMs,
}

impl Bucket {
    /// Reckons anew for a rule with another interval: the units that count now, rounded up, keep
    /// counting and drain at the new rate. O(1).
    pub fn fit(&mut self, rule: BucketRule, now_ms: UnixMs) {
        if self.interval_ns == rule.interval_ns {
            return;
        }
        if self.interval_ns != 0 {
            let used = self.used(rule, now_ms);
            self.fitted_at_ms = now_ms;
            if used > 0 {
                self.empty_at_ns = later(ns(now_ms), used, rule.interval_ns);
            }
        }
        self.interval_ns = rule.interval_ns;
    }

    /// Units that count at `now_ms`, rounded up. `u64::MAX` if they can not be told. O(1).
    pub fn used(&self, _rule: BucketRule, now_ms: UnixMs) -> u64 {
        if self.empty_at_ns == NEVER {
            return u64::MAX;
        }
        // By the interval of its own, so that it is the same before `fit` and after it.
        let left_ns = self.empty_at_ns.saturating_sub(ns(now_ms));
        left_ns.div_ceil(self.interval_ns.max(1))
    }

    /// Charges `units` as used at `at_ms`, which may lie before and after that of other units;
    /// whether there is room was asked before. More than the capacity is a debt.
    ///
    /// Told late, they count at least as long as if they were told at once: the time that the
    /// bucket stood empty since `at_ms` is not taken off. Total: no input panics. O(1).
    pub fn take(&mut self, rule: BucketRule, at_ms: UnixMs, units: u64) {
        if self.interval_ns == 0 {
            self.interval_ns = rule.interval_ns;
        }
        if units > 0 {
            let from_ns = self.empty_at_ns.max(ns(at_ms));
            // They differ only where nobody called `fit`; then the longer one counts.
            let interval_ns = self.interval_ns.max(rule.interval_ns);
            self.empty_at_ns = later(from_ns, units, interval_ns);
        }
    }

    /// Frees `units` that were taken at `at_ms` for nothing. `now_ms` is not before any instant
    /// that was charged since.
    ///
    /// Not all of their time is freed. Call E the instant with them and F the instant if they had
    /// never been taken. At `at_ms` the bucket with them ran empty later by their whole time, and
    /// what is charged later moves E and F alike; the lead shrinks only while the bucket without
    /// them stands empty, and by no more than that time. So now it is at least their time less
    /// what has passed since `at_ms`, and this much may be freed: E does not fall below F.
    /// What was reckoned at another rate has another lead; then nothing is freed.
    pub fn give_back(&mut self, rule: BucketRule, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        let now_ns = ns(now_ms);
        let is_refit = self.interval_ns != rule.interval_ns
            || (self.fitted_at_ms > 0 && at_ms <= self.fitted_at_ms);
        if is_refit || self.empty_at_ns == NEVER || self.empty_at_ns <= now_ns {
            return;
        }
        let passed_ns = now_ns.saturating_sub(ns(at_ms));
        let freed_ns = units
            .saturating_mul(rule.interval_ns)
            .saturating_sub(passed_ns);
        self.empty_at_ns = self.empty_at_ns.saturating_sub(freed_ns).max(now_ns);
    }

    /// The smallest wait after which `units`, not more than the capacity, have room if nothing
    /// else is charged; at least 1. `u64::MAX` if there is none that can be told. O(1).
    pub fn wait_ms(&self, rule: BucketRule, now_ms: UnixMs, units: u64) -> u64 {
        let mut fitted = self.clone();
        fitted.fit(rule, now_ms);
        if fitted.empty_at_ns == NEVER {
            return u64::MAX;
        }
        let room = rule.capacity.saturating_sub(units);
        let room_ns = room.saturating_mul(rule.interval_ns);
        let free_at_ms = fitted
            .empty_at_ns
            .saturating_sub(room_ns)
            .div_ceil(NS_PER_MS);
        free_at_ms.saturating_sub(now_ms).max(1)
    }

    /// When the last unit has drained, rounded up; 0 if none was ever charged.
    pub fn empty_at_ms(&self) -> UnixMs {
        match self.empty_at_ns {
            NEVER => UnixMs::MAX,
            empty_at_ns => empty_at_ns.div_ceil(NS_PER_MS),
        }
    }
}

/// An instant in nanoseconds; one that is too late becomes [`NEVER`].
fn ns(at_ms: UnixMs) -> u64 {
    at_ms.saturating_mul(NS_PER_MS)
}

/// The time of so many units after an instant; [`NEVER`] if that is too late.
fn later(from_ns: u64, units: u64, interval_ns: u64) -> u64 {
    from_ns.saturating_add(units.saturating_mul(interval_ns.max(1)))
}

#[cfg(test)]
mod tests;
