//! A counter object's rows and notes in SQLite.
//!
//! Owns: the statements. Called by: `limit::ledger`, through `limit::recent`.

use worker::{Error, Result};

use super::{INTEGER_MAX, Limiter, MARKS, ROWS_HELD_MAX, TIDY_MS_MIN, integer};
use crate::limit::ledger::Rows;
use crate::limit::row::Row;
use crate::limit::wire::KeyUse;
use crate::revocation::Marks;

pub(super) struct Table<'a>(pub(super) &'a Limiter);

impl Rows for Table<'_> {
    type Fault = Error;

    fn load(&self, row: &str) -> Result<Option<Row>> {
        // A row that does not read must not read as empty.
        let text = self.0.text("SELECT state FROM rows WHERE name = ?", row)?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    fn save(&self, row: &str, state: &Row) -> Result<()> {
        self.0.need_tables()?;
        // Later than any number that is stored exactly is for ever.
        let ends_at_ms = state.empty_at_ms().min(INTEGER_MAX);
        let text = serde_json::to_string(state)?;
        let values = [text.into(), integer(ends_at_ms)?, row.into()];
        let change = "UPDATE rows SET state = ?, ends_at_ms = ? WHERE name = ?";
        let changed = self.0.sql.exec(change, values.to_vec())?;
        if changed.rows_written() == 0 {
            self.need_room()?;
            let insert = "INSERT INTO rows (state, ends_at_ms, name) VALUES (?, ?, ?)";
            self.0.sql.exec(insert, values.to_vec())?;
        }
        // What ends long before the alarm does not wait for it.
        if ends_at_ms.saturating_add(TIDY_MS_MIN) < self.0.rings_at_ms.get() {
            self.0.arm(ends_at_ms)?;
        }
        Ok(())
    }

    fn marks(&self) -> Result<Marks> {
        let text = self.0.note(MARKS)?;
        let marks = text.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(marks.unwrap_or_default())
    }

    fn save_marks(&self, marks: &Marks) -> Result<()> {
        self.0.write_note(MARKS, serde_json::to_string(marks)?)?;
        match marks.end_at_ms() {
            Some(end_at_ms) if self.0.rings_at_ms.get() == u64::MAX && end_at_ms < u64::MAX => {
                self.0.arm(end_at_ms)
            }
            _ => Ok(()),
        }
    }

    fn count_uses(&self, key_id: &str, count: u64, now_ms: u64) -> Result<()> {
        let due = self.0.with_uses(|uses| uses.count(key_id, count, now_ms))?;
        match due {
            true => self.0.write_uses(),
            false => Ok(()),
        }
    }

    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>> {
        self.0.with_uses(|uses| uses.of(key_id))
    }
}

impl Table<'_> {
    /// Makes sure that there is room for another row, and counts it.
    fn need_room(&self) -> Result<()> {
        let mut held = self.0.rows_held()?;
        if held >= ROWS_HELD_MAX {
            self.0.forget_rows()?;
            held = self.0.rows_held()?;
        }
        if held >= ROWS_HELD_MAX {
            return Err(Error::RustError("no room for another row".into()));
        }
        self.0.held.set(Some(held + 1));
        Ok(())
    }
}
