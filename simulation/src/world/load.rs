//! When requests arrive at one isolate: beats, again and again.
//!
//! Owns: the instants. Called by: `world`.

use crate::scenario::{Beat, Scenario};
use crate::world::random::Chance;

const S_IN_KS_US: u64 = 1_000_000_000;

/// Where one isolate is in its beats.
#[derive(Clone, Debug)]
pub struct Load {
    beats: Vec<Beat>,
    place: usize,
    at_us: u64,
    ends_us: u64,
    burst: u64,
    chance: Chance,
}

impl Load {
    pub fn new(scenario: &Scenario, mut chance: Chance) -> Self {
        let beats = scenario.beats.clone();
        let place = match scenario.together {
            true => 0,
            false => chance.below(beats.len() as u64) as usize,
        };
        let first = beats[place];
        let ends_us = match scenario.together {
            true => first.ms * 1_000,
            false => chance.between(1, first.ms * 1_000),
        };
        Self {
            beats,
            place,
            at_us: 0,
            ends_us,
            burst: first.burst,
            chance,
        }
    }

    /// The next arrival.
    pub fn next_us(&mut self) -> u64 {
        loop {
            if self.burst > 0 {
                self.burst -= 1;
                return self.at_us;
            }
            let per_ks = self.beats[self.place].per_ks;
            if per_ks > 0 {
                let next_us = self.at_us + self.chance.apart(S_IN_KS_US / per_ks).max(1);
                if next_us < self.ends_us {
                    self.at_us = next_us;
                    return next_us;
                }
            }
            self.place = (self.place + 1) % self.beats.len();
            let beat = self.beats[self.place];
            self.at_us = self.ends_us;
            self.ends_us += beat.ms * 1_000;
            self.burst = beat.burst;
        }
    }
}
