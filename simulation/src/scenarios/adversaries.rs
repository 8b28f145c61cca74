//! Callers and machines that do their worst: at the end of a window, at the end of a lease, after
//! a pause.
//!
//! Called by: `scenarios`.

use crate::scenario::{Beat, Clocks, Faults, Scenario, burst, per_second, silence, window};
use crate::scenarios::hot::loaded;

pub(super) fn all() -> Vec<Scenario> {
    vec![
        edge("end of a window, then its rate", 600, 60_000),
        edge("end of a second, then its rate", 100, 1_000),
        hold("leases held to their end", 3_000, 30_000, 1_000),
        hold(
            "leases held to their end, half a minute",
            3_000,
            15_000,
            500,
        ),
        hold("shares held to their end", 300, 3_000, 2_000),
        paused("paused, then spent", 3_000, 30_000),
        paused("paused, then spent, a share", 300, 2_000),
    ]
}

/// All of a limit at the end of a window, then exactly its rate: what fools two counters.
fn edge(name: &str, most: u64, window_ms: u64) -> Scenario {
    let isolates = 5;
    let rate = Beat {
        burst: 0,
        per_ks: most * 1_000_000 / window_ms / isolates as u64,
        ms: window_ms,
    };
    Scenario {
        isolates,
        beats: vec![
            silence(window_ms),
            burst(most / isolates as u64, window_ms / 60 + 1),
            rate,
        ],
        together: true,
        ..loaded(name, window(most, window_ms), isolates, 10)
    }
}

/// Isolates earn leases, fall silent, and spend what they have when it ends.
fn hold(name: &str, most: u64, window_ms: u64, lease_ms: u64) -> Scenario {
    let earn = Beat {
        burst: 0,
        per_ks: 60_000,
        ms: 1_500,
    };
    let beats = vec![
        earn,
        silence(lease_ms - 40),
        burst(30, 20),
        burst(30, 20),
        burst(30, 20),
        burst(30, 300),
        burst(30, 400),
    ];
    Scenario {
        isolates: 10,
        beats,
        clocks: Clocks {
            offset_ms: 500,
            rate_ppm: 5_000,
            ..Clocks::default()
        },
        ..loaded(name, window(most, window_ms), 10, 20)
    }
}

/// Isolates stand still with what they hold, and go on with clocks that were set back.
fn paused(name: &str, most: u64, window_ms: u64) -> Scenario {
    Scenario {
        isolates: 10,
        beats: vec![Beat {
            ms: 2_000,
            ..per_second(60)
        }],
        faults: Faults {
            pause_every_ms: 1_500,
            pause_ms: 2_500,
            ..Faults::default()
        },
        clocks: Clocks {
            step_every_ms: 700,
            step_ms: 40,
            ..Clocks::default()
        },
        ..loaded(name, window(most, window_ms), 10, 20)
    }
}
