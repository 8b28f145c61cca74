//! A clock as a machine shows it: apart from the world's time by an offset, a rate and steps.
//!
//! Owns: that difference. Does not own: how wrong a clock may be (`scenario::Clocks`).
//! Called by: `world::isolate`, `world::object`.

use crate::facts::UnixMs;

/// What Unix time a world begins at, so that no clock shows an instant before 1970.
pub const EPOCH_MS: u64 = 1_800_000_000_000;

/// How long a clock runs too fast, or too slow, before it is slowed or hurried back: clocks are kept
/// right from outside, and none runs away for good.
const SLEW_US: i64 = 20_000_000;

/// A wrong clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// What it showed when the world began, in µs, steps apart.
    first_us: i64,
    rate_ppm: i64,
    /// How far ahead the steps so far have set it.
    stepped_us: i64,
    /// The latest instant of the world that was read of it: a reading before a wait stays.
    read_us: u64,
}

impl Clock {
    /// - `offset_us`: how far it is ahead when the world begins.
    /// - `rate_ppm`: how many millionths it runs too fast for a while, and then too slow for as long.
    pub fn new(offset_us: i64, rate_ppm: i64) -> Self {
        Self {
            first_us: (EPOCH_MS * 1_000) as i64 + offset_us,
            rate_ppm,
            stepped_us: 0,
            read_us: 0,
        }
    }

    /// Unix milliseconds as this clock shows them at `now_us` of the world.
    pub fn at_ms(&self, now_us: u64) -> UnixMs {
        let in_turn_us = now_us as i64 % (2 * SLEW_US);
        let gaining_us = in_turn_us.min(2 * SLEW_US - in_turn_us);
        let gained_us = gaining_us * self.rate_ppm / 1_000_000;
        ((self.first_us + now_us as i64 + gained_us + self.stepped_us) / 1_000) as UnixMs
    }

    /// The same, as code sees it that read the clock `stale_us` ago. Of two readings the later never
    /// is the older one, unless the clock was set.
    pub fn read_ms(&mut self, now_us: u64, stale_us: u64) -> UnixMs {
        self.read_us = self.read_us.max(now_us.saturating_sub(stale_us));
        self.at_ms(self.read_us)
    }

    /// Sets it so that all steps together have set it `to_us` ahead, or back.
    pub fn step_to(&mut self, now_us: u64, to_us: i64) {
        self.stepped_us = to_us;
        self.read_us = now_us;
    }

    /// Whether it is right but for its offset and rate.
    pub fn is_unstepped(&self) -> bool {
        self.stepped_us == 0
    }
}
