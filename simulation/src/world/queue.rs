//! What happens next: events by time, and those of one instant in an order drawn from the seed.
//!
//! Owns: the order. Does not own: what an event does (`world`). Called by: `world`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::limit::errand::Errand;
use crate::world::isolate::Isolate;
use crate::world::network::Call;
use crate::world::task::TaskId;

/// Something that happens.
pub enum Event {
    /// A request arrives at an isolate.
    Arrive {
        isolate: usize,
    },
    /// A question is at its object; `copy`: it was there before.
    Question {
        call: Rc<Call>,
        text: Rc<str>,
        copy: bool,
    },
    /// An answer is at its isolate; `None`: the object failed.
    Answer {
        call: Rc<Call>,
        text: Option<String>,
        committed_us: u64,
    },
    /// Nobody waits for an answer any longer.
    TimeOut {
        call: Rc<Call>,
    },
    /// A pause of a task is over.
    Wake {
        task: TaskId,
        isolate: Rc<Isolate>,
    },
    /// A request has its answer, and there is time for an errand.
    Errand {
        isolate: Rc<Isolate>,
        errand: Box<Errand>,
    },
    Crash {
        isolate: usize,
    },
    /// An isolate's clock is set.
    Step {
        isolate: usize,
    },
    Pause {
        isolate: usize,
    },
    /// An object's clock is set.
    ObjectStep {
        object: usize,
    },
    /// An isolate gets the changed policy.
    Change {
        isolate: usize,
    },
    /// No message is on its way: what is held is what was admitted.
    Settled,
}

struct Entry {
    at_us: u64,
    tie: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest: the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_us, other.tie).cmp(&(self.at_us, self.tie))
    }
}

/// All that is to happen.
#[derive(Default)]
pub struct Queue(BinaryHeap<Entry>);

impl Queue {
    /// - `tie`: drawn at random; the smaller of one instant comes first.
    pub fn push(&mut self, at_us: u64, tie: u64, event: Event) {
        self.0.push(Entry { at_us, tie, event });
    }

    pub fn pop(&mut self) -> Option<(u64, Event)> {
        self.0.pop().map(|entry| (entry.at_us, entry.event))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
