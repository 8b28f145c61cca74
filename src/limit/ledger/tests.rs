use super::*;
use crate::limit::window::WindowRule;
use crate::limit::wire::{Report, Undone};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Rows in memory, which can be told to fail.
#[derive(Default)]
struct MemoryRows {
    rows: RefCell<HashMap<String, Row>>,
    marks: RefCell<Marks>,
    uses: RefCell<HashMap<String, KeyUse>>,
    saves: Cell<u32>,
    broken: Cell<bool>,
}

impl Rows for MemoryRows {
    type Fault = ();
    fn load(&self, row: &str) -> Result<Option<Row>, ()> {
        Ok(self.rows.borrow().get(row).cloned())
    }
    fn save(&self, row: &str, state: &Row) -> Result<(), ()> {
        if self.broken.get() {
            return Err(());
        }
        self.saves.set(self.saves.get() + 1);
        self.rows.borrow_mut().insert(row.to_owned(), state.clone());
        Ok(())
    }
    fn marks(&self) -> Result<Marks, ()> {
        Ok(self.marks.borrow().clone())
    }
    fn save_marks(&self, marks: &Marks) -> Result<(), ()> {
        *self.marks.borrow_mut() = marks.clone();
        Ok(())
    }
    fn count_uses(&self, key_id: &str, count: u64, now_ms: UnixMs) -> Result<(), ()> {
        let mut uses = self.uses.borrow_mut();
        let used = uses.entry(key_id.to_owned()).or_default();
        used.count += count;
        used.last_used_at_ms = now_ms;
        Ok(())
    }
    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, ()> {
        Ok(self.uses.borrow().get(key_id).copied())
    }
}

fn window(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Window(WindowRule { limit, window_ms })
}

fn charge_of(row: &str, rule: MeterRule, units: u64) -> RowCharge {
    RowCharge {
        row: row.into(),
        rule,
        units,
        want: 0,
        reports: Vec::new(),
        look: false,
    }
}

/// A question that nobody asked before.
fn asking(rows: Vec<RowCharge>) -> Act {
    thread_local! {
        static SEQ: Cell<u64> = const { Cell::new(0) };
    }
    let seq = SEQ.with(|seq| seq.replace(seq.get() + 1));
    Act::Charge(Asking {
        holder: 1,
        seq,
        at_ms: u64::MAX,
        rows,
        settling: None,
        open_seq: 0,
        undone: Vec::new(),
    })
}

fn ask(rows: &MemoryRows, now_ms: u64, limits: &[(&str, u64)]) -> Answer {
    let charges = limits
        .iter()
        .map(|(row, limit)| charge_of(row, window(*limit, 1_000), 1));
    let act = asking(charges.collect());
    answer(rows, now_ms, &Question::of(act)).unwrap()
}

#[test]
fn several_limits_are_charged_all_or_none() {
    let rows = MemoryRows::default();
    assert!(matches!(
        ask(&rows, 0, &[("wide", 5), ("narrow", 1)]),
        Answer::Granted(_)
    ));
    let refused = ask(&rows, 0, &[("wide", 5), ("narrow", 1)]);
    let Answer::Refused(refused) = refused else {
        panic!("{refused:?}")
    };
    let waits: Vec<_> = refused
        .iter()
        .map(|row| (row.remaining, row.retry_after_ms))
        .collect();
    assert_eq!(waits, [(4, 0), (0, 1_001)]);
    let free = rows.rows.borrow()["wide"].free();
    assert_eq!(free, 4, "the row with room was charged");
}

#[test]
fn every_grant_is_written_and_no_refusal_is() {
    let rows = MemoryRows::default();
    ask(&rows, 0, &[("a", 1), ("b", 1)]);
    assert_eq!(rows.saves.get(), 2);
    ask(&rows, 0, &[("a", 1), ("b", 1)]);
    assert_eq!(rows.saves.get(), 2);
}

#[test]
fn a_store_that_does_not_write_grants_nothing() {
    let rows = MemoryRows::default();
    rows.broken.set(true);
    let act = asking(vec![charge_of("a", window(1, 1), 1)]);
    assert_eq!(answer(&rows, 0, &Question::of(act)), Err(()));
}

#[test]
fn a_question_that_comes_twice_is_granted_once() {
    let rows = MemoryRows::default();
    let rule = || window(1_000, 60_000);
    let charge = |units, want| RowCharge {
        want,
        ..charge_of("a", rule(), units)
    };
    for act in [
        asking(vec![charge(3, 5)]),
        asking(vec![charge(3, 0)]),
        asking(vec![charge(0, 5)]),
    ] {
        let question = Question::of(act);
        let first = answer(&rows, 0, &question).unwrap();
        let saves = rows.saves.get();
        let left = rows.rows.borrow()["a"].free();
        assert_eq!(answer(&rows, 0, &question).unwrap(), first);
        assert_eq!(rows.rows.borrow()["a"].free(), left);
        assert_eq!(rows.saves.get(), saves);
    }
}

#[test]
fn a_refusal_writes_what_was_reported_and_nothing_else() {
    let rows = MemoryRows::default();
    let lend = RowCharge {
        want: 8,
        ..charge_of("a", window(100, 60_000), 98)
    };
    let act = asking(vec![lend]);
    let Act::Charge(Asking { seq, .. }) = act else {
        unreachable!()
    };
    answer(&rows, 0, &Question::of(act)).unwrap();
    assert_eq!(rows.rows.borrow()["a"].free(), 0);
    let report = Report {
        seq,
        used: 1,
        age_ms: 0,
        keep: 0,
        open: false,
    };
    let ask = RowCharge {
        reports: vec![report],
        ..charge_of("a", window(100, 60_000), 2)
    };
    let answer = answer(&rows, 10, &Question::of(asking(vec![ask]))).unwrap();
    assert!(matches!(answer, Answer::Refused(_)));
    assert_eq!(rows.saves.get(), 2);
    assert_eq!(rows.rows.borrow()["a"].free(), 1);
}

#[test]
fn a_marked_credential_is_charged_nothing_and_a_look_takes_nothing() {
    let rows = MemoryRows::default();
    let credential = Credential::Key { id: "a".into() };
    let asked = |act, credential: &Credential| {
        let question = Question {
            credential: Some(credential.clone()),
            uses: 1,
            ..Question::of(act)
        };
        answer(&rows, 0, &question).unwrap()
    };
    let charge = |look| {
        asking(vec![RowCharge {
            look,
            ..charge_of("a", window(1, 1_000), 1)
        }])
    };
    for _ in 0..2 {
        assert!(matches!(
            asked(charge(true), &credential),
            Answer::Granted(_)
        ));
    }
    assert_eq!(rows.saves.get(), 0);
    let mark = Mark::Key {
        id: "a".into(),
        until_ms: 1,
    };
    assert_eq!(asked(Act::Mark(mark), &credential), Answer::Marked);
    let revoked = Answer::Revoked(RevokedBy::Key);
    assert_eq!(asked(charge(false), &credential), revoked);
    assert_eq!(asked(asking(vec![]), &credential), revoked);
    assert_eq!(rows.saves.get(), 0);
    let other = Credential::Key { id: "b".into() };
    assert!(matches!(asked(charge(false), &other), Answer::Granted(_)));
    assert!(matches!(asked(charge(true), &other), Answer::Refused(_)));
    assert_eq!(rows.key_use("b").unwrap().map(|used| used.count), Some(1));
    assert_eq!(rows.key_use("a").unwrap().map(|used| used.count), Some(2));
}

#[test]
fn a_question_of_another_version_or_shape_is_not_understood() {
    let rows = MemoryRows::default();
    let row = |name: usize| charge_of(&name.to_string(), window(1, 1), 1);
    let asked = |version, charges: Vec<RowCharge>| {
        let question = Question {
            version,
            ..Question::of(asking(charges))
        };
        answer(&rows, 0, &question).unwrap()
    };
    assert_eq!(asked(WIRE_VERSION + 1, vec![row(0)]), Answer::NotUnderstood);
    let twice = vec![row(0), row(0)];
    assert_eq!(asked(WIRE_VERSION, twice), Answer::NotUnderstood);
    let over = (0..=ROWS_MAX).map(row).collect();
    assert_eq!(asked(WIRE_VERSION, over), Answer::NotUnderstood);
    let most = (0..ROWS_MAX).map(row).collect();
    assert!(matches!(asked(WIRE_VERSION, most), Answer::Granted(_)));
    let report = Report {
        seq: 0,
        used: 0,
        age_ms: 0,
        keep: 0,
        open: false,
    };
    for (count, understood) in [(REPORTS_MAX, true), (REPORTS_MAX + 1, false)] {
        let charge = RowCharge {
            reports: vec![report; count],
            ..charge_of("r", window(1, 1), 0)
        };
        let answer = asked(WIRE_VERSION, vec![charge]);
        assert_eq!(answer != Answer::NotUnderstood, understood, "{count}");
    }
}

/// A question of holder 1 for three units of two rows, or for nothing.
fn numbered(seq: u64, takes: bool, undone: &[(u64, &str)]) -> Question {
    let names: &[&str] = if takes { &["a", "b"] } else { &[] };
    let rows = names
        .iter()
        .map(|name| charge_of(name, window(9, 60_000), 3));
    let undone = undone.iter().map(|(seq, row)| Undone {
        seq: *seq,
        row: (*row).into(),
        rule: window(9, 60_000),
    });
    Question::of(Act::Charge(Asking {
        holder: 1,
        seq,
        at_ms: u64::MAX,
        rows: rows.collect(),
        settling: None,
        open_seq: 0,
        undone: undone.collect(),
    }))
}

#[test]
fn a_question_that_was_given_up_leaves_nothing_in_whatever_order_it_arrives() {
    let (takes, undoes) = (
        numbered(5, true, &[]),
        numbered(6, false, &[(5, "a"), (5, "b")]),
    );
    for order in [
        vec![&takes, &undoes],
        vec![&undoes, &takes],
        vec![&takes, &undoes, &undoes, &takes, &undoes],
        vec![&undoes, &takes, &takes],
    ] {
        let rows = MemoryRows::default();
        let mut is_undone = false;
        for question in order {
            let told = answer(&rows, 1_000, question).unwrap();
            let is_late = question.act == takes.act && is_undone;
            assert_eq!(told == Answer::Over, is_late);
            is_undone |= question.act == undoes.act;
        }
        for row in ["a", "b"] {
            assert_eq!(rows.rows.borrow()[row].held(1_000), 0);
        }
        let next = answer(&rows, 1_001, &numbered(7, true, &[])).unwrap();
        assert!(matches!(next, Answer::Granted(_)));
        assert_eq!(rows.rows.borrow()["a"].held(1_001), 3);
    }
}

#[test]
fn a_question_undone_at_one_of_its_rows_takes_nothing_of_the_others() {
    let rows = MemoryRows::default();
    answer(&rows, 0, &numbered(6, false, &[(5, "b")])).unwrap();
    let told = answer(&rows, 0, &numbered(5, true, &[])).unwrap();
    assert_eq!(told, Answer::Over);
    assert!(!rows.rows.borrow().contains_key("a"));
    // What only looks, or tells, is answered.
    let look = RowCharge {
        look: true,
        ..charge_of("b", window(9, 60_000), 3)
    };
    let act = Act::Charge(Asking {
        holder: 1,
        seq: 5,
        at_ms: 0,
        rows: vec![look],
        ..Asking::default()
    });
    let told = answer(&rows, 0, &Question::of(act)).unwrap();
    assert!(matches!(told, Answer::Granted(_)));
}

#[test]
fn where_there_is_no_room_for_a_row_what_was_never_charged_is_forgotten() {
    let rows = MemoryRows::default();
    rows.broken.set(true);
    let told = answer(&rows, 0, &numbered(6, false, &[(5, "a")]));
    assert_eq!(told, Ok(Answer::Granted(vec![])));
    rows.broken.set(false);
    answer(&rows, 0, &numbered(7, true, &[])).unwrap();
    rows.broken.set(true);
    assert_eq!(answer(&rows, 0, &numbered(8, false, &[(7, "a")])), Err(()));
    assert_eq!(rows.rows.borrow()["a"].held(0), 3);
}

#[test]
fn a_question_undoes_so_many_rows_and_not_one_more() {
    for (count, understood) in [(SETTLED_MAX, true), (SETTLED_MAX + 1, false)] {
        let rows = MemoryRows::default();
        let undone = vec![(5, "a"); count];
        let told = answer(&rows, 0, &numbered(6, false, &undone)).unwrap();
        assert_eq!(told != Answer::NotUnderstood, understood, "{count}");
    }
}
