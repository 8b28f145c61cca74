//! The algorithms behind one face: what counts now, and for how long.
//!
//! Owns: the choice between them, and what each lends. Does not own: their arithmetic
//! (`limit::{window, bucket, period}`). Called by: `limit::row`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::bucket::{Bucket, BucketRule};
use crate::limit::period::{Period, PeriodRule};
use crate::limit::window::{Window, WindowRule};

/// Longest time that units are lent for: also how long a revoked credential may pass
/// (`limit::standing`).
pub const LEASE_MS_MAX: u64 = 2_000;
/// Shortest: less is over before the answer is there.
pub const LEASE_MS_MIN: u64 = 500;
/// Most of a limit that one lease may hold: a part of this many.
const LEASE_PART: u64 = 50;
/// The same of a limit of more than [`WIDE_MIN`] units, and of a bucket.
const LEASE_PART_WIDE: u64 = 20;
const LEASE_PART_BUCKET: u64 = 4;
const WIDE_MIN: u64 = 1_000;
const SHORTEST_MONTH_MS: u64 = 28 * 86_400_000;
/// Longest window of which shares are lent.
pub const SHARED_MS_MAX: u64 = 5_000;
/// Smallest limit that is shared.
const SHARED_MIN: u64 = 10;

/// A limit as it is counted, whatever the policy calls it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterRule {
    /// `sliding_window`.
    Window(WindowRule),
    /// `token_bucket` and `leaky_bucket`.
    Bucket(BucketRule),
    /// `fixed_window` and `calendar`.
    Period(PeriodRule),
    /// `concurrency`: a permit is held until it is given back, or for the window where nobody does.
    Permits(WindowRule),
}

/// What was used of a limit and still counts.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meter {
    Window(Window),
    Bucket(Bucket),
    Period(Period),
    Permits(Window),
}

impl MeterRule {
    /// Most units that may count at once.
    pub fn capacity(&self) -> u64 {
        match self {
            Self::Window(rule) | Self::Permits(rule) => rule.limit,
            Self::Bucket(rule) => rule.capacity,
            Self::Period(rule) => rule.limit,
        }
    }

    /// The length of the window that callers are told, where there is one length.
    pub fn window_ms(&self) -> Option<u64> {
        match self {
            Self::Window(rule) => Some(rule.window_ms),
            Self::Bucket(rule) => Some(rule.drain_ms()),
            Self::Period(rule) => rule.span.length_ms(),
            Self::Permits(_) => None,
        }
    }

    /// The time over which what is refunded is bounded.
    pub fn refund_window_ms(&self) -> u64 {
        match self {
            Self::Permits(rule) => rule.window_ms,
            _ => self.window_ms().unwrap_or(SHORTEST_MONTH_MS),
        }
    }

    /// Most units of one lease; 0 where a limit is too small to share, or is of permits.
    pub fn lease_units_max(&self) -> u64 {
        match self {
            Self::Permits(_) => 0,
            Self::Bucket(rule) => rule.capacity / LEASE_PART_BUCKET,
            _ if self.shared().is_some() => match self.capacity() {
                0..SHARED_MIN => 0,
                capacity => capacity,
            },
            Self::Window(_) | Self::Period(_) => match self.capacity() {
                capacity @ 0..=WIDE_MIN => capacity / LEASE_PART,
                capacity => capacity / LEASE_PART_WIDE,
            },
        }
    }

    /// The window of which shares are lent, and not units: one so short that a unit which was lent
    /// and not used would be held for much of it.
    pub fn shared(&self) -> Option<WindowRule> {
        match self {
            Self::Window(rule) if rule.window_ms <= SHARED_MS_MAX => Some(*rule),
            _ => None,
        }
    }

    /// How long units are lent for: a unit that is lent and not used is held so much longer.
    pub fn lease_ms(&self) -> u64 {
        match self {
            _ if self.shared().is_some() => LEASE_MS_MAX,
            Self::Window(rule) | Self::Permits(rule) => {
                (rule.window_ms / 30).clamp(LEASE_MS_MIN, LEASE_MS_MAX)
            }
            Self::Bucket(rule) => (rule.drain_ms() / 4).clamp(LEASE_MS_MIN, LEASE_MS_MAX),
            Self::Period(_) => LEASE_MS_MAX,
        }
    }
}

impl Meter {
    /// An empty one.
    pub fn new(rule: &MeterRule) -> Self {
        match rule {
            MeterRule::Window(rule) => Self::Window(Window::of(*rule)),
            MeterRule::Bucket(_) => Self::Bucket(Bucket::default()),
            MeterRule::Period(_) => Self::Period(Period::default()),
            MeterRule::Permits(rule) => Self::Permits(Window::of(*rule)),
        }
    }

    /// Reckons what counts anew for a rule that changed. Under another algorithm what counted
    /// counts as used now.
    #[must_use]
    pub fn fit(mut self, old: &MeterRule, rule: &MeterRule, now_ms: UnixMs) -> Self {
        match (&mut self, rule) {
            (Self::Window(window), MeterRule::Window(rule))
            | (Self::Permits(window), MeterRule::Permits(rule)) => window.fit(*rule),
            (Self::Bucket(bucket), MeterRule::Bucket(rule)) => bucket.fit(*rule, now_ms),
            (Self::Period(period), MeterRule::Period(rule)) => period.fit(rule, now_ms),
            _ => {
                let used = self.used(old, now_ms).min(rule.capacity());
                self = Self::new(rule);
                self.take(rule, now_ms, used);
            }
        }
        self
    }

    /// Units that count at `now_ms`.
    pub fn used(&self, rule: &MeterRule, now_ms: UnixMs) -> u64 {
        match (self, rule) {
            (Self::Window(window), MeterRule::Window(_))
            | (Self::Permits(window), MeterRule::Permits(_)) => window.used(now_ms),
            (Self::Bucket(bucket), MeterRule::Bucket(rule)) => bucket.used(*rule, now_ms),
            (Self::Period(period), MeterRule::Period(rule)) => period.used(rule, now_ms),
            // Another algorithm's: `fit` comes first. Until then nothing is free.
            _ => rule.capacity(),
        }
    }

    /// Charges `units` as used at `at_ms`, not later than now; whether there is room was asked
    /// before, or the units were used all the same.
    pub fn take(&mut self, rule: &MeterRule, at_ms: UnixMs, units: u64) {
        match (self, rule) {
            (Self::Window(window), MeterRule::Window(rule))
            | (Self::Permits(window), MeterRule::Permits(rule)) => window.take(*rule, at_ms, units),
            (Self::Bucket(bucket), MeterRule::Bucket(rule)) => bucket.take(*rule, at_ms, units),
            (Self::Period(period), MeterRule::Period(rule)) => period.take(rule, at_ms, units),
            _ => {}
        }
    }

    /// Forgets what does not count any more at `now_ms`.
    pub fn forget(&mut self, now_ms: UnixMs) {
        match self {
            Self::Window(window) | Self::Permits(window) => window.forget(now_ms),
            Self::Bucket(_) | Self::Period(_) => {}
        }
    }

    /// Frees units that were taken at `at_ms` for nothing; those free by themselves are nobody's to
    /// give.
    pub fn give_back(&mut self, rule: &MeterRule, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        match (self, rule) {
            (Self::Window(window), MeterRule::Window(rule))
            | (Self::Permits(window), MeterRule::Permits(rule)) => {
                window.give_back(*rule, now_ms, at_ms, units);
            }
            (Self::Bucket(bucket), MeterRule::Bucket(rule)) => {
                bucket.give_back(*rule, now_ms, at_ms, units);
            }
            (Self::Period(period), MeterRule::Period(rule)) => {
                period.give_back(rule, now_ms, at_ms, units);
            }
            _ => {}
        }
    }

    /// The smallest wait after which `units`, not more than the capacity, have room if nothing
    /// else is charged; at least 1.
    pub fn wait_ms(&self, rule: &MeterRule, now_ms: UnixMs, units: u64) -> u64 {
        match (self, rule) {
            (Self::Window(window), MeterRule::Window(rule))
            | (Self::Permits(window), MeterRule::Permits(rule)) => {
                window.wait_ms(*rule, now_ms, units)
            }
            (Self::Bucket(bucket), MeterRule::Bucket(rule)) => bucket.wait_ms(*rule, now_ms, units),
            (Self::Period(period), MeterRule::Period(rule)) => period.wait_ms(rule, now_ms, units),
            _ => 1,
        }
    }

    /// When the last unit stops counting; 0 if none does.
    pub fn empty_at_ms(&self) -> UnixMs {
        match self {
            Self::Window(window) | Self::Permits(window) => window.empty_at_ms(),
            Self::Bucket(bucket) => bucket.empty_at_ms(),
            Self::Period(period) => period.empty_at_ms(),
        }
    }

    /// The instant after which nothing that is used now counts: where a period ends, leases end.
    pub fn ends_at_ms(&self, rule: &MeterRule, now_ms: UnixMs) -> UnixMs {
        match (self, rule) {
            (Self::Period(period), MeterRule::Period(rule)) => period.end_ms(rule, now_ms),
            _ => UnixMs::MAX,
        }
    }
}
