//! What an isolate remembers.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use edgeward::limit::memory::LimitMemory;

/// What an isolate remembers of limits, each with a number of its own.
pub struct Memory(pub RefCell<LimitMemory>);

impl Default for Memory {
    fn default() -> Self {
        static HOLDERS: AtomicU64 = AtomicU64::new(1);
        let holder = HOLDERS.fetch_add(1, Ordering::Relaxed);
        Self(RefCell::new(LimitMemory::new(holder)))
    }
}
