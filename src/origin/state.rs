//! What an isolate knows of one origin, and the bookkeeping of one request to it.
//!
//! Owns: the machines of an origin together, and that a place is given back once. Called by:
//! `dispatch`, `share`, the status page.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::facts::UnixMs;
use crate::origin::breaker::Breaker;
use crate::origin::bulkhead::{Bulkhead, Ticket};
use crate::origin::retry::Budget;
use crate::policy::gate::{Origin, OriginBinding};

/// How often at most an isolate asks what others know of an origin, while requests come.
pub const LOOK_MS_MIN: u64 = 2_000;
/// Origins that an isolate remembers: those of a policy before this one are forgotten beyond.
pub const ORIGINS_MAX: usize = 256;

/// One origin, as this isolate sees it.
#[derive(Debug, Default)]
pub struct OriginState {
    pub bulkhead: Bulkhead,
    pub breaker: Breaker,
    pub budget: Budget,
    /// When others were asked last.
    pub(super) looked_at_ms: UnixMs,
    /// That the breaker opened here, and nobody was told.
    pub(super) is_to_be_told: bool,
    /// Requests refused since the isolate woke: the breaker was open, no place was free.
    pub(super) refused_open: u64,
    pub(super) refused_full: u64,
    /// Requests that were sent again.
    pub(super) retries: u64,
    /// Answers that were cut off on their way.
    pub cut: u64,
}

/// Shared between an origin's requests.
pub type SharedState = Rc<RefCell<OriginState>>;

/// A place at an origin. Dropped, it is given back.
#[derive(Debug)]
pub struct Place {
    state: SharedState,
    ticket: Ticket,
}

impl Place {
    pub(super) fn new(state: SharedState, ticket: Ticket) -> Self {
        Self { state, ticket }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.bulkhead.leave(self.ticket);
        }
    }
}

/// All origins that an isolate knows, by where they are.
#[derive(Debug, Default)]
pub struct OriginMemory {
    origins: HashMap<String, SharedState>,
}

impl OriginMemory {
    pub fn of(&mut self, origin: &Origin) -> SharedState {
        let name = origin.known_as();
        if let Some(state) = self.origins.get(name.as_ref()) {
            return Rc::clone(state);
        }
        if self.origins.len() >= ORIGINS_MAX {
            // Those with requests under way stay.
            self.origins.retain(|_, state| Rc::strong_count(state) > 1);
        }
        let state = SharedState::default();
        self.origins.insert(name.into_owned(), Rc::clone(&state));
        state
    }

    /// What the status page says of an origin.
    pub fn told(&self, origin: &Origin, now_ms: UnixMs) -> Value {
        let unknown = SharedState::default();
        let known = self.origins.get(origin.known_as().as_ref());
        let state = known.unwrap_or(&unknown).borrow();
        let (open, waiting) = state.bulkhead.count();
        json!({
            "name": origin.name,
            "binding": origin.binding.as_ref().map(OriginBinding::name),
            "breaker": origin.rules.breaker.as_ref().map(|_| state.breaker.word(now_ms)),
            "open": open,
            "waiting": waiting,
            "refused_open": state.refused_open,
            "refused_full": state.refused_full,
            "retries": state.retries,
            "cut": state.cut,
        })
    }
}
