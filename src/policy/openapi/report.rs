//! What became of a document: the operations that are routed, those left out, and what a document
//! says that is not enforced.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Most operations left out, and most kinds of notes, that a report lists.
pub(super) const LISTED_MAX: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) operations: usize,
    /// Those that became routes: the id, and where it stands.
    imported: Vec<(String, String)>,
    left_out: Vec<(String, String, String)>,
    notes: Vec<Note>,
    by_problem: HashMap<String, usize>,
}

/// One thing that is not enforced, however often it is said.
#[derive(Debug)]
struct Note {
    problem: String,
    /// Where it is said first.
    first: String,
    times: usize,
}

impl Report {
    /// Notes that something at `place` is said and not enforced.
    pub(super) fn note(&mut self, place: &str, problem: impl Into<String>) {
        let problem = problem.into();
        if let Some(note) = self
            .by_problem
            .get(&problem)
            .and_then(|index| self.notes.get_mut(*index))
        {
            note.times += 1;
            return;
        }
        if self.notes.len() < LISTED_MAX {
            self.by_problem.insert(problem.clone(), self.notes.len());
            self.notes.push(Note {
                problem,
                first: place.to_owned(),
                times: 1,
            });
        }
    }

    pub(super) fn import(&mut self, id: &str, place: String) {
        self.imported.push((id.to_owned(), place));
    }

    /// Notes that an operation does not become a route.
    pub(super) fn leave_out(&mut self, operation: &str, place: &str, problem: String) {
        if self.left_out.len() < LISTED_MAX {
            self.left_out
                .push((operation.to_owned(), place.to_owned(), problem));
        }
    }

    pub(super) fn document(&self) -> Value {
        let left_out = self.left_out.iter().map(|(operation, place, problem)| {
            json!({ "operation": operation, "place": place, "problem": problem })
        });
        let notes = self.notes.iter().map(
            |note| json!({ "problem": note.problem, "place": note.first, "times": note.times }),
        );
        let routed = self.imported.iter();
        let routed = routed.map(|(id, place)| json!({ "id": id, "place": place }));
        json!({
            "operations": self.operations,
            "imported": self.imported.len(),
            "routed": routed.collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
            "not_enforced": notes.collect::<Vec<_>>(),
        })
    }
}
