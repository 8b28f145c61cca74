//! Every interleaving, within bounds, and faults that have to be found.

use edgeward_simulation::model;

#[test]
fn no_interleaving_breaks_a_limit_and_every_sown_fault_is_found() {
    let report = model::run(false);
    println!("{report}");
    assert!(report.is_good(), "{report}");
}
