//! One request: what it charges, what came of it, and what the oracle says of the same.
//!
//! Owns: the bridge between the gateway's charge and the audit. Called by: `world`.

use std::rc::Rc;

use crate::exact::Admission;
use crate::limit::ask;
use crate::limit::charge::{Charge, Charged, ObjectCharge, Taken, TakenOf, UnitCharge, Verdict};
use crate::limit::errand::Errand;
use crate::limit::meter::MeterRule;
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::object::ObjectName;
use crate::scenario::{By, Limit, Scenario};
use crate::world::World;
use crate::world::clock::EPOCH_MS;
use crate::world::isolate::{Isolate, Ports};
use crate::world::network::Target;
use crate::world::queue::Event;

/// What one caller's requests charge.
pub struct Caller {
    /// Under the policy at first, and under the changed one.
    charges: [Vec<ObjectCharge>; 2],
    /// By limit: its row in the audit, and where it is stored.
    pub rows: Vec<(usize, (usize, String))>,
}

impl Caller {
    pub(super) fn new(scenario: &Scenario, number: u32) -> Self {
        let charges = [false, true].map(|changed| {
            let mut charges: Vec<ObjectCharge> = Vec::new();
            for (place, limit) in scenario.limits.iter().enumerate() {
                let name = object(limit.by, number, scenario);
                let unit = unit(place, limit, changed);
                match charges.iter_mut().find(|charge| charge.object == name) {
                    Some(charge) => charge.units.push(unit),
                    None => charges.push(ObjectCharge {
                        object: name,
                        observed: false,
                        units: vec![unit],
                    }),
                }
            }
            charges
        });
        Self {
            charges,
            rows: Vec::new(),
        }
    }
}

/// The object that counts a limit for a caller.
pub fn object(by: By, caller: u32, scenario: &Scenario) -> ObjectName {
    match by {
        By::Caller => ObjectName::of(&["caller", &caller.to_string()]),
        By::Tenant => {
            let tenant = caller / scenario.per_tenant.max(1);
            ObjectName::of(&["tenant", &tenant.to_string()])
        }
        By::Service => ObjectName::of(&["service"]),
    }
}

/// The row of a limit, by its place in the scenario.
pub fn row(place: usize) -> String {
    format!("limit{place}")
}

fn place_of(row: &str) -> usize {
    row.trim_start_matches("limit").parse().unwrap_or(0)
}

/// The brokers of an object, each with its number: isolates of one distance share one.
pub fn brokers(scenario: &Scenario, root: &ObjectName) -> Vec<(usize, ObjectName)> {
    let counts = scenario.limits.iter().map(|limit| limit.brokers);
    let brokers = counts.max().unwrap_or(0);
    let mut names: Vec<ObjectName> = Vec::new();
    for place in 0..scenario.isolates {
        let name = broker_of(scenario, root, place, brokers);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().enumerate().collect()
}

fn broker_of(scenario: &Scenario, root: &ObjectName, place: usize, brokers: u16) -> ObjectName {
    let distance = place % scenario.net.rtt_ms.len();
    root.brokered(&format!("place {distance}"), brokers)
}

fn unit(place: usize, limit: &Limit, changed: bool) -> UnitCharge {
    let meter = match (&limit.changed, changed) {
        (Some(rule), true) => rule.clone(),
        _ => limit.rule.clone(),
    };
    UnitCharge {
        rule: Rc::new(LimitRule {
            name: row(place),
            by: CountBy::Caller,
            meter,
            on_error: OnError::Refuse,
            scope: Scope::Service,
            mode: Mode::Enforce,
            counts: Counts::Requests,
            brokers: limit.brokers,
        }),
        row: row(place),
        units: 1,
        look: false,
    }
}

/// A request under way.
struct Arrived {
    caller: usize,
    at_us: u64,
    origin_us: u64,
}

impl World {
    /// A request arrives at an isolate; so will the next one.
    pub(super) fn arrive(self: &Rc<Self>, place: usize) {
        if self.is_over() {
            return;
        }
        let (caller, units, origin_us) = {
            let mut arrivals = self.arrivals.borrow_mut();
            let caller = arrivals.below(self.callers.len() as u64) as usize;
            let units = arrivals.between(1, self.scenario.units_max);
            let origin_us = arrivals.between(1, self.scenario.origin_ms * 1_000);
            (caller, units, origin_us)
        };
        let next_us = self.loads.borrow_mut()[place].next_us();
        self.at(next_us.max(self.now_us()), Event::Arrive { isolate: place });
        self.figures.borrow_mut().requests += 1;
        let arrived = Arrived {
            caller,
            at_us: self.now_us(),
            origin_us,
        };
        self.ask_oracle(&arrived, units);
        let isolate = self.isolate(place);
        let charge = self.charge(caller, place, units);
        self.spawn(&isolate, true, move |ports| {
            Box::pin(async move {
                let charged = ask::charge(&ports, charge).await;
                finish(&ports, &arrived, charged);
            })
        });
    }

    fn charge(&self, caller: usize, place: usize, units: u64) -> Charge {
        let changed = usize::from(self.changed.borrow()[place]);
        let mut objects = self.callers[caller].charges[changed].clone();
        for charge in &mut objects {
            for unit in &mut charge.units {
                unit.units = units;
            }
            let brokers = charge.units.iter().map(|unit| unit.rule.brokers).max();
            if let Some(brokers @ 1..) = brokers {
                charge.object = broker_of(&self.scenario, &charge.object, place, brokers);
            }
        }
        Charge::of(objects)
    }

    /// Asks a limiter that knows everything at once.
    fn ask_oracle(&self, arrived: &Arrived, units: u64) {
        let admission = Admission {
            at_us: arrived.at_us,
            units,
            ends_us: arrived.at_us + arrived.origin_us,
            object_ms: EPOCH_MS + arrived.at_us / 1_000,
        };
        let mut oracle = self.oracle.borrow_mut();
        let rows = &self.callers[arrived.caller].rows;
        let has_room = rows.iter().all(|(row, _)| {
            let exact = &mut oracle[*row];
            exact.count(&admission) + units <= exact.capacity()
        });
        if has_room {
            for (row, _) in rows {
                oracle[*row].add(&admission);
            }
            self.figures.borrow_mut().oracle_admitted += 1;
        }
    }

    /// Goes over to the changed rules, half-way through the change.
    pub(super) fn change_oracle(&self) {
        let mut oracle = self.oracle.borrow_mut();
        for caller in &self.callers {
            for ((row, _), limit) in caller.rows.iter().zip(&self.scenario.limits) {
                if let Some(rule) = &limit.changed {
                    oracle[*row].change(rule);
                }
            }
        }
    }

    /// Adds to the audit what a request was admitted with.
    fn audit(&self, ports: &Ports, arrived: &Arrived, taken: &Taken) {
        let (row, (object, _)) = &self.callers[arrived.caller].rows[place_of(&taken.row)];
        let clock = self.objects[*object].clock.borrow();
        let is_brokered = matches!(self.target(&taken.object), Target::Broker(_));
        let (at_us, object_ms) = match taken.of {
            TakenOf::Object { at_ms } => {
                let committed = ports.committed.borrow();
                let of = committed.iter().find(|(object, _)| *object == taken.object);
                let at_us = of.map_or(arrived.at_us, |(_, at_us)| *at_us);
                match is_brokered {
                    true => (at_us, clock.at_ms(at_us)),
                    false => (at_us, at_ms),
                }
            }
            TakenOf::Lease { at_ms, .. } => {
                let readings = ports.readings.borrow();
                let read = readings.iter().find(|(shown_ms, _)| *shown_ms == at_ms);
                let at_us = read.map_or(arrived.at_us, |(_, at_us)| *at_us);
                (at_us, clock.at_ms(at_us))
            }
            TakenOf::StandIn { .. } => (arrived.at_us, clock.at_ms(arrived.at_us)),
        };
        let admission = Admission {
            at_us,
            units: taken.units,
            ends_us: self.now_us() + arrived.origin_us,
            object_ms,
        };
        let mut violations = self.violations.borrow_mut();
        self.audits.borrow_mut()[*row].admit(self.now_us(), admission, &mut violations);
    }
}

/// A request has its verdicts: it is refused, or its origin answers in a while.
fn finish(ports: &Ports, arrived: &Arrived, charged: Charged) {
    let world = &ports.world;
    let granted = |verdict: &Verdict| matches!(verdict, Verdict::Granted { .. });
    let is_admitted = charged.units.iter().all(|one| granted(&one.verdict));
    let has_waited = ports.asked.get() > 0;
    {
        let mut figures = world.figures.borrow_mut();
        figures.waited += u64::from(has_waited);
        match is_admitted {
            true => figures.admitted += 1,
            false => {
                figures.refused += 1;
                figures.refused_locally += u64::from(!has_waited);
            }
        }
    }
    let after_us = match is_admitted {
        true => {
            for taken in &charged.taken {
                world.audit(ports, arrived, taken);
            }
            arrived.origin_us
        }
        false => 0,
    };
    for errand in ports.deferred.borrow_mut().drain(..) {
        world.leave(&ports.isolate, errand, after_us);
    }
    release(&ports.isolate, world, charged.taken, after_us);
}

/// Permits are given back when the origin has answered.
fn release(isolate: &Rc<Isolate>, world: &World, taken: Vec<Taken>, after_us: u64) {
    let is_permit = |one: &Taken| matches!(one.rule.meter, MeterRule::Permits(_));
    let permits: Vec<Taken> = taken.into_iter().filter(is_permit).collect();
    if !permits.is_empty() {
        world.leave(isolate, Errand::GiveBack { taken: permits }, after_us);
    }
}
