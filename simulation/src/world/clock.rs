//! A clock as a machine shows it: apart from the world's time by an offset, a rate and steps.
//!
//! Owns: that difference. Does not own: how wrong a clock may be (`scenario::Clocks`).
//! Called by: `world::isolate`, `world::object`.

use crate::facts::UnixMs;

/// What Unix time a world begins at, so that no clock shows an instant before 1970.
pub const EPOCH_MS: u64 = 1_800_000_000_000;

/// A wrong clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The world's time, and what the clock showed then, in µs.
    anchor_us: u64,
    shown_us: i64,
    rate_ppm: i64,
    /// The latest instant of the world that was read of it: a reading before a wait stays.
    read_us: u64,
}

impl Clock {
    /// - `offset_us`: how far it is ahead when the world begins.
    /// - `rate_ppm`: how many millionths it runs too fast.
    pub fn new(offset_us: i64, rate_ppm: i64) -> Self {
        Self {
            anchor_us: 0,
            shown_us: (EPOCH_MS * 1_000) as i64 + offset_us,
            rate_ppm,
            read_us: 0,
        }
    }

    /// Unix milliseconds as this clock shows them at `now_us` of the world.
    pub fn at_ms(&self, now_us: u64) -> UnixMs {
        let passed_us = now_us as i64 - self.anchor_us as i64;
        let gained_us = passed_us * self.rate_ppm / 1_000_000;
        ((self.shown_us + passed_us + gained_us) / 1_000) as UnixMs
    }

    /// The same, as code sees it that read the clock `stale_us` ago. Of two readings the later never
    /// is the older one, unless the clock was set.
    pub fn read_ms(&mut self, now_us: u64, stale_us: u64) -> UnixMs {
        self.read_us = self.read_us.max(now_us.saturating_sub(stale_us));
        self.at_ms(self.read_us)
    }

    /// Sets it `by_us` ahead or back.
    pub fn step(&mut self, now_us: u64, by_us: i64) {
        let passed_us = now_us as i64 - self.anchor_us as i64;
        self.shown_us += passed_us + passed_us * self.rate_ppm / 1_000_000 + by_us;
        self.anchor_us = now_us;
        self.read_us = now_us;
    }
}
