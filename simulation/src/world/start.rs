//! How a world begins, and what breaks in it: isolates that end, clocks that are set.
//!
//! Owns: what there is at the beginning, and the faults that come by themselves.
//! Called by: `world`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::audit::RowAudit;
use crate::bugs::Bug;
use crate::exact::Exact;
use crate::figures::Figures;
use crate::object::ObjectName;
use crate::scenario::Scenario;
use crate::world::World;
use crate::world::clock::Clock;
use crate::world::isolate::Isolate;
use crate::world::load::Load;
use crate::world::network::Target;
use crate::world::object::CounterObject;
use crate::world::queue::{Event, Queue};
use crate::world::random::Chance;
use crate::world::request::{self, Caller};
use crate::world::task::Tasks;

/// Streams of chance, one for each thing, so that none changes another.
const FAULTS: u64 = 1;
const ARRIVALS: u64 = 2;
const LOADS: u64 = 1_000;

/// What the rows of a world are: by caller, and by limit.
struct Names {
    objects: Vec<ObjectName>,
    audits: Vec<RowAudit>,
    oracle: Vec<Exact>,
    callers: Vec<Caller>,
}

impl World {
    pub(super) fn new(scenario: &Rc<Scenario>, requests: u64, seed: u64, bug: Bug) -> Self {
        let mut chance = Chance::new(seed, FAULTS);
        let names = names(scenario);
        let clocks = &scenario.clocks;
        let mut targets = HashMap::new();
        let objects = names.objects.iter().enumerate();
        let objects = objects.map(|(number, name)| {
            targets.insert(*name, Target::Object(number));
            let offset_us = chance.around(clocks.object_offset_ms * 1_000);
            CounterObject::new(*name, Clock::new(offset_us, 0))
        });
        let objects = objects.collect();
        let brokers = scenario.limits.iter().map(|limit| limit.brokers).max();
        let brokers = usize::from(brokers.unwrap_or(0));
        if let (Some(root), 1..) = (names.objects.last(), brokers) {
            for (place, name) in request::brokers(scenario, root) {
                targets.insert(name, Target::Broker(scenario.isolates + place));
            }
        }
        let places = scenario.isolates + brokers;
        let isolates = (0..places).map(|place| Rc::new(isolate(scenario, &mut chance, place, 0)));
        let isolates = isolates.collect();
        let loads = (0..scenario.isolates as u64).map(|place| {
            let chance = Chance::new(seed, LOADS + place);
            Load::new(scenario, chance)
        });
        Self {
            scenario: Rc::clone(scenario),
            bug,
            now_us: Cell::new(0),
            queue: RefCell::new(Queue::default()),
            chance: RefCell::new(chance),
            arrivals: RefCell::new(Chance::new(seed, ARRIVALS)),
            tasks: RefCell::new(Tasks::default()),
            isolates: RefCell::new(isolates),
            loads: RefCell::new(loads.collect()),
            changed: RefCell::new(vec![false; places]),
            objects,
            targets,
            callers: names.callers,
            audits: RefCell::new(names.audits),
            oracle: RefCell::new(names.oracle),
            figures: RefCell::new(Figures::default()),
            violations: RefCell::new(Vec::new()),
            requests,
        }
    }

    /// Has everything happen for the first time.
    pub(super) fn begin(self: &Rc<Self>) {
        let scenario = Rc::clone(&self.scenario);
        for isolate in 0..scenario.isolates {
            let first_us = self.loads.borrow_mut()[isolate].next_us();
            self.at(first_us, Event::Arrive { isolate });
            if scenario.change_at_ms > 0 {
                let takes_us = scenario.change_takes_ms * 1_000;
                let late_us = self.chance.borrow_mut().below(takes_us + 1);
                let at_us = scenario.change_at_ms * 1_000 + late_us;
                self.at(at_us, Event::Change { isolate });
            }
        }
        for isolate in 0..self.isolates.borrow().len() {
            self.again(scenario.faults.crash_every_ms, Event::Crash { isolate });
            self.again(scenario.faults.pause_every_ms, Event::Pause { isolate });
            self.again(scenario.clocks.step_every_ms, Event::Step { isolate });
        }
        for object in 0..self.objects.len() {
            let every_ms = scenario.clocks.object_step_every_ms;
            self.again(every_ms, Event::ObjectStep { object });
        }
        if scenario.settles {
            self.settle_next();
        }
    }

    /// Has something happen at random, so often on average, as long as requests come.
    fn again(&self, every_ms: u64, event: Event) {
        if every_ms > 0 && !self.is_over() {
            let apart_us = self.chance.borrow_mut().apart(every_ms * 1_000);
            self.at(self.now_us() + apart_us, event);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.figures.borrow().requests >= self.requests
    }

    /// An isolate ends with all that it holds, and another takes its place.
    pub(super) fn crash(self: &Rc<Self>, place: usize) {
        let life = self.isolate(place).life;
        let killed = self.tasks.borrow_mut().kill(life);
        drop(killed);
        let next = {
            let mut chance = self.chance.borrow_mut();
            Rc::new(isolate(&self.scenario, &mut chance, place, self.now_us()))
        };
        self.isolates.borrow_mut()[place] = next;
        self.figures.borrow_mut().crashes += 1;
        let every_ms = self.scenario.faults.crash_every_ms;
        self.again(every_ms, Event::Crash { isolate: place });
    }

    /// An isolate's clock is set, ahead or back.
    pub(super) fn step(self: &Rc<Self>, place: usize) {
        let by_us = {
            let mut chance = self.chance.borrow_mut();
            chance.around(self.scenario.clocks.step_ms * 1_000)
        };
        let isolate = self.isolate(place);
        isolate.clock.borrow_mut().step(self.now_us(), by_us);
        self.figures.borrow_mut().steps += 1;
        let every_ms = self.scenario.clocks.step_every_ms;
        self.again(every_ms, Event::Step { isolate: place });
    }

    pub(super) fn object_step(self: &Rc<Self>, object: usize) {
        let by_us = {
            let mut chance = self.chance.borrow_mut();
            chance.around(self.scenario.clocks.object_step_ms * 1_000)
        };
        let clock = &self.objects[object].clock;
        clock.borrow_mut().step(self.now_us(), by_us);
        self.figures.borrow_mut().steps += 1;
        let every_ms = self.scenario.clocks.object_step_every_ms;
        self.again(every_ms, Event::ObjectStep { object });
    }

    /// An isolate stands still for a while: what reaches it waits.
    pub(super) fn pause(self: &Rc<Self>, place: usize) {
        let for_us = {
            let mut chance = self.chance.borrow_mut();
            chance.below(self.scenario.faults.pause_ms * 1_000)
        };
        let isolate = self.isolate(place);
        isolate.paused_until_us.set(self.now_us() + for_us);
        let every_ms = self.scenario.faults.pause_every_ms;
        self.again(every_ms, Event::Pause { isolate: place });
    }

    fn settle_next(&self) {
        let beats_us: u64 = self.scenario.beats.iter().map(|beat| beat.ms * 1_000).sum();
        let next_us = (self.now_us() / beats_us + 1) * beats_us;
        // Just before the next beat.
        let next_us = if next_us - 1 > self.now_us() {
            next_us - 1
        } else {
            next_us - 1 + beats_us
        };
        self.at(next_us, Event::Settled);
    }

    /// Nothing is on its way: what rows hold must be what was admitted.
    pub(super) fn settled(self: &Rc<Self>) {
        let mut violations = self.violations.borrow_mut();
        let mut audits = self.audits.borrow_mut();
        for caller in &self.callers {
            for (row, (object, name)) in &caller.rows {
                let object = &self.objects[*object];
                let now_ms = object.clock.borrow().at_ms(self.now_us());
                let held = object.held(name, now_ms);
                audits[*row].settled(self.now_us(), held, &mut violations);
            }
        }
        drop(violations);
        if !self.is_over() {
            self.settle_next();
        }
    }
}

/// An isolate that starts at `now_us`, with a number and a clock of its own.
fn isolate(scenario: &Scenario, chance: &mut Chance, place: usize, now_us: u64) -> Isolate {
    let clocks = &scenario.clocks;
    let offset_us = chance.around(clocks.offset_ms * 1_000);
    let rate_ppm = chance.around(clocks.rate_ppm);
    let mut clock = Clock::new(offset_us, rate_ppm);
    // What it would have gained before it started is not its own.
    clock.step(now_us, -(now_us as i64 * rate_ppm / 1_000_000));
    let rtts = &scenario.net.rtt_ms;
    let rtt_us = rtts[place % rtts.len()] * 1_000;
    Isolate::new(place, chance.next(), rtt_us, clock)
}

fn names(scenario: &Scenario) -> Names {
    let mut names = Names {
        objects: Vec::new(),
        audits: Vec::new(),
        oracle: Vec::new(),
        callers: Vec::new(),
    };
    let mut objects = HashMap::new();
    let mut rows = HashMap::new();
    for number in 0..scenario.callers {
        let mut caller = Caller::new(scenario, number);
        for (place, limit) in scenario.limits.iter().enumerate() {
            let name = request::object(limit.by, number, scenario);
            let object = *objects.entry(name).or_insert_with(|| {
                names.objects.push(name);
                names.objects.len() - 1
            });
            let row = *rows.entry((object, place)).or_insert_with(|| {
                let told = format!("{} of {}", request::row(place), name.hex());
                names.audits.push(RowAudit::new(told, limit, scenario));
                let exact = Exact::new(&limit.rule, scenario.longest_ms());
                names.oracle.push(exact);
                names.audits.len() - 1
            });
            caller.rows.push((row, (object, request::row(place))));
        }
        names.callers.push(caller);
    }
    names
}
