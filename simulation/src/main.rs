//! Runs scenarios and prints what they came to.
use edgeward_simulation::{bugs::Bug, scenarios, world};
use std::rc::Rc;
fn main() {
    let requests: u64 = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(100_000);
    for scenario in scenarios::all() {
        let scenario = Rc::new(scenario);
        let outcome = world::run(&scenario, requests, 1, Bug::None);
        println!("{} {:?}", scenario.name, outcome);
    }
}
