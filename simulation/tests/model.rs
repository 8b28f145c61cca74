//! Every interleaving, within bounds, and faults that have to be found.

use edgeward_simulation::model::bugs::sown;
use edgeward_simulation::model::explore;
use edgeward_simulation::model::scenario::all;

#[test]
fn no_interleaving_breaks_a_limit() {
    for scenario in all() {
        let explored = explore(scenario);
        println!("{explored}");
        assert!(explored.is_good(), "{explored}");
    }
}

#[test]
fn every_sown_fault_is_found() {
    for scenario in sown() {
        let explored = explore(scenario);
        println!("{explored}");
        assert!(explored.is_good(), "{explored}");
    }
}
