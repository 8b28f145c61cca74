//! Every algorithm, and several limits of one request, with the faults of an ordinary day.
//!
//! Called by: `scenarios`.

use crate::scenario::{
    By, Faults, Limit, Net, Scenario, bucket, limit, per_ks, per_second, period, permits, silence,
    window,
};
use crate::scenarios::hot::loaded;

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![
        loaded("bucket 100, 50/s at 5, load 0.8", bucket(100, 50), 5, 8),
        loaded("bucket 1000, 50/s at 5, load 3", bucket(1_000, 50), 5, 30),
        loaded("bucket 5, 1/s at 5, load 4", bucket(5, 1), 5, 40),
        loaded(
            "10000/fixed min at 5, load 1.5",
            period(10_000, 60_000),
            5,
            15,
        ),
        loaded("50/fixed 10 s at 5, load 3", period(50, 10_000), 5, 30),
        loaded(
            "1000/fixed hour at 20, load 1.5",
            period(1_000, 3_600_000),
            20,
            15,
        ),
    ];
    for (name, rule) in [
        ("refunds, a minute", window(3_000, 60_000)),
        ("refunds, ten seconds", window(40, 10_000)),
        ("refunds, a second", window(100, 1_000)),
    ] {
        all.push(Scenario {
            refunded: 300_000,
            ..loaded(name, rule, 5, 20)
        });
    }
    all.push(open());
    all.push(several("three objects, load 3", 30));
    all.push(several("three objects, load 0.7", 7));
    all.push(settling());
    all.push(answered_late());
    all.push(brokered("brokers, load 0.8", 8));
    all.push(brokered("brokers, load 3", 30));
    all.into_iter().map(daily).collect()
}

/// Now and then a message is lost, comes twice or late, and an isolate ends.
fn daily(scenario: Scenario) -> Scenario {
    let exact = scenario.settles;
    Scenario {
        net: match exact {
            true => scenario.net.clone(),
            false => Net {
                lost: 1_000,
                twice: 1_000,
                late: 1_000,
                ..scenario.net.clone()
            },
        },
        faults: Faults {
            crash_every_ms: if exact { 0 } else { 60_000 },
            ..scenario.faults
        },
        ..scenario
    }
}

/// Permits: twenty requests of a caller at a time.
fn open() -> Scenario {
    Scenario {
        beats: vec![per_second(20)],
        origin_ms: 800,
        weight: 4,
        ..Scenario::new(
            "20 at a time at 5",
            vec![limit(By::Caller, permits(20, 10_000))],
        )
    }
}

/// A caller's limits, its tenant's and the service's: all or none.
fn several(name: &str, tenths: u64) -> Scenario {
    let limits: Vec<Limit> = vec![
        limit(By::Caller, window(60, 10_000)),
        limit(By::Caller, window(10, 1_000)),
        limit(By::Tenant, bucket(200, 30)),
        limit(By::Service, window(3_000, 30_000)),
    ];
    Scenario {
        isolates: 10,
        callers: 40,
        per_tenant: 8,
        units_max: 3,
        beats: vec![per_ks(5_000 * tenths / 10)],
        weight: 2,
        ..Scenario::new(name, limits)
    }
}

/// Limits too small to lend of: whenever nothing is on its way, what is held is what was admitted.
pub(super) fn settling() -> Scenario {
    let limits = vec![
        limit(By::Caller, window(20, 20_000)),
        limit(By::Tenant, window(40, 30_000)),
        limit(By::Service, window(48, 40_000)),
    ];
    Scenario {
        callers: 6,
        per_tenant: 3,
        beats: vec![per_ks(3_000), silence(9_000)]
            .into_iter()
            .map(|beat| crate::scenario::Beat {
                ms: beat.ms.min(9_000),
                ..beat
            })
            .collect(),
        together: true,
        settles: true,
        weight: 2,
        ..Scenario::new("three objects, settled", limits)
    }
}

/// The same where many answers come after nobody waits for them any more, or never, and those to one
/// isolate nearly all: what was charged to requests that were refused for it is undone.
pub(super) fn answered_late() -> Scenario {
    let settling = settling();
    let beats = settling.beats.iter().map(|beat| crate::scenario::Beat {
        ms: match beat.per_ks {
            0 => LATE_SILENCE_MS,
            _ => beat.ms,
        },
        ..*beat
    });
    Scenario {
        name: "three objects, late, settled".to_owned(),
        beats: beats.collect(),
        net: Net {
            late: 100_000,
            rtt_ms: vec![4, 20, 80, 2_500, 250],
            ..settling.net
        },
        faults: Faults {
            restart: 30_000,
            ..settling.faults
        },
        ..settling
    }
}

/// Longer than a question that comes late, and then what undoes it, are on their way.
const LATE_SILENCE_MS: u64 = 16_000;

/// A service's limit that isolates reach through brokers.
fn brokered(name: &str, tenths: u64) -> Scenario {
    let scenario = loaded(name, window(60_000, 60_000), 30, tenths);
    Scenario {
        limits: vec![Limit {
            brokers: 4,
            ..limit(By::Service, window(60_000, 60_000))
        }],
        ..scenario
    }
}
