//! What is done for limits after a request has its answer: nobody waits for it.
//!
//! Owns: what is asked then. Does not own: when there is time for it (`edge`, after the response).

use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::charge::{Taken, TakenOf, UnitCharge};
use crate::limit::standing::{self, Standing, StandingQuestion};
use crate::limit::wallet::Sent;
use crate::limit::wire::{Act, Answer, Question, Receipt, RowGranted};
use crate::object::ObjectName;

/// Something to be done when the request has its answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// Asks for more before what is lent runs out, and whether the credential is still good.
    Refill {
        object: ObjectName,
        units: Vec<UnitCharge>,
        standing: Option<StandingQuestion>,
    },
    /// Hands back what is not used, shortly before its lease ends.
    HandBack {
        object: ObjectName,
        /// The question that brought the lease.
        seq: u64,
        after_ms: u64,
    },
    /// Reads an issuer's marks before they are too old.
    Marks { issuer: ObjectName },
    /// Frees what was taken.
    GiveBack { taken: Vec<Taken> },
}

/// Does an errand. Whatever fails is told to nobody: what was lent ends by itself, and what was
/// not given back counts until its time has passed.
pub async fn run<O: Objects>(objects: &O, errand: Errand) {
    match errand {
        Errand::Refill {
            object,
            units,
            standing,
        } => refill(objects, &object, &units, standing.as_ref()).await,
        Errand::HandBack {
            object,
            seq,
            after_ms,
        } => hand_back(objects, &object, seq, after_ms).await,
        Errand::Marks { issuer } => {
            let _ = standing::fetch_marks(objects, &issuer).await;
        }
        Errand::GiveBack { taken } => give_back(objects, &taken).await,
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
        memory.wallet.question(object, units.iter(), false)
    };
    let question = Question {
        credential: asked_standing.map(|asked| asked.credential.clone()),
        ..Question::of(Act::Charge(sent.asking.clone()))
    };
    let answer = objects.ask(object, &question).await;
    let mut memory = objects.limit_memory().borrow_mut();
    memory.wallet.tick(objects.now_ms());
    let told = match answer {
        Ok(Answer::Granted(rows)) => {
            memory.wallet.granted(object, &sent, &rows);
            defer_hand_back(objects, object, &sent, &rows);
            Some(Standing::Good)
        }
        Ok(Answer::Revoked(by)) => {
            memory.wallet.unanswered(object, &sent);
            Some(Standing::Revoked(by))
        }
        Ok(_) | Err(ObjectDown) => {
            memory.wallet.unanswered(object, &sent);
            None
        }
    };
    drop(memory);
    if let (Some(asked), Some(told)) = (asked_standing, told) {
        standing::remember(objects, asked, told, sent.at_ms);
    }
}

/// Has the units of an answer handed back shortly before their lease ends, if they are not used.
pub(super) fn defer_hand_back<O: Objects>(
    objects: &O,
    object: &ObjectName,
    sent: &Sent,
    rows: &[RowGranted],
) {
    let lent = rows.iter().filter_map(|row| row.lent);
    if let Some(ttl_ms) = lent.map(|lent| lent.ttl_ms).min() {
        objects.defer(Errand::HandBack {
            object: *object,
            seq: sent.asking.seq,
            after_ms: ttl_ms * 3 / 4,
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
        let question = Question::of(Act::Charge(sent.asking));
        let _ = objects.ask(object, &question).await;
    }
}

/// Frees what was taken, each unit once: of a lease at once, of objects by asking them.
pub(super) async fn give_back<O: Objects>(objects: &O, taken: &[Taken]) {
    let mut receipts: Vec<(ObjectName, Vec<Receipt>)> = Vec::new();
    for one in taken {
        match one.of {
            TakenOf::Lease { seq } => {
                let mut memory = objects.limit_memory().borrow_mut();
                let wallet = &mut memory.wallet;
                wallet.unspend(&one.object, &one.row, seq, one.units);
            }
            TakenOf::Object { named_ms } => {
                let receipt = Receipt {
                    row: one.row.clone(),
                    named_ms,
                    units: one.units,
                };
                let known = receipts
                    .iter_mut()
                    .find(|(object, _)| *object == one.object);
                match known {
                    Some((_, receipts)) => receipts.push(receipt),
                    None => receipts.push((one.object, vec![receipt])),
                }
            }
        }
    }
    let asked = receipts.into_iter().map(|(object, receipts)| async move {
        // A lost return leaves the units held until their time has passed: too strict for a
        // while, never too lax.
        let _ = objects
            .ask(&object, &Question::of(Act::GiveBack(receipts)))
            .await;
    });
    futures_util::future::join_all(asked).await;
}
