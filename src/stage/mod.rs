//! The stages: each proves that one more check was passed, and owns the proof before it. A stage
//! can only be made in its own file, from its predecessor; forwarding what was not checked does
//! not compile (`tests/refused/`).
//!
//! Owns: the chain. Pure and synchronous: what a stage has to ask, it puts as a question, and the
//! driver (`admit`) carries it to `Ports`.

pub mod answered;
pub mod authorized;
mod charging;
pub mod claimed;
pub mod failure;
pub mod forward;
pub mod identified;
pub mod inspected;
pub mod judged;
pub mod limited;
pub mod open;
pub mod paid;
pub mod presented;
pub mod received;
pub mod release;
pub mod routed;
pub mod session;
mod settling;
pub mod shielded;
pub mod stored;
pub mod switching;
mod tenant;
pub mod validated;
mod view;
mod writing;

use crate::limit::rule::Mode;
use crate::refusal::Refusal;
use crate::trail::{Refused, StageName, Trail};

/// A request on its way. `S` is what has been proved of it, `B` its content.
#[must_use]
pub struct Exchange<S, B> {
    trail: Box<Trail>,
    body: B,
    stage: S,
}

impl<S, B> Exchange<S, B> {
    /// Ends the request here.
    pub fn refuse(self, refusal: Refusal) -> Refused {
        Refused {
            refusal,
            trail: self.trail,
        }
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Another proof, at the same place.
    fn map<T>(self, make: impl FnOnce(S) -> T) -> Exchange<T, B> {
        let name = self.trail.stage;
        self.next(name, make)
    }

    fn next<T>(mut self, name: StageName, make: impl FnOnce(S) -> T) -> Exchange<T, B> {
        self.trail.stage = name;
        Exchange {
            trail: self.trail,
            body: self.body,
            stage: make(self.stage),
        }
    }

    /// Applies a rule's mode to what it found: `observe` notes a refusal and lets pass.
    fn settle(&mut self, mode: Mode, found: Result<(), Refusal>) -> Result<(), Refusal> {
        match (mode, found) {
            (Mode::Enforce, found) => found,
            (Mode::Observe, Err(refusal)) => {
                self.trail.observed.push(refusal);
                Ok(())
            }
            (Mode::Observe, Ok(())) | (Mode::Off, _) => Ok(()),
        }
    }
}
