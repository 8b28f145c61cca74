//! The storage of objects, in memory.

use std::cell::RefCell;
use std::collections::HashMap;

use edgeward::idempotency::claims::{Claims, Held};
use edgeward::limit::ledger::Rows;
use edgeward::limit::row::Row;
use edgeward::limit::wire::KeyUse;
use edgeward::replay::{Take, Uses};
use edgeward::revocation::Marks;

#[derive(Default)]
pub struct FakeRows(
    RefCell<HashMap<String, Row>>,
    RefCell<Marks>,
    RefCell<HashMap<String, KeyUse>>,
);

#[derive(Default)]
pub struct FakeUses(RefCell<HashMap<String, u64>>);

#[derive(Default)]
pub struct FakeClaims(RefCell<HashMap<String, Held>>);

impl Claims for FakeClaims {
    type Fault = ();
    fn find(&self, name: &str) -> Result<Option<Held>, ()> {
        Ok(self.0.borrow().get(name).cloned())
    }
    fn put(&self, name: &str, held: &Held) -> Result<(), ()> {
        self.0.borrow_mut().insert(name.to_owned(), held.clone());
        Ok(())
    }
    fn remove(&self, name: &str) -> Result<(), ()> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }
    fn count(&self, _now_ms: u64) -> Result<(u64, u64), ()> {
        Ok((self.0.borrow().len() as u64, 0))
    }
}

impl Uses for FakeUses {
    type Fault = ();
    fn is_used(&self, name: &str) -> Result<bool, ()> {
        Ok(self.0.borrow().contains_key(name))
    }
    fn count(&self, now_ms: u64) -> Result<u64, ()> {
        let mut uses = self.0.borrow_mut();
        uses.retain(|_, until_ms| *until_ms > now_ms);
        Ok(uses.len() as u64)
    }
    fn write(&self, take: &Take) -> Result<(), ()> {
        self.0.borrow_mut().insert(take.name.clone(), take.until_ms);
        Ok(())
    }
}

impl Rows for FakeRows {
    type Fault = ();
    fn load(&self, row: &str) -> Result<Option<Row>, ()> {
        Ok(self.0.borrow().get(row).cloned())
    }
    fn save(&self, row: &str, state: &Row) -> Result<(), ()> {
        self.0.borrow_mut().insert(row.to_owned(), state.clone());
        Ok(())
    }
    fn marks(&self) -> Result<Marks, ()> {
        Ok(self.1.borrow().clone())
    }
    fn save_marks(&self, marks: &Marks) -> Result<(), ()> {
        *self.1.borrow_mut() = marks.clone();
        Ok(())
    }
    fn count_uses(&self, key_id: &str, count: u64, now_ms: u64) -> Result<(), ()> {
        let mut uses = self.2.borrow_mut();
        let used = uses.entry(key_id.to_owned()).or_default();
        used.count += count;
        used.last_used_at_ms = now_ms;
        Ok(())
    }
    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, ()> {
        Ok(self.2.borrow().get(key_id).copied())
    }
}
