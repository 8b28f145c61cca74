//! `cargo run --release -p edgeward-simulation -- --requests N --seed S [--scenario NAME] [--json FILE]
//! [--control NUMBER] [--tell FROM_MS-TO_MS]`:
//! runs scenarios, prints a table, and ends with 1 if a limit was exceeded anywhere.

mod table;

use std::ops::Range;
use std::process::ExitCode;
use std::rc::Rc;

use edgeward_simulation::bugs::Bug;
use edgeward_simulation::scenario::Scenario;
use edgeward_simulation::scenarios::{self, controls};
use edgeward_simulation::world::{self, Course};

const REQUESTS: u64 = 100_000_000;

const WORDS: &str =
    "--requests, --seed, --scenario, --json, --control NUMBER, --tell FROM_MS-TO_MS";

/// What is asked for on the command line.
struct Asked {
    requests: u64,
    seed: u64,
    scenario: Option<String>,
    json: Option<String>,
    /// A bug to put in, by its place among the controls; its scenario is run and no other.
    control: Option<usize>,
    /// The milliseconds in which every message is told on stderr.
    told_ms: Range<u64>,
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
    let mut controls = controls::all();
    let control = asked.control.filter(|place| *place < controls.len());
    let control = control.map(|place| controls.swap_remove(place));
    let chosen: Vec<Rc<Scenario>> = match (&control, &asked.scenario) {
        (Some(control), _) => vec![Rc::clone(&control.scenario)],
        (None, None) => all,
        (None, Some(name)) => scenarios::named(name).into_iter().collect(),
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
            let course = Course {
                requests,
                seed: asked.seed,
                told_ms: asked.told_ms.clone(),
                bug: control.as_ref().map_or(Bug::None, |control| control.bug),
            };
            let outcome = world::run(scenario, &course);
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
        control: None,
        told_ms: 0..0,
    };
    while let Some(word) = words.next() {
        if word == "--help" {
            return Err(format!("{WORDS}; more in simulation/README.md"));
        }
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
            "--control" => asked.control = Some(control(number()?)?),
            "--tell" => asked.told_ms = range(&value)?,
            _ => return Err(format!("{word} is not known: {WORDS}")),
        }
    }
    Ok(asked)
}

/// The place of a control that there is.
fn control(place: u64) -> Result<usize, String> {
    let count = controls::all().len();
    let place = usize::try_from(place).ok().filter(|place| *place < count);
    place.ok_or(format!("--control takes a number below {count}"))
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    let (from, to) = ends.ok_or(format!("--tell {text}: not FROM_MS-TO_MS"))?;
    Ok(from..to)
}
