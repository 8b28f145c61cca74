//! `cargo run --release -p edgeward-simulation -- --requests N --seed S [--scenario NAME] [--json FILE]`:
//! runs scenarios, prints a table, and ends with 1 if a limit was exceeded anywhere.

mod table;

use std::process::ExitCode;
use std::rc::Rc;

use edgeward_simulation::bugs::Bug;
use edgeward_simulation::scenario::Scenario;
use edgeward_simulation::{scenarios, world};

const REQUESTS: u64 = 100_000_000;

/// What is asked for on the command line.
struct Asked {
    requests: u64,
    seed: u64,
    scenario: Option<String>,
    json: Option<String>,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    };
    let all = scenarios::all();
    let chosen: Vec<Rc<Scenario>> = match &asked.scenario {
        None => all,
        Some(name) => all.into_iter().filter(|one| one.name == *name).collect(),
    };
    if chosen.is_empty() {
        eprintln!("there is no scenario of that name; there are:");
        for scenario in scenarios::all() {
            eprintln!("  {}", scenario.name);
        }
        return ExitCode::from(2);
    }
    let runs: Vec<_> = chosen
        .iter()
        .enumerate()
        .map(|(place, scenario)| {
            if place == 0 {
                println!("seed {}\n\n{}", asked.seed, table::head());
            }
            let requests = scenarios::share(scenario, &chosen, asked.requests);
            let outcome = world::run(scenario, requests, asked.seed, Bug::None);
            println!("{}", table::line(scenario, &outcome));
            table::Run {
                scenario: Rc::clone(scenario),
                requests,
                outcome,
            }
        })
        .collect();
    println!("\n{}", table::sum(&runs));
    if let Some(file) = &asked.json
        && let Err(fault) = std::fs::write(file, table::json(&runs, asked.seed))
    {
        eprintln!("{file}: {fault}");
        return ExitCode::from(2);
    }
    let broken = runs.iter().filter(|run| !run.outcome.violations.is_empty());
    let told: Vec<String> = broken.map(|run| table::broken(run, asked.seed)).collect();
    for one in &told {
        println!("\n{one}");
    }
    ExitCode::from(u8::from(!told.is_empty()))
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        requests: REQUESTS,
        seed: 1,
        scenario: None,
        json: None,
    };
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = || {
            let digits = value.replace('_', "");
            digits
                .parse()
                .map_err(|_| format!("{word} {value}: not a number"))
        };
        match word.as_str() {
            "--requests" => asked.requests = number()?,
            "--seed" => asked.seed = number()?,
            "--scenario" => asked.scenario = Some(value),
            "--json" => asked.json = Some(value),
            _ => {
                return Err(format!(
                    "{word} is not known: --requests, --seed, --scenario, --json"
                ));
            }
        }
    }
    Ok(asked)
}
