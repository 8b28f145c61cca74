//! A world of isolates and objects with a time of its own: one seed, one course of events.
//!
//! Owns: the loop over events, and what all parts share. Does not own: the parts.
//! Called by: `main`, tests.

pub mod clock;
pub mod isolate;
pub mod load;
pub mod network;
pub mod object;
pub mod queue;
pub mod random;
pub mod request;
pub mod start;
pub mod task;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::audit::{RowAudit, Violation};
use crate::bugs::Bug;
use crate::exact::Exact;
use crate::figures::Figures;
use crate::limit::errand::{self, Errand};
use crate::object::ObjectName;
use crate::scenario::Scenario;
use crate::world::isolate::{Isolate, Ports};
use crate::world::load::Load;
use crate::world::network::Target;
use crate::world::object::CounterObject;
use crate::world::queue::{Event, Queue};
use crate::world::random::Chance;
use crate::world::request::Caller;
use crate::world::task::{TaskId, Tasks, Work};

/// Most violations of one run that are told: the first says most.
const VIOLATIONS_MAX: usize = 5;

/// Everything there is.
pub struct World {
    pub scenario: Rc<Scenario>,
    pub bug: Bug,
    now_us: Cell<u64>,
    queue: RefCell<Queue>,
    pub chance: RefCell<Chance>,
    /// What requests ask and how long their origins take: the same whatever goes wrong.
    pub arrivals: RefCell<Chance>,
    tasks: RefCell<Tasks>,
    isolates: RefCell<Vec<Rc<Isolate>>>,
    loads: RefCell<Vec<Load>>,
    /// Which isolates have the changed policy.
    changed: RefCell<Vec<bool>>,
    pub objects: Vec<CounterObject>,
    targets: HashMap<ObjectName, Target>,
    pub callers: Vec<Caller>,
    pub audits: RefCell<Vec<RowAudit>>,
    pub oracle: RefCell<Vec<Exact>>,
    pub figures: RefCell<Figures>,
    pub violations: RefCell<Vec<Violation>>,
    requests: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub figures: Figures,
    pub violations: Vec<Violation>,
}

/// Runs a scenario for so many requests. The same arguments give the same outcome.
pub fn run(scenario: &Rc<Scenario>, requests: u64, seed: u64, bug: Bug) -> Outcome {
    let world = Rc::new(World::new(scenario, requests, seed, bug));
    world.begin();
    loop {
        let next = world.queue.borrow_mut().pop();
        let Some((at_us, event)) = next else { break };
        world.now_us.set(world.now_us().max(at_us));
        world.happen(event);
        if world.violations.borrow().len() >= VIOLATIONS_MAX {
            break;
        }
    }
    world.end()
}

impl World {
    pub fn now_us(&self) -> u64 {
        self.now_us.get()
    }

    /// Has something happen.
    pub fn at(&self, at_us: u64, event: Event) {
        let tie = self.chance.borrow_mut().next();
        self.queue.borrow_mut().push(at_us, tie, event);
    }

    pub fn isolate(&self, place: usize) -> Rc<Isolate> {
        Rc::clone(&self.isolates.borrow()[place])
    }

    pub fn is_broker(&self, place: usize) -> bool {
        place >= self.scenario.isolates
    }

    pub fn target(&self, object: &ObjectName) -> Target {
        self.targets[object]
    }

    /// The object that brokers borrow from: the service's.
    pub fn root(&self) -> Option<ObjectName> {
        self.objects.last().map(|object| object.name)
    }

    /// Whether isolates may have two policies, or hold what an old one lent.
    pub fn is_changing(&self) -> bool {
        let scenario = &self.scenario;
        let from_us = scenario.change_at_ms * 1_000;
        let until_ms = scenario.change_at_ms + scenario.change_takes_ms + scenario.longest_ms();
        from_us > 0 && (from_us..until_ms * 1_000 + 6_000_000).contains(&self.now_us())
    }

    /// Lets an event happen; what reaches an isolate that stands still waits until it goes on.
    fn happen(self: &Rc<Self>, event: Event) {
        let place = match &event {
            Event::Arrive { isolate } => Some(*isolate),
            Event::Answer { call, .. } | Event::TimeOut { call } => Some(call.isolate.place),
            Event::Wake { isolate, .. } | Event::Errand { isolate, .. } => Some(isolate.place),
            _ => None,
        };
        if let Some(place) = place {
            let until_us = self.isolates.borrow()[place].paused_until_us.get();
            if until_us > self.now_us() {
                return self.at(until_us, event);
            }
        }
        match event {
            Event::Arrive { isolate } => self.arrive(isolate),
            Event::Question { call, text, copy } => self.deliver(&call, &text, copy),
            Event::Answer {
                call,
                text,
                committed_us,
            } => self.receive(&call, text.as_deref(), committed_us),
            Event::TimeOut { call } => self.time_out(&call),
            Event::Wake { task, isolate } => self.go_on(&isolate, task),
            Event::Errand { isolate, errand } => self.do_errand(&isolate, *errand),
            Event::Crash { isolate } => self.crash(isolate),
            Event::Step { isolate } => self.step(isolate),
            Event::Pause { isolate } => self.pause(isolate),
            Event::ObjectStep { object } => self.object_step(object),
            Event::Change { isolate } => self.change(isolate),
            Event::Settled => self.settled(),
        }
    }

    /// An isolate gets the changed policy; with half of them, the oracle goes over to it.
    fn change(&self, isolate: usize) {
        let mut changed = self.changed.borrow_mut();
        changed[isolate] = true;
        let now = changed.iter().filter(|one| **one).count();
        if now == self.scenario.isolates.div_ceil(2) {
            self.change_oracle();
        }
    }

    /// Begins something that an isolate does, and goes on with it as far as it goes.
    pub fn spawn(
        self: &Rc<Self>,
        isolate: &Rc<Isolate>,
        is_request: bool,
        work: impl FnOnce(Ports) -> Work,
    ) {
        let task = self.tasks.borrow_mut().reserve(isolate.life);
        let mut work = work(Ports::new(self, isolate, task, is_request));
        self.read_clock(isolate);
        match task::poll(&mut work) {
            true => self.tasks.borrow_mut().end(task),
            false => self.tasks.borrow_mut().put(task, work),
        }
    }

    /// Goes on with a task that something has reached.
    pub fn go_on(self: &Rc<Self>, isolate: &Isolate, task: TaskId) {
        let Some(mut work) = self.tasks.borrow_mut().take(task) else {
            return;
        };
        self.read_clock(isolate);
        match task::poll(&mut work) {
            true => self.tasks.borrow_mut().end(task),
            false => self.tasks.borrow_mut().put(task, work),
        }
    }

    /// Draws how long before its decision the isolate read its clock.
    fn read_clock(&self, isolate: &Isolate) {
        let most_us = self.scenario.clocks.stale_ms * 1_000;
        if most_us > 0 {
            let stale_us = self.chance.borrow_mut().below(most_us);
            isolate.stale_us.set(stale_us);
        }
    }

    /// Leaves an errand to be done in a while.
    pub fn leave(&self, isolate: &Rc<Isolate>, errand: Errand, after_us: u64) {
        let lost = self.scenario.faults.errands_lost;
        if lost > 0 && self.chance.borrow_mut().hits(lost) {
            return;
        }
        let errand = Event::Errand {
            isolate: Rc::clone(isolate),
            errand: Box::new(errand),
        };
        self.at(self.now_us() + after_us, errand);
    }

    fn do_errand(self: &Rc<Self>, isolate: &Rc<Isolate>, errand: Errand) {
        if self.isolate(isolate.place).life != isolate.life {
            return;
        }
        self.spawn(isolate, false, |ports| {
            Box::pin(async move { errand::run(&ports, errand).await })
        });
    }

    fn end(&self) -> Outcome {
        let mut figures = self.figures.borrow().clone();
        let mut violations = self.violations.borrow().clone();
        let audits = &mut *self.audits.borrow_mut();
        for audit in audits.iter_mut() {
            audit.check(u64::MAX, &mut violations);
        }
        figures.over = audits.iter().map(|audit| audit.worst).max().unwrap_or(0);
        figures.ends_ms = self.now_us() / 1_000;
        violations.truncate(VIOLATIONS_MAX);
        Outcome {
            figures,
            violations,
        }
    }
}
