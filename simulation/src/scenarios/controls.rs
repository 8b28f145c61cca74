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
use crate::scenarios::kinds::{answered_late, settling};

/// One bug, what it is, and where it is looked for.
pub struct Control {
    pub bug: Bug,
    pub told: &'static str,
    pub scenario: Rc<Scenario>,
    pub requests: u64,
}

/// All bugs.
pub fn all() -> Vec<Control> {
    let mut all = of_objects();
    all.extend(of_holders());
    all
}

/// What an object, or its storage, does wrong.
fn of_objects() -> Vec<Control> {
    let unwritten = "an object answers without having written";
    let forgotten = "a lease is forgotten at its end";
    let freed = "used units are free when they are reported";
    let settled = "a report frees what was used before";
    let restarted = "a restart forgets leases";
    let ahead_of = "an object's clock ran ahead and frees early";
    let inline = "what is granted at once is not charged";
    let tombstone = "what was undone is granted when it comes late";
    let of_bucket = loaded("bucket, saturated", bucket(100, 50), 5, 30);
    vec![
        control(Bug::NoWrite, unwritten, full(), 20_000),
        control(Bug::LeaseForgotten, forgotten, held(), 60_000),
        control(Bug::UsedFreed, freed, full(), 20_000),
        control(Bug::SettledTwice, settled, full(), 20_000),
        control(
            Bug::Twin,
            "two instances of one object answer",
            full(),
            20_000,
        ),
        control(Bug::RestartForgets, restarted, restarting(), 40_000),
        control(Bug::AheadBelieved, ahead_of, ahead(), 60_000),
        control(Bug::InlineFree, inline, full(), 20_000),
        control(Bug::InlineFree, "the same of a bucket", of_bucket, 20_000),
        control(Bug::UndoneForgotten, tombstone, answered_late(), 20_000),
    ]
}

/// What a holder does wrong, or a message does to it.
fn of_holders() -> Vec<Control> {
    let late = "a lease is used two lives beyond its end";
    let receipt = "a lease is reckoned from receipt";
    let both = "both answers to one question are used";
    let given = "what is given back is given back twice";
    let stays = "a refused request's other charge stays";
    let unheard = "what was charged by a late answer stays";
    let undone = "a charge that was let through is undone";
    let ran_back = "a clock that ran back is not noticed";
    let kept = "a share that was given up is used on";
    let doubled = "more is told to be lent than is";
    vec![
        control(Bug::LateUse, late, held(), 200_000),
        control(Bug::FromReceipt, receipt, far(), 60_000),
        control(Bug::BothAnswersUsed, both, twice(full()), 20_000),
        control(Bug::GivenBackTwice, given, twice(refusing()), 60_000),
        control(Bug::NothingGivenBack, stays, settling(), 20_000),
        control(Bug::NothingUndone, unheard, answered_late(), 20_000),
        control(Bug::AdmittedUndone, undone, small(), 20_000),
        control(Bug::ClockRanBack, ran_back, back(), 100_000),
        control(Bug::ShareKept, kept, shared(), 40_000),
        control(Bug::LentDoubled, doubled, full(), 20_000),
    ]
}

fn control(bug: Bug, told: &'static str, scenario: Scenario, requests: u64) -> Control {
    Control {
        bug,
        told,
        scenario: Rc::new(scenario),
        requests,
    }
}

/// Three times what the limit lets pass.
fn full() -> Scenario {
    loaded("saturated", window(1_000, 10_000), 5, 30)
}

/// The same of a limit that is too small to lend of.
fn small() -> Scenario {
    loaded("saturated, not lent", window(48, 10_000), 5, 30)
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
            back_and_forth: true,
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
