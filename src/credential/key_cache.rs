//! Issuers' key sets, remembered: when one is fetched, who waits for it, and what is served when
//! the issuer does not answer (RFC 7517 §5, RFC 8725bis §3.8).
//!
//! Owns: the arithmetic of time. Does not own: the fetch and the clock. Called by:
//! `edge::key_sets`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::credential::jwk::KeySet;
use crate::credential::jwt::JwtRule;
use crate::credential::signature::Algorithm;
use crate::facts::UnixMs;
use crate::ports::Freshness;

/// How long a set is relied on: a key that its issuer removes stops working within this time.
pub const FRESH_MS: u64 = 300_000;
/// How long before that a request fetches ahead, while the others are still served.
pub const AHEAD_MS: u64 = 30_000;
/// Shortest time between two fetches for keys that are not known, and after one that failed.
pub const REFETCH_MS_MIN: u64 = 30_000;
/// How far apart fetches of one set begin while none is kept.
pub const COLD_GAP_MS: u64 = 200;
/// How long an issuer that failed, and of whom nothing is kept, is left alone.
pub const REST_MS: u64 = 1_000;
/// Longest that a set is served while its issuer does not answer.
pub const STALE_MS_MAX: u64 = 86_400_000;
/// Longest fetch. One that has not ended by then was given up with its request.
pub const FETCH_MS_MAX: u64 = 3_000;
/// How long a request that waits for another's fetch waits before it looks again, and how often:
/// long enough for one fetch that was given up, and the next.
pub const LOOK_MS: u64 = 20;
pub const LOOKS_MAX: u64 = 2 * FETCH_MS_MAX / LOOK_MS;
/// Most sets kept.
pub const SETS_MAX: usize = 64;

/// The keys, and until when a token that they verified may be remembered.
pub type Served = (Rc<KeySet>, UnixMs);

/// Names what is fetched. The same address for another issuer, or read for other algorithms, is
/// another set: keys belong to one issuer (RFC 8725bis §3.8), and each to one algorithm (§3.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SourceName {
    uri: String,
    issuer: String,
    algorithms: Vec<Algorithm>,
}

impl SourceName {
    pub fn of(rule: &JwtRule, uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            issuer: rule.issuer.clone(),
            algorithms: rule.algorithms.clone(),
        }
    }
}

/// What a request that needs keys does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Serve(Served),
    /// Fetch, then say what came of it: [`KeyCache::fetched`] or [`KeyCache::failed`].
    Fetch(Flight),
    /// Another request fetches: look again after [`LOOK_MS`]. Plain data and a timer of one's own,
    /// as a promise made for one request does not wake another's.
    Wait,
    /// The issuer does not answer, and nothing that may still be served is kept.
    Down,
}

/// A fetch that was begun.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flight {
    began_at_ms: UnixMs,
}

/// The key sets of an isolate, by where they come from.
#[derive(Debug, Default)]
pub struct KeyCache(HashMap<SourceName, Source>);

#[derive(Clone, Debug)]
struct Kept {
    keys: Rc<KeySet>,
    /// When its fetch began: what the issuer removed later may still be in it.
    as_of_ms: UnixMs,
}

#[derive(Debug, Default)]
struct Source {
    kept: Option<Kept>,
    flight: Option<Flight>,
    /// When a fetch for an unknown key last began.
    sought_at_ms: Option<UnixMs>,
    /// When the last fetch ended badly; none since one that went well.
    failed_at_ms: Option<UnixMs>,
    used_at_ms: UnixMs,
}

impl KeyCache {
    /// What a request does that needs the keys of `name`; a fetch counts as begun.
    ///
    /// - `freshness`: `Newest` where a key was not found in what was served.
    /// - `now_ms`: Unix milliseconds. A clock that runs backwards makes sets old, never young.
    pub fn decide(&mut self, name: &SourceName, freshness: Freshness, now_ms: UnixMs) -> Step {
        self.make_room(name);
        let source = self.0.entry(name.clone()).or_default();
        source.used_at_ms = now_ms;
        source.decide(freshness, now_ms)
    }

    /// Keeps what a fetch brought, unless one that began later was faster; serves the newer.
    pub fn fetched(
        &mut self,
        name: &SourceName,
        flight: Flight,
        keys: KeySet,
        now_ms: UnixMs,
    ) -> Option<Served> {
        self.make_room(name);
        let source = self.0.entry(name.clone()).or_default();
        source.land(flight);
        if !source.has_newer_than(flight) {
            source.failed_at_ms = None;
            source.kept = Some(Kept {
                keys: Rc::new(keys),
                as_of_ms: flight.began_at_ms,
            });
        }
        source.serve(now_ms)
    }

    /// Notes that a fetch brought nothing usable; serves what is kept, if that may be.
    pub fn failed(&mut self, name: &SourceName, flight: Flight, now_ms: UnixMs) -> Option<Served> {
        let source = self.0.get_mut(name)?;
        source.land(flight);
        if !source.has_newer_than(flight) {
            source.failed_at_ms = Some(now_ms);
        }
        source.serve(now_ms)
    }

    /// Forgets what was unused for longest, where a new name needs its place.
    fn make_room(&mut self, name: &SourceName) {
        if self.0.len() < SETS_MAX || self.0.contains_key(name) {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, source)| source.used_at_ms);
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            self.0.remove(&oldest);
        }
    }
}

impl Source {
    fn decide(&mut self, freshness: Freshness, now_ms: UnixMs) -> Step {
        let age_ms = self.age_ms(now_ms);
        let Some(age_ms) = age_ms.filter(|age_ms| *age_ms < STALE_MS_MAX) else {
            self.kept = None;
            return self.decide_without(now_ms);
        };
        let rested = is_past(self.failed_at_ms, REFETCH_MS_MIN, now_ms);
        let in_flight = !is_past(
            self.flight.map(|flight| flight.began_at_ms),
            FETCH_MS_MAX,
            now_ms,
        );
        match freshness {
            Freshness::Newest if in_flight => Step::Wait,
            Freshness::Newest if rested && is_past(self.sought_at_ms, REFETCH_MS_MIN, now_ms) => {
                self.sought_at_ms = Some(now_ms);
                self.begin(now_ms)
            }
            // Past its time, a set is good enough only where its issuer is known to have failed.
            Freshness::Cached if in_flight && age_ms >= FRESH_MS && self.failed_at_ms.is_none() => {
                Step::Wait
            }
            Freshness::Cached if !in_flight && rested && age_ms >= FRESH_MS - AHEAD_MS => {
                self.begin(now_ms)
            }
            Freshness::Newest | Freshness::Cached => {
                self.serve(now_ms).map_or(Step::Down, Step::Serve)
            }
        }
    }

    /// Nothing is kept: a request fetches unless another began just now; if that is given up, the
    /// next begins another, so that it holds up nobody for long. A short rest once one has failed.
    fn decide_without(&mut self, now_ms: UnixMs) -> Step {
        let began_at_ms = self.flight.map(|flight| flight.began_at_ms);
        match (
            is_past(self.failed_at_ms, REST_MS, now_ms),
            is_past(began_at_ms, COLD_GAP_MS, now_ms),
        ) {
            (false, _) => Step::Down,
            (true, false) => Step::Wait,
            (true, true) => self.begin(now_ms),
        }
    }

    fn begin(&mut self, now_ms: UnixMs) -> Step {
        let flight = Flight {
            began_at_ms: now_ms,
        };
        self.flight = Some(flight);
        Step::Fetch(flight)
    }

    fn land(&mut self, flight: Flight) {
        if self.flight == Some(flight) {
            self.flight = None;
        }
    }

    fn has_newer_than(&self, flight: Flight) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| kept.as_of_ms > flight.began_at_ms)
    }

    fn age_ms(&self, now_ms: UnixMs) -> Option<u64> {
        let kept = self.kept.as_ref()?;
        Some(now_ms.abs_diff(kept.as_of_ms))
    }

    /// What is past its time verifies, and no token is remembered by it.
    fn serve(&self, now_ms: UnixMs) -> Option<Served> {
        let kept = self.kept.as_ref()?;
        let until_ms = kept.as_of_ms.min(now_ms).saturating_add(FRESH_MS);
        let good = self.age_ms(now_ms)? < STALE_MS_MAX;
        good.then(|| (Rc::clone(&kept.keys), until_ms))
    }
}

/// Whether `at_ms` lies `ms` away, or never was. A clock that ran backwards ends a wait, too.
fn is_past(at_ms: Option<UnixMs>, ms: u64, now_ms: UnixMs) -> bool {
    at_ms.is_none_or(|at_ms| now_ms.abs_diff(at_ms) >= ms)
}

#[cfg(test)]
mod tests;
