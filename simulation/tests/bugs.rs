//! Negative controls: each bug that is put in is found, and without it nothing is.

use edgeward_simulation::bugs::Bug;
use edgeward_simulation::scenarios::controls;
use edgeward_simulation::world::{self, Course};

const SEED: u64 = 7;

#[test]
fn each_bug_is_found_and_without_it_nothing_is() {
    let mut missed = Vec::new();
    for control in controls::all() {
        let course = |bug| Course {
            requests: control.requests,
            seed: SEED,
            bug,
            ..Course::default()
        };
        let with = world::run(&control.scenario, &course(control.bug));
        let without = world::run(&control.scenario, &course(Bug::None));
        let found = with.violations.first().map(|one| one.what);
        let found_by = match found {
            Some(found) => format!("{found:?}"),
            None => "nothing".to_owned(),
        };
        println!(
            "{:44} {:38} {found_by}",
            control.told, control.scenario.name
        );
        if found.is_none() {
            missed.push(format!("{}: not found", control.told));
        }
        if let Some(found) = without.violations.first() {
            missed.push(format!("{}: without it {found:?}", control.told));
        }
    }
    assert!(missed.is_empty(), "seed {SEED}: {missed:#?}");
}
