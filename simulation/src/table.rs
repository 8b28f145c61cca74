//! What is printed of runs, and written as JSON.
//!
//! Called by: `main`.

use std::rc::Rc;

use edgeward_simulation::scenario::Scenario;
use edgeward_simulation::world::Outcome;
use serde_json::{Value, json};

/// One scenario's run.
pub struct Run {
    pub scenario: Rc<Scenario>,
    pub requests: u64,
    pub outcome: Outcome,
}

/// The heads of the columns.
pub fn head() -> String {
    format!(
        "{:42} {:>9} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7}",
        "scenario", "requests", "over", "/oracle", "waits", "calls", "lent", "local"
    )
}

/// One scenario's line: over-admission, admitted by what the oracle admits, requests that waited and
/// calls by request, units lent by call, refusals answered without asking.
pub fn line(scenario: &Scenario, outcome: &Outcome) -> String {
    let figures = &outcome.figures;
    let broken = match outcome.violations.is_empty() {
        true => "",
        false => "  BROKEN",
    };
    format!(
        "{:42} {:>9} {:>7} {:>8.4} {:>8.4} {:>8.4} {:>8.2} {:>7.3}{broken}",
        scenario.name,
        figures.requests,
        figures.over,
        figures.ratio(),
        figures.waited_part(),
        figures.calls_part(),
        figures.lent_per_call(),
        figures.local_refusals(),
    )
}

/// All runs in one line.
pub fn sum(runs: &[Run]) -> String {
    let requests: u64 = runs.iter().map(|run| run.outcome.figures.requests).sum();
    let calls: u64 = runs.iter().map(|run| run.outcome.figures.calls).sum();
    let over = runs.iter().map(|run| run.outcome.figures.over).max();
    format!(
        "{requests} requests, {calls} questions, {} scenarios; at most {} over a limit \
         (the columns: simulation/README.md)",
        runs.len(),
        over.unwrap_or(0).max(0),
    )
}

/// What was wrong in a run, and the command that shows it again.
pub fn broken(run: &Run, seed: u64) -> String {
    let name = &run.scenario.name;
    let mut told = format!("{name}: broken");
    for violation in &run.outcome.violations {
        let at_ms = violation.at_us / 1_000;
        told += &format!("\n  at {at_ms} ms, {}: {:?}", violation.row, violation.what);
    }
    let requests = run.requests;
    told += &format!(
        "\n  again: npm run simulate -- --requests {requests} --seed {seed} --scenario '{name}'"
    );
    told
}

/// All figures, for whoever draws them.
pub fn json(runs: &[Run], seed: u64) -> String {
    let runs: Vec<Value> = runs.iter().map(of).collect();
    let all = json!({ "seed": seed, "scenarios": runs });
    format!("{all:#}\n")
}

fn of(run: &Run) -> Value {
    let figures = &run.outcome.figures;
    json!({
        "name": run.scenario.name,
        "isolates": run.scenario.isolates,
        "requests": figures.requests,
        "simulated_ms": figures.ends_ms,
        "over": figures.over,
        "admitted": figures.admitted,
        "oracle_admitted": figures.oracle_admitted,
        "admitted_by_oracle": figures.ratio(),
        "waits_per_request": figures.waited_part(),
        "calls_per_request": figures.calls_part(),
        "lent_per_call": figures.lent_per_call(),
        "local_refusals": figures.local_refusals(),
        "crashes": figures.crashes,
        "clock_steps": figures.steps,
        "timed_out": figures.timed_out,
        "failed": figures.failed,
        "overloaded": figures.overloaded,
        "violations": run.outcome.violations.len(),
    })
}
