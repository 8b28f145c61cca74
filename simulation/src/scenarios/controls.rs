//! For each bug a scenario in which it must be found: saturated, so that whatever is free too early
//! is taken at once. Without the bug the same scenario is clean.
//!
//! Called by: tests.

use std::rc::Rc;

use crate::bugs::Bug;
use crate::scenario::{
    Beat, By, Clocks, Faults, Net, Scenario, bucket, burst, limit, per_ks, per_second, silence,
    window,
};
use crate::scenarios::hot::loaded;
use crate::scenarios::kinds::settling;

/// One bug, what it is, and where it is looked for.
pub struct Control {
    pub bug: Bug,
    pub told: &'static str,
    pub scenario: Rc<Scenario>,
    pub requests: u64,
}

/// All bugs.
pub fn all() -> Vec<Control> {
    let of = |bug, told, scenario, requests| Control {
        bug,
        told,
        scenario: Rc::new(scenario),
        requests,
    };
    let full = || loaded("saturated", window(1_000, 10_000), 5, 30);
    vec![
        of(
            Bug::NoWrite,
            "an object answers without having written",
            full(),
            20_000,
        ),
        of(
            Bug::LeaseForgotten,
            "a lease is forgotten at its end",
            held(),
            60_000,
        ),
        of(
            Bug::UsedFreed,
            "used units are free when they are reported",
            full(),
            20_000,
        ),
        of(
            Bug::SettledTwice,
            "a report frees what was used before",
            full(),
            20_000,
        ),
        of(
            Bug::LateUse,
            "a lease is used two lives beyond its end",
            held(),
            200_000,
        ),
        of(
            Bug::FromReceipt,
            "a lease is reckoned from receipt",
            far(),
            200_000,
        ),
        of(
            Bug::BothAnswersUsed,
            "both answers to one question are used",
            twice(full()),
            20_000,
        ),
        of(
            Bug::GivenBackTwice,
            "what is given back is given back twice",
            twice(refusing()),
            60_000,
        ),
        of(
            Bug::NothingGivenBack,
            "a refused request's other charge stays",
            settling(),
            20_000,
        ),
        of(
            Bug::Twin,
            "two instances of one object answer",
            full(),
            20_000,
        ),
        of(
            Bug::RestartForgets,
            "a restart forgets leases",
            restarting(),
            40_000,
        ),
        of(
            Bug::ClockRanBack,
            "a clock that ran back is not noticed",
            back(),
            100_000,
        ),
        of(
            Bug::AheadBelieved,
            "an object's clock ran ahead and frees early",
            ahead(),
            60_000,
        ),
        of(
            Bug::InlineFree,
            "what is granted at once is not charged",
            full(),
            20_000,
        ),
        of(
            Bug::ShareKept,
            "a share that was given up is used on",
            shared(),
            40_000,
        ),
        of(
            Bug::LentDoubled,
            "more is told to be lent than is",
            full(),
            20_000,
        ),
        of(
            Bug::InlineFree,
            "the same of a bucket",
            loaded("bucket", bucket(100, 50), 5, 30),
            20_000,
        ),
    ]
}

/// Isolates earn leases, hold them as long as they think they may, and spend them at once; a window
/// later all that gets free is taken. No errand is done: nothing is handed back before its end.
fn held() -> Scenario {
    let beat = |per_s, ms| Beat {
        ms,
        ..per_second(per_s)
    };
    let beats = vec![
        beat(60, 2_000),
        silence(3_700),
        burst(60, 50),
        burst(60, 50),
        burst(60, 200),
        beat(10, 55_000),
        beat(400, 5_000),
        silence(75_000),
    ];
    Scenario {
        isolates: 20,
        beats,
        together: true,
        faults: no_errands(),
        ..Scenario::new(
            "held, then saturated",
            vec![limit(By::Caller, window(6_000, 60_000))],
        )
    }
}

fn no_errands() -> Faults {
    Faults {
        errands_lost: crate::world::random::MILLION,
        ..Faults::default()
    }
}

/// Some isolates are so far away that an answer comes when its lease is nearly over.
fn far() -> Scenario {
    Scenario {
        net: Net {
            rtt_ms: vec![1_800, 4],
            lost: 0,
            twice: 0,
            late: 0,
        },
        ..loaded("far away", window(6_000, 15_000), 4, 12)
    }
}

fn twice(scenario: Scenario) -> Scenario {
    Scenario {
        net: Net {
            twice: 300_000,
            ..scenario.net.clone()
        },
        ..scenario
    }
}

/// A caller's limit that always refuses what the tenant's has granted: much is given back.
fn refusing() -> Scenario {
    let limits = vec![
        limit(By::Caller, window(5, 5_000)),
        limit(By::Tenant, window(45, 20_000)),
    ];
    Scenario {
        callers: 16,
        per_tenant: 16,
        beats: vec![per_ks(8_000)],
        ..Scenario::new("refused elsewhere", limits)
    }
}

fn restarting() -> Scenario {
    Scenario {
        faults: Faults {
            restart: 100_000,
            ..Faults::default()
        },
        ..loaded("restarts", window(1_000, 10_000), 10, 30)
    }
}

/// Clocks are set back by more than isolates are idle, and ahead again.
fn back() -> Scenario {
    Scenario {
        name: "clocks set back, held, then saturated".to_owned(),
        clocks: Clocks {
            step_every_ms: 2_000,
            step_ms: 6_000,
            back_and_forth: true,
            ..Clocks::default()
        },
        ..held()
    }
}

/// An object's clock is set ahead by more than a window, while nobody calls.
fn ahead() -> Scenario {
    Scenario {
        clocks: Clocks {
            object_step_every_ms: 20_000,
            object_step_ms: 60_000,
            ..Clocks::default()
        },
        beats: vec![burst(20, 20_000), burst(20, 100_000)],
        together: true,
        ..loaded("an object's clock set", window(48, 30_000), 5, 30)
    }
}

fn shared() -> Scenario {
    loaded("shares", window(200, 2_000), 5, 30)
}
