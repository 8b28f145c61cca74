//! The period: pure arithmetic over one count that starts anew at fixed instants.
//!
//! Owns: the arithmetic of `fixed_window` and `calendar`. Does not own: days and months
//! (`limit::period::calendar`), storage, the clock, and what is lent (`limit::row`).
//! Called by: `limit::meter`.
//!
//! Exactness: periods tile time, so each instant lies in one of them, and no more than `limit`
//! units are used in any. Of a period that is over nothing is kept; so nothing passes in it any
//! more, should the clock run back. Across the edge of two periods up to twice the limit may be
//! used within a moment: that is what such a limit says, and a sliding window says otherwise.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;

mod calendar;

pub use calendar::is_timezone;
use calendar::{Unit, bounds_ms};

/// The day that callers are told. Where clocks change, one of 23 or 25 hours comes twice a year.
const DAY_MS: u64 = 86_400_000;

/// Into which periods time is cut.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Of one length, from 1970-01-01 UTC on.
    Fixed { window_ms: u64 },
    /// From midnight to midnight of a time zone, by its IANA name.
    Day { timezone: String },
    /// From the first of a month to the next.
    Month { timezone: String },
}

impl Span {
    /// The length that callers are told; months have none.
    pub fn length_ms(&self) -> Option<u64> {
        match self {
            Self::Fixed { window_ms } => Some(*window_ms),
            Self::Day { .. } => Some(DAY_MS),
            Self::Month { .. } => None,
        }
    }

    /// First instant of the period that contains `at_ms`, and of the next one. The end of the last
    /// period that can be told is `u64::MAX`. Total.
    fn bounds_ms(&self, at_ms: UnixMs) -> (UnixMs, UnixMs) {
        match self {
            Self::Fixed { window_ms } => {
                let window_ms = (*window_ms).max(1);
                let start_ms = at_ms - at_ms % window_ms;
                (start_ms, start_ms.saturating_add(window_ms))
            }
            Self::Day { timezone } => bounds_ms(timezone, Unit::Day, at_ms),
            Self::Month { timezone } => bounds_ms(timezone, Unit::Month, at_ms),
        }
    }
}

/// A limit for each period.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PeriodRule {
    /// Units that any period may hold; at least 1.
    pub limit: u64,
    pub span: Span,
}

/// Units used in the latest period in which any were.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Period {
    /// First instant of the period.
    start_ms: UnixMs,
    /// First instant of the next one; 0 if none was ever used.
    end_ms: UnixMs,
    used: u64,
}

impl Period {
    /// Reckons anew for a rule with other periods: if the stored period shares an instant with the
    /// one that now lies in, its units were used, or may have been, in that one, and count there.
    pub fn fit(&mut self, rule: &PeriodRule, now_ms: UnixMs) {
        let (start_ms, end_ms) = rule.span.bounds_ms(now_ms);
        if self.start_ms < end_ms && !self.is_over(start_ms) {
            (self.start_ms, self.end_ms) = (start_ms, end_ms);
        }
    }

    /// Units that count at `now_ms`. All of the limit where the stored period is a later one: the
    /// clock ran back, and how much was used before is forgotten. O(1), no allocation.
    pub fn used(&self, rule: &PeriodRule, now_ms: UnixMs) -> u64 {
        if self.is_over(now_ms) {
            0
        } else if now_ms < self.start_ms {
            self.used.max(rule.limit)
        } else {
            self.used
        }
    }

    /// Charges `units` as used at `at_ms`; whether there is room was asked before. Those used
    /// before the stored period belong to one that is over, and are not counted.
    /// Total: no input panics. O(1), but for the first units of a day or month.
    pub fn take(&mut self, rule: &PeriodRule, at_ms: UnixMs, units: u64) {
        if units == 0 || at_ms < self.start_ms {
            return;
        }
        if self.is_over(at_ms) {
            (self.start_ms, self.end_ms) = rule.span.bounds_ms(at_ms);
            self.used = 0;
        }
        self.used = self.used.saturating_add(units);
    }

    /// Frees `units` that were taken at `at_ms` for nothing, if that was in the period of now.
    pub fn give_back(&mut self, _rule: &PeriodRule, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        if self.contains(now_ms) && self.contains(at_ms) {
            self.used = self.used.saturating_sub(units);
        }
    }

    /// The smallest wait after which `units`, not more than the limit, have room if nothing else
    /// is charged; at least 1. O(1).
    pub fn wait_ms(&self, rule: &PeriodRule, now_ms: UnixMs, units: u64) -> u64 {
        let has_room = self.used.saturating_add(units) <= rule.limit;
        let free_at_ms = match has_room {
            true => self.start_ms,
            false => self.end_ms,
        };
        free_at_ms.saturating_sub(now_ms).max(1)
    }

    /// When the last unit stops counting; 0 if none counts.
    pub fn empty_at_ms(&self) -> UnixMs {
        if self.used > 0 { self.end_ms } else { 0 }
    }

    /// The end of the period that contains `now_ms`: the first instant of the next.
    pub fn end_ms(&self, rule: &PeriodRule, now_ms: UnixMs) -> UnixMs {
        if self.contains(now_ms) {
            return self.end_ms;
        }
        rule.span.bounds_ms(now_ms).1
    }

    fn contains(&self, at_ms: UnixMs) -> bool {
        self.start_ms <= at_ms && !self.is_over(at_ms)
    }

    /// The last period that can be told is never over.
    fn is_over(&self, at_ms: UnixMs) -> bool {
        self.end_ms <= at_ms && self.end_ms != UnixMs::MAX
    }
}

#[cfg(test)]
mod tests;
