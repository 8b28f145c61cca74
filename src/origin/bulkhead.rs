//! How many requests are open at an origin at once: a place each, and a short line for more.
//!
//! Owns: places and the line. A place has an end of its own: one whose request was dropped without a
//! word by the platform is free again then. Does not own: the clock, the waiting (`dispatch`).

use std::collections::{BTreeMap, VecDeque};

use crate::facts::UnixMs;
use crate::origin::rule::BulkheadRule;

/// Names one request at one origin.
pub type Ticket = u64;

/// The requests at one origin.
#[derive(Debug, Default)]
pub struct Bulkhead {
    /// When each place ends by itself.
    open: BTreeMap<Ticket, UnixMs>,
    /// Those who wait, first come first, and until when they do.
    line: VecDeque<(Ticket, UnixMs)>,
    drawn: Ticket,
    /// No place ends by itself before this.
    ends_at_ms: UnixMs,
}

/// What came of asking for a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// To be given back by `leave`.
    Place(Ticket),
    /// To ask again with, soon, by `again`.
    Wait(Ticket),
    Full,
}

impl Bulkhead {
    /// Asks for a place until `until_ms` at most, which nobody needs longer.
    pub fn enter(&mut self, rule: &BulkheadRule, now_ms: UnixMs, until_ms: UnixMs) -> Entry {
        self.forget(now_ms);
        let ticket = self.drawn;
        self.drawn = self.drawn.wrapping_add(1);
        if self.line.is_empty() && self.open.len() < rule.open_max {
            return self.seat(ticket, until_ms);
        }
        if self.line.len() >= rule.waiting_max || rule.wait_ms == 0 {
            return Entry::Full;
        }
        let ends_at_ms = now_ms.saturating_add(rule.wait_ms);
        self.line.push_back((ticket, ends_at_ms));
        Entry::Wait(ticket)
    }

    /// Asks again. Who waited too long is refused, as is one whose turn in line was not kept.
    pub fn again(
        &mut self,
        rule: &BulkheadRule,
        now_ms: UnixMs,
        ticket: Ticket,
        until_ms: UnixMs,
    ) -> Entry {
        self.forget(now_ms);
        let Some(place) = self.line.iter().position(|(known, _)| *known == ticket) else {
            return Entry::Full;
        };
        // The line moves up by as many as there are free places.
        let free = rule.open_max.saturating_sub(self.open.len());
        if place >= free {
            return Entry::Wait(ticket);
        }
        self.line.remove(place);
        self.seat(ticket, until_ms)
    }

    /// Gives a place back, or a turn in line.
    pub fn leave(&mut self, ticket: Ticket) {
        self.open.remove(&ticket);
        self.line.retain(|(known, _)| *known != ticket);
    }

    /// Requests that are open, and that wait.
    pub fn count(&self) -> (usize, usize) {
        (self.open.len(), self.line.len())
    }

    fn seat(&mut self, ticket: Ticket, until_ms: UnixMs) -> Entry {
        self.ends_at_ms = match self.open.is_empty() {
            true => until_ms,
            false => self.ends_at_ms.min(until_ms),
        };
        self.open.insert(ticket, until_ms);
        Entry::Place(ticket)
    }

    fn forget(&mut self, now_ms: UnixMs) {
        self.line.retain(|(_, ends_at_ms)| *ends_at_ms > now_ms);
        if now_ms >= self.ends_at_ms {
            self.open.retain(|_, ends_at_ms| *ends_at_ms > now_ms);
            self.ends_at_ms = self.open.values().min().copied().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: BulkheadRule = BulkheadRule {
        open_max: 2,
        waiting_max: 1,
        wait_ms: 100,
    };

    fn place(entry: Entry) -> Ticket {
        match entry {
            Entry::Place(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn as_many_as_the_rule_says_are_open_and_wait_and_one_more_is_refused() {
        let mut bulkhead = Bulkhead::default();
        let first = place(bulkhead.enter(&RULE, 0, 1_000));
        place(bulkhead.enter(&RULE, 0, 1_000));
        let Entry::Wait(waiting) = bulkhead.enter(&RULE, 0, 1_000) else {
            panic!("no line");
        };
        assert_eq!(bulkhead.enter(&RULE, 0, 1_000), Entry::Full);
        assert_eq!(
            bulkhead.again(&RULE, 1, waiting, 1_000),
            Entry::Wait(waiting)
        );
        bulkhead.leave(first);
        let late = bulkhead.enter(&RULE, 1, 1_000);
        assert_eq!(
            late,
            Entry::Full,
            "one who comes later went before the line"
        );
        assert_eq!(
            bulkhead.again(&RULE, 2, waiting, 1_000),
            Entry::Place(waiting)
        );
        assert_eq!(bulkhead.count(), (2, 0));
    }

    #[test]
    fn waiting_ends_when_the_rule_says_and_not_before() {
        let mut bulkhead = Bulkhead::default();
        place(bulkhead.enter(&RULE, 0, 10_000));
        place(bulkhead.enter(&RULE, 0, 10_000));
        let Entry::Wait(waiting) = bulkhead.enter(&RULE, 0, 10_000) else {
            panic!("no line");
        };
        assert_eq!(
            bulkhead.again(&RULE, 99, waiting, 10_000),
            Entry::Wait(waiting)
        );
        assert_eq!(bulkhead.again(&RULE, 100, waiting, 10_000), Entry::Full);
    }

    #[test]
    fn a_place_that_nobody_gives_back_is_free_at_its_end() {
        let mut bulkhead = Bulkhead::default();
        let rule = BulkheadRule {
            waiting_max: 0,
            ..RULE
        };
        place(bulkhead.enter(&rule, 0, 1_000));
        place(bulkhead.enter(&rule, 0, 2_000));
        assert_eq!(bulkhead.enter(&rule, 999, 3_000), Entry::Full);
        place(bulkhead.enter(&rule, 1_000, 3_000));
        assert_eq!(bulkhead.enter(&rule, 1_999, 3_000), Entry::Full);
        place(bulkhead.enter(&rule, 2_000, 3_000));
    }

    proptest! {
        #[test]
        fn never_more_are_open_than_the_rule_says(
            steps in prop::collection::vec((0_u8..3, 0_u64..50, 0_usize..8), 1..200),
        ) {
            let mut bulkhead = Bulkhead::default();
            let mut tickets = Vec::new();
            let mut now_ms = 0;
            for (what, later_ms, which) in steps {
                now_ms += later_ms;
                let known = tickets.get(which % tickets.len().max(1)).copied();
                match (what, known) {
                    (0, Some(ticket)) => bulkhead.leave(ticket),
                    (1, Some(ticket)) => {
                        bulkhead.again(&RULE, now_ms, ticket, now_ms + 200);
                    }
                    _ => match bulkhead.enter(&RULE, now_ms, now_ms + 200) {
                        Entry::Place(ticket) | Entry::Wait(ticket) => tickets.push(ticket),
                        Entry::Full => {}
                    },
                }
                let (open, waiting) = bulkhead.count();
                prop_assert!(open <= RULE.open_max && waiting <= RULE.waiting_max);
            }
        }
    }
}
