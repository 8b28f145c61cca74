//! The cache of answers, in memory; what is in it stays until it is taken out.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use edgeward::ports::ReadFault;
use edgeward::stored::StoredAnswer;
use edgeward::stored::entry::Filing;
use edgeward::stored::key::StoreKey;

use super::answer::FakeAnswer;

#[derive(Default)]
pub struct FakeStore {
    pub entries: RefCell<HashMap<StoreKey, Vec<u8>>>,
    /// For how long each of them was said to be of use, in seconds.
    pub lives_s: RefCell<Vec<u64>>,
    /// Why it does not answer.
    pub fault: Cell<Option<ReadFault>>,
    /// Whether the platform makes no answers of what is in it.
    pub is_broken: Cell<bool>,
}

impl FakeStore {
    pub fn get(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, ReadFault> {
        match self.fault.get() {
            Some(fault) => Err(fault),
            None => Ok(self.entries.borrow().get(key).cloned()),
        }
    }

    pub fn put(&self, filing: &Filing, content: Result<Vec<u8>, ReadFault>) {
        if let Some(entry) = filing.entry(content) {
            self.entries.borrow_mut().insert(*filing.key(), entry);
            self.lives_s.borrow_mut().push(filing.left_s());
        }
    }

    pub fn revive(&self, stored: StoredAnswer) -> Option<FakeAnswer> {
        let answer = FakeAnswer(stored.status, None, stored.fields, Some(stored.content));
        (!self.is_broken.get()).then_some(answer)
    }
}
