//! The object: the gateway's own [`ledger::answer`] over one stored row.
//!
//! Owns: what is checked of each answer. What an object keeps only in memory is nothing: every
//! question is answered from storage, so that an object that dies between two questions, or between
//! writing and answering, is the same as one whose answer is never read.

use std::cell::RefCell;
use std::convert::Infallible;

use crate::limit::ledger::{self, AHEAD_MS_MAX, Rows};
use crate::limit::meter::MeterRule;
use crate::limit::row::Row;
use crate::limit::wire::{
    Act, Answer, Asking, KeyUse, Question, Receipt, RowCharge, RowGranted, Settling, Undone,
};
use crate::model::bugs::Bug;
use crate::model::scenario::Scenario;
use crate::model::state::{Asked, Fault, Lot, State, Told};
use crate::revocation::Marks;

/// How long a request waits for an answer. One that comes later lets nothing pass.
pub const ANSWER_MS: u64 = 2_000;

struct Storage {
    row: RefCell<Option<Row>>,
    bug: Option<Bug>,
    now_ms: u64,
}

impl Rows for Storage {
    type Fault = Infallible;

    fn load(&self, _row: &str) -> Result<Option<Row>, Infallible> {
        let row = self.row.borrow().clone();
        Ok(match self.bug {
            Some(bug) => row.map(|row| bug.load(row, self.now_ms)),
            None => row,
        })
    }

    fn save(&self, _row: &str, state: &Row) -> Result<(), Infallible> {
        let row = match self.bug {
            Some(bug) => bug.save(state, self.row.borrow().as_ref()),
            None => Some(state.clone()),
        };
        if let Some(row) = row {
            self.row.replace(Some(row));
        }
        Ok(())
    }

    fn marks(&self) -> Result<Marks, Infallible> {
        Ok(Marks::default())
    }

    fn save_marks(&self, _marks: &Marks) -> Result<(), Infallible> {
        Ok(())
    }

    fn count_uses(&self, _key_id: &str, _uses: u64, _now_ms: u64) -> Result<(), Infallible> {
        Ok(())
    }

    fn key_use(&self, _key_id: &str) -> Result<Option<KeyUse>, Infallible> {
        Ok(None)
    }
}

impl Asked {
    fn question(&self, rule: &MeterRule) -> Question {
        let rows = match (self.settling, self.undone) {
            (Some(_), _) | (_, Some(_)) => Vec::new(),
            (None, None) => vec![RowCharge {
                row: String::new(),
                rule: rule.clone(),
                units: self.units,
                want: self.want,
                reports: self.reports.clone(),
                look: false,
            }],
        };
        let settling = self.settling.map(|(turn, at_ms, units)| Settling {
            turn,
            receipts: vec![Receipt {
                row: String::new(),
                at_ms,
                units,
                refund: false,
            }],
            debts: Vec::new(),
        });
        let undone = self.undone.into_iter().map(|seq| Undone {
            seq,
            row: String::new(),
            rule: rule.clone(),
        });
        Question::of(Act::Charge(Asking {
            holder: self.holder,
            seq: self.seq,
            at_ms: self.clock_ms,
            rows,
            settling,
            open_seq: self.open_seq,
            undone: undone.collect(),
        }))
    }
}

/// Answers a question that is on its way.
///
/// - `again`: it arrives once more later.
pub fn hear(scenario: &Scenario, state: &mut State, place: usize, again: bool) {
    let mut asked = state.asked.remove(place);
    let object_ms = state.object_ms();
    state.object_seen_ms = state.object_seen_ms.max(object_ms);
    let believed_ms = object_ms.min(asked.clock_ms.saturating_add(AHEAD_MS_MAX));
    let before = state
        .row
        .clone()
        .map(|row| row.reopened(believed_ms, believed_ms));
    let held_before = before.as_ref().map_or(0, |row| row.held(believed_ms));
    let known = before.is_some_and(|row| row.granted_before(asked.holder, asked.seq).is_some());
    let storage = Storage {
        row: RefCell::new(state.row.take()),
        bug: scenario.bug,
        now_ms: believed_ms,
    };
    let Ok(answer) = ledger::answer(&storage, object_ms, &asked.question(&scenario.rule));
    state.row = storage.row.into_inner();
    // By the clock that charges are dated by: a bucket holds more at an instant before.
    let held = state.row.as_ref().map_or(0, |row| row.held(object_ms));
    if held > scenario.rule.capacity() {
        state.fault = Some(Fault::Overlent);
    }
    let granted = match answer {
        Answer::Granted(rows) => Some(rows.first().cloned()),
        _ => None,
    };
    if is_stuck(scenario, state, &asked, held_before, granted.is_some()) {
        state.fault = Some(Fault::Stuck);
    }
    state.heard_ms = scenario.watches_quiet.then_some(state.now_ms);
    if known && held > held_before {
        state.fault = Some(Fault::Regranted);
    }
    if let Some(Some(row)) = granted {
        grant(scenario, state, &mut asked, known, &row);
    }
    if again {
        state.asked.push(asked);
    }
    if scenario.undoes && state.asked.is_empty() {
        let held = state.row.as_ref().map_or(0, |row| row.held(object_ms));
        if held != state.passed.units() {
            state.fault = Some(Fault::Left);
        }
    }
}

/// Whether units are held that nobody can use any more.
fn is_stuck(scenario: &Scenario, state: &State, asked: &Asked, held: u64, granted: bool) -> bool {
    let is_late = asked.sent_ms + ANSWER_MS < state.now_ms;
    let is_quiet = state
        .heard_ms
        .is_none_or(|heard_ms| heard_ms + scenario.quiet_ms() < state.now_ms);
    scenario.watches_quiet && is_quiet && !is_late && (held > 0 || !granted)
}

fn grant(
    scenario: &Scenario,
    state: &mut State,
    asked: &mut Asked,
    known: bool,
    granted: &RowGranted,
) {
    let now_ms = state.now_ms;
    let is_awaited = asked.sent_ms + ANSWER_MS >= now_ms;
    let has_passed = asked.answered.passed_ms.is_some();
    if asked.units > 0 && is_awaited && !has_passed && !asked.answered.is_read {
        asked.answered.passed_ms = Some(now_ms);
        state.note_passed(scenario, granted.at_ms, asked.units);
    }
    let (units, lent_before) = (
        granted.lent.map_or(0, |lent| lent.units),
        asked.answered.lent.map_or(0, |lent| lent.units),
    );
    if known && asked.answered.granted && units > lent_before {
        state.fault = Some(Fault::Regranted);
    }
    asked.answered.granted = true;
    asked.answered.lent = granted.lent;
    let told_ms = scenario.bug.map_or(0, Bug::told_longer_ms);
    if let (Some(lent), None) = (granted.lent, scenario.rule.shared()) {
        let of = |lot: &&mut Lot| lot.holder == asked.holder && lot.seq == lent.seq;
        match state.lots.iter_mut().find(of) {
            Some(lot) => lot.units = lot.units.max(lent.units),
            None => state.lots.push(Lot {
                holder: asked.holder,
                seq: lent.seq,
                units: lent.units,
                spent: 0,
                ends_ms: now_ms + lent.ttl_ms + ANSWER_MS,
            }),
        }
    }
    let has_reader = !asked.answered.is_read
        && state
            .isolates
            .iter()
            .any(|isolate| isolate.holder == asked.holder);
    let matters = granted.lent.is_some() || (scenario.settles && asked.units > 0 && is_awaited);
    if has_reader && matters {
        let told = Told {
            holder: asked.holder,
            seq: asked.seq,
            clock_ms: asked.clock_ms,
            sent_ms: asked.sent_ms,
            units: asked.units,
            at_ms: granted.at_ms,
            passed_ms: asked.answered.passed_ms.unwrap_or(0),
            lent_seq: granted.lent.map_or(0, |lent| lent.seq),
            lent_units: units,
            ttl_ms: granted.lent.map_or(0, |lent| lent.ttl_ms + told_ms),
            fair: granted.lent.map_or(0, |lent| lent.fair),
        };
        if scenario.bug == Some(Bug::AnswerTakenTwice) {
            state.told.push(told.clone());
        }
        state.told.push(told);
    }
}
