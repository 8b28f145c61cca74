//! One key that many isolates are asked for at once, without faults: what a limit costs.
//!
//! Called by: `scenarios`.

use crate::limit::meter::MeterRule;
use crate::scenario::{Beat, By, Limit, Scenario, limit, per_ks, window};

const MINUTE_MS: u64 = 60_000;
/// Loads, in tenths of what the limit lets pass.
const LOADS: [(&str, u64); 3] = [("0.8", 8), ("1.5", 15), ("5", 50)];

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for per_s in [100, 300, 1_000] {
        for isolates in [1, 5, 50] {
            for (told, load) in LOADS {
                all.push(hot(per_s, isolates, told, load));
            }
        }
    }
    all.extend(by_design());
    all.extend(short());
    all.push(cold());
    all
}

/// A limit of a minute, and as many requests as make the load.
fn hot(per_s: u64, isolates: usize, told: &str, load: u64) -> Scenario {
    let most = per_s * isolates as u64 * MINUTE_MS / 1_000 * 10 / load;
    let name = format!("hot: {per_s}/s at {isolates}, load {told}");
    Scenario {
        isolates,
        beats: vec![per_ks(per_s * 1_000)],
        weight: 40,
        ..Scenario::new(&name, vec![limit(By::Caller, window(most, MINUTE_MS))])
    }
}

/// Requests so many tenths of what `rule` lets pass, spread over the isolates.
pub(super) fn loaded(name: &str, rule: MeterRule, isolates: usize, tenths: u64) -> Scenario {
    let window_ms = rule.window_ms().unwrap_or(1_000).max(1);
    let beat = beat(rule.capacity(), window_ms, isolates, tenths);
    Scenario {
        isolates,
        beats: vec![beat],
        weight: 5,
        ..Scenario::new(name, vec![limit(By::Caller, rule)])
    }
}

pub(super) fn beat(capacity: u64, window_ms: u64, isolates: usize, tenths: u64) -> Beat {
    per_ks((capacity * 1_000_000 / window_ms * tenths / 10 / isolates as u64).max(1))
}

/// The scenarios that the protocol was designed with.
fn by_design() -> Vec<Scenario> {
    let minute = |limit| window(limit, MINUTE_MS);
    vec![
        loaded("100/min at 1, load 0.8", minute(100), 1, 8),
        loaded("100/min at 5, load 3", minute(100), 5, 30),
        loaded("1000/min at 5, load 0.9", minute(1_000), 5, 9),
        loaded("1000/min at 50, load 0.9", minute(1_000), 50, 9),
        loaded("10000/min at 5, load 0.9", minute(10_000), 5, 9),
        loaded("10000/min at 50, load 0.9", minute(10_000), 50, 9),
        loaded("10000/min at 50, load 5", minute(10_000), 50, 50),
        loaded("100000/min at 50, load 0.9", minute(100_000), 50, 9),
        loaded("100000/min at 50, load 1.5", minute(100_000), 50, 15),
        loaded(
            "10000/hour at 5, load 1.2",
            window(10_000, 3_600_000),
            5,
            12,
        ),
    ]
}

/// Windows of which shares are lent.
fn short() -> Vec<Scenario> {
    let all: [(&str, Limit, usize, u64); 8] = [
        ("10/s at 5, load 2", caller(10, 1_000), 5, 20),
        ("100/s at 5, load 0.8", caller(100, 1_000), 5, 8),
        ("100/s at 5, load 1.5", caller(100, 1_000), 5, 15),
        ("1000/s at 20, load 1.5", caller(1_000, 1_000), 20, 15),
        ("1000/s at 50, load 5", caller(1_000, 1_000), 50, 50),
        ("500/5 s at 5, load 1.5", caller(500, 5_000), 5, 15),
        ("200/2 s at 50, load 1.2", caller(200, 2_000), 50, 12),
        ("100/100 ms at 5, load 1.5", caller(100, 100), 5, 15),
    ];
    let all = all.into_iter();
    all.map(|(name, limit, isolates, load)| loaded(name, limit.rule, isolates, load))
        .collect()
}

fn caller(most: u64, window_ms: u64) -> Limit {
    limit(By::Caller, window(most, window_ms))
}

/// Many callers, each of whom calls seldom.
fn cold() -> Scenario {
    Scenario {
        isolates: 50,
        callers: 20_000,
        beats: vec![per_ks(100_000)],
        weight: 10,
        ..Scenario::new(
            "20000 cold callers at 50",
            vec![limit(By::Caller, window(20, MINUTE_MS))],
        )
    }
}
