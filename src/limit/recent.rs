//! What an object remembers of its storage: what it read or wrote last, so that a question costs one write
//! and no reading.
//!
//! Owns: that memory says nothing but what was written; every write goes through to storage first.
//! Does not own: storage. Called by: `edge::limiter`, around `limit::ledger`.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::facts::UnixMs;
use crate::limit::ledger::Rows;
use crate::limit::row::Row;
use crate::limit::wire::KeyUse;
use crate::revocation::Marks;

/// Most rows that are remembered: a caller is counted in a few, an object of a network in many.
pub const ROWS_MAX: usize = 8;

/// The memory of one object.
///
/// It is true as long as nobody else writes to the storage: one instance of an object alone can
/// (`docs/decisions/0016-leases.md`, A1), and one whose writes the platform could not keep is started anew.
#[derive(Default)]
pub struct Recent {
    /// The latest last. `None`: there is no such row.
    rows: RefCell<VecDeque<(String, Option<Row>)>>,
    marks: RefCell<Option<Marks>>,
}

impl Recent {
    /// Forgets everything: what is stored was changed by other means than [`Through`].
    pub fn forget(&self) {
        self.rows.borrow_mut().clear();
        self.marks.replace(None);
    }

    /// Storage, seen through this memory.
    pub fn over<'a, R: Rows>(&'a self, stored: &'a R) -> Through<'a, R> {
        Through {
            recent: self,
            stored,
        }
    }

    fn row(&self, name: &str) -> Option<Option<Row>> {
        let rows = self.rows.borrow();
        let found = rows.iter().find(|(known, _)| known == name)?;
        Some(found.1.clone())
    }

    fn note_row(&self, name: &str, row: Option<Row>) {
        let mut rows = self.rows.borrow_mut();
        rows.retain(|(known, _)| known != name);
        if rows.len() >= ROWS_MAX {
            rows.pop_front();
        }
        rows.push_back((name.to_owned(), row));
    }

    fn drop_row(&self, name: &str) {
        self.rows.borrow_mut().retain(|(known, _)| known != name);
    }
}

/// Storage with its memory before it.
pub struct Through<'a, R> {
    recent: &'a Recent,
    stored: &'a R,
}

impl<R: Rows> Rows for Through<'_, R> {
    type Fault = R::Fault;

    fn load(&self, row: &str) -> Result<Option<Row>, R::Fault> {
        if let Some(known) = self.recent.row(row) {
            return Ok(known);
        }
        let found = self.stored.load(row)?;
        self.recent.note_row(row, found.clone());
        Ok(found)
    }

    fn save(&self, row: &str, state: &Row) -> Result<(), R::Fault> {
        // Where the write fails, nobody knows what stands there now.
        self.recent.drop_row(row);
        self.stored.save(row, state)?;
        self.recent.note_row(row, Some(state.clone()));
        Ok(())
    }

    fn marks(&self) -> Result<Marks, R::Fault> {
        if let Some(known) = self.recent.marks.borrow().as_ref() {
            return Ok(known.clone());
        }
        let found = self.stored.marks()?;
        self.recent.marks.replace(Some(found.clone()));
        Ok(found)
    }

    fn save_marks(&self, marks: &Marks) -> Result<(), R::Fault> {
        self.recent.marks.replace(None);
        self.stored.save_marks(marks)?;
        self.recent.marks.replace(Some(marks.clone()));
        Ok(())
    }

    fn count_uses(&self, key_id: &str, uses: u64, now_ms: UnixMs) -> Result<(), R::Fault> {
        self.stored.count_uses(key_id, uses, now_ms)
    }

    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, R::Fault> {
        self.stored.key_use(key_id)
    }
}

#[cfg(test)]
mod tests;
