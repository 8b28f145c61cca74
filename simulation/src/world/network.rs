//! Messages between isolates and objects, as JSON text: late, lost, twice or in another order.
//!
//! Owns: what a message meets on its way. Does not own: its text (`limit::wire`), who answers
//! (`world::object`). Called by: `world::isolate`, `world`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::bugs;
use crate::limit::ask::ObjectDown;
use crate::limit::broker;
use crate::limit::wire::{Answer, Question};
use crate::object::ObjectName;
use crate::world::World;
use crate::world::isolate::{Isolate, Ports};
use crate::world::queue::Event;
use crate::world::task::TaskId;

/// How long a request waits for an object, and a broker for the object that it borrows from: as
/// `edge::limiter`.
const CALL_TIMEOUT_US: u64 = 2_000_000;
const ROOT_TIMEOUT_US: u64 = 1_000_000;
/// One message in so many takes four times as long.
const SLOW_PART: u64 = 100;
/// How late a message is that is late.
const LATE_US: u64 = 6_000_000;
/// Between isolates and their broker, there and back.
const BROKER_RTT_US: u64 = 4_000;

/// Who is asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    Object(usize),
    /// A broker, by its place among the isolates.
    Broker(usize),
}

/// One call, until its answer is there or nobody waits for it.
pub struct Call {
    pub task: TaskId,
    pub isolate: Rc<Isolate>,
    pub target: Target,
    pub sent_us: u64,
    rtt_us: u64,
    pub answer: RefCell<Option<Result<Answer, ObjectDown>>>,
    pub is_over: Cell<bool>,
    /// When what the answer grants was written.
    pub committed_us: Cell<u64>,
    /// Whether the question came twice.
    pub is_copied: Cell<bool>,
}

impl World {
    /// Sends a question on its way.
    pub fn send(
        self: &Rc<Self>,
        ports: &Ports,
        object: &ObjectName,
        question: &Question,
    ) -> Rc<Call> {
        let target = self.target(object);
        let is_broker = matches!(target, Target::Broker(_));
        let call = Rc::new(Call {
            task: ports.task,
            isolate: Rc::clone(&ports.isolate),
            target,
            sent_us: self.now_us(),
            rtt_us: if is_broker {
                BROKER_RTT_US
            } else {
                ports.isolate.rtt_us
            },
            answer: RefCell::new(None),
            is_over: Cell::new(false),
            committed_us: Cell::new(0),
            is_copied: Cell::new(false),
        });
        let text: Rc<str> = serde_json::to_string(question).unwrap_or_default().into();
        let timeout_us = match self.is_broker(ports.isolate.place) {
            true => ROOT_TIMEOUT_US,
            false => CALL_TIMEOUT_US,
        };
        self.figures.borrow_mut().calls += 1;
        for (arrives_us, copy) in self.ways(&call) {
            call.is_copied.set(call.is_copied.get() || copy);
            let (call, text) = (Rc::clone(&call), Rc::clone(&text));
            self.at(arrives_us, Event::Question { call, text, copy });
        }
        let over = Event::TimeOut {
            call: Rc::clone(&call),
        };
        self.at(self.now_us() + timeout_us, over);
        call
    }

    /// When a message arrives: never, once or twice.
    fn ways(&self, call: &Call) -> Vec<(u64, bool)> {
        let net = &self.scenario.net;
        let mut ways = Vec::with_capacity(2);
        let mut chance = self.chance.borrow_mut();
        if !chance.hits(net.lost) {
            ways.push((
                self.now_us() + way_us(&mut chance, call.rtt_us, net.late),
                false,
            ));
        }
        if chance.hits(net.twice) {
            ways.push((
                self.now_us() + way_us(&mut chance, call.rtt_us, net.late),
                true,
            ));
        }
        ways
    }

    /// A question is where it was sent.
    pub fn deliver(self: &Rc<Self>, call: &Rc<Call>, text: &str, copy: bool) {
        match call.target {
            Target::Object(object) => {
                let answer = self.answer_at(object, text, copy);
                self.reply(call, answer, self.now_us());
            }
            Target::Broker(place) => self.broker(call, place, text),
        }
    }

    /// An answer sets out; `None`: the object failed, which is told too.
    fn reply(&self, call: &Rc<Call>, text: Option<String>, committed_us: u64) {
        if text.is_none() {
            self.figures.borrow_mut().failed += 1;
        }
        for (arrives_us, copy) in self.ways(call) {
            // An answer that comes again finds nobody.
            if !copy {
                let answer = Event::Answer {
                    call: Rc::clone(call),
                    text: text.clone(),
                    committed_us,
                };
                self.at(arrives_us, answer);
            }
        }
    }

    /// A broker answers when it has what it needs.
    fn broker(self: &Rc<Self>, call: &Rc<Call>, place: usize, text: &str) {
        let broker = self.isolate(place);
        let (Ok(question), Some(root)) = (serde_json::from_str::<Question>(text), self.root())
        else {
            return;
        };
        let (world, call) = (Rc::clone(self), Rc::clone(call));
        self.spawn(&broker, false, move |ports| {
            Box::pin(async move {
                let asked_us = world.now_us();
                let answer = broker::answer(&ports, &ports.isolate.grants, &root, &question).await;
                let committed = ports.committed.borrow().last().map(|(_, at_us)| *at_us);
                let text = answer.and_then(|answer| serde_json::to_string(&answer).ok());
                world.reply(&call, text, committed.unwrap_or(asked_us));
            })
        });
    }

    /// An answer is at its isolate.
    pub fn receive(self: &Rc<Self>, call: &Rc<Call>, text: Option<&str>, committed_us: u64) {
        if call.is_over.replace(true) {
            return;
        }
        let answer = text.and_then(|text| serde_json::from_str::<Answer>(text).ok());
        let answer = answer.map(|mut answer| {
            bugs::alter_answer(self.bug, &mut answer, call, self.now_us());
            answer
        });
        call.committed_us.set(committed_us);
        *call.answer.borrow_mut() = Some(answer.ok_or(ObjectDown));
        self.go_on(&call.isolate, call.task);
    }

    /// Nobody waits for the answer any longer.
    pub fn time_out(self: &Rc<Self>, call: &Rc<Call>) {
        if call.is_over.replace(true) {
            return;
        }
        self.figures.borrow_mut().timed_out += 1;
        *call.answer.borrow_mut() = Some(Err(ObjectDown));
        self.go_on(&call.isolate, call.task);
    }
}

/// How long one message is on its way.
fn way_us(chance: &mut crate::world::random::Chance, rtt_us: u64, late: u64) -> u64 {
    let usual_us = rtt_us * chance.between(35, 75) / 100;
    let slow_us = if chance.below(SLOW_PART) == 0 {
        3 * usual_us
    } else {
        0
    };
    let late_us = if chance.hits(late) {
        chance.below(LATE_US)
    } else {
        0
    };
    usual_us + slow_us + late_us
}
