use std::cell::Cell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::limit::meter::MeterRule;
use crate::limit::window::WindowRule;
use crate::revocation::Mark;

/// Storage that counts what it is asked, and can be told to fail: half of what fails is written all the same.
#[derive(Default)]
struct Stored {
    rows: RefCell<HashMap<String, Row>>,
    marks: RefCell<Marks>,
    reads: Cell<u32>,
    fails: Cell<Option<Fails>>,
}

#[derive(Clone, Copy, Debug)]
enum Fails {
    Before,
    After,
}

impl Stored {
    fn write(&self, change: impl FnOnce()) -> Result<(), ()> {
        match self.fails.get() {
            None => change(),
            Some(Fails::Before) => return Err(()),
            Some(Fails::After) => {
                change();
                return Err(());
            }
        }
        Ok(())
    }
}

impl Rows for Stored {
    type Fault = ();
    fn load(&self, row: &str) -> Result<Option<Row>, ()> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.rows.borrow().get(row).cloned())
    }
    fn save(&self, row: &str, state: &Row) -> Result<(), ()> {
        self.write(|| {
            self.rows.borrow_mut().insert(row.to_owned(), state.clone());
        })
    }
    fn marks(&self) -> Result<Marks, ()> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.marks.borrow().clone())
    }
    fn save_marks(&self, marks: &Marks) -> Result<(), ()> {
        self.write(|| *self.marks.borrow_mut() = marks.clone())
    }
    fn count_uses(&self, _key_id: &str, _uses: u64, _now_ms: UnixMs) -> Result<(), ()> {
        Ok(())
    }
    fn key_use(&self, _key_id: &str) -> Result<Option<KeyUse>, ()> {
        Ok(None)
    }
}

fn row(units: u64) -> Row {
    let rule = MeterRule::Window(WindowRule {
        limit: 1_000,
        window_ms: 60_000,
    });
    let mut row = Row::new(&rule).opened(&rule, 1_000);
    row.grant(1, 1, units, 0);
    row
}

fn marks(id: &str) -> Marks {
    let mut marks = Marks::default();
    let mark = Mark::Key {
        id: id.to_owned(),
        until_ms: 9_000,
    };
    marks.add(&mark, 0).unwrap();
    marks
}

#[test]
fn what_was_read_or_written_is_not_read_again() {
    let (recent, stored) = (Recent::default(), Stored::default());
    let rows = recent.over(&stored);
    for _ in 0..3 {
        assert_eq!(rows.load("a"), Ok(None));
        assert_eq!(rows.marks(), Ok(Marks::default()));
    }
    assert_eq!(stored.reads.get(), 2);
    rows.save("a", &row(1)).unwrap();
    rows.save("b", &row(2)).unwrap();
    rows.save_marks(&marks("k")).unwrap();
    for _ in 0..3 {
        assert_eq!(rows.load("a"), Ok(Some(row(1))));
        assert_eq!(rows.load("b"), Ok(Some(row(2))));
        assert_eq!(rows.marks(), Ok(marks("k")));
    }
    assert_eq!(stored.reads.get(), 2);
    recent.forget();
    assert_eq!(rows.load("a"), Ok(Some(row(1))));
    assert_eq!(rows.marks(), Ok(marks("k")));
    assert_eq!(stored.reads.get(), 4);
}

#[test]
fn so_many_rows_are_remembered_and_no_more() {
    let (recent, stored) = (Recent::default(), Stored::default());
    let rows = recent.over(&stored);
    let names: Vec<_> = (0..=ROWS_MAX).map(|name| name.to_string()).collect();
    for name in &names[..ROWS_MAX] {
        rows.save(name, &row(1)).unwrap();
    }
    for name in &names[..ROWS_MAX] {
        rows.load(name).unwrap();
    }
    assert_eq!(stored.reads.get(), 0);
    rows.save(&names[ROWS_MAX], &row(1)).unwrap();
    assert_eq!(recent.rows.borrow().len(), ROWS_MAX);
    rows.load(&names[1]).unwrap();
    assert_eq!(stored.reads.get(), 0, "the oldest one goes first");
    rows.load(&names[0]).unwrap();
    assert_eq!(stored.reads.get(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Load(usize),
    Save(usize, u64),
    Marks,
    SaveMarks(u8),
    Forget,
}

fn step() -> impl Strategy<Value = (Step, Option<Fails>)> {
    // More names than are remembered.
    let name = 0..ROWS_MAX + 4;
    let step = prop_oneof![
        4 => name.clone().prop_map(Step::Load),
        4 => (name, 1..100u64).prop_map(|(name, units)| Step::Save(name, units)),
        2 => Just(Step::Marks),
        1 => any::<u8>().prop_map(Step::SaveMarks),
        1 => Just(Step::Forget),
    ];
    let fails = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Fails::Before)),
        1 => Just(Some(Fails::After)),
    ];
    (step, fails)
}

proptest! {
    #[test]
    fn memory_never_says_anything_but_what_is_stored(steps in prop::collection::vec(step(), 1..80)) {
        let (recent, stored) = (Recent::default(), Stored::default());
        let rows = recent.over(&stored);
        for (step, fails) in steps {
            stored.fails.set(fails);
            match step {
                Step::Load(name) => {
                    let name = name.to_string();
                    let there = stored.rows.borrow().get(&name).cloned();
                    prop_assert_eq!(rows.load(&name), Ok(there));
                }
                Step::Save(name, units) => {
                    let saved = rows.save(&name.to_string(), &row(units));
                    prop_assert_eq!(saved.is_err(), fails.is_some());
                }
                Step::Marks => prop_assert_eq!(rows.marks(), Ok(stored.marks.borrow().clone())),
                Step::SaveMarks(id) => {
                    let saved = rows.save_marks(&marks(&id.to_string()));
                    prop_assert_eq!(saved.is_err(), fails.is_some());
                }
                Step::Forget => recent.forget(),
            }
        }
    }
}
