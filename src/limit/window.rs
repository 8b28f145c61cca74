//! The sliding window: one pure decision over a short list of when units become free again.
//!
//! Owns: the arithmetic. Does not own: storage and the clock (`edge::limiter`).
//! Called by: `limit::ledger` inside a Durable Object, `limit::memory` when an object is away.
//!
//! Exactness: a unit counts until its entry is wholly outside the window, so in every interval of
//! one window's length at most `limit` units are granted. The price is that a unit may be held
//! up to one grain (1/128 of the window, 1 ms for limits up to 128) longer than it must.
//! This is the conservative bucketed log; a two-counter sliding window admits up to twice the
//! limit under the same adversary (`docs/decisions/0006-exact-window.md`).

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;

/// Most entries of one window: what one stored row can hold.
pub const ENTRIES_MAX: usize = 130;
/// Parts that a window of a large limit is cut into.
const GRAINS: u64 = 128;

/// A limit over a sliding window.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WindowRule {
    /// Units that any window may hold; at least 1.
    pub limit: u64,
    /// Length of the window; at least 1.
    pub window_ms: u64,
}

/// Units not yet free again: `(release instant in Unix ms, units)`, oldest first.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Window(Vec<(UnixMs, u64)>);

/// What a window says to a charge that it has room for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    /// Units left after the charge.
    pub remaining: u64,
    /// The instant at which the charge's units are free again; names them for [`Window::give_back`].
    pub release_at_ms: UnixMs,
    /// Milliseconds until the oldest units are free again; at least 1.
    pub frees_in_ms: u64,
}

/// What a window says to a charge that it has no room for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Full {
    /// The smallest wait after which the same charge has room if nothing else is charged; at least 1.
    Until { retry_after_ms: u64 },
    /// More units than the limit: no wait helps.
    Never,
}

impl Window {
    /// Decides whether `units` have room at `now_ms`, without taking them.
    ///
    /// - `now_ms`: Unix milliseconds; may run backwards, which never admits more than the limit.
    /// - `units`: 0 always has room.
    ///
    /// Total: no input panics. O(entries), no allocation.
    pub fn room(&self, rule: WindowRule, now_ms: UnixMs, units: u64) -> Result<Room, Full> {
        if units > rule.limit {
            return Err(Full::Never);
        }
        let used = self.used(now_ms);
        let free = rule.limit.saturating_sub(used);
        if units > free {
            return Err(Full::Until { retry_after_ms: self.wait_ms(rule, now_ms, units) });
        }
        let release_at_ms = self.release_at_ms(rule, now_ms);
        let oldest = self.0.iter().find(|(release, _)| *release > now_ms);
        let oldest_ms = oldest.map_or(release_at_ms, |(release, _)| *release);
        Ok(Room {
            remaining: free - units,
            release_at_ms,
            frees_in_ms: oldest_ms.saturating_sub(now_ms).max(1),
        })
    }

    /// Takes `units` that [`Window::room`] found room for, and forgets what has become free.
    pub fn take(&mut self, now_ms: UnixMs, room: Room, units: u64) {
        self.0.retain(|(release, _)| *release > now_ms);
        if units == 0 {
            return;
        }
        match self.0.last_mut() {
            Some((release, held)) if *release == room.release_at_ms => {
                *held = held.saturating_add(units);
            }
            _ => self.0.push((room.release_at_ms, units)),
        }
        while self.0.len() > ENTRIES_MAX {
            self.merge_oldest();
        }
    }

    /// Frees `units` that were taken for a request which another limit refused.
    /// Units that have become free by themselves, or were merged away, are left alone.
    pub fn give_back(&mut self, release_at_ms: UnixMs, units: u64) {
        if let Some(entry) = self.0.iter_mut().find(|(release, _)| *release >= release_at_ms) {
            entry.1 = entry.1.saturating_sub(units);
        }
        self.0.retain(|(_, held)| *held > 0);
    }

    /// Units that count at `now_ms`.
    pub fn used(&self, now_ms: UnixMs) -> u64 {
        let held = self.0.iter().filter(|(release, _)| *release > now_ms);
        held.fold(0, |sum, (_, units)| sum.saturating_add(*units))
    }

    /// When the last units are free again; 0 if none are held.
    pub fn empty_at_ms(&self) -> UnixMs {
        self.0.last().map_or(0, |(release, _)| *release)
    }

    /// The end of the grain that `now_ms` lies in, one window later: the first instant at which no
    /// moment of this grain can lie inside the window. Never before an earlier unit's, so that a
    /// clock that runs backwards frees nothing early.
    fn release_at_ms(&self, rule: WindowRule, now_ms: UnixMs) -> UnixMs {
        let grain_ms = match rule.limit {
            0..=GRAINS => 1,
            _ => rule.window_ms.div_ceil(GRAINS).max(1),
        };
        let grain_end_ms = (now_ms / grain_ms).saturating_add(1).saturating_mul(grain_ms);
        grain_end_ms.saturating_add(rule.window_ms).max(self.empty_at_ms())
    }

    fn wait_ms(&self, rule: WindowRule, now_ms: UnixMs, units: u64) -> u64 {
        let mut used = self.used(now_ms);
        for (release, held) in self.0.iter().filter(|(release, _)| *release > now_ms) {
            used = used.saturating_sub(*held);
            if used.saturating_add(units) <= rule.limit {
                return release.saturating_sub(now_ms).max(1);
            }
        }
        // Reached only if the limit is below what is asked, which `room` answered before.
        rule.window_ms.max(1)
    }

    /// Holds the oldest units a little longer, so that the row stays bounded.
    fn merge_oldest(&mut self) {
        let (_, units) = self.0.remove(0);
        if let Some(next) = self.0.first_mut() {
            next.1 = next.1.saturating_add(units);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charge(window: &mut Window, rule: WindowRule, now_ms: u64, units: u64) -> Result<Room, Full> {
        let room = window.room(rule, now_ms, units)?;
        window.take(now_ms, room, units);
        Ok(room)
    }

    /// The most units admitted in any interval of `(t - window, t]`, by brute force.
    fn worst_window(admitted: &[(u64, u64)], window_ms: u64) -> u64 {
        let in_window = |end: u64| {
            admitted.iter().filter(|(at, _)| *at <= end && at + window_ms > end).map(|(_, n)| n).sum()
        };
        admitted.iter().map(|(at, _)| in_window(*at)).max().unwrap_or(0)
    }

    #[test]
    fn the_limit_and_not_one_more() {
        let rule = WindowRule { limit: 3, window_ms: 1_000 };
        let mut window = Window::default();
        let remaining: Vec<_> =
            (0..3).map(|_| charge(&mut window, rule, 10, 1).map(|room| room.remaining)).collect();
        assert_eq!(remaining, [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(charge(&mut window, rule, 10, 1), Err(Full::Until { retry_after_ms: 1_001 }));
        assert!(charge(&mut window, rule, 1_010, 1).is_err());
        assert!(charge(&mut window, rule, 1_011, 1).is_ok());
    }

    #[test]
    fn a_charge_above_the_limit_is_told_that_no_wait_helps() {
        let rule = WindowRule { limit: 3, window_ms: 1_000 };
        assert!(Window::default().room(rule, 0, 3).is_ok());
        assert_eq!(Window::default().room(rule, 0, 4), Err(Full::Never));
    }

    #[test]
    fn a_refused_charge_costs_nothing() {
        let rule = WindowRule { limit: 1, window_ms: 1_000 };
        let mut window = Window::default();
        assert!(charge(&mut window, rule, 0, 1).is_ok());
        let before = window.clone();
        for now_ms in 0..1_000 {
            assert!(charge(&mut window, rule, now_ms, 1).is_err());
        }
        assert_eq!(window, before);
    }

    #[test]
    fn units_given_back_are_free_at_once_and_only_once() {
        let rule = WindowRule { limit: 2, window_ms: 1_000 };
        let mut window = Window::default();
        let first = charge(&mut window, rule, 0, 1).unwrap();
        charge(&mut window, rule, 5, 1).unwrap();
        window.give_back(first.release_at_ms, 1);
        assert_eq!(window.used(5), 1);
        window.give_back(u64::MAX, 1);
        assert_eq!(window.used(5), 1);
    }

    #[test]
    fn the_row_stays_bounded_and_no_unit_is_freed_early() {
        // A rule that is changed under a full row keeps its entries.
        let wide = WindowRule { limit: 1_000_000, window_ms: 1_000_000 };
        let narrow = WindowRule { limit: 128, window_ms: 1_000_000 };
        let mut window = Window::default();
        let mut admitted = Vec::new();
        for now_ms in 0..600_000_u64 {
            let rule = if now_ms < 400_000 { wide } else { narrow };
            if now_ms % 997 == 0 && charge(&mut window, rule, now_ms, 1).is_ok() {
                admitted.push((now_ms, 1));
            }
            assert!(window.0.len() <= ENTRIES_MAX);
        }
        assert_eq!(window.used(600_000), admitted.len() as u64);
    }

    fn rules() -> impl Strategy<Value = WindowRule> {
        (prop_oneof![1..20_u64, 120..140_u64, 1_000..2_000_u64], prop_oneof![1..50_u64, 900..70_000_u64])
            .prop_map(|(limit, window_ms)| WindowRule { limit, window_ms })
    }

    /// Steps of an adversary: waits that gather at the window's edges, and bursts.
    fn steps(rule: WindowRule) -> impl Strategy<Value = Vec<(i64, u64)>> {
        let window_ms = rule.window_ms as i64;
        let wait = prop_oneof![
            4 => Just(0_i64),
            2 => 0..=window_ms / 8 + 1,
            2 => (window_ms - 2)..=(window_ms + 2),
            1 => window_ms / 2..=window_ms,
            1 => -5..0_i64,
        ];
        let units = prop_oneof![6 => Just(1_u64), 2 => 1..=rule.limit, 1 => Just(rule.limit)];
        prop::collection::vec((wait, units), 1..120)
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(
            (rule, steps) in rules().prop_flat_map(|rule| (Just(rule), steps(rule)))
        ) {
            let mut window = Window::default();
            let mut clock = 1_000_000_i64;
            let mut latest = 0;
            let mut admitted = Vec::new();
            for (wait, units) in steps {
                clock += wait;
                if charge(&mut window, rule, clock as u64, units).is_ok() {
                    // A clock that ran backwards lies: the unit passed after the one before it.
                    latest = latest.max(clock);
                    admitted.push((latest as u64, units));
                }
            }
            prop_assert!(worst_window(&admitted, rule.window_ms) <= rule.limit);
        }

        #[test]
        fn retry_after_is_the_first_instant_that_admits(
            (rule, steps) in rules().prop_flat_map(|rule| (Just(rule), steps(rule)))
        ) {
            let mut window = Window::default();
            let mut clock = 1_000_000_u64;
            for (wait, units) in steps {
                clock += wait.max(0) as u64;
                if let Err(Full::Until { retry_after_ms }) = charge(&mut window, rule, clock, units) {
                    prop_assert!(retry_after_ms >= 1);
                    prop_assert!(window.room(rule, clock + retry_after_ms, units).is_ok());
                    prop_assert!(window.room(rule, clock + retry_after_ms - 1, units).is_err());
                }
            }
        }

        #[test]
        fn what_is_free_after_one_window_and_one_grain_is_everything(rule in rules(), start in 0..10_000_u64) {
            let mut window = Window::default();
            while charge(&mut window, rule, start, 1).is_ok() {}
            let grain_ms = rule.window_ms.div_ceil(GRAINS) + 1;
            prop_assert_eq!(window.used(start + rule.window_ms + grain_ms), 0);
        }
    }
}
