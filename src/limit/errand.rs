//! What is done for limits after a request has its answer: nobody waits for it.
//!
//! Owns: what is asked then. Does not own: when there is time for it (`edge`, after the response).

use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::charge::{Taken, TakenOf, UnitCharge};
use crate::limit::standing::{self, Standing, StandingQuestion};
use crate::limit::wallet::Sent;
use crate::limit::wire::{Act, Answer, Debt, Lent, Question, Receipt, RowGranted};
use crate::object::ObjectName;

/// Something to be done when the request has its answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// Asks for more before what is lent runs out, or when something may be free again, and whether
    /// the credential is still good.
    Refill {
        object: ObjectName,
        units: Vec<UnitCharge>,
        after_ms: u64,
        standing: Option<StandingQuestion>,
    },
    /// Hands back what is not used, shortly before its lease ends.
    HandBack {
        object: ObjectName,
        /// The lease.
        seq: u64,
        after_ms: u64,
    },
    /// Reads an issuer's marks before they are too old.
    Marks { issuer: ObjectName },
    /// Frees what was taken for nothing.
    GiveBack { taken: Vec<Taken> },
    /// Frees what was taken for a request that was admitted and failed behind the gateway: a tenth
    /// of a limit at most.
    Refund { taken: Vec<Taken> },
    /// Charges `units` more of each row than were taken, whether there is room or not: a debt.
    Owe { taken: Vec<Taken>, units: u64 },
}

/// Does an errand. Whatever fails is told to nobody: what was lent ends by itself, and what was
/// not given back goes with the next question, or counts until its time has passed.
pub async fn run<O: Objects>(objects: &O, errand: Errand) {
    match errand {
        Errand::Refill {
            object,
            units,
            after_ms,
            standing,
        } => {
            if after_ms > 0 {
                objects.pause(after_ms).await;
            }
            refill(objects, &object, &units, standing.as_ref()).await;
        }
        Errand::HandBack {
            object,
            seq,
            after_ms,
        } => hand_back(objects, &object, seq, after_ms).await,
        Errand::Marks { issuer } => {
            let _ = standing::fetch_marks(objects, &issuer).await;
        }
        Errand::GiveBack { taken } => give_back(objects, &taken, false).await,
        Errand::Refund { taken } => give_back(objects, &taken, true).await,
        Errand::Owe { taken, units } => owe(objects, &taken, units).await,
    }
}

async fn refill<O: Objects>(
    objects: &O,
    object: &ObjectName,
    units: &[UnitCharge],
    asked_standing: Option<&StandingQuestion>,
) {
    let sent = {
        let mut memory = objects.limit_memory().borrow_mut();
        memory.wallet.tick(objects.now_ms());
        if memory.wallet.is_silent(object) {
            return;
        }
        memory.wallet.question(object, units.iter(), false)
    };
    let question = Question {
        credential: asked_standing.map(|asked| asked.credential.clone()),
        ..Question::of(Act::Charge(sent.asking.clone()))
    };
    let answer = objects.ask(object, &question).await;
    let (told, lent) = take_refill(objects, object, &sent, &answer);
    if let (Some(asked), Some(told)) = (asked_standing, told) {
        standing::remember(objects, asked, told, sent.at_ms);
    }
    let back = lent
        .iter()
        .map(|lent| hand_back(objects, object, lent.seq, back_in_ms(lent)));
    futures_util::future::join_all(back).await;
}

/// Takes the answer to a question for more; says what it tells of the credential, and what was lent.
fn take_refill<O: Objects>(
    objects: &O,
    object: &ObjectName,
    sent: &Sent,
    answer: &Result<Answer, ObjectDown>,
) -> (Option<Standing>, Vec<Lent>) {
    let wallet = &mut objects.limit_memory().borrow_mut().wallet;
    wallet.tick(objects.now_ms());
    match answer {
        Ok(Answer::Granted(rows)) => {
            wallet.granted(object, sent, rows);
            let lent = rows.iter().filter_map(|row| row.lent);
            (Some(Standing::Good), lent.collect())
        }
        Ok(Answer::Revoked(by)) => {
            wallet.unanswered(object, sent, false);
            (Some(Standing::Revoked(*by)), Vec::new())
        }
        Ok(_) | Err(ObjectDown) => {
            wallet.unanswered(object, sent, true);
            (None, Vec::new())
        }
    }
}

/// When what is not used of a lease is handed back.
fn back_in_ms(lent: &Lent) -> u64 {
    lent.ttl_ms * 3 / 4
}

/// Has the units of an answer handed back shortly before their lease ends, if they are not used.
pub(super) fn defer_hand_back<O: Objects>(objects: &O, object: &ObjectName, rows: &[RowGranted]) {
    for lent in rows.iter().filter_map(|row| row.lent) {
        objects.defer(Errand::HandBack {
            object: *object,
            seq: lent.seq,
            after_ms: back_in_ms(&lent),
        });
    }
}

async fn hand_back<O: Objects>(objects: &O, object: &ObjectName, seq: u64, after_ms: u64) {
    objects.pause(after_ms).await;
    let sent = {
        let mut memory = objects.limit_memory().borrow_mut();
        memory.wallet.tick(objects.now_ms());
        memory.wallet.hand_back(object, seq)
    };
    if let Some(sent) = sent {
        settle(objects, object, sent).await;
    }
}

/// Frees what was taken, each unit once: of a lease at once, of objects by asking them.
///
/// - `refund`: the request was admitted, and failed behind the gateway.
pub(super) async fn give_back<O: Objects>(objects: &O, taken: &[Taken], refund: bool) {
    let now_ms = objects.now_ms();
    let mut receipts: Vec<(ObjectName, Vec<Receipt>)> = Vec::new();
    for one in taken {
        let mut memory = objects.limit_memory().borrow_mut();
        match one.of {
            TakenOf::Lease { seq, at_ms } => {
                memory.wallet.tick(now_ms);
                memory.wallet.unspend(one, (seq, at_ms), refund);
            }
            TakenOf::StandIn { at_ms } if !refund => {
                memory.give_back_stand_in(one, at_ms, now_ms);
            }
            TakenOf::StandIn { .. } => {}
            TakenOf::Object { at_ms } => {
                let receipt = Receipt {
                    row: one.row.clone(),
                    at_ms,
                    units: one.units,
                    refund,
                };
                of_object(&mut receipts, one.object).push(receipt);
            }
        }
    }
    let asked = receipts.into_iter().map(|(object, receipts)| async move {
        let sent = {
            let mut memory = objects.limit_memory().borrow_mut();
            memory.wallet.settle(&object, receipts, Vec::new())
        };
        if let Some(sent) = sent {
            settle(objects, &object, sent).await;
        }
    });
    futures_util::future::join_all(asked).await;
}

/// Charges one row whether there is room or not.
pub(super) async fn owe_row<O: Objects>(objects: &O, object: &ObjectName, unit: &UnitCharge) {
    let taken = Taken {
        object: *object,
        rule: std::rc::Rc::clone(&unit.rule),
        row: unit.row.clone(),
        units: 0,
        of: TakenOf::Object { at_ms: 0 },
    };
    owe(objects, &[taken], unit.units).await;
}

async fn owe<O: Objects>(objects: &O, taken: &[Taken], units: u64) {
    let now_ms = objects.now_ms();
    let mut debts: Vec<(ObjectName, Vec<Debt>)> = Vec::new();
    for one in taken {
        let debt = Debt {
            row: one.row.clone(),
            rule: one.rule.meter.clone(),
            units,
        };
        of_object(&mut debts, one.object).push(debt);
    }
    objects.limit_memory().borrow_mut().wallet.tick(now_ms);
    let asked = debts.into_iter().map(|(object, debts)| async move {
        let sent = {
            let mut memory = objects.limit_memory().borrow_mut();
            memory.wallet.settle(&object, Vec::new(), debts)
        };
        if let Some(sent) = sent {
            settle(objects, &object, sent).await;
        }
    });
    futures_util::future::join_all(asked).await;
}

async fn settle<O: Objects>(objects: &O, object: &ObjectName, sent: Sent) {
    let question = Question::of(Act::Charge(sent.asking.clone()));
    if let Ok(Answer::Granted(_)) = objects.ask(object, &question).await {
        let memory = objects.limit_memory();
        memory.borrow_mut().wallet.heard(object, &sent);
    }
}

fn of_object<T>(groups: &mut Vec<(ObjectName, Vec<T>)>, object: ObjectName) -> &mut Vec<T> {
    let place = groups.iter().position(|(known, _)| *known == object);
    let place = place.unwrap_or_else(|| {
        groups.push((object, Vec::new()));
        groups.len() - 1
    });
    #[expect(
        clippy::indexing_slicing,
        reason = "the place was found, or has just been made"
    )]
    &mut groups[place].1
}
