//! One request's charges, carried to the objects that count them.
//!
//! Owns: the order of asking, giving back what was granted when a later object refuses, and what
//! an object's silence means (`on_error`). Does not own: the call itself (`Objects`).
//! Called by: the driver, before and after the caller is known.

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::facts::UnixMs;
use crate::limit::memory::LimitMemory;
use crate::limit::rule::{LimitRule, OnError};
use crate::limit::window::Full;
use crate::limit::wire::{Act, Answer, Question, Receipt, RowCharge, WIRE_VERSION};

/// The name of one counter object: a hash, so that neither an address nor a caller's name is
/// stored, and no choice of names by a caller can meet another's.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ObjectName(String);

impl ObjectName {
    /// Names the object of `parts`, e.g. `["ip", "192.0.2.1"]`. Each part is hashed with its
    /// length before it: `["a:b", "c"]` and `["a", "b:c"]` are two objects.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        Self(
            digest
                .iter()
                .take(20)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Everything one stage of a request charges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charge(pub Vec<ObjectCharge>);

/// The charges that one object answers together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectCharge {
    pub object: ObjectName,
    /// Recorded, never decisive.
    pub observed: bool,
    pub units: Vec<UnitCharge>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnitCharge {
    pub rule: Rc<LimitRule>,
    /// The row in the object: the limit's name, and the route's where the limit is per route.
    pub row: String,
    pub units: u64,
}

/// What became of one charge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Granted {
        remaining: u64,
        frees_in_ms: u64,
    },
    Exhausted {
        retry_after_ms: u64,
    },
    /// Another limit refused: this one was not charged.
    NotCharged {
        remaining: u64,
    },
    /// The counter did not answer and the limit says `admit`.
    Unmetered,
    /// The counter did not answer and the limit says `refuse`.
    Unanswered,
}

/// The answer to a [`Charge`]: one verdict a unit, in its order, each with its question's names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charged(pub Vec<UnitCharged>);

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnitCharged {
    pub object: ObjectName,
    pub observed: bool,
    pub unit: UnitCharge,
    pub verdict: Verdict,
}

/// The counter objects did not answer, or not in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ObjectDown;

/// The counter objects, each behind one call of bounded time.
#[allow(
    async_fn_in_trait,
    reason = "one isolate, one thread: no future is ever sent"
)]
pub trait Objects {
    async fn ask(&self, object: &ObjectName, question: &Question) -> Result<Answer, ObjectDown>;
    fn now_ms(&self) -> UnixMs;
    fn limit_memory(&self) -> &RefCell<LimitMemory>;
}

/// Charges every unit of `charge`, all or nothing over all objects, the observed ones apart.
///
/// An object that refuses, or is silent under `refuse`, ends the asking; what earlier objects
/// granted is given back. An answer that does not repeat its question's rows counts as silence.
pub async fn charge<O: Objects>(objects: &O, charge: Charge) -> Charged {
    let mut charged = Vec::new();
    let mut receipts: Vec<(ObjectName, Vec<Receipt>)> = Vec::new();
    let mut refused = false;
    for ObjectCharge {
        object,
        observed,
        units,
    } in charge.0
    {
        let verdicts = if refused {
            vec![Verdict::NotCharged { remaining: 0 }; units.len()]
        } else {
            let (verdicts, granted) = ask_object(objects, &object, &units).await;
            if !observed {
                refused = verdicts.iter().any(|verdict| {
                    matches!(verdict, Verdict::Exhausted { .. } | Verdict::Unanswered)
                });
                receipts.push((object.clone(), granted));
            }
            verdicts
        };
        charged.extend(
            units
                .into_iter()
                .zip(verdicts)
                .map(|(unit, verdict)| UnitCharged {
                    object: object.clone(),
                    observed,
                    unit,
                    verdict,
                }),
        );
    }
    if refused {
        for (object, granted) in receipts
            .into_iter()
            .filter(|(_, granted)| !granted.is_empty())
        {
            let question = Question {
                version: WIRE_VERSION,
                act: Act::GiveBack(granted),
            };
            // A lost return leaves the units held until their window has passed: too strict for
            // one window, never too lax.
            let _ = objects.ask(&object, &question).await;
        }
    }
    Charged(charged)
}

async fn ask_object<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
) -> (Vec<Verdict>, Vec<Receipt>) {
    if let Some(verdicts) = remembered(objects, object, units) {
        return (verdicts, Vec::new());
    }
    let act = Act::Charge(units.iter().map(row_charge).collect());
    let answer = objects
        .ask(
            object,
            &Question {
                version: WIRE_VERSION,
                act,
            },
        )
        .await;
    match answer {
        Ok(Answer::Granted(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => {
            let verdicts = rows.iter().map(|row| Verdict::Granted {
                remaining: row.remaining,
                frees_in_ms: row.frees_in_ms,
            });
            let receipts = rows.iter().zip(units).map(|(row, unit)| Receipt {
                row: row.row.clone(),
                release_at_ms: row.release_at_ms,
                units: unit.units,
            });
            (verdicts.collect(), receipts.collect())
        }
        Ok(Answer::Refused(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => {
            let now_ms = objects.now_ms();
            let mut memory = objects.limit_memory().borrow_mut();
            let verdicts = rows
                .iter()
                .zip(units)
                .map(|(row, unit)| match row.retry_after_ms {
                    0 => Verdict::NotCharged {
                        remaining: row.remaining,
                    },
                    // No wait helps: there is no instant to remember it until.
                    u64::MAX => Verdict::Exhausted {
                        retry_after_ms: u64::MAX,
                    },
                    retry_after_ms => {
                        memory.remember_refusal(object, unit, now_ms, retry_after_ms);
                        Verdict::Exhausted { retry_after_ms }
                    }
                });
            (verdicts.collect(), Vec::new())
        }
        Ok(_) | Err(ObjectDown) => (without_object(objects, object, units), Vec::new()),
    }
}

/// The refusal that the object gave before, if it still stands.
fn remembered<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
) -> Option<Vec<Verdict>> {
    let now_ms = objects.now_ms();
    let memory = objects.limit_memory().borrow();
    let waits = units
        .iter()
        .map(|unit| memory.refused_for_ms(object, unit, now_ms));
    let verdicts: Vec<_> = waits
        .map(|wait| match wait {
            Some(retry_after_ms) => Verdict::Exhausted { retry_after_ms },
            None => Verdict::NotCharged { remaining: 0 },
        })
        .collect();
    let any = verdicts
        .iter()
        .any(|verdict| matches!(verdict, Verdict::Exhausted { .. }));
    any.then_some(verdicts)
}

/// What each limit says of a silent object.
fn without_object<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
) -> Vec<Verdict> {
    let now_ms = objects.now_ms();
    let mut memory = objects.limit_memory().borrow_mut();
    let verdict = |unit: &UnitCharge| match unit.rule.on_error {
        OnError::Refuse => Verdict::Unanswered,
        OnError::Admit => Verdict::Unmetered,
        OnError::Local => match memory.stand_in(object, unit, now_ms) {
            Ok(room) => Verdict::Granted {
                remaining: room.remaining,
                frees_in_ms: room.frees_in_ms,
            },
            Err(Full::Until { retry_after_ms }) => Verdict::Exhausted { retry_after_ms },
            Err(Full::Never) => Verdict::Exhausted {
                retry_after_ms: u64::MAX,
            },
        },
    };
    units.iter().map(verdict).collect()
}

fn row_charge(unit: &UnitCharge) -> RowCharge {
    RowCharge {
        row: unit.row.clone(),
        rule: unit.rule.window,
        units: unit.units,
    }
}

fn repeats<'a>(units: &[UnitCharge], rows: impl Iterator<Item = &'a String>) -> bool {
    units.iter().map(|unit| &unit.row).eq(rows)
}
