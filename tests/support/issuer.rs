//! An issuer that publishes its keys, and the memory of them that the edge keeps.

use std::cell::{Cell, RefCell};

use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::JwtRule;
use edgeward::credential::key_cache::{KeyCache, Served, SourceName, Step};
use edgeward::ports::Freshness;

#[derive(Default)]
pub struct FakeIssuer {
    /// What it serves; `None`: it does not answer.
    pub published: RefCell<Option<KeySet>>,
    pub fetches: Cell<u32>,
    cache: RefCell<KeyCache>,
}

impl FakeIssuer {
    /// The keys as the edge finds them, fetched in no time.
    pub fn find(
        &self,
        rule: &JwtRule,
        uri: &str,
        wanted: Freshness,
        now_ms: u64,
    ) -> Option<Served> {
        let name = SourceName::of(rule, uri);
        let mut cache = self.cache.borrow_mut();
        let flight = match cache.decide(&name, wanted, now_ms) {
            Step::Serve(served) => return Some(served),
            Step::Fetch(flight) => flight,
            Step::Wait | Step::Down => return None,
        };
        self.fetches.set(self.fetches.get() + 1);
        match self.published.borrow().clone() {
            Some(keys) => cache.fetched(&name, flight, keys, now_ms),
            None => cache.failed(&name, flight, now_ms),
        }
    }
}
