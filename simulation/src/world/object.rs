//! One counter object: rows as JSON text, a clock, and storage that may fail.
//!
//! Owns: what an object is made of here. Its decisions are the gateway's own (`limit::ledger`).
//! Called by: `world::network`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::audit::{HORIZON_US, Violation, What};
use crate::bugs::{self, Bug};
use crate::limit::ledger::{self, Rows};
use crate::limit::recent::Recent;
use crate::limit::row::{CLOCK_ERROR_MS, Row};
use crate::limit::wire::{Act, Answer, HolderId, KeyUse, Question};
use crate::object::ObjectName;
use crate::revocation::Marks;
use crate::world::World;
use crate::world::clock::Clock;
use crate::world::random::Chance;
use crate::world::request::{place_of, row};

/// Most leases that are noted before those that are long over are forgotten.
const LEASES_NOTED_MAX: usize = 20_000;

/// A counter object.
pub struct CounterObject {
    pub name: ObjectName,
    pub clock: RefCell<Clock>,
    rows: RefCell<Stored>,
    /// The second instance's rows, where a bug makes one.
    twin: RefCell<Stored>,
    /// The second of the world that calls are counted in, and how many there were.
    second: Cell<(u64, u64)>,
}

/// The rows of an object. Production writes each as JSON text; here the row is kept, and one write in
/// [`TEXT_PART`] goes through its text and must come back as it was, as must all when an object starts
/// again: so it is the same.
#[derive(Default)]
struct Stored {
    rows: HashMap<String, Row>,
    writes: u64,
    /// What the instance remembers of them.
    recent: Rc<Recent>,
}

const TEXT_PART: u64 = 64;

impl Stored {
    /// Writes a row; `None`: its text does not read as what was written.
    fn write(&mut self, name: &str, row: &Row) -> Option<()> {
        self.writes += 1;
        let mut written = row.clone();
        if self.writes.is_multiple_of(TEXT_PART) {
            written = read_back(row)?;
        }
        match self.rows.get_mut(name) {
            Some(stored) => *stored = written,
            None => {
                self.rows.insert(name.to_owned(), written);
            }
        }
        Some(())
    }

    /// Starts again: all that there is was written.
    fn restart(&mut self, bug: Bug) {
        self.recent.forget();
        for row in self.rows.values_mut() {
            let text = serde_json::to_string(row).unwrap_or_default();
            let text = bugs::restart(bug, &text).unwrap_or(text);
            if let Ok(read) = serde_json::from_str(&text) {
                *row = read;
            }
        }
    }
}

/// A row as its text reads, if that is the same.
fn read_back(row: &Row) -> Option<Row> {
    let text = serde_json::to_string(row).ok()?;
    let read = serde_json::from_str::<Row>(&text).ok()?;
    (read == *row).then_some(read)
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
        rows.rows.get(row).map_or(0, |row| row.held(now_ms))
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
    rows: &'o RefCell<Stored>,
    chance: &'o RefCell<Chance>,
    /// How often, in a million, a read or write fails.
    fails: u64,
    now_ms: u64,
    bug: Bug,
    /// What each row held that was written.
    held: RefCell<Vec<(String, u64)>>,
    /// Whether a row's text did not read as what was written.
    misread: Cell<bool>,
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
        let Some(stored) = rows.rows.get(row) else {
            return Ok(None);
        };
        match self.bug {
            Bug::None => Ok(Some(stored.clone())),
            bug => {
                let text = serde_json::to_string(stored).map_err(|_| StorageFailed)?;
                let altered = bugs::alter_loaded(bug, &text, self.now_ms);
                let row = serde_json::from_str(&altered.unwrap_or(text));
                row.map(Some).map_err(|_| StorageFailed)
            }
        }
    }

    fn save(&self, row: &str, state: &Row) -> Result<(), StorageFailed> {
        self.works()?;
        // Where there is room, no more than the limit is held.
        let held = if state.free() > 0 { 0 } else { state.held(0) };
        self.held.borrow_mut().push((row.to_owned(), held));
        if self.bug != Bug::NoWrite {
            let is_read_back = self.rows.borrow_mut().write(row, state).is_some();
            self.misread.set(self.misread.get() || !is_read_back);
        }
        Ok(())
    }

    fn marks(&self) -> Result<Marks, StorageFailed> {
        Ok(Marks::default())
    }

    fn save_marks(&self, _marks: &Marks) -> Result<(), StorageFailed> {
        Ok(())
    }

    fn count_uses(&self, _key_id: &str, _uses: u64, _now_ms: u64) -> Result<(), StorageFailed> {
        Ok(())
    }

    fn key_use(&self, _key_id: &str) -> Result<Option<KeyUse>, StorageFailed> {
        Ok(None)
    }
}

impl World {
    /// An object answers a question; `None`: it does not.
    pub fn answer_at(&self, object: usize, text: &str, copy: bool) -> Option<Answer> {
        let object = &self.objects[object];
        let faults = &self.scenario.faults;
        let now_us = self.now_us();
        if !object.takes(now_us, faults.calls_per_s) {
            self.figures.borrow_mut().overloaded += 1;
            return None;
        }
        let mut question = serde_json::from_str::<Question>(text).ok()?;
        bugs::alter_question(self.bug(), &mut question, copy);
        let now_ms = object.clock.borrow().at_ms(now_us);
        let is_twin = self.bug() == Bug::Twin && self.chance.borrow_mut().below(2) == 0;
        let table = Table {
            rows: if is_twin { &object.twin } else { &object.rows },
            chance: &self.chance,
            fails: faults.storage,
            now_ms,
            bug: self.bug(),
            held: RefCell::default(),
            misread: Cell::new(false),
        };
        let recent = Rc::clone(&table.rows.borrow().recent);
        let answer = match bugs::is_hidden_by_memory(self.bug()) {
            true => ledger::answer(&table, now_ms, &question),
            false => ledger::answer(&recent.over(&table), now_ms, &question),
        };
        let answer = answer.ok()?;
        self.look_at(object, &table, &question, &answer);
        if self.chance.borrow_mut().hits(faults.restart) {
            // What was written stays, and nobody is told.
            object.rows.borrow_mut().restart(self.bug());
            return None;
        }
        Some(answer)
    }

    /// Looks at what an object holds after it granted something: never more than its limit. While a
    /// policy changes, what was lent under the old one may be more.
    fn look_at(&self, object: &CounterObject, table: &Table, question: &Question, answer: &Answer) {
        if table.misread.get() {
            self.violations.borrow_mut().push(Violation {
                at_us: self.now_us(),
                row: object.name.hex(),
                what: What::Misread,
            });
        }
        let (Act::Charge(asking), Answer::Granted(rows)) = (&question.act, answer) else {
            return;
        };
        let mut figures = self.figures.borrow_mut();
        for (asked, granted) in asking.rows.iter().zip(rows) {
            if let Some(lent) = granted.lent {
                figures.lent += lent.units;
                let lease = (asking.holder, place_of(&asked.row), lent.seq);
                self.note_lease(lease, lent.ttl_ms);
            }
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

impl World {
    /// Notes how long an object holds a lease, in the world's time.
    fn note_lease(&self, lease: (HolderId, usize, u64), ttl_ms: u64) {
        let now_us = self.now_us();
        let mut leases = self.leases.borrow_mut();
        if leases.len() >= LEASES_NOTED_MAX {
            leases.retain(|_, ends_us| *ends_us + HORIZON_US > now_us);
        }
        let ends_us = leases.entry(lease).or_default();
        *ends_us = (*ends_us).max(now_us + (ttl_ms + CLOCK_ERROR_MS) * 1_000);
    }

    /// Checks that a leased unit is used while its object holds the lease.
    pub fn check_lease(&self, lease: (HolderId, usize, u64), at_us: u64) {
        let leases = self.leases.borrow();
        let Some(ends_us) = leases.get(&lease).filter(|ends_us| **ends_us < at_us) else {
            return;
        };
        self.violations.borrow_mut().push(Violation {
            at_us,
            row: row(lease.1),
            what: What::UsedLate {
                by_ms: (at_us - ends_us) / 1_000,
            },
        });
    }
}
