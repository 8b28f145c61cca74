//! One isolate of the gateway, or one broker: what it remembers, its clock, and its way out.
//!
//! Owns: the ports that the gateway's code is run with here. Does not own: what a message meets on
//! its way (`world::network`). Called by: `world`.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::bugs::Bug;
use crate::facts::UnixMs;
use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::broker::Grants;
use crate::limit::errand::Errand;
use crate::limit::memory::LimitMemory;
use crate::limit::wire::{Answer, Question};
use crate::object::ObjectName;
use crate::revocation::Marks;
use crate::world::World;
use crate::world::clock::Clock;
use crate::world::queue::Event;
use crate::world::task::TaskId;

/// An isolate, from its start to its end.
pub struct Isolate {
    /// Its place in the world; another takes it when this one ends.
    pub place: usize,
    /// By this number objects know it.
    pub life: u64,
    pub rtt_us: u64,
    pub memory: RefCell<LimitMemory>,
    pub clock: RefCell<Clock>,
    /// How long before now its code read the clock.
    pub stale_us: Cell<u64>,
    /// It stands still until then.
    pub paused_until_us: Cell<u64>,
    /// What it granted on, where it is a broker.
    pub grants: RefCell<Grants>,
    /// The latest instant that its clock showed.
    latest_ms: Cell<UnixMs>,
}

impl Isolate {
    pub fn new(place: usize, life: u64, rtt_us: u64, clock: Clock) -> Self {
        Self {
            place,
            life,
            rtt_us,
            memory: RefCell::new(LimitMemory::new(life)),
            clock: RefCell::new(clock),
            stale_us: Cell::new(0),
            paused_until_us: Cell::new(0),
            grants: RefCell::new(Grants::new(life)),
            latest_ms: Cell::new(0),
        }
    }

    fn now_ms(&self, now_us: u64, bug: Bug) -> UnixMs {
        let shown_ms = self.clock.borrow_mut().read_ms(now_us, self.stale_us.get());
        match bug {
            // The clock that ran back is not noticed: it stands still until the time is there again.
            Bug::ClockRanBack => {
                self.latest_ms.set(self.latest_ms.get().max(shown_ms));
                self.latest_ms.get()
            }
            _ => shown_ms,
        }
    }
}

/// The outside of one request or errand of an isolate.
pub struct Ports {
    pub world: Rc<World>,
    pub isolate: Rc<Isolate>,
    pub task: TaskId,
    /// Whether a request waits; errands that it leaves are done when it has its answer.
    pub is_request: bool,
    pub asked: Cell<u32>,
    /// When the objects that answered had written what they granted.
    pub committed: RefCell<Vec<(ObjectName, u64)>>,
    pub deferred: RefCell<Vec<Errand>>,
    /// What its clock showed when it was read, and when that was.
    pub readings: RefCell<Vec<(UnixMs, u64)>>,
}

impl Ports {
    pub fn new(world: &Rc<World>, isolate: &Rc<Isolate>, task: TaskId, is_request: bool) -> Self {
        Self {
            world: Rc::clone(world),
            isolate: Rc::clone(isolate),
            task,
            is_request,
            asked: Cell::new(0),
            committed: RefCell::default(),
            deferred: RefCell::default(),
            readings: RefCell::default(),
        }
    }
}

impl Objects for Ports {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        self.asked.set(self.asked.get() + 1);
        let call = self.world.send(self, object, question);
        let answer = poll_fn(|_| match call.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        });
        let answer = answer.await;
        if answer.is_ok() {
            let committed = (*object, call.committed_us.get());
            self.committed.borrow_mut().push(committed);
        }
        answer
    }

    /// No scenario takes credentials back.
    async fn stored_marks(&self, _object: &ObjectName) -> Result<Marks, ObjectDown> {
        Err(ObjectDown)
    }

    async fn pause(&self, ms: u64) {
        let until_us = self.world.now_us() + ms * 1_000;
        let wake = Event::Wake {
            task: self.task,
            isolate: Rc::clone(&self.isolate),
        };
        self.world.at(until_us, wake);
        poll_fn(|_| match self.world.now_us() >= until_us {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    fn now_ms(&self) -> UnixMs {
        let now_us = self.world.now_us();
        let shown_ms = self.isolate.now_ms(now_us, self.world.bug());
        if self.is_request {
            self.readings.borrow_mut().push((shown_ms, now_us));
        }
        shown_ms
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        &self.isolate.memory
    }

    fn defer(&self, errand: Errand) {
        match self.is_request {
            true => self.deferred.borrow_mut().push(errand),
            false => self.world.leave(&self.isolate, errand, 0),
        }
    }
}
