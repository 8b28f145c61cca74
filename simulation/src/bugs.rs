//! Bugs, put in at the seams on purpose: an audit that has never found anything proves nothing.
//!
//! Owns: what each bug does to messages, to stored rows and to clocks. Called by: `world`.

use std::collections::HashMap;

use crate::limit::wire::{Act, Answer, Question};
use crate::world::network::Call;

/// One bug, or none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Bug {
    #[default]
    None,
    /// An object answers without having written.
    NoWrite,
    /// A holder does not notice that its clock ran back.
    ClockRanBack,
    /// Two instances of one object answer, each with rows of its own.
    Twin,
}

/// What a bug makes of a question that has arrived.
pub fn alter_question(_bug: Bug, _question: &mut Question, _copy: bool) {}

/// What a bug makes of an answer that has arrived.
pub fn alter_answer(_bug: Bug, _answer: &mut Answer, _call: &Call, _now_us: u64) {}

/// What a bug makes of a row that is read; `None`: nothing.
pub fn alter_loaded(_bug: Bug, _text: &str, _now_ms: u64) -> Option<String> {
    None
}

/// What a bug makes of an object that starts again.
pub fn restart(_bug: Bug, _rows: &mut HashMap<String, String>) {}
