//! The gateway's own code for limits, compiled to wasm without the rest of it, deciding by lease as
//! often as the bench says: `ask::charge` as the driver calls it, every question to an object
//! answered at once by `ledger::answer`.

#[allow(
    dead_code,
    reason = "the gateway's file; what is not needed here is used there"
)]
#[path = "../../../src/facts.rs"]
mod facts;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the gateway's files; what is not needed here is used there"
)]
#[path = "../../../src/limit/mod.rs"]
mod limit;
#[allow(
    dead_code,
    reason = "the gateway's file; what is not needed here is used there"
)]
#[path = "../../../src/object.rs"]
mod object;
#[allow(
    dead_code,
    reason = "the gateway's file; what is not needed here is used there"
)]
#[path = "../../../src/revocation.rs"]
mod revocation;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use facts::UnixMs;
use limit::ask::{ObjectDown, Objects, charge};
use limit::charge::{Charge, ObjectCharge, UnitCharge};
use limit::errand::Errand;
use limit::ledger::{self, Rows};
use limit::memory::LimitMemory;
use limit::meter::MeterRule;
use limit::row::Row;
use limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use limit::window::WindowRule;
use limit::wire::{Answer, KeyUse, Question};
use object::ObjectName;
use revocation::Marks;

const START_MS: UnixMs = 1_800_000_000_000;
/// A request comes each so many microseconds of the clock that the code is shown.
const EVERY_US: u64 = 100;

thread_local! {
    static OUTSIDE: Outside = Outside::default();
}

/// One isolate, and its objects in the same memory.
struct Outside {
    now_us: Cell<u64>,
    asked: Cell<u64>,
    memory: RefCell<LimitMemory>,
    rows: Table,
    errands: RefCell<Vec<Errand>>,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            now_us: Cell::new(START_MS * 1_000),
            asked: Cell::new(0),
            memory: RefCell::new(LimitMemory::new(1)),
            rows: Table::default(),
            errands: RefCell::default(),
        }
    }
}

#[derive(Default)]
struct Table(RefCell<HashMap<String, Row>>);

impl Rows for Table {
    type Fault = ();
    fn load(&self, row: &str) -> Result<Option<Row>, ()> {
        Ok(self.0.borrow().get(row).cloned())
    }
    fn save(&self, row: &str, state: &Row) -> Result<(), ()> {
        self.0.borrow_mut().insert(row.to_owned(), state.clone());
        Ok(())
    }
    fn marks(&self) -> Result<Marks, ()> {
        Ok(Marks::default())
    }
    fn save_marks(&self, _marks: &Marks) -> Result<(), ()> {
        Ok(())
    }
    fn count_uses(&self, _key_id: &str, _uses: u64, _now_ms: UnixMs) -> Result<(), ()> {
        Ok(())
    }
    fn key_use(&self, _key_id: &str) -> Result<Option<KeyUse>, ()> {
        Ok(None)
    }
}

impl Objects for &Outside {
    async fn ask(&self, _object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        self.asked.set(self.asked.get() + 1);
        ledger::answer(&self.rows, self.now_ms(), question).map_err(|()| ObjectDown)
    }
    async fn stored_marks(&self, _object: &ObjectName) -> Result<Marks, ObjectDown> {
        Ok(Marks::default())
    }
    async fn pause(&self, _ms: u64) {}
    fn now_ms(&self) -> UnixMs {
        self.now_us.get() / 1_000
    }
    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        &self.memory
    }
    fn defer(&self, errand: Errand) {
        // What hands back is left out: nothing is idle here.
        if matches!(errand, Errand::Refill { .. }) {
            self.errands.borrow_mut().push(errand);
        }
    }
}

/// Decides `count` requests of one caller with one limit; returns how many were admitted, and in the
/// upper half of the number how often an object was asked.
#[unsafe(no_mangle)]
pub extern "C" fn decide(count: u32) -> u64 {
    let rule = Rc::new(LimitRule {
        name: "minute".into(),
        by: CountBy::Caller,
        meter: MeterRule::Window(WindowRule {
            limit: 10_000_000,
            window_ms: 60_000,
        }),
        on_error: OnError::Refuse,
        scope: Scope::Service,
        mode: Mode::Enforce,
        counts: Counts::Requests,
        brokers: 0,
    });
    let object = ObjectName::of(&["caller", "keys", "", "alice"]);
    OUTSIDE.with(|outside| {
        outside.asked.set(0);
        let mut admitted = 0;
        for _ in 0..count {
            outside.now_us.set(outside.now_us.get() + EVERY_US);
            let charge_of_one = Charge::of(vec![ObjectCharge {
                object,
                observed: false,
                units: vec![UnitCharge {
                    rule: Rc::clone(&rule),
                    row: "minute".into(),
                    units: 1,
                    look: false,
                }],
            }]);
            let charged = run(charge(&outside, charge_of_one));
            let refused = charged.units.iter().any(|one| one.verdict.refuses());
            admitted += u64::from(!refused);
            let errands = std::mem::take(&mut *outside.errands.borrow_mut());
            for errand in errands {
                run(limit::errand::run(&outside, errand));
            }
        }
        outside.asked.get() << 32 | admitted
    })
}

/// Runs what never waits.
fn run<T: Default>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => T::default(),
    }
}
