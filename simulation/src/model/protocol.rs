//! What may happen at each moment: everything that the bounds of the scenario leave.
//!
//! Owns: the choices, and what must hold after each. A message that is lost is one that never
//! arrives; one that is late arrives after others; an object that dies after it wrote is an answer
//! that is never read.

use stateright::{Model, Property};

use crate::limit::wire::HolderId;
use crate::model::isolate;
use crate::model::object::{self, ANSWER_MS};
use crate::model::scenario::Scenario;
use crate::model::state::{Fault, State};

// What must hold; the last is what must be possible.
pub const TOO_MANY: &str = "no more passes than the limit";
pub const OVERLENT: &str = "used and lent stay within the limit";
pub const SPENT_TWICE: &str = "a lent unit passes once";
pub const REGRANTED: &str = "a question is granted once";
pub const STUCK: &str = "what nobody uses is free again";
pub const LEFT: &str = "what is held is what passed";
pub const ALL_PASSES: &str = "all passes that the limit allows";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// A request is served from what is lent.
    Spend {
        isolate: usize,
    },
    /// A question is sent: for a request of `units`, or for more only.
    Ask {
        isolate: usize,
        units: u64,
        want: u64,
    },
    HandBack {
        isolate: usize,
    },
    /// The object answers a question, which arrives once more if `again`.
    Hear {
        place: usize,
        again: bool,
    },
    /// An isolate takes an answer.
    Take {
        place: usize,
    },
    /// The same, for a request that another limit refuses.
    Refuse {
        place: usize,
    },
    /// A holder gives a question up.
    GiveUp {
        holder: HolderId,
        seq: u64,
    },
    /// An isolate dies, and another takes its place.
    Crash {
        isolate: usize,
    },
    /// An isolate's clock steps.
    Step {
        isolate: usize,
        offset_ms: i64,
    },
    StepObject,
    /// Time passes.
    Pass {
        length: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Protocol {
    pub scenario: Scenario,
}

impl Protocol {
    fn isolate_actions(&self, state: &State, isolate: usize, actions: &mut Vec<Action>) {
        let scenario = &self.scenario;
        let one = &state.isolates[isolate];
        let clock_ms = one.clock_ms(state.now_ms);
        // A clock that ran back is seen to before anything is spent.
        let trusts = clock_ms >= one.seen_ms;
        let covers = trusts && one.purse.covers(clock_ms, scenario.leased);
        if covers {
            actions.push(Action::Spend { isolate });
        }
        if state.left.questions > 0 {
            // A request that is covered is not asked about.
            let asks = scenario.asks.iter();
            let asks = asks.filter(|(units, _)| !covers || *units == 0 || *units > scenario.leased);
            actions.extend(asks.map(|&(units, want)| Action::Ask {
                isolate,
                units,
                want,
            }));
            if trusts && one.purse.balance(clock_ms) > 0 {
                actions.push(Action::HandBack { isolate });
            }
        }
        if state.left.crashes > 0 && !one.is_new() {
            actions.push(Action::Crash { isolate });
        }
        if state.left.clock_steps > 0 {
            let others = scenario.offsets_ms.iter().copied();
            let others = others.filter(|offset_ms| *offset_ms != one.offset_ms);
            actions.extend(others.map(|offset_ms| Action::Step { isolate, offset_ms }));
        }
    }

    fn world_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for place in 0..state.asked.len() {
            actions.push(Action::Hear {
                place,
                again: false,
            });
            if state.left.copies > 0 {
                actions.push(Action::Hear { place, again: true });
            }
        }
        for (place, told) in state.told.iter().enumerate() {
            actions.push(Action::Take { place });
            let is_awaited = told.sent_ms + ANSWER_MS >= state.now_ms;
            if self.scenario.settles && is_awaited && state.left.questions > 0 {
                actions.push(Action::Refuse { place });
            }
        }
        if self.scenario.undoes && state.left.questions > 0 {
            let asked = state.asked.iter();
            let asked = asked.filter(|one| one.units > 0 && !one.answered.is_read);
            let told = state.told.iter().map(|told| (told.holder, told.seq));
            let mut open: Vec<_> = asked.map(|one| (one.holder, one.seq)).chain(told).collect();
            open.sort_unstable();
            open.dedup();
            let give_up = |(holder, seq)| Action::GiveUp { holder, seq };
            actions.extend(open.into_iter().map(give_up));
        }
        if state.is_fresh() && !self.scenario.is_of_periods() {
            // Before anything was asked, time is the same.
            return;
        }
        if state.left.object_steps > 0 {
            actions.push(Action::StepObject);
        }
        for (length, left) in state.left.passes.iter().enumerate() {
            if *left > 0 {
                actions.push(Action::Pass { length });
            }
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::new(&self.scenario);
        if !self.scenario.offsets_ms.contains(&0) {
            let isolate = &mut state.isolates[0];
            isolate.offset_ms = self.scenario.offsets_ms[0];
            isolate.seen_ms = isolate.clock_ms(state.now_ms);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.fault.is_some() || state.is_over() {
            return;
        }
        self.isolate_actions(state, 0, actions);
        // Isolates are alike: the one that does something first is the first.
        if !state.isolates[0].is_new() {
            self.isolate_actions(state, 1, actions);
        }
        self.world_actions(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let scenario = &self.scenario;
        let mut state = last.clone();
        match action {
            Action::Spend { isolate } => isolate::spend(scenario, &mut state, isolate),
            Action::Ask {
                isolate,
                units,
                want,
            } => {
                state.left.questions -= 1;
                isolate::ask(scenario, &mut state, isolate, units, want);
            }
            Action::HandBack { isolate } => {
                state.left.questions -= 1;
                isolate::hand_back(scenario, &mut state, isolate);
            }
            Action::Hear { place, again } => {
                state.left.copies -= u8::from(again);
                object::hear(scenario, &mut state, place, again);
            }
            Action::Take { place } => isolate::take(scenario, &mut state, place),
            Action::Refuse { place } => {
                state.left.questions -= 1;
                isolate::refuse(scenario, &mut state, place);
            }
            Action::GiveUp { holder, seq } => {
                state.left.questions -= 1;
                isolate::give_up(scenario, &mut state, holder, seq);
            }
            Action::Crash { isolate } => {
                state.left.crashes -= 1;
                isolate::crash(scenario, &mut state, isolate);
            }
            Action::Step { isolate, offset_ms } => {
                state.left.clock_steps -= 1;
                isolate::step(scenario, &mut state, isolate, offset_ms);
            }
            Action::StepObject => {
                state.left.object_steps -= 1;
                state.object_offset_ms += scenario.object_step_ms;
            }
            Action::Pass { length } => {
                state.left.passes[length] -= 1;
                state.pass(scenario, scenario.passes_ms[length]);
            }
        }
        Some(state.reduced(scenario))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(TOO_MANY, |_, state: &State| {
                state.fault != Some(Fault::TooMany)
            }),
            Property::always(OVERLENT, |_, state: &State| {
                state.fault != Some(Fault::Overlent)
            }),
            Property::always(SPENT_TWICE, |_, state: &State| {
                state.fault != Some(Fault::SpentTwice)
            }),
            Property::always(REGRANTED, |_, state: &State| {
                state.fault != Some(Fault::Regranted)
            }),
            Property::always(STUCK, |_, state: &State| state.fault != Some(Fault::Stuck)),
            Property::always(LEFT, |_, state: &State| state.fault != Some(Fault::Left)),
            Property::sometimes(ALL_PASSES, |model: &Self, state: &State| {
                state.passed.is_full(&model.scenario.rule, state.now_ms)
            }),
        ]
    }
}
