//! One request's charges, carried to the objects that count them.
//!
//! Owns: the order of asking, giving back what was granted when a later object refuses, and what
//! an object's silence means (`on_error`). Does not own: the call itself (`Objects`).
//! Called by: the driver, before and after the caller is known.

use std::cell::RefCell;

use crate::facts::UnixMs;
use crate::limit::charge::{Charge, Charged, ObjectCharge, UnitCharge, UnitCharged, Verdict};
use crate::limit::memory::LimitMemory;
use crate::limit::rule::OnError;
use crate::limit::standing::{self, Standing, StandingQuestion};
use crate::limit::window::Full;
use crate::limit::wire::{Act, Answer, Question, Receipt, RowCharge, RowRefused};
use crate::object::ObjectName;
use crate::revocation::Marks;

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
    /// The copy of an object's marks in the store, which may lag behind.
    async fn stored_marks(&self, object: &ObjectName) -> Result<Marks, ObjectDown>;
    fn now_ms(&self) -> UnixMs;
    fn limit_memory(&self) -> &RefCell<LimitMemory>;
}

/// Charges every unit of `charge`, all or nothing over all objects, the observed ones apart.
///
/// A credential that was taken back, or of which that is not known, is charged nothing. An object
/// that refuses, or is silent under `refuse`, ends the asking; what earlier objects granted is
/// given back. An answer that does not repeat its question's rows counts as silence.
pub async fn charge<O: Objects>(objects: &O, charge: Charge) -> Charged {
    let Charge {
        objects: mut asked,
        standing: question,
    } = charge;
    let mut standing = Standing::Good;
    let mut asked_along = None;
    let mut first = None;
    if let Some(question) = &question {
        standing = standing::at_issuer(objects, question).await;
        // Never taken back from having been taken back: nobody has to be asked again.
        if let Some(revoked @ Standing::Revoked(_)) = standing::remembered(objects, question) {
            standing = revoked;
        }
        let own = |charge: &ObjectCharge| charge.object == question.caller && !charge.observed;
        match asked.iter().position(own) {
            _ if standing != Standing::Good => {}
            Some(place) => {
                // First, so that a credential taken back costs no other object anything.
                asked.swap(0, place);
                first = Some(place);
                standing = Standing::NotAsked;
                asked_along = Some(question);
            }
            None => standing = standing::at_caller(objects, question).await,
        }
    }
    let may_pass = matches!(standing, Standing::Good) || asked_along.is_some();
    let mut charging = Charging {
        refused: !may_pass,
        ..Charging::default()
    };
    for charge in asked {
        let told = charging.one(objects, charge, asked_along.take()).await;
        standing = told.unwrap_or(standing);
    }
    charging.give_back(objects).await;
    let mut units = charging.units;
    if let Some(place) = first {
        // Answers stand in the order of their questions, whatever was asked first.
        units.swap(0, place);
    }
    Charged {
        units: units.into_iter().flatten().collect(),
        standing: question.map(|question| (question, standing)),
    }
}

/// A charge on its way from object to object.
#[derive(Default)]
struct Charging {
    /// By object, as they were asked.
    units: Vec<Vec<UnitCharged>>,
    receipts: Vec<(ObjectName, Vec<Receipt>)>,
    refused: bool,
}

impl Charging {
    /// Charges one object; says what it told of the credential that was asked along.
    async fn one<O: Objects>(
        &mut self,
        objects: &O,
        charge: ObjectCharge,
        credential: Option<&StandingQuestion>,
    ) -> Option<Standing> {
        let ObjectCharge {
            object,
            observed,
            units,
        } = charge;
        let told = if self.refused {
            Told::nothing_charged(units.len(), None)
        } else {
            ask_object(objects, &object, &units, credential).await
        };
        if !observed {
            let ends = |verdict: &Verdict| {
                matches!(verdict, Verdict::Exhausted { .. } | Verdict::Unanswered)
            };
            let taken_back = !matches!(told.standing, None | Some(Standing::Good));
            self.refused = self.refused || taken_back || told.verdicts.iter().any(ends);
            self.receipts.push((object.clone(), told.receipts));
        }
        let charged = units.into_iter().zip(told.verdicts);
        let charged = charged.map(|(unit, verdict)| UnitCharged {
            object: object.clone(),
            observed,
            unit,
            verdict,
        });
        self.units.push(charged.collect());
        told.standing
    }

    /// Gives back what was granted, if the request is refused.
    async fn give_back<O: Objects>(&mut self, objects: &O) {
        let granted = self
            .receipts
            .drain(..)
            .filter(|(_, granted)| !granted.is_empty());
        for (object, granted) in granted.filter(|_| self.refused) {
            let question = Question::of(Act::GiveBack(granted));
            // A lost return leaves the units held until their window has passed: too strict for
            // one window, never too lax.
            let _ = objects.ask(&object, &question).await;
        }
    }
}

/// What one object told.
struct Told {
    verdicts: Vec<Verdict>,
    receipts: Vec<Receipt>,
    standing: Option<Standing>,
}

impl Told {
    fn nothing_charged(units: usize, standing: Option<Standing>) -> Self {
        Self {
            verdicts: vec![Verdict::NotCharged { remaining: None }; units],
            receipts: Vec::new(),
            standing,
        }
    }
}

async fn ask_object<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
    credential: Option<&StandingQuestion>,
) -> Told {
    if let Some(verdicts) = remembered(objects, object, units) {
        return Told {
            verdicts,
            receipts: Vec::new(),
            standing: None,
        };
    }
    let question = Question {
        credential: credential.map(|asked| asked.credential.clone()),
        ..Question::of(Act::Charge(units.iter().map(row_charge).collect()))
    };
    let good = credential.map(|_| Standing::Good);
    match objects.ask(object, &question).await {
        Ok(Answer::Granted(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => {
            let verdicts = rows.iter().map(|row| Verdict::Granted {
                remaining: row.remaining,
                frees_in_ms: row.frees_in_ms,
            });
            let taken = rows.iter().zip(units).filter(|(_, unit)| !unit.look);
            let receipts = taken.map(|(row, unit)| Receipt {
                row: row.row.clone(),
                release_at_ms: row.release_at_ms,
                units: unit.units,
            });
            Told {
                verdicts: verdicts.collect(),
                receipts: receipts.collect(),
                standing: good,
            }
        }
        Ok(Answer::Refused(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => Told {
            verdicts: refused_verdicts(objects, object, units, &rows),
            receipts: Vec::new(),
            standing: good,
        },
        Ok(Answer::Revoked(by)) if credential.is_some() => {
            let revoked = Standing::Revoked(by);
            if let Some(asked) = credential {
                standing::remember(objects, asked, revoked, objects.now_ms());
            }
            Told::nothing_charged(units.len(), Some(revoked))
        }
        Ok(_) | Err(ObjectDown) => {
            let standing = match credential {
                Some(asked) => Some(standing::in_store(objects, asked).await),
                None => None,
            };
            match standing {
                None | Some(Standing::Good) => Told {
                    verdicts: without_object(objects, object, units),
                    receipts: Vec::new(),
                    standing,
                },
                Some(_) => Told::nothing_charged(units.len(), standing),
            }
        }
    }
}

fn refused_verdicts<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
    rows: &[RowRefused],
) -> Vec<Verdict> {
    let now_ms = objects.now_ms();
    let mut memory = objects.limit_memory().borrow_mut();
    let verdicts = rows
        .iter()
        .zip(units)
        .map(|(row, unit)| match row.retry_after_ms {
            0 => Verdict::NotCharged {
                remaining: Some(row.remaining),
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
    verdicts.collect()
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
            None => Verdict::NotCharged { remaining: None },
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
        look: unit.look,
    }
}

fn repeats<'a>(units: &[UnitCharge], rows: impl Iterator<Item = &'a String>) -> bool {
    units.iter().map(|unit| &unit.row).eq(rows)
}
