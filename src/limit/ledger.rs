//! One object's rows: a question is answered in one synchronous step, all or nothing.
//!
//! Owns: the decision over several rows and what must be written before it is told.
//! Does not own: storage (`Rows`), the clock. Called by: `edge::limiter`.

use crate::facts::UnixMs;
use crate::limit::window::{Full, Window};
use crate::limit::wire::{
    Act, Answer, KeyUse, Question, ROWS_MAX, Receipt, RowCharge, RowGranted, RowRefused,
    WIRE_VERSION,
};
use crate::revocation::{Credential, Mark, Marks, MarksFull, RevokedBy};

/// An object's storage, synchronous: within one call nothing else touches it.
pub trait Rows {
    type Fault;
    fn load(&self, row: &str) -> Result<Window, Self::Fault>;
    fn save(&self, row: &str, window: &Window) -> Result<(), Self::Fault>;
    fn marks(&self) -> Result<Marks, Self::Fault>;
    fn save_marks(&self, marks: &Marks) -> Result<(), Self::Fault>;
    /// Counts a use of an API key; may be written later, and then a little of it lost.
    fn count_use(&self, key_id: &str, now_ms: UnixMs) -> Result<(), Self::Fault>;
    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, Self::Fault>;
}

/// Answers one question against `rows` at `now_ms`.
///
/// Every grant is saved before this returns; a refusal saves nothing.
/// Fails only as the storage fails, and then grants nothing: the caller must not answer.
pub fn answer<R: Rows>(rows: &R, now_ms: UnixMs, question: &Question) -> Result<Answer, R::Fault> {
    if question.version != WIRE_VERSION {
        return Ok(Answer::NotUnderstood);
    }
    match &question.act {
        Act::Charge(charges) if is_sound(charges) => {
            let credential = question.credential.as_ref();
            if let Some(by) = credential.map_or(Ok(None), |one| revoked(rows, one))? {
                return Ok(Answer::Revoked(by));
            }
            let answer = charge(rows, now_ms, charges)?;
            if let (Some(Credential::Key { id }), Answer::Granted(_)) = (credential, &answer) {
                rows.count_use(id, now_ms)?;
            }
            Ok(answer)
        }
        Act::GiveBack(receipts) if receipts.len() <= ROWS_MAX => give_back(rows, now_ms, receipts),
        Act::Charge(_) | Act::GiveBack(_) => Ok(Answer::NotUnderstood),
        Act::Mark(mark) => write_mark(rows, now_ms, mark),
        Act::Marks => Ok(Answer::Marks(rows.marks()?)),
        Act::Use { key_id } => Ok(Answer::Use(rows.key_use(key_id)?)),
    }
}

fn revoked<R: Rows>(rows: &R, credential: &Credential) -> Result<Option<RevokedBy>, R::Fault> {
    Ok(rows.marks()?.refuses(credential))
}

fn write_mark<R: Rows>(rows: &R, now_ms: UnixMs, mark: &Mark) -> Result<Answer, R::Fault> {
    let mut marks = rows.marks()?;
    match marks.add(mark, now_ms) {
        Ok(()) => rows.save_marks(&marks).map(|()| Answer::Marked),
        Err(MarksFull) => Ok(Answer::MarksFull),
    }
}

/// A row named twice would be read twice before it is written once, and so be charged once.
fn is_sound(charges: &[RowCharge]) -> bool {
    let mut rows: Vec<_> = charges.iter().map(|charge| charge.row.as_str()).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len() == charges.len() && charges.len() <= ROWS_MAX
}

fn charge<R: Rows>(rows: &R, now_ms: UnixMs, charges: &[RowCharge]) -> Result<Answer, R::Fault> {
    let mut granted = Vec::with_capacity(charges.len());
    let mut refused = Vec::with_capacity(charges.len());
    let mut windows = Vec::with_capacity(charges.len());
    for RowCharge {
        row,
        rule,
        units,
        look,
    } in charges
    {
        let mut window = rows.load(row)?;
        window.fit(*rule);
        let remaining = rule.limit.saturating_sub(window.used(now_ms));
        let retry_after_ms = match window.room(*rule, now_ms, *units) {
            Ok(room) => {
                if !look {
                    window.take(now_ms, room, *units);
                }
                granted.push(RowGranted {
                    row: row.clone(),
                    remaining: room.remaining,
                    frees_in_ms: room.frees_in_ms,
                    release_at_ms: room.release_at_ms,
                });
                0
            }
            Err(Full::Until { retry_after_ms }) => retry_after_ms,
            Err(Full::Never) => u64::MAX,
        };
        refused.push(RowRefused {
            row: row.clone(),
            remaining,
            retry_after_ms,
        });
        if !look {
            windows.push((row, window));
        }
    }
    if refused.iter().any(|row| row.retry_after_ms > 0) {
        return Ok(Answer::Refused(refused));
    }
    for (row, window) in &windows {
        rows.save(row, window)?;
    }
    Ok(Answer::Granted(granted))
}

fn give_back<R: Rows>(rows: &R, now_ms: UnixMs, receipts: &[Receipt]) -> Result<Answer, R::Fault> {
    for Receipt {
        row,
        release_at_ms,
        units,
    } in receipts
    {
        let mut window = rows.load(row)?;
        window.give_back(now_ms, *release_at_ms, *units);
        rows.save(row, &window)?;
    }
    Ok(Answer::GivenBack)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::limit::window::WindowRule;
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    /// Rows in memory, which can be told to fail.
    #[derive(Default)]
    pub(crate) struct MemoryRows {
        pub(crate) rows: RefCell<HashMap<String, Window>>,
        pub(crate) marks: RefCell<Marks>,
        pub(crate) uses: RefCell<HashMap<String, KeyUse>>,
        pub(crate) saves: Cell<u32>,
        pub(crate) broken: Cell<bool>,
    }

    impl Rows for MemoryRows {
        type Fault = ();
        fn load(&self, row: &str) -> Result<Window, ()> {
            Ok(self.rows.borrow().get(row).cloned().unwrap_or_default())
        }
        fn save(&self, row: &str, window: &Window) -> Result<(), ()> {
            if self.broken.get() {
                return Err(());
            }
            self.saves.set(self.saves.get() + 1);
            self.rows
                .borrow_mut()
                .insert(row.to_owned(), window.clone());
            Ok(())
        }
        fn marks(&self) -> Result<Marks, ()> {
            Ok(self.marks.borrow().clone())
        }
        fn save_marks(&self, marks: &Marks) -> Result<(), ()> {
            *self.marks.borrow_mut() = marks.clone();
            Ok(())
        }
        fn count_use(&self, key_id: &str, now_ms: UnixMs) -> Result<(), ()> {
            let mut uses = self.uses.borrow_mut();
            let used = uses.entry(key_id.to_owned()).or_default();
            used.count += 1;
            used.last_used_at_ms = now_ms;
            Ok(())
        }
        fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, ()> {
            Ok(self.uses.borrow().get(key_id).copied())
        }
    }

    fn ask(rows: &MemoryRows, now_ms: u64, limits: &[(&str, u64)]) -> Answer {
        let charges = limits.iter().map(|(row, limit)| RowCharge {
            row: (*row).to_owned(),
            rule: WindowRule {
                limit: *limit,
                window_ms: 1_000,
            },
            units: 1,
            look: false,
        });
        let act = Act::Charge(charges.collect());
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
        assert_eq!(
            rows.rows.borrow()["wide"].used(0),
            1,
            "the row with room was charged"
        );
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
        let act = Act::Charge(vec![RowCharge {
            row: "a".into(),
            rule: WindowRule {
                limit: 1,
                window_ms: 1,
            },
            units: 1,
            look: false,
        }]);
        assert_eq!(answer(&rows, 0, &Question::of(act)), Err(()));
    }

    #[test]
    fn a_marked_credential_is_charged_nothing_and_a_look_takes_nothing() {
        let rows = MemoryRows::default();
        let credential = Credential::Key { id: "a".into() };
        let asked = |act, credential: &Credential| {
            let question = Question {
                credential: Some(credential.clone()),
                ..Question::of(act)
            };
            answer(&rows, 0, &question).unwrap()
        };
        let charge = |look| {
            Act::Charge(vec![RowCharge {
                row: "a".into(),
                rule: WindowRule {
                    limit: 1,
                    window_ms: 1_000,
                },
                units: 1,
                look,
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
        assert_eq!(
            asked(charge(false), &credential),
            Answer::Revoked(RevokedBy::Key)
        );
        assert_eq!(
            asked(Act::Charge(vec![]), &credential),
            Answer::Revoked(RevokedBy::Key)
        );
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
        let row = |name: usize| RowCharge {
            row: name.to_string(),
            rule: WindowRule {
                limit: 1,
                window_ms: 1,
            },
            units: 1,
            look: false,
        };
        let asked = |version, charges: Vec<RowCharge>| {
            let question = Question {
                version,
                ..Question::of(Act::Charge(charges))
            };
            answer(&rows, 0, &question).unwrap()
        };
        assert_eq!(asked(WIRE_VERSION + 1, vec![row(0)]), Answer::NotUnderstood);
        assert_eq!(
            asked(WIRE_VERSION, vec![row(0), row(0)]),
            Answer::NotUnderstood
        );
        let over = (0..=ROWS_MAX).map(row).collect();
        assert_eq!(asked(WIRE_VERSION, over), Answer::NotUnderstood);
        let most = (0..ROWS_MAX).map(row).collect();
        assert!(matches!(asked(WIRE_VERSION, most), Answer::Granted(_)));
    }
}
