//! What is done for limits after a request has its answer: nobody waits for it.
//!
//! Owns: what is asked then. Does not own: when there is time for it (`edge`, after the response).

use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::charge::{Taken, TakenOf, UnitCharge};
use crate::limit::standing::{self, Standing, StandingQuestion};
use crate::limit::uses;
use crate::limit::wallet::{Back, Sent};
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
        standing: Option<Box<StandingQuestion>>,
    },
    /// Tells what became of a lease when it has ended.
    HandBack { object: ObjectName, after_ms: u64 },
    /// Tells an object of questions that were given up, if no other question did meanwhile.
    Undo { object: ObjectName, after_ms: u64 },
    /// Reads an issuer's marks before they are too old.
    Marks { issuer: ObjectName },
    /// Tells a caller's object of uses of its key, if no question did meanwhile.
    Uses {
        question: Box<StandingQuestion>,
        after_ms: u64,
    },
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
            refill(objects, &object, &units, standing.as_deref()).await;
        }
        Errand::HandBack { object, after_ms } => hand_back(objects, &object, after_ms).await,
        Errand::Undo { object, after_ms } => {
            objects.pause(after_ms).await;
            let sent = {
                let mut memory = objects.limit_memory().borrow_mut();
                memory.wallet.tick(objects.now_ms());
                memory.wallet.tell_given_up(&object)
            };
            if let Some(sent) = sent {
                settle(objects, &object, sent).await;
            }
        }
        Errand::Marks { issuer } => {
            let _ = standing::fetch_marks(objects, &issuer).await;
        }
        Errand::Uses { question, after_ms } => {
            objects.pause(after_ms).await;
            uses::tell(objects, &question).await;
        }
        Errand::GiveBack { taken } => give_back(objects, &taken, Back::Cheaper).await,
        Errand::Refund { taken } => give_back(objects, &taken, Back::Failed).await,
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
        uses: asked_standing.map_or(0, |asked| uses::told(objects, asked)),
        ..Question::of(Act::Charge(sent.asking.clone()))
    };
    let answer = objects.ask(object, &question).await;
    let (told, lent) = take_refill(objects, object, &sent, &answer);
    if let (Some(asked), Some(told)) = (asked_standing, told) {
        standing::remember(objects, asked, told, sent.at_ms);
    }
    let back = lent
        .iter()
        .map(|lent| hand_back(objects, object, back_in_ms(lent)));
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
            // Nobody waits for it: the next question says so.
            wallet.give_up(object, sent);
            (None, Vec::new())
        }
    }
}

/// When a lease has ended for its holder; its object waits longer.
fn back_in_ms(lent: &Lent) -> u64 {
    lent.ttl_ms.saturating_add(1)
}

/// Has what is left of the leases of an answer handed back when they have ended.
pub(super) fn defer_hand_back<O: Objects>(objects: &O, object: &ObjectName, rows: &[RowGranted]) {
    for lent in rows.iter().filter_map(|row| row.lent) {
        objects.defer(Errand::HandBack {
            object: *object,
            after_ms: back_in_ms(&lent),
        });
    }
}

async fn hand_back<O: Objects>(objects: &O, object: &ObjectName, after_ms: u64) {
    objects.pause(after_ms).await;
    let sent = {
        let mut memory = objects.limit_memory().borrow_mut();
        memory.wallet.tick(objects.now_ms());
        memory.wallet.hand_back(object)
    };
    if let Some(sent) = sent {
        settle(objects, object, sent).await;
    }
}

/// Gives up a question that a refused request waited for in vain: what it took is to be undone.
pub(super) fn give_up<O: Objects>(objects: &O, object: &ObjectName, sent: &Sent) {
    let tell_in_ms = {
        let wallet = &mut objects.limit_memory().borrow_mut().wallet;
        wallet.tick(objects.now_ms());
        wallet.give_up(object, sent);
        wallet.tell_in_ms(object)
    };
    if let Some(after_ms) = tell_in_ms {
        let object = *object;
        objects.defer(Errand::Undo { object, after_ms });
    }
}

/// Frees what was taken, each unit once: of a lease at once, as far as its object was not told of it;
/// else by asking the object.
pub(super) async fn give_back<O: Objects>(objects: &O, taken: &[Taken], why: Back) {
    let now_ms = objects.now_ms();
    let mut receipts: Vec<(ObjectName, Vec<Receipt>)> = Vec::new();
    for one in taken {
        let mut memory = objects.limit_memory().borrow_mut();
        memory.wallet.tick(now_ms);
        let (at_ms, units) = match one.of {
            TakenOf::Lease { lent_at_ms, .. } => (lent_at_ms, memory.wallet.take_back(one, why)),
            TakenOf::Object { at_ms } => (at_ms, one.units),
            TakenOf::StandIn { at_ms } => {
                if why != Back::Failed {
                    memory.give_back_stand_in(one, at_ms, now_ms);
                }
                continue;
            }
        };
        if units > 0 {
            of_object(&mut receipts, one.object).push(Receipt {
                row: one.row.clone(),
                at_ms,
                units,
                refund: why == Back::Failed,
            });
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
