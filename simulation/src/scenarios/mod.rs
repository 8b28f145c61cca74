//! Every scenario there is.
//!
//! Owns: the whole of the table, by name. Called by: `main`, tests.

mod adversaries;
mod faults;
mod hot;
mod kinds;

use std::rc::Rc;

use crate::scenario::Scenario;

/// All scenarios.
pub fn all() -> Vec<Rc<Scenario>> {
    let parts = [hot::all(), kinds::all(), faults::all(), adversaries::all()];
    parts.into_iter().flatten().map(Rc::new).collect()
}

/// The one of a name.
pub fn named(name: &str) -> Option<Rc<Scenario>> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// How many of `requests` fall to each scenario, by its weight.
pub fn share(scenario: &Scenario, all: &[Rc<Scenario>], requests: u64) -> u64 {
    let sum: u64 = all.iter().map(|one| one.weight).sum();
    let wide = u128::from(requests) * u128::from(scenario.weight) / u128::from(sum.max(1));
    (wide as u64).max(1)
}
