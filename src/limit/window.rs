//! The sliding window: pure arithmetic over a short list of when units become free again.
//!
//! Owns: the arithmetic. Does not own: storage, the clock, and what is lent (`limit::row`).
//! Called by: `limit::meter`.
//!
//! Exactness: a unit counts until its entry is wholly outside the window, so in every interval of
//! one window's length at most `limit` units are used. The price is that a unit may be held
//! up to one grain (1/256 of the window, 1 ms for limits up to 256) longer than it must.
//! This is the conservative bucketed log; a two-counter sliding window admits up to twice the
//! limit under the same adversary (`docs/decisions/0006-exact-window.md`).

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;

/// Most entries of one window: what one stored row can hold.
pub const ENTRIES_MAX: usize = 260;
/// Parts that a window of a large limit is cut into.
const GRAINS: u64 = 256;

/// A limit over a sliding window.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct WindowRule {
    /// Units that any window may hold; at least 1.
    pub limit: u64,
    /// Length of the window; at least 1.
    pub window_ms: u64,
}

/// Units not yet free again.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Window {
    /// The length of the window that the instants were reckoned with.
    window_ms: u64,
    /// `(release instant in Unix ms, units)`, oldest first, each instant once.
    held: Vec<(UnixMs, u64)>,
}

impl Window {
    /// An empty one.
    pub fn of(rule: WindowRule) -> Self {
        Self {
            window_ms: rule.window_ms,
            held: Vec::new(),
        }
    }

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

    /// Units that count at `now_ms`. O(entries), no allocation.
    pub fn used(&self, now_ms: UnixMs) -> u64 {
        let held = self.held.iter().filter(|(release, _)| *release > now_ms);
        held.fold(0, |sum, (_, units)| sum.saturating_add(*units))
    }

    /// Charges `units` as used at `at_ms`, which may lie in the past or ahead; whether there is room was
    /// asked before.
    ///
    /// Total: no input panics. O(entries).
    pub fn take(&mut self, rule: WindowRule, at_ms: UnixMs, units: u64) {
        let release_at_ms = release_at_ms(rule, at_ms);
        if units == 0 {
            return;
        }
        let place = self
            .held
            .partition_point(|(release, _)| *release < release_at_ms);
        match self.held.get_mut(place) {
            Some((release, held)) if *release == release_at_ms => {
                *held = held.saturating_add(units);
            }
            _ => self.held.insert(place, (release_at_ms, units)),
        }
        while self.held.len() > ENTRIES_MAX {
            self.merge_oldest();
        }
    }

    /// Forgets what does not count any more.
    pub fn forget(&mut self, now_ms: UnixMs) {
        self.held.retain(|(release, _)| *release > now_ms);
    }

    /// Frees `units` that were taken under this rule as used at `at_ms`; each once.
    /// Units that have become free by themselves are nobody's to give back.
    pub fn give_back(&mut self, rule: WindowRule, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        let release_at_ms = release_at_ms(rule, at_ms);
        if release_at_ms <= now_ms || at_ms > now_ms {
            return;
        }
        // Never those of a later entry: units of a lease may not have been told of yet, and will stand
        // before it. Freeing an earlier one instead frees nothing too soon.
        let end = self
            .held
            .partition_point(|(release, _)| *release <= release_at_ms);
        let mut left = units;
        for (_, held) in self.held.iter_mut().take(end).rev() {
            let freed = left.min(*held);
            *held = held.saturating_sub(freed);
            left = left.saturating_sub(freed);
        }
        self.held.retain(|(_, held)| *held > 0);
    }

    /// The smallest wait after which `units` have room if nothing else is charged; at least 1.
    pub fn wait_ms(&self, rule: WindowRule, now_ms: UnixMs, units: u64) -> u64 {
        let mut used = self.used(now_ms);
        for (release, held) in self.held.iter().filter(|(release, _)| *release > now_ms) {
            used = used.saturating_sub(*held);
            if used.saturating_add(units) <= rule.limit {
                return release.saturating_sub(now_ms).max(1);
            }
        }
        // Reached only if more is asked than the limit, or there is room now.
        1
    }

    /// When the last units are free again; 0 if none are held.
    pub fn empty_at_ms(&self) -> UnixMs {
        self.held.last().map_or(0, |(release, _)| *release)
    }

    /// Holds the oldest units a little longer, so that the row stays bounded.
    fn merge_oldest(&mut self) {
        let (_, units) = self.held.remove(0);
        if let Some(next) = self.held.first_mut() {
            next.1 = next.1.saturating_add(units);
        }
    }
}

/// The end of the grain that `at_ms` lies in, one window later: the first instant at which no
/// moment of this grain can lie inside the window.
fn release_at_ms(rule: WindowRule, at_ms: UnixMs) -> UnixMs {
    let grain_ms = match rule.limit {
        0..=GRAINS => 1,
        _ => rule.window_ms.div_ceil(GRAINS).max(1),
    };
    let grain_end_ms = (at_ms / grain_ms)
        .saturating_add(1)
        .saturating_mul(grain_ms);
    grain_end_ms.saturating_add(rule.window_ms)
}

#[cfg(test)]
mod tests;
