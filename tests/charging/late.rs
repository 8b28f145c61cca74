//! Answers that come too late, or never: a request that was refused for it leaves no charge behind.

use std::cell::RefCell;
use std::rc::Rc;

use edgeward::limit::ask::{ObjectDown, Objects, charge};
use edgeward::limit::broker::{self, Grants};
use edgeward::limit::charge::{Charge, ObjectCharge, UnitCharge, Verdict};
use edgeward::limit::errand::{self, Errand};
use edgeward::limit::ledger::Rows;
use edgeward::limit::memory::LimitMemory;
use edgeward::limit::meter::MeterRule;
use edgeward::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use edgeward::limit::window::WindowRule;
use edgeward::limit::wire::{Act, Answer, Asking, Question, RowCharge, Undone};
use edgeward::object::ObjectName;
use edgeward::revocation::Marks;

use crate::support::{FakePorts, run};

/// When a question to the tenant's object arrives there: nobody hears the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Arrives {
    AtOnce,
    /// When the test says so.
    Late,
}

/// An isolate before objects of which one is not heard.
struct Isolate {
    ports: FakePorts,
    arrives: Option<Arrives>,
    late: RefCell<Vec<Question>>,
}

impl Isolate {
    fn before(arrives: Option<Arrives>) -> Self {
        Self {
            ports: FakePorts::new(),
            arrives,
            late: RefCell::default(),
        }
    }

    fn held(&self, object: &ObjectName, row: &str) -> u64 {
        let objects = self.ports.objects.borrow();
        let rows = objects.get(&object.hex());
        let row = rows.and_then(|rows| rows.load(row).unwrap());
        row.map_or(0, |row| row.held(self.ports.clock_ms.get()))
    }

    fn both(&self) -> [u64; 2] {
        [self.held(&caller(), "own"), self.held(&tenant(), "shared")]
    }

    /// What was late arrives.
    fn arrive(&self) {
        for question in self.late.borrow_mut().drain(..) {
            run(self.ports.ask(&tenant(), &question)).unwrap();
        }
    }

    fn run_errands(&self) {
        let errands = std::mem::take(&mut *self.ports.errands.borrow_mut());
        for errand in errands {
            run(errand::run(self, errand));
        }
    }
}

impl Objects for Isolate {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown> {
        if *object != tenant() {
            return self.ports.ask(object, question).await;
        }
        match self.arrives {
            None => self.ports.ask(object, question).await,
            Some(Arrives::AtOnce) => {
                self.ports.ask(object, question).await?;
                Err(ObjectDown)
            }
            Some(Arrives::Late) => {
                self.late.borrow_mut().push(question.clone());
                Err(ObjectDown)
            }
        }
    }

    async fn stored_marks(&self, object: &ObjectName) -> Result<Marks, ObjectDown> {
        self.ports.stored_marks(object).await
    }

    fn now_ms(&self) -> u64 {
        self.ports.now_ms()
    }

    async fn pause(&self, ms: u64) {
        self.ports.pause(ms).await;
    }

    fn limit_memory(&self) -> &RefCell<LimitMemory> {
        self.ports.limit_memory()
    }

    fn defer(&self, errand: Errand) {
        self.ports.defer(errand);
    }
}

fn caller() -> ObjectName {
    ObjectName::of(&["caller", "alice"])
}

fn tenant() -> ObjectName {
    ObjectName::of(&["tenant", "acme"])
}

/// Ten of a minute: too small to be lent of.
fn meter() -> MeterRule {
    MeterRule::Window(WindowRule {
        limit: 10,
        window_ms: 60_000,
    })
}

fn units(object: ObjectName, row: &str, on_error: OnError) -> ObjectCharge {
    let rule = LimitRule {
        name: row.into(),
        by: CountBy::Caller,
        meter: meter(),
        on_error,
        scope: Scope::Service,
        mode: Mode::Enforce,
        counts: Counts::Requests,
        brokers: 0,
    };
    ObjectCharge {
        object,
        observed: false,
        units: vec![UnitCharge {
            rule: Rc::new(rule),
            row: row.into(),
            units: 3,
            look: false,
        }],
    }
}

/// A request that the caller's limit and the tenant's count; says whether it is admitted.
fn ask(isolate: &Isolate, on_error: OnError, with_caller: bool) -> bool {
    let mut objects = vec![units(tenant(), "shared", on_error)];
    if with_caller {
        objects.push(units(caller(), "own", OnError::Refuse));
    }
    let charged = run(charge(isolate, Charge::of(objects)));
    let refuses = |one: &Verdict| one.refuses();
    !charged.units.iter().any(|one| refuses(&one.verdict))
}

#[test]
fn a_request_that_is_refused_for_an_answer_that_is_late_leaves_no_charge() {
    for arrives in [Arrives::AtOnce, Arrives::Late] {
        for with_caller in [false, true] {
            let context = format!("{arrives:?} {with_caller}");
            let mut isolate = Isolate::before(Some(arrives));
            assert!(!ask(&isolate, OnError::Refuse, with_caller), "{context}");
            let charged = if arrives == Arrives::AtOnce { 3 } else { 0 };
            assert_eq!(isolate.both(), [0, charged], "{context}");
            // The object is told half a second later, and hears it.
            isolate.arrives = None;
            isolate.run_errands();
            assert_eq!(isolate.both(), [0, 0], "{context}");
            isolate.arrive();
            assert_eq!(isolate.both(), [0, 0], "{context}: it arrived afterwards");
            assert!(ask(&isolate, OnError::Refuse, with_caller), "{context}");
            assert_eq!(isolate.both(), [if with_caller { 3 } else { 0 }, 3]);
        }
    }
}

#[test]
fn what_was_not_heard_of_goes_with_the_next_question() {
    let mut isolate = Isolate::before(Some(Arrives::Late));
    assert!(!ask(&isolate, OnError::Refuse, false));
    let questions = std::mem::take(&mut *isolate.late.borrow_mut());
    isolate.run_errands();
    // What was to undo it is lost.
    isolate.late.borrow_mut().clear();
    *isolate.late.borrow_mut() = questions;
    isolate.arrive();
    assert_eq!(isolate.both(), [0, 3]);
    isolate.arrives = None;
    isolate.ports.clock_ms.set(isolate.now_ms() + 1_000);
    assert!(ask(&isolate, OnError::Refuse, false));
    assert_eq!(isolate.both(), [0, 3]);
}

#[test]
fn a_request_that_was_let_through_without_an_answer_stays_charged() {
    for on_error in [OnError::Admit, OnError::Local] {
        let mut isolate = Isolate::before(Some(Arrives::AtOnce));
        assert!(ask(&isolate, on_error, true));
        isolate.arrives = None;
        isolate.run_errands();
        isolate.ports.clock_ms.set(isolate.now_ms() + 1_000);
        assert!(ask(&isolate, on_error, true));
        assert_eq!(isolate.both(), [6, 6], "{on_error:?}");
    }
}

#[test]
fn a_request_that_another_limit_refuses_is_undone_whatever_its_silent_one_says() {
    for on_error in [OnError::Admit, OnError::Local] {
        let mut isolate = Isolate::before(Some(Arrives::AtOnce));
        // Three requests are all that the caller's limit has room for.
        let spent = |isolate: &Isolate| {
            let own = vec![units(caller(), "own", OnError::Refuse)];
            run(charge(isolate, Charge::of(own)));
        };
        let other = Isolate {
            ports: isolate.ports.beside(),
            ..Isolate::before(None)
        };
        (0..3).for_each(|_| spent(&other));
        assert!(!ask(&isolate, on_error, true));
        assert_eq!(isolate.both(), [9, 3]);
        isolate.arrives = None;
        isolate.run_errands();
        assert_eq!(isolate.both(), [9, 0], "{on_error:?}");
    }
}

/// A question to a broker.
fn brokered(seq: u64, units: u64, undone: &[u64]) -> Question {
    let rows = RowCharge {
        row: "shared".into(),
        rule: meter(),
        units,
        want: 0,
        reports: Vec::new(),
        look: false,
    };
    let undone = undone.iter().map(|seq| Undone {
        seq: *seq,
        row: "shared".into(),
        rule: meter(),
    });
    Question::of(Act::Charge(Asking {
        holder: 77,
        seq,
        at_ms: crate::support::NOW_MS,
        rows: if units > 0 { vec![rows] } else { Vec::new() },
        settling: None,
        open_seq: 1,
        undone: undone.collect(),
    }))
}

#[test]
fn a_broker_undoes_what_it_granted_and_grants_nothing_afterwards() {
    for is_early in [false, true] {
        let isolate = Isolate::before(None);
        let grants = RefCell::new(Grants::new(2));
        let say = |question: Question| {
            let answer = run(broker::answer(&isolate, &grants, &tenant(), &question));
            isolate.run_errands();
            answer
        };
        if !is_early {
            assert!(matches!(say(brokered(1, 3, &[])), Some(Answer::Granted(_))));
            assert_eq!(isolate.both(), [0, 3]);
        }
        for _ in 0..2 {
            assert_eq!(say(brokered(2, 0, &[1])), Some(Answer::Granted(vec![])));
            assert_eq!(isolate.both(), [0, 0]);
        }
        assert_eq!(say(brokered(1, 3, &[])), Some(Answer::Over));
        assert_eq!(isolate.both(), [0, 0]);
        assert!(matches!(say(brokered(3, 3, &[])), Some(Answer::Granted(_))));
        assert_eq!(isolate.both(), [0, 3]);
    }
}
