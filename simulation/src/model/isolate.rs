//! One isolate: the gateway's own [`Purse`], a clock that may be wrong, and a number of its own.
//!
//! Owns: what an isolate may do, as its driver does it, but whenever it likes. What tells it when
//! to ask, and for how much, is left out: here it asks at any time for any number.

use crate::limit::charge::TakenOf;
use crate::limit::meter::MeterRule;
use crate::limit::purse::{Left, Purse};
use crate::limit::wire::{HolderId, Lent};
use crate::model::bugs::Bug;
use crate::model::scenario::Scenario;
use crate::model::state::{Asked, Fault, State, Told};

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Isolate {
    pub holder: HolderId,
    pub seq: u64,
    /// The last question before the clock ran back.
    pub distrusted_seq: u64,
    pub turn: u64,
    /// What its clock shows beyond true time.
    pub offset_ms: i64,
    /// The latest instant that it showed.
    pub seen_ms: u64,
    pub purse: Purse,
}

impl Isolate {
    pub fn new(holder: HolderId, now_ms: u64, rule: &MeterRule) -> Self {
        Self {
            holder,
            seq: 0,
            distrusted_seq: 0,
            turn: 0,
            offset_ms: 0,
            seen_ms: now_ms,
            purse: Purse::new("", rule),
        }
    }

    /// Whether it did nothing so far.
    pub fn is_new(&self) -> bool {
        self.seq == 0 && self.offset_ms == 0
    }

    pub fn clock_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.offset_ms)
    }

    /// Forgets when the clock was read last where nothing hangs on it: where it cannot run back any
    /// more, and where nothing is held that would be thrown away then.
    pub fn settle_clock(&mut self, scenario: &Scenario, now_ms: u64, may_step: bool, awaits: bool) {
        let is_ahead = self.clock_ms(now_ms) >= self.seen_ms;
        let is_empty = !awaits && self.purse == Purse::new("", &scenario.rule);
        if (is_ahead && !may_step) || is_empty {
            self.seen_ms = 0;
        }
        if !awaits {
            self.distrusted_seq = 0;
        }
    }

    /// Reads the clock, as `Wallet::tick` does, and with the same consequence for answers to come.
    fn read(&mut self, now_ms: u64) -> u64 {
        let clock_ms = self.clock_ms(now_ms);
        if clock_ms < self.seen_ms {
            self.distrusted_seq = self.seq;
            self.purse.distrust(clock_ms);
        }
        self.seen_ms = clock_ms;
        clock_ms
    }
}

/// Serves a request from what is lent.
pub fn spend(scenario: &Scenario, state: &mut State, place: usize) {
    let now_ms = state.now_ms;
    let isolate = &mut state.isolates[place];
    let clock_ms = isolate.read(now_ms);
    let Some((TakenOf::Lease { seq, .. }, _)) = isolate.purse.spend(clock_ms, scenario.leased)
    else {
        return;
    };
    isolate.purse.confirm(seq, scenario.leased);
    let holder = isolate.holder;
    let period_ms = state.object_seen_ms.max(state.object_ms());
    state.note_passed(scenario, period_ms, scenario.leased);
    let mut lots = state.lots.iter_mut();
    if let Some(lot) = lots.find(|lot| lot.holder == holder && lot.seq == seq) {
        lot.spent += scenario.leased;
        if lot.spent > lot.units {
            state.fault = Some(Fault::SpentTwice);
        }
    }
}

/// Asks the object.
///
/// - `units`: what a request costs; 0 asks for more only.
pub fn ask(scenario: &Scenario, state: &mut State, place: usize, units: u64, want: u64) {
    let now_ms = state.now_ms;
    let isolate = &mut state.isolates[place];
    let clock_ms = isolate.read(now_ms);
    isolate.seq += 1;
    let mut reports = isolate.purse.reports(clock_ms, isolate.seq, want);
    if let Some(bug) = scenario.bug {
        bug.reports(&mut reports);
    }
    let (holder, seq) = (isolate.holder, isolate.seq);
    let open_seq = match scenario.undoes {
        true => open_seq(state, holder, seq),
        false => 0,
    };
    state.asked.push(Asked {
        holder,
        seq,
        clock_ms,
        sent_ms: now_ms,
        units,
        want,
        reports,
        settling: None,
        undone: None,
        open_seq,
        answered: Default::default(),
    });
}

/// Hands back all that is lent.
pub fn hand_back(scenario: &Scenario, state: &mut State, place: usize) {
    let now_ms = state.now_ms;
    let isolate = &mut state.isolates[place];
    let clock_ms = isolate.read(now_ms);
    isolate.seq += 1;
    let before = isolate.purse.clone();
    let mut reports = isolate.purse.give_up(clock_ms, usize::MAX);
    reports.extend(isolate.purse.reports(clock_ms, isolate.seq, 0));
    if scenario.bug == Some(Bug::HolderKeepsWhatItGaveBack) {
        isolate.purse = before;
    }
    state.asked.push(Asked {
        holder: isolate.holder,
        seq: isolate.seq,
        clock_ms,
        sent_ms: now_ms,
        units: 0,
        want: 0,
        reports,
        settling: None,
        undone: None,
        open_seq: 0,
        answered: Default::default(),
    });
}

/// Takes an answer; no other to the same question is read.
pub fn take(scenario: &Scenario, state: &mut State, place: usize) {
    let Some(told) = read(scenario, state, place) else {
        return;
    };
    let now_ms = state.now_ms;
    let mut isolates = state.isolates.iter_mut();
    let Some(isolate) = isolates.find(|isolate| isolate.holder == told.holder) else {
        return;
    };
    let clock_ms = isolate.read(now_ms);
    let sent_ms = match scenario.bug {
        Some(Bug::HolderCountsFromReceipt) => clock_ms,
        _ => told.clock_ms,
    };
    let left = Left {
        remaining: 1,
        frees_in_ms: 1,
    };
    let is_trusted = told.seq > isolate.distrusted_seq;
    let lent = (is_trusted && told.lent_units > 0).then_some(Lent {
        seq: told.lent_seq,
        units: told.lent_units,
        ttl_ms: told.ttl_ms,
        fair: told.fair,
    });
    isolate.purse.granted(told.seq, sent_ms, left, (0, lent));
    // What only says when to ask is forgotten: here everything is asked at any time.
    isolate.purse.refused(told.seq, 0, 0, 0);
    isolate.purse.unanswered(told.seq);
}

/// Takes an answer for a request that is refused elsewhere, and has the charge given back.
pub fn refuse(scenario: &Scenario, state: &mut State, place: usize) {
    let Some(told) = read(scenario, state, place) else {
        return;
    };
    let now_ms = state.now_ms;
    state.passed.retract(told.passed_ms, told.units);
    let mut isolates = state.isolates.iter_mut();
    let Some(isolate) = isolates.find(|isolate| isolate.holder == told.holder) else {
        return;
    };
    let clock_ms = isolate.read(now_ms);
    isolate.seq += 1;
    isolate.turn += 1;
    state.asked.push(Asked {
        holder: isolate.holder,
        seq: isolate.seq,
        clock_ms,
        sent_ms: now_ms,
        units: 0,
        want: 0,
        reports: Vec::new(),
        settling: Some((isolate.turn, told.at_ms, told.units)),
        undone: None,
        open_seq: 0,
        answered: Default::default(),
    });
}

/// Gives up a question: its request is refused, and no answer to it is taken any more.
pub fn give_up(scenario: &Scenario, state: &mut State, holder: HolderId, seq: u64) {
    let now_ms = state.now_ms;
    let of_it = |of: HolderId, asked: u64| of == holder && asked == seq;
    let told = state.told.iter().find(|one| of_it(one.holder, one.seq));
    let told = told.map(|one| (one.passed_ms, one.units));
    let mut passed = told.filter(|(passed_ms, _)| *passed_ms > 0);
    state.told.retain(|one| !of_it(one.holder, one.seq));
    for asked in &mut state.asked {
        if of_it(asked.holder, asked.seq) {
            let passed_ms = asked.answered.passed_ms.take();
            passed = passed.or(passed_ms.map(|passed_ms| (passed_ms, asked.units)));
            asked.answered.is_read = true;
        }
    }
    if let Some((passed_ms, units)) = passed {
        state.passed.retract(passed_ms, units);
    }
    let mut isolates = state.isolates.iter_mut();
    let Some(isolate) = isolates.find(|isolate| isolate.holder == holder) else {
        return;
    };
    let clock_ms = isolate.read(now_ms);
    isolate.seq += 1;
    state.asked.push(Asked {
        holder,
        seq: isolate.seq,
        clock_ms,
        sent_ms: now_ms,
        units: 0,
        want: 0,
        reports: Vec::new(),
        settling: None,
        undone: Some(match scenario.bug {
            Some(Bug::NothingUndone) => u64::MAX,
            _ => seq,
        }),
        open_seq: 0,
        answered: Default::default(),
    });
}

/// The oldest question of a holder that may still be answered or undone.
fn open_seq(state: &State, holder: HolderId, seq: u64) -> u64 {
    let asked = state.asked.iter().filter(|one| one.holder == holder);
    let asked = asked.filter_map(|one| match one.undone {
        Some(undone) => Some(undone),
        None => (!one.answered.is_read).then_some(one.seq),
    });
    let told = state.told.iter().filter(|one| one.holder == holder);
    asked.chain(told.map(|one| one.seq)).fold(seq, u64::min)
}

/// Takes an answer off the way, and all others to its question.
fn read(scenario: &Scenario, state: &mut State, place: usize) -> Option<Told> {
    let told = state.told.get(place)?.clone();
    let of_it = |holder, seq| holder == told.holder && seq == told.seq;
    if scenario.bug == Some(Bug::AnswerTakenTwice) {
        state.told.remove(place);
        return Some(told);
    }
    state.told.retain(|one| !of_it(one.holder, one.seq));
    for asked in &mut state.asked {
        asked.answered.is_read |= of_it(asked.holder, asked.seq);
    }
    Some(told)
}

/// Lets an isolate die, and another take its place.
pub fn crash(scenario: &Scenario, state: &mut State, place: usize) {
    let now_ms = state.now_ms;
    let isolate = &mut state.isolates[place];
    let holder = isolate.holder;
    let offset_ms = isolate.offset_ms;
    // Nobody reads what comes for the one that died.
    *isolate = Isolate::new(holder + 2, isolate.clock_ms(now_ms), &scenario.rule);
    isolate.offset_ms = offset_ms;
    state.told.retain(|told| told.holder != holder);
}

/// Lets an isolate's clock step.
pub fn step(scenario: &Scenario, state: &mut State, place: usize, offset_ms: i64) {
    let now_ms = state.now_ms;
    let isolate = &mut state.isolates[place];
    if scenario.is_seen {
        isolate.read(now_ms);
    }
    isolate.offset_ms = offset_ms;
    if scenario.is_seen {
        isolate.read(now_ms);
    }
}
