//! Every interleaving of two isolates and one object, within bounds, over the gateway's own code.
//!
//! `scenario` says what is explored, `protocol` what may happen, `isolate` and `object` what a step
//! does, `audit` what may pass; `bugs` are faults that have to be found.
//!
//! Owns: running it and telling what came of it. Called by: `tests/model.rs`.
#![allow(
    clippy::indexing_slicing,
    reason = "a model may stop at a surprise; the gateway may not"
)]

pub mod audit;
pub mod bugs;
pub mod isolate;
pub mod object;
pub mod protocol;
pub mod scenario;
pub mod state;

use std::fmt;

use stateright::{Checker, HasDiscoveries, Model};

use bugs::Bug;
use protocol::{ALL_PASSES, Action, Protocol};
use scenario::Scenario;

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Explored {
    pub name: &'static str,
    pub bug: Option<Bug>,
    pub states: usize,
    /// The longest way that was gone.
    pub depth: usize,
    /// What does not hold, and the shortest way there.
    pub broken: Option<(&'static str, Vec<Action>)>,
    /// Whether as much passed as the limit allows.
    pub is_full: bool,
}

/// What came of all of them.
#[derive(Clone, Debug)]
pub struct Report {
    pub explored: Vec<Explored>,
    pub bugs: Vec<Explored>,
}

impl Explored {
    /// Whether everything held that must, or the fault that was sown was found.
    pub fn is_good(&self) -> bool {
        match (&self.broken, self.bug) {
            (None, None) => self.is_full,
            (Some((broken, _)), Some(bug)) => *broken == bug.breaks(),
            _ => false,
        }
    }
}

impl Report {
    pub fn is_good(&self) -> bool {
        let mut all = self.explored.iter().chain(&self.bugs);
        all.all(Explored::is_good)
    }
}

/// Explores every scenario, and looks for every fault that is sown.
///
/// - `deep`: wider bounds; takes long.
pub fn run(deep: bool) -> Report {
    let scenarios = match deep {
        false => scenario::all(),
        true => scenario::deep(),
    };
    Report {
        explored: scenarios.into_iter().map(explore).collect(),
        bugs: bugs::sown().into_iter().map(explore).collect(),
    }
}

/// Explores one scenario: all of it, or up to a fault.
pub fn explore(scenario: Scenario) -> Explored {
    let (name, bug) = (scenario.name, scenario.bug);
    let protocol = Protocol { scenario };
    let builder = || {
        let checker = protocol.clone().checker();
        checker.finish_when(HasDiscoveries::AnyFailures)
    };
    // Depth first needs little memory, breadth first finds the shortest way.
    let deep = bug.is_none().then(|| seen(&builder().spawn_dfs().join()));
    let seen = match deep {
        Some(deep) if deep.broken.is_none() => deep,
        _ => seen(&builder().spawn_bfs().join()),
    };
    Explored { name, bug, ..seen }
}

fn seen(checker: &impl Checker<Protocol>) -> Explored {
    let mut found = checker.discoveries();
    let is_full = found.remove(ALL_PASSES).is_some();
    let broken = found.into_iter().next();
    Explored {
        name: "",
        bug: None,
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: broken.map(|(name, path)| (name, path.into_actions())),
        is_full,
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bug = self.bug.map(|bug| format!(", {bug:?}"));
        write!(to, "{}{}: ", self.name, bug.unwrap_or_default())?;
        match &self.broken {
            None => write!(
                to,
                "holds in {} states, up to {} steps",
                self.states, self.depth
            ),
            Some((name, steps)) => {
                write!(to, "broken after {} steps: {name}", steps.len())?;
                steps
                    .iter()
                    .try_for_each(|step| write!(to, "\n    {step:?}"))
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = self.explored.iter().chain(&self.bugs);
        all.try_for_each(|one| writeln!(to, "{one}"))
    }
}
