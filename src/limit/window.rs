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

/// Units not yet free again.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Window {
    /// The length of the window that the instants were reckoned with.
    window_ms: u64,
    /// `(release instant in Unix ms, units)`, oldest first.
    held: Vec<(UnixMs, u64)>,
}

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
    /// Reckons what is held anew for a window of another length: a policy that shortens a window
    /// must not leave callers waiting for the old one. Units that were free already stay free.
    pub fn fit(&mut self, rule: WindowRule) {
        let (old_ms, new_ms) = (self.window_ms, rule.window_ms);
        if old_ms != new_ms {
            for (release, _) in &mut self.held {
                *release = release.saturating_sub(old_ms).saturating_add(new_ms);
            }
            self.window_ms = new_ms;
        }
    }

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
            return Err(Full::Until {
                retry_after_ms: self.wait_ms(rule, now_ms, units),
            });
        }
        let release_at_ms = self.release_at_ms(rule, now_ms);
        let oldest = self.held.iter().find(|(release, _)| *release > now_ms);
        let oldest_ms = oldest.map_or(release_at_ms, |(release, _)| *release);
        Ok(Room {
            remaining: free - units,
            release_at_ms,
            frees_in_ms: oldest_ms.saturating_sub(now_ms).max(1),
        })
    }

    /// Takes `units` that [`Window::room`] found room for, and forgets what has become free.
    pub fn take(&mut self, now_ms: UnixMs, room: Room, units: u64) {
        self.held.retain(|(release, _)| *release > now_ms);
        if units == 0 {
            return;
        }
        match self.held.last_mut() {
            Some((release, held)) if *release == room.release_at_ms => {
                *held = held.saturating_add(units);
            }
            _ => self.held.push((room.release_at_ms, units)),
        }
        while self.held.len() > ENTRIES_MAX {
            self.merge_oldest();
        }
    }

    /// Frees `units` that were taken for a request which another limit refused.
    /// Units that have become free by themselves are nobody's to give back.
    pub fn give_back(&mut self, now_ms: UnixMs, release_at_ms: UnixMs, units: u64) {
        if release_at_ms <= now_ms {
            return;
        }
        if let Some(entry) = self
            .held
            .iter_mut()
            .find(|(release, _)| *release >= release_at_ms)
        {
            entry.1 = entry.1.saturating_sub(units);
        }
        self.held.retain(|(_, held)| *held > 0);
    }

    /// Units that count at `now_ms`.
    pub fn used(&self, now_ms: UnixMs) -> u64 {
        let held = self.held.iter().filter(|(release, _)| *release > now_ms);
        held.fold(0, |sum, (_, units)| sum.saturating_add(*units))
    }

    /// When the last units are free again; 0 if none are held.
    pub fn empty_at_ms(&self) -> UnixMs {
        self.held.last().map_or(0, |(release, _)| *release)
    }

    /// The end of the grain that `now_ms` lies in, one window later: the first instant at which no
    /// moment of this grain can lie inside the window. Never before an earlier unit's, so that a
    /// clock that runs backwards frees nothing early.
    fn release_at_ms(&self, rule: WindowRule, now_ms: UnixMs) -> UnixMs {
        let grain_ms = match rule.limit {
            0..=GRAINS => 1,
            _ => rule.window_ms.div_ceil(GRAINS).max(1),
        };
        let grain_end_ms = (now_ms / grain_ms)
            .saturating_add(1)
            .saturating_mul(grain_ms);
        grain_end_ms
            .saturating_add(rule.window_ms)
            .max(self.empty_at_ms())
    }

    fn wait_ms(&self, rule: WindowRule, now_ms: UnixMs, units: u64) -> u64 {
        let mut used = self.used(now_ms);
        for (release, held) in self.held.iter().filter(|(release, _)| *release > now_ms) {
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
        let (_, units) = self.held.remove(0);
        if let Some(next) = self.held.first_mut() {
            next.1 = next.1.saturating_add(units);
        }
    }
}

#[cfg(test)]
mod tests;
