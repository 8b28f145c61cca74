//! Every scenario there is.
//!
//! Owns: the whole of the table, by name. Called by: `main`, tests.

mod adversaries;
pub mod controls;
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

/// The one of a name, also of those that go beyond what the limiter promises.
pub fn named(name: &str) -> Option<Rc<Scenario>> {
    let beyond = faults::beyond().into_iter().map(Rc::new);
    let mut known = all().into_iter().chain(beyond);
    known.find(|scenario| scenario.name == name)
}

/// How many of `requests` fall to each scenario, by its weight.
pub fn share(scenario: &Scenario, all: &[Rc<Scenario>], requests: u64) -> u64 {
    let sum: u64 = all.iter().map(|one| one.weight).sum();
    let wide = u128::from(requests) * u128::from(scenario.weight) / u128::from(sum.max(1));
    wide as u64 + 1
}
