//! Everything that breaks, each alone and much of it, and all of it together.
//!
//! Called by: `scenarios`.

use crate::scenario::{
    Clocks, Faults, Net, Scenario, bucket, changing, per_second, period, window,
};
use crate::scenarios::hot::loaded;

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for short in [false, true] {
        all.extend(breaking(short));
    }
    all.extend(changes());
    all.push(everything(
        "everything at once, a minute",
        loaded("", window(6_000, 60_000), 10, 20),
    ));
    all.push(everything(
        "everything at once, a second",
        loaded("", window(200, 1_000), 10, 20),
    ));
    all.push(everything(
        "everything at once, a bucket",
        loaded("", bucket(400, 100), 10, 20),
    ));
    all.push(everything(
        "everything at once, a period",
        loaded("", period(3_000, 30_000), 10, 20),
    ));
    all
}

fn lossy() -> Net {
    Net {
        rtt_ms: vec![4, 20, 80, 150, 250],
        lost: 50_000,
        twice: 50_000,
        late: 20_000,
    }
}

/// Clocks as wrong as the proof allows.
fn wrong(short: bool) -> Clocks {
    Clocks {
        offset_ms: 1_000,
        rate_ppm: if short { 1_000 } else { 10_000 },
        stale_ms: if short { 10 } else { 50 },
        step_every_ms: 3_000,
        step_ms: if short { 30 } else { 200 },
        object_step_every_ms: 10_000,
        object_step_ms: if short { 0 } else { 150 },
        object_offset_ms: 500,
    }
}

fn crashing() -> Faults {
    Faults {
        crash_every_ms: 2_000,
        errands_lost: 50_000,
        ..Faults::default()
    }
}

fn breaking(short: bool) -> Vec<Scenario> {
    let (told, rule) = match short {
        false => ("a minute", window(6_000, 60_000)),
        true => ("a second", window(200, 1_000)),
    };
    let of = |what: &str, load| loaded(&format!("{what}, {told}"), rule.clone(), 10, load);
    vec![
        Scenario {
            faults: crashing(),
            ..of("crashes", 20)
        },
        Scenario {
            clocks: wrong(short),
            ..of("wrong clocks", 20)
        },
        Scenario {
            net: lossy(),
            ..of("lost, twice, late", 20)
        },
        Scenario {
            faults: Faults {
                calls_per_s: 30,
                ..Faults::default()
            },
            ..of("overload", 20)
        },
        Scenario {
            faults: Faults {
                restart: 50_000,
                storage: 20_000,
                ..Faults::default()
            },
            ..of("restarts and storage", 20)
        },
        Scenario {
            faults: Faults {
                pause_every_ms: 3_000,
                pause_ms: 5_000,
                ..Faults::default()
            },
            ..of("pauses", 15)
        },
    ]
}

/// The policy changes while isolates hold what the old one lent.
fn changes() -> Vec<Scenario> {
    let all = [
        (
            "lowered, a minute",
            window(6_000, 60_000),
            window(2_000, 60_000),
        ),
        (
            "raised, a minute",
            window(2_000, 60_000),
            window(6_000, 60_000),
        ),
        ("lowered, a second", window(200, 1_000), window(50, 1_000)),
        (
            "shorter window",
            window(2_000, 60_000),
            window(2_000, 20_000),
        ),
        (
            "longer window",
            window(2_000, 20_000),
            window(2_000, 60_000),
        ),
        (
            "from a share to units",
            window(200, 2_000),
            window(1_000, 10_000),
        ),
        ("lowered, a bucket", bucket(400, 100), bucket(100, 50)),
    ];
    let all = all.into_iter().map(|(name, old, new)| {
        let limits = vec![changing(old.clone(), new)];
        Scenario {
            limits,
            beats: vec![per_second(30)],
            change_at_ms: 150_000,
            change_takes_ms: 20_000,
            ..loaded(name, old, 10, 20)
        }
    });
    all.collect()
}

fn everything(name: &str, scenario: Scenario) -> Scenario {
    Scenario {
        name: name.to_owned(),
        net: Net {
            lost: 10_000,
            twice: 20_000,
            late: 5_000,
            ..lossy()
        },
        faults: Faults {
            restart: 10_000,
            storage: 2_000,
            calls_per_s: 200,
            crash_every_ms: 10_000,
            pause_every_ms: 20_000,
            pause_ms: 3_000,
            errands_lost: 10_000,
        },
        clocks: Clocks {
            object_step_ms: 0,
            ..wrong(true)
        },
        ..scenario
    }
}
