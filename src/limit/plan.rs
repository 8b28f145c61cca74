//! One object's part of a charge, on its way: what this isolate can say by itself, what the object
//! has to say, and what was taken.
//!
//! Owns: verdicts of one object's units. Does not own: all or nothing over several (`limit::ask`).

use std::rc::Rc;

use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::charge::{ObjectCharge, Taken, TakenOf, UnitCharge, UnitCharged, Verdict};
use crate::limit::errand;
use crate::limit::rule::OnError;
use crate::limit::standing::{self, Standing, StandingQuestion};
use crate::limit::uses;
use crate::limit::wallet::{Local, Sent, Wallet};
use crate::limit::wire::{Act, Answer, Question, RowGranted, RowRefused};
use crate::object::ObjectName;

/// One object's part of a charge, on its way.
pub(super) struct Plan<'c> {
    pub(super) charge: &'c ObjectCharge,
    /// By unit; `None` as long as the object has to say.
    verdicts: Vec<Option<Verdict>>,
    /// By unit: whether the object had to say, and did not.
    silent: Vec<bool>,
    pub(super) taken: Vec<Taken>,
    /// The question that brought nothing: what it took is undone if the request is refused.
    pub(super) unheard: Option<Sent>,
}

impl<'c> Plan<'c> {
    pub(super) fn new(charge: &'c ObjectCharge) -> Self {
        Self {
            charge,
            verdicts: vec![None; charge.units.len()],
            silent: vec![false; charge.units.len()],
            taken: Vec::new(),
            unheard: None,
        }
    }

    pub(super) fn is_enforced(&self) -> bool {
        !self.charge.observed
    }

    pub(super) fn is_lacking(&self) -> bool {
        self.verdicts.iter().any(Option::is_none)
    }

    /// Whether an object will be asked for what decides: it can say of a credential, too.
    pub(super) fn asks(&self, object: &ObjectName) -> bool {
        self.is_enforced() && self.is_lacking() && self.charge.object == *object
    }

    pub(super) fn is_refused(&self) -> bool {
        self.verdicts.iter().flatten().any(Verdict::refuses)
    }

    /// What this isolate can say by itself, without spending anything yet.
    pub(super) fn look_up<O: Objects>(&mut self, objects: &O) {
        let wallet = &mut objects.limit_memory().borrow_mut().wallet;
        for (unit, verdict) in self.charge.units.iter().zip(&mut self.verdicts) {
            if let Local::Refused { retry_after_ms } = wallet.look_up(&self.charge.object, unit) {
                *verdict = Some(Verdict::Exhausted { retry_after_ms });
            }
        }
    }

    /// Spends what is lent, where it covers a unit.
    pub(super) fn spend<O: Objects>(&mut self, objects: &O) {
        if self.is_refused() {
            return;
        }
        let wallet = &mut objects.limit_memory().borrow_mut().wallet;
        for (unit, verdict) in self.charge.units.iter().zip(&mut self.verdicts) {
            if let Some((of, left)) = wallet.spend(&self.charge.object, unit) {
                *verdict = Some(Verdict::Granted {
                    remaining: left.remaining,
                    frees_in_ms: left.frees_in_ms,
                });
                self.taken.extend(of.map(|of| taken(self.charge, unit, of)));
            }
        }
    }

    /// Asks the object for what it has to say; returns what it told of the credential.
    pub(super) async fn ask<O: Objects>(
        &mut self,
        objects: &O,
        credential: Option<&StandingQuestion>,
    ) -> Option<Standing> {
        if self.is_refused() || !self.is_lacking() {
            return None;
        }
        let object = &self.charge.object;
        let lacking: Vec<(usize, &UnitCharge)> = self.charge.units.iter().enumerate().collect();
        let lacking: Vec<_> = lacking
            .into_iter()
            .filter(|(place, _)| self.verdicts.get(*place).is_some_and(Option::is_none))
            .collect();
        let units: Vec<&UnitCharge> = lacking.iter().map(|(_, unit)| *unit).collect();
        let told = ask_object(objects, object, &units, credential).await;
        for ((place, unit), (verdict, of)) in lacking.iter().zip(told.verdicts) {
            if let Some(slot) = self.verdicts.get_mut(*place) {
                *slot = Some(verdict);
            }
            if let Some(slot) = self.silent.get_mut(*place) {
                *slot = told.is_silent;
            }
            self.taken.extend(of.map(|of| taken(self.charge, unit, of)));
        }
        self.unheard = told.unheard;
        told.standing
    }

    /// Takes back every grant; what was taken is returned to be given back.
    pub(super) fn release(&mut self) -> Vec<Taken> {
        for (unit, verdict) in self.charge.units.iter().zip(&mut self.verdicts) {
            if let Some(Verdict::Granted { remaining, .. }) = verdict {
                *verdict = Some(Verdict::NotCharged {
                    remaining: Some(remaining.saturating_add(if unit.look {
                        0
                    } else {
                        unit.units
                    })),
                });
            }
        }
        std::mem::take(&mut self.taken)
    }

    pub(super) fn told(self) -> impl Iterator<Item = UnitCharged> {
        let Self {
            charge,
            verdicts,
            silent,
            ..
        } = self;
        charge
            .units
            .iter()
            .zip(verdicts.into_iter().zip(silent))
            .map(|(unit, (verdict, is_silent))| UnitCharged {
                object: charge.object,
                observed: charge.observed,
                unit: unit.clone(),
                verdict: verdict.unwrap_or(Verdict::NotCharged { remaining: None }),
                is_silent,
            })
    }
}

fn taken(charge: &ObjectCharge, unit: &UnitCharge, of: TakenOf) -> Taken {
    Taken {
        object: charge.object,
        rule: Rc::clone(&unit.rule),
        row: unit.row.clone(),
        units: unit.units,
        of,
    }
}

/// What one object told: a verdict for each unit, with what was taken.
struct Told {
    is_silent: bool,
    verdicts: Vec<(Verdict, Option<TakenOf>)>,
    standing: Option<Standing>,
    unheard: Option<Sent>,
}

impl Told {
    fn nothing_charged(units: usize, standing: Option<Standing>) -> Self {
        Self {
            is_silent: false,
            verdicts: vec![(Verdict::NotCharged { remaining: None }, None); units],
            standing,
            unheard: None,
        }
    }
}

async fn ask_object<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[&UnitCharge],
    credential: Option<&StandingQuestion>,
) -> Told {
    let sent = {
        let wallet = &mut objects.limit_memory().borrow_mut().wallet;
        let is_silent = wallet.is_silent(object);
        (!is_silent).then(|| wallet.question(object, units.iter().copied(), true))
    };
    let Some(sent) = sent else {
        return without_object(objects, object, units, credential).await;
    };
    let question = Question {
        credential: credential.map(|asked| asked.credential.clone()),
        uses: credential.map_or(0, |asked| uses::told_with_one(objects, asked)),
        ..Question::of(Act::Charge(sent.asking.clone()))
    };
    let answer = objects.ask(object, &question).await;
    let now_ms = objects.now_ms();
    let good =
        || credential.map(|asked| standing::remember(objects, asked, Standing::Good, sent.at_ms));
    objects.limit_memory().borrow_mut().wallet.tick(now_ms);
    match answer {
        Ok(Answer::Granted(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => {
            granted(objects, object, &sent, units, &rows, good())
        }
        Ok(Answer::Refused(rows)) if repeats(units, rows.iter().map(|row| &row.row)) => {
            refused(objects, object, &sent, units, &rows, good())
        }
        Ok(Answer::Revoked(by)) if credential.is_some() => {
            let revoked = Standing::Revoked(by);
            if let Some(asked) = credential {
                standing::remember(objects, asked, revoked, sent.at_ms);
            }
            let memory = objects.limit_memory();
            memory.borrow_mut().wallet.unanswered(object, &sent, false);
            Told::nothing_charged(units.len(), Some(revoked))
        }
        Ok(_) | Err(ObjectDown) => {
            let unanswered = || {
                let memory = objects.limit_memory();
                memory.borrow_mut().wallet.unanswered(object, &sent, true);
            };
            unanswered();
            let told = without_object(objects, object, units, credential).await;
            Told {
                unheard: Some(sent),
                ..told
            }
        }
    }
}

fn granted<O: Objects>(
    objects: &O,
    object: &ObjectName,
    sent: &Sent,
    units: &[&UnitCharge],
    rows: &[RowGranted],
    standing: Option<Standing>,
) -> Told {
    objects
        .limit_memory()
        .borrow_mut()
        .wallet
        .granted(object, sent, rows);
    errand::defer_hand_back(objects, object, rows);
    let verdicts = rows.iter().zip(units).map(|(row, unit)| {
        let verdict = Verdict::Granted {
            remaining: row
                .remaining
                .saturating_add(row.lent.map_or(0, |lent| lent.units)),
            frees_in_ms: row.frees_in_ms,
        };
        let is_taken = !unit.look && unit.units > 0;
        let at_ms = row.at_ms;
        (verdict, is_taken.then_some(TakenOf::Object { at_ms }))
    });
    Told {
        is_silent: false,
        verdicts: verdicts.collect(),
        standing,
        unheard: None,
    }
}

fn refused<O: Objects>(
    objects: &O,
    object: &ObjectName,
    sent: &Sent,
    units: &[&UnitCharge],
    rows: &[RowRefused],
    standing: Option<Standing>,
) -> Told {
    let wallet = &mut objects.limit_memory().borrow_mut().wallet;
    wallet.refused(object, sent, rows);
    if let Some(verdicts) = spend_all(wallet, object, units) {
        return Told {
            is_silent: false,
            verdicts,
            standing,
            unheard: None,
        };
    }
    let verdicts = rows.iter().map(|row| {
        let verdict = match row.retry_after_ms {
            0 => Verdict::NotCharged {
                remaining: Some(row.remaining),
            },
            retry_after_ms => Verdict::Exhausted { retry_after_ms },
        };
        (verdict, None)
    });
    Told {
        is_silent: false,
        verdicts: verdicts.collect(),
        standing,
        unheard: None,
    }
}

/// Spends every unit of what was lent to this isolate meanwhile, or none.
fn spend_all(
    wallet: &mut Wallet,
    object: &ObjectName,
    units: &[&UnitCharge],
) -> Option<Vec<(Verdict, Option<TakenOf>)>> {
    if !units.iter().all(|unit| wallet.has(object, unit)) {
        return None;
    }
    let spent = units.iter().map(|unit| {
        let (of, left) = wallet.spend(object, unit)?;
        let verdict = Verdict::Granted {
            remaining: left.remaining,
            frees_in_ms: left.frees_in_ms,
        };
        Some((verdict, of))
    });
    spent.collect()
}

/// What each limit says of a silent object; the store says what it knows of the credential.
async fn without_object<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[&UnitCharge],
    credential: Option<&StandingQuestion>,
) -> Told {
    let standing = match credential {
        Some(asked) => Some(standing::in_store(objects, asked).await),
        None => None,
    };
    if !matches!(standing, None | Some(Standing::Good)) {
        return Told::nothing_charged(units.len(), standing);
    }
    let now_ms = objects.now_ms();
    let mut memory = objects.limit_memory().borrow_mut();
    memory.note_silence(units.len());
    let verdict = |unit: &&UnitCharge| match unit.rule.on_error {
        OnError::Refuse => (Verdict::Unanswered, None),
        OnError::Admit => (Verdict::Unmetered, None),
        OnError::Local => match memory.stand_in(object, unit, now_ms) {
            Ok(left) => {
                let verdict = Verdict::Granted {
                    remaining: left.remaining,
                    frees_in_ms: left.frees_in_ms,
                };
                let is_taken = !unit.look && unit.units > 0;
                let of = TakenOf::StandIn { at_ms: now_ms };
                (verdict, is_taken.then_some(of))
            }
            Err(retry_after_ms) => (Verdict::Exhausted { retry_after_ms }, None),
        },
    };
    Told {
        is_silent: true,
        verdicts: units.iter().map(verdict).collect(),
        standing,
        unheard: None,
    }
}

fn repeats<'a>(units: &[&UnitCharge], rows: impl Iterator<Item = &'a String>) -> bool {
    units.iter().map(|unit| &unit.row).eq(rows)
}
