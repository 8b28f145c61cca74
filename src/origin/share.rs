//! What isolates tell each other of an origin, behind answers: that a breaker opened.
//!
//! Owns: the question to the object of an origin. Does not own: what a word from elsewhere means
//! (`breaker::suspect`). Called by: the edge, after the response.
//!
//! The word is one unit of a limit of one: who opens takes it, for as long as a breaker is open; who
//! looks finds no room. Silence changes nothing: each isolate goes by what it saw.

use std::cell::RefCell;

use crate::limit::ask::Objects;
use crate::limit::meter::MeterRule;
use crate::limit::window::WindowRule;
use crate::limit::wire::{Act, Answer, Question, RowCharge};
use crate::object::ObjectName;
use crate::origin::rule::BreakerRule;
use crate::origin::state::OriginState;

/// The row of an origin's object.
const ROW: &str = "open";

/// Tells others that the breaker opened here, or asks whether one did elsewhere.
///
/// - `name`: the origin's, to every isolate the same ([`crate::policy::gate::Origin::known_as`]).
pub async fn share<O: Objects>(
    objects: &O,
    name: &str,
    rule: &BreakerRule,
    state: &RefCell<OriginState>,
) {
    let tells = std::mem::take(&mut state.borrow_mut().is_to_be_told);
    let row = RowCharge {
        row: ROW.into(),
        rule: MeterRule::Window(WindowRule {
            limit: 1,
            window_ms: rule.open_ms,
        }),
        units: 1,
        want: 0,
        reports: Vec::new(),
        look: !tells,
    };
    let asking = {
        let wallet = &mut objects.limit_memory().borrow_mut().wallet;
        wallet.tick(objects.now_ms());
        wallet.row_question(row)
    };
    let object = ObjectName::of(&["origin", name]);
    let question = Question::of(Act::Charge(asking));
    if let Ok(Answer::Refused(rows)) = objects.ask(&object, &question).await {
        let left_ms = rows.iter().map(|row| row.retry_after_ms).max();
        let left_ms = left_ms.unwrap_or_default();
        let now_ms = objects.now_ms();
        state.borrow_mut().breaker.suspect(rule, now_ms, left_ms);
    }
}
