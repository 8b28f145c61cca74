//! A small memory of an isolate: plain data until an instant, at most so many of them.
//!
//! Never a promise: one made for one request does not wake another's.

use std::collections::HashMap;
use std::hash::Hash;

use crate::facts::UnixMs;

pub(super) struct Cache<K, V> {
    entries: HashMap<K, (UnixMs, V)>,
    entries_max: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            entries: HashMap::new(),
            entries_max,
        }
    }

    pub(super) fn get(&self, key: &K, now_ms: UnixMs) -> Option<V> {
        let (until_ms, value) = self.entries.get(key)?;
        (*until_ms > now_ms).then(|| value.clone())
    }

    /// Remembers `value`. A full cache forgets what has ended, and then everything: simpler than an
    /// order of use, and what is forgotten is only asked again.
    pub(super) fn put(&mut self, key: K, value: V, until_ms: UnixMs, now_ms: UnixMs) {
        if self.entries.len() >= self.entries_max {
            self.entries.retain(|_, (until_ms, _)| *until_ms > now_ms);
        }
        if self.entries.len() >= self.entries_max {
            self.entries.clear();
        }
        self.entries.insert(key, (until_ms, value));
    }
}
