//! Every scenario there is.
//!
//! Owns: the table. Called by: `main`, tests.

use crate::scenario::{By, Scenario, limit, per_second, window};

/// All scenarios.
pub fn all() -> Vec<Scenario> {
    vec![Scenario {
        beats: vec![per_second(300)],
        ..Scenario::new("hot", vec![limit(By::Caller, window(10_000, 60_000))])
    }]
}
