//! One counter object: rows as JSON text, a clock, and storage that may fail.
//!
//! Owns: what an object is made of here. Its decisions are the gateway's own (`limit::ledger`).
//! Called by: `world::network`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::audit::{Violation, What};
use crate::bugs::{self, Bug};
use crate::limit::ledger::{self, Rows};
use crate::limit::row::Row;
use crate::limit::wire::{Act, Answer, KeyUse, Question};
use crate::object::ObjectName;
use crate::revocation::Marks;
use crate::world::World;
use crate::world::clock::Clock;
use crate::world::random::Chance;

/// A counter object.
pub struct CounterObject {
    pub name: ObjectName,
    pub clock: RefCell<Clock>,
    rows: RefCell<HashMap<String, String>>,
    /// The second instance's rows, where a bug makes one.
    twin: RefCell<HashMap<String, String>>,
    /// The second of the world that calls are counted in, and how many there were.
    second: Cell<(u64, u64)>,
}

/// What storage does when it is broken.
#[derive(Clone, Copy, Debug)]
pub struct StorageFailed;

impl CounterObject {
    pub fn new(name: ObjectName, clock: Clock) -> Self {
        Self {
            name,
            clock: RefCell::new(clock),
            rows: RefCell::default(),
            twin: RefCell::default(),
            second: Cell::default(),
        }
    }

    /// Units that a row holds at an instant of the object's clock.
    pub fn held(&self, row: &str, now_ms: u64) -> u64 {
        let rows = self.rows.borrow();
        let row = rows
            .get(row)
            .and_then(|text| serde_json::from_str::<Row>(text).ok());
        row.map_or(0, |row| row.held(now_ms))
    }

    /// Whether it takes one more call in this second.
    fn takes(&self, now_us: u64, calls_per_s: u64) -> bool {
        let (second, calls) = self.second.get();
        let now_s = now_us / 1_000_000;
        let calls = if second == now_s { calls + 1 } else { 1 };
        self.second.set((now_s, calls));
        calls_per_s == 0 || calls <= calls_per_s
    }
}

/// An object's storage during one call.
struct Table<'o> {
    rows: &'o RefCell<HashMap<String, String>>,
    chance: &'o RefCell<Chance>,
    /// How often, in a million, a read or write fails.
    fails: u64,
    now_ms: u64,
    bug: Bug,
    /// What each row held that was written.
    held: RefCell<Vec<(String, u64)>>,
}

impl Table<'_> {
    fn works(&self) -> Result<(), StorageFailed> {
        match self.fails > 0 && self.chance.borrow_mut().hits(self.fails) {
            true => Err(StorageFailed),
            false => Ok(()),
        }
    }
}

impl Rows for Table<'_> {
    type Fault = StorageFailed;

    fn load(&self, row: &str) -> Result<Option<Row>, StorageFailed> {
        self.works()?;
        let rows = self.rows.borrow();
        let Some(text) = rows.get(row) else {
            return Ok(None);
        };
        let altered = bugs::alter_loaded(self.bug, text, self.now_ms);
        let row = serde_json::from_str(altered.as_deref().unwrap_or(text));
        row.map(Some).map_err(|_| StorageFailed)
    }

    fn save(&self, row: &str, state: &Row) -> Result<(), StorageFailed> {
        self.works()?;
        let text = serde_json::to_string(state).map_err(|_| StorageFailed)?;
        self.held.borrow_mut().push((row.to_owned(), state.held(0)));
        if self.bug != Bug::NoWrite {
            self.rows.borrow_mut().insert(row.to_owned(), text);
        }
        Ok(())
    }

    fn marks(&self) -> Result<Marks, StorageFailed> {
        Ok(Marks::default())
    }

    fn save_marks(&self, _marks: &Marks) -> Result<(), StorageFailed> {
        Ok(())
    }

    fn count_use(&self, _key_id: &str, _now_ms: u64) -> Result<(), StorageFailed> {
        Ok(())
    }

    fn key_use(&self, _key_id: &str) -> Result<Option<KeyUse>, StorageFailed> {
        Ok(None)
    }
}

impl World {
    /// An object answers a question; `None`: it does not.
    pub fn answer_at(&self, object: usize, text: &str, copy: bool) -> Option<String> {
        let object = &self.objects[object];
        let faults = &self.scenario.faults;
        let now_us = self.now_us();
        if !object.takes(now_us, faults.calls_per_s) {
            self.figures.borrow_mut().overloaded += 1;
            return None;
        }
        let mut question = serde_json::from_str::<Question>(text).ok()?;
        bugs::alter_question(self.bug, &mut question, copy);
        let now_ms = object.clock.borrow().at_ms(now_us);
        let is_twin = self.bug == Bug::Twin && self.chance.borrow_mut().below(2) == 0;
        let table = Table {
            rows: if is_twin { &object.twin } else { &object.rows },
            chance: &self.chance,
            fails: faults.storage,
            now_ms,
            bug: self.bug,
            held: RefCell::default(),
        };
        let answer = ledger::answer(&table, now_ms, &question).ok()?;
        self.look_at(object, &table, &question, &answer);
        if self.chance.borrow_mut().hits(faults.restart) {
            // What was written stays, and nobody is told.
            bugs::restart(self.bug, &mut object.rows.borrow_mut());
            return None;
        }
        serde_json::to_string(&answer).ok()
    }

    /// Looks at what an object holds after it granted something: never more than its limit. While a
    /// policy changes, what was lent under the old one may be more.
    fn look_at(&self, object: &CounterObject, table: &Table, question: &Question, answer: &Answer) {
        let (Act::Charge(asking), Answer::Granted(rows)) = (&question.act, answer) else {
            return;
        };
        let mut figures = self.figures.borrow_mut();
        for (asked, granted) in asking.rows.iter().zip(rows) {
            figures.lent += granted.lent.map_or(0, |lent| lent.units);
            if (asked.units == 0 && granted.lent.is_none()) || self.is_changing() {
                continue;
            }
            let written = table.held.borrow();
            let written = written.iter().rev().find(|(row, _)| *row == asked.row);
            let (held, limit) = (written.map_or(0, |(_, held)| *held), asked.rule.capacity());
            if held > limit {
                self.violations.borrow_mut().push(Violation {
                    at_us: self.now_us(),
                    row: format!("{} of {}", asked.row, object.name.hex()),
                    what: What::Held { held, limit },
                });
            }
        }
    }
}
