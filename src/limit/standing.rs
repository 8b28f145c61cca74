//! Whether a credential that is good by itself was taken back.
//!
//! Two objects know: the caller's, which an admission charges anyway and answers both at once, and
//! the issuer's, whose marks an isolate reads at most every [`STANDING_MS`]. If one is silent, the
//! copy in the store answers, which may lag; if that is silent too, nobody knows.
//!
//! Owns: that order, and how long an isolate may rely on an answer. Called by: `limit::ask`.

use std::rc::Rc;

use crate::facts::UnixMs;
use crate::limit::ask::{ObjectDown, Objects};
use crate::limit::uses;
use crate::limit::wire::{Act, Answer, Asking, Question};
use crate::object::ObjectName;
use crate::revocation::{Credential, Marks, RevokedBy};

/// How long an isolate relies on what it was told: the longest that a revoked credential passes
/// after the revocation was written.
pub const STANDING_MS: u64 = 2_000;

/// How long an isolate remembers that a credential was taken back. It never comes back; the bound is
/// for the memory, and so that whoever holds one does not keep its caller's object busy.
pub const REVOKED_MS: u64 = 60_000;

/// The question whether a credential was taken back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingQuestion {
    pub caller: ObjectName,
    /// Where marks over all of an issuer stand; `None` for what no issuer made.
    pub issuer: Option<ObjectName>,
    pub credential: Credential,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    Good,
    Revoked(RevokedBy),
    /// Neither object nor store answered.
    Unknown,
    /// The request is refused without it.
    NotAsked,
}

/// What the issuer's marks say, as far as this isolate remembers them; `None` if they are to be
/// asked for.
pub(super) fn remembered_at_issuer<O: Objects>(
    objects: &O,
    question: &StandingQuestion,
) -> Option<Standing> {
    let Some(issuer) = &question.issuer else {
        return Some(Standing::Good);
    };
    let now_ms = objects.now_ms();
    let marks = objects.limit_memory().borrow().marks(issuer, now_ms)?;
    Some(of(&marks, &question.credential))
}

/// What the issuer's marks say, asked for now.
pub(super) async fn at_issuer<O: Objects>(objects: &O, question: &StandingQuestion) -> Standing {
    let Some(issuer) = &question.issuer else {
        return Standing::Good;
    };
    match fetch_marks(objects, issuer).await {
        Ok(marks) => of(&marks, &question.credential),
        Err(ObjectDown) => Standing::Unknown,
    }
}

/// Reads an issuer's marks and remembers them.
pub(super) async fn fetch_marks<O: Objects>(
    objects: &O,
    issuer: &ObjectName,
) -> Result<Rc<Marks>, ObjectDown> {
    let asked_at_ms = objects.now_ms();
    let marks = match objects.ask(issuer, &Question::of(Act::Marks)).await {
        Ok(Answer::Marks(marks)) => marks,
        Ok(_) | Err(ObjectDown) => objects.stored_marks(issuer).await?,
    };
    let marks = Rc::new(marks);
    let mut memory = objects.limit_memory().borrow_mut();
    memory.remember_marks(issuer, &marks, asked_at_ms.saturating_add(STANDING_MS));
    Ok(marks)
}

/// What the caller's object says, asked for this alone: the request charges nothing there.
pub(super) async fn at_caller<O: Objects>(objects: &O, question: &StandingQuestion) -> Standing {
    let asked_at_ms = objects.now_ms();
    let asked = Question {
        credential: Some(question.credential.clone()),
        uses: uses::told_with_one(objects, question),
        ..Question::of(Act::Charge(Asking::default()))
    };
    match objects.ask(&question.caller, &asked).await {
        Ok(Answer::Granted(_)) => remember(objects, question, Standing::Good, asked_at_ms),
        Ok(Answer::Revoked(by)) => remember(objects, question, Standing::Revoked(by), asked_at_ms),
        Ok(_) | Err(ObjectDown) => in_store(objects, question).await,
    }
}

/// What this isolate was told before, and may rely on.
pub(super) fn remembered<O: Objects>(objects: &O, question: &StandingQuestion) -> Option<Standing> {
    let memory = objects.limit_memory().borrow();
    memory.standing(question, objects.now_ms())
}

/// Remembers what the caller's object told of a credential.
pub(super) fn remember<O: Objects>(
    objects: &O,
    question: &StandingQuestion,
    standing: Standing,
    asked_at_ms: UnixMs,
) -> Standing {
    let kept_ms = match standing {
        Standing::Revoked(_) => REVOKED_MS,
        Standing::Good => STANDING_MS,
        Standing::Unknown | Standing::NotAsked => return standing,
    };
    let until_ms = asked_at_ms.saturating_add(kept_ms);
    let mut memory = objects.limit_memory().borrow_mut();
    memory.remember_standing(question, standing, until_ms, asked_at_ms);
    standing
}

/// What the copy in the store says, where the caller's object is silent.
pub(super) async fn in_store<O: Objects>(objects: &O, question: &StandingQuestion) -> Standing {
    match objects.stored_marks(&question.caller).await {
        Ok(marks) => of(&marks, &question.credential),
        Err(ObjectDown) => Standing::Unknown,
    }
}

fn of(marks: &Marks, credential: &Credential) -> Standing {
    marks
        .refuses(credential)
        .map_or(Standing::Good, Standing::Revoked)
}
