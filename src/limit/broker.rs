//! A counter that stands between many isolates and the one object that counts: it borrows from that
//! object as an isolate does, and lends on what it borrowed.
//!
//! It needs no storage. To the object that counts it is one holder: what it was lent and lends on
//! counts as used until its lease ends, whatever becomes of the broker, and what it lends on ends
//! before that. Two brokers of one name are two holders.
//!
//! Owns: lending on, and what it granted at once. Does not own: the charge (`limit::ask`).
//! Called by: `edge::broker`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::facts::UnixMs;
use crate::limit::ask::{self, Objects};
use crate::limit::charge::{Charge, ObjectCharge, Taken, UnitCharge, UnitCharged, Verdict};
use crate::limit::errand::{self, Errand};
use crate::limit::ledger::{is_sound, takes};
use crate::limit::questions::Questions;
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::limit::settled::Heard;
use crate::limit::wire::{
    Act, Answer, Asking, HolderId, Question, RowCharge, RowGranted, RowRefused, Settling,
    WIRE_VERSION,
};
use crate::object::ObjectName;

/// Most grants that can still be given back; what is forgotten counts until its time has passed.
pub const GRANTS_MAX: usize = 4_096;
/// How long a holder may take to tell of what was lent on to it.
const LENT_MS_MAX: u64 = 5_000;

/// What a broker granted at once, by the number that it told.
#[derive(Debug)]
pub struct Grants {
    newest: u64,
    taken: HashMap<u64, (QuestionId, Taken)>,
    /// What was lent on, by holder, question and row.
    lent: HashMap<(HolderId, u64, String), (Taken, UnixMs)>,
    heard: Heard,
    /// Which questions their holders have given up.
    questions: Questions,
}

/// A question, by its holder and the holder's number.
type QuestionId = (HolderId, u64);

impl Grants {
    /// - `first`: drawn at random: a number that a broker before this one told is none of its own.
    pub fn new(first: u64) -> Self {
        Self {
            newest: first / 2,
            taken: HashMap::new(),
            lent: HashMap::new(),
            heard: Heard::default(),
            questions: Questions::default(),
        }
    }

    fn note(&mut self, question: QuestionId, taken: Taken) -> u64 {
        self.newest += 1;
        self.taken
            .remove(&self.newest.saturating_sub(GRANTS_MAX as u64));
        self.taken.insert(self.newest, (question, taken));
        self.newest
    }

    /// Notes what was lent on; where there is no room, all of it will count as used.
    fn note_lent(&mut self, holder: HolderId, seq: u64, taken: Taken, now_ms: UnixMs) {
        if self.lent.len() >= GRANTS_MAX {
            self.lent
                .retain(|_, (_, at_ms)| at_ms.saturating_add(LENT_MS_MAX) > now_ms);
        }
        if self.lent.len() < GRANTS_MAX {
            let key = (holder, seq, taken.row.clone());
            self.lent.insert(key, (taken, now_ms));
        }
    }

    /// What holders did not use of what was lent on, by their last word on it.
    fn unused(&mut self, asking: &Asking) -> Vec<Taken> {
        let mut unused = Vec::new();
        for row in &asking.rows {
            for report in row.reports.iter().filter(|report| report.keep == 0) {
                let key = (asking.holder, report.seq, row.row.clone());
                let Some((mut taken, _)) = self.lent.remove(&key) else {
                    continue;
                };
                taken.units = taken.units.saturating_sub(report.used);
                unused.extend((taken.units > 0).then_some(taken));
            }
        }
        unused
    }

    /// What was granted of a row under a number, once.
    fn take(&mut self, number: u64, row: &str) -> Option<Taken> {
        let found = self.taken.get(&number);
        let is_of_row = found.is_some_and(|(_, one)| one.row == row);
        let found = is_of_row.then(|| self.taken.remove(&number)).flatten();
        found.map(|(_, taken)| taken)
    }

    /// What was granted to questions that their holder has given up, once. Those that are still to
    /// come, or to be answered, are granted nothing.
    fn undone(&mut self, asking: &Asking, now_ms: UnixMs) -> Vec<Taken> {
        self.questions.forget(now_ms);
        if asking.undone.is_empty() {
            return Vec::new();
        }
        let is_undone = |(holder, seq): QuestionId, row: &str| {
            let mut undone = asking.undone.iter();
            holder == asking.holder && undone.any(|one| one.seq == seq && one.row == row)
        };
        for one in &asking.undone {
            self.questions.undo(now_ms, asking.holder, one.seq);
        }
        let taken = self
            .taken
            .extract_if(|_, (question, taken)| is_undone(*question, &taken.row));
        let mut undone: Vec<Taken> = taken.map(|(_, (_, taken))| taken).collect();
        let lent = self
            .lent
            .extract_if(|(holder, seq, row), _| is_undone((*holder, *seq), row));
        undone.extend(lent.map(|(_, (taken, _))| taken));
        undone
    }

    /// Whether the holder of a question takes no answer to it any more.
    fn is_over(&self, asking: &Asking) -> bool {
        asking.rows.iter().any(takes) && self.questions.is_over(asking.holder, asking.seq)
    }
}

/// Answers a question for rows of `root`, all or none. `None`: the root does not answer.
pub async fn answer<O: Objects>(
    objects: &O,
    grants: &std::cell::RefCell<Grants>,
    root: &ObjectName,
    question: &Question,
) -> Option<Answer> {
    let asking = match &question.act {
        Act::Charge(asking)
            if question.version == WIRE_VERSION
                && question.credential.is_none()
                && is_sound(asking) =>
        {
            asking
        }
        _ => return Some(Answer::NotUnderstood),
    };
    if let Some(settling) = &asking.settling {
        let is_first = {
            let heard = &mut grants.borrow_mut().heard;
            heard.is_first(objects.now_ms(), asking.holder, settling.turn)
        };
        if is_first {
            settle(objects, grants, root, settling).await;
        }
    }
    let mut taken = grants.borrow_mut().unused(asking);
    taken.extend(grants.borrow_mut().undone(asking, objects.now_ms()));
    if !taken.is_empty() {
        objects.defer(Errand::GiveBack { taken });
    }
    if grants.borrow().is_over(asking) {
        return Some(Answer::Over);
    }
    let charge = Charge::of(vec![ObjectCharge {
        object: *root,
        observed: false,
        units: asking.rows.iter().map(unit).collect(),
    }]);
    let charged = ask::charge(objects, charge).await;
    let silent = |one: &UnitCharged| matches!(one.verdict, Verdict::Unanswered);
    if charged.units.iter().any(silent) {
        return None;
    }
    if charged.units.iter().any(|one| one.verdict.refuses()) {
        return Some(Answer::Refused(charged.units.iter().map(refused).collect()));
    }
    // It may have been given up while the root was asked.
    if grants.borrow().is_over(asking) {
        let taken = charged.taken;
        objects.defer(Errand::GiveBack { taken });
        return Some(Answer::Over);
    }
    if asking.rows.iter().any(takes) {
        let (now_ms, questions) = (objects.now_ms(), &mut grants.borrow_mut().questions);
        questions.hear_open(now_ms, asking.holder, asking.open_seq);
    }
    let rows = charged.units.iter().zip(&asking.rows);
    let rows = rows.map(|(one, asked)| {
        let taken = charged.taken.iter().find(|taken| taken.row == asked.row);
        let question = (asking.holder, asking.seq);
        let number = taken.map_or(0, |taken| grants.borrow_mut().note(question, taken.clone()));
        granted((objects, grants), root, (asking, asked), one, number)
    });
    Some(Answer::Granted(rows.collect()))
}

fn granted<O: Objects>(
    (objects, grants): (&O, &std::cell::RefCell<Grants>),
    root: &ObjectName,
    (asking, asked): (&Asking, &RowCharge),
    charged: &UnitCharged,
    number: u64,
) -> RowGranted {
    let frees_in_ms = match charged.verdict {
        Verdict::Granted { frees_in_ms, .. } => frees_in_ms,
        _ => 1,
    };
    let wallet = &mut objects.limit_memory().borrow_mut().wallet;
    let lent = match asked.look {
        true => None,
        false => wallet.lend_on(root, &charged.unit, asking.seq, asked.want),
    };
    if let Some((lent, of)) = lent {
        let taken = Taken {
            object: *root,
            rule: Rc::clone(&charged.unit.rule),
            row: asked.row.clone(),
            units: lent.units,
            of,
        };
        let now_ms = objects.now_ms();
        let grants = &mut grants.borrow_mut();
        grants.note_lent(asking.holder, asking.seq, taken, now_ms);
    }
    RowGranted {
        row: asked.row.clone(),
        // What the root has left, as far as is known: that this broker has none of it ends nothing.
        remaining: wallet.known_left(root, &charged.unit),
        frees_in_ms,
        at_ms: number,
        lent: lent.map(|(lent, _)| lent),
    }
}

fn refused(charged: &UnitCharged) -> RowRefused {
    let (remaining, retry_after_ms) = match charged.verdict {
        Verdict::Exhausted { retry_after_ms } => (0, retry_after_ms),
        Verdict::NotCharged { remaining } => (remaining.unwrap_or(0), 0),
        _ => (0, 0),
    };
    RowRefused {
        row: charged.unit.row.clone(),
        remaining,
        retry_after_ms,
    }
}

async fn settle<O: Objects>(
    objects: &O,
    grants: &std::cell::RefCell<Grants>,
    root: &ObjectName,
    settling: &Settling,
) {
    for receipt in &settling.receipts {
        // A number that is not known any more was given back before, or is too old.
        let Some(mut taken) = grants.borrow_mut().take(receipt.at_ms, &receipt.row) else {
            continue;
        };
        taken.units = taken.units.min(receipt.units);
        let taken = vec![taken];
        objects.defer(match receipt.refund {
            true => Errand::Refund { taken },
            false => Errand::GiveBack { taken },
        });
    }
    for debt in &settling.debts {
        let row = RowCharge {
            row: debt.row.clone(),
            rule: debt.rule.clone(),
            units: debt.units,
            want: 0,
            reports: Vec::new(),
            look: false,
        };
        errand::owe_row(objects, root, &unit(&row)).await;
    }
}

/// A row's charge as this broker's own; the root's silence is the broker's.
fn unit(asked: &RowCharge) -> UnitCharge {
    UnitCharge {
        rule: Rc::new(LimitRule {
            name: asked.row.clone(),
            by: CountBy::Service,
            meter: asked.rule.clone(),
            on_error: OnError::Refuse,
            scope: Scope::Service,
            mode: Mode::Enforce,
            counts: Counts::Requests,
            brokers: 0,
        }),
        row: asked.row.clone(),
        units: asked.units,
        look: asked.look,
    }
}
