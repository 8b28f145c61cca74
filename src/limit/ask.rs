//! One request's charges, carried to the objects that count them: by what is lent to this isolate
//! where that covers them, and otherwise by one round of questions, all sent at once.
//!
//! Owns: all or nothing over every object, and what an object's silence means (`on_error`). Does
//! not own: the call itself (`Objects`), what is done afterwards (`limit::errand`).
//! Called by: the driver, before and after the caller is known.

use std::cell::RefCell;

use futures_util::future::{join, join_all};

use crate::facts::UnixMs;
use crate::limit::charge::{Charge, Charged, Taken, UnitCharge};
use crate::limit::errand::{self, Errand};
use crate::limit::memory::LimitMemory;
use crate::limit::plan::Plan;
use crate::limit::standing::{self, STANDING_MS, Standing, StandingQuestion};
use crate::limit::uses;
use crate::limit::wallet::Back;
use crate::limit::wire::{Answer, Question};
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
    /// Waits.
    async fn pause(&self, ms: u64);
    fn now_ms(&self) -> UnixMs;
    fn limit_memory(&self) -> &RefCell<LimitMemory>;
    /// Has something done when the request has its answer.
    fn defer(&self, errand: Errand);
}

/// Charges every unit of `charge`, all or nothing over all objects, the observed ones apart.
///
/// A credential that was taken back, or of which that is not known, is charged nothing. Where
/// anything refuses, or is silent under `refuse`, what was taken elsewhere is given back before
/// this returns. An answer that does not repeat its question's rows counts as silence.
pub async fn charge<O: Objects>(objects: &O, charge: Charge) -> Charged {
    let now_ms = objects.now_ms();
    objects.limit_memory().borrow_mut().wallet.tick(now_ms);
    let question = charge.standing.as_ref();
    let known = question.map_or(Some(Standing::Good), |asked| known(objects, asked));
    let mut plans: Vec<Plan> = charge.objects.iter().map(Plan::new).collect();
    for plan in &mut plans {
        plan.look_up(objects);
    }
    let is_refused = |plan: &Plan| plan.is_enforced() && plan.is_refused();
    let may_go_on = !plans.iter().any(is_refused)
        && !matches!(known, Some(Standing::Revoked(_) | Standing::Unknown));
    let mut standing = known.unwrap_or(Standing::NotAsked);
    let mut is_known = known.is_some();
    if may_go_on {
        for plan in &mut plans {
            plan.spend(objects);
        }
        let asks_caller = |plan: &Plan| question.is_some_and(|asked| plan.asks(&asked.caller));
        is_known &= !plans.iter().any(asks_caller);
        // Where everything is lent and known, nobody is asked.
        if known.is_none() || plans.iter().any(Plan::is_lacking) {
            standing = ask_all(objects, &mut plans, question, known).await;
        }
        settle(objects, &mut plans, standing).await;
        let_stand(objects, &mut plans);
    }
    defer_refills(objects, &plans, question.filter(|_| may_go_on));
    let is_admitted = may_go_on && standing == Standing::Good && !plans.iter().any(is_refused);
    if let (true, true, Some(asked)) = (is_admitted, is_known, question) {
        uses::note(objects, asked);
    }
    let taken = plans.iter_mut().flat_map(|plan| plan.taken.drain(..));
    let taken: Vec<Taken> = taken.collect();
    let wallet = &mut objects.limit_memory().borrow_mut().wallet;
    taken.iter().for_each(|taken| wallet.confirm(taken));
    Charged {
        units: plans.into_iter().flat_map(Plan::told).collect(),
        taken,
        standing: charge.standing.map(|question| (question, standing)),
    }
}

/// What this isolate knows of a credential; `None` if it has to ask.
fn known<O: Objects>(objects: &O, question: &StandingQuestion) -> Option<Standing> {
    let at_caller = standing::remembered(objects, question);
    if let Some(Standing::Revoked(_)) = at_caller {
        // Never taken back from having been taken back: nobody has to be asked again.
        return at_caller;
    }
    match standing::remembered_at_issuer(objects, question)? {
        Standing::Good => at_caller,
        other => Some(other),
    }
}

/// Asks every object that has to be asked, all at once; says what is known of the credential then.
async fn ask_all<O: Objects>(
    objects: &O,
    plans: &mut [Plan<'_>],
    question: Option<&StandingQuestion>,
    known: Option<Standing>,
) -> Standing {
    let Some(question) = question else {
        join_all(plans.iter_mut().map(|plan| plan.ask(objects, None))).await;
        return Standing::Good;
    };
    // The caller's object is asked along with its charge, if there is one.
    let own = plans.iter().position(|plan| plan.asks(&question.caller));
    let asks = plans.iter_mut().enumerate().map(|(place, plan)| {
        let along = (own == Some(place)).then_some(question);
        plan.ask(objects, along)
    });
    let at_caller = async {
        match (own, known) {
            (Some(_), _) => None,
            (None, Some(standing)) => Some(standing),
            (None, None) => Some(match standing::remembered(objects, question) {
                Some(standing) => standing,
                None => standing::at_caller(objects, question).await,
            }),
        }
    };
    let at_issuer = async {
        match standing::remembered_at_issuer(objects, question) {
            Some(standing) => standing,
            None => standing::at_issuer(objects, question).await,
        }
    };
    let (told, (at_caller, at_issuer)) = join(join_all(asks), join(at_caller, at_issuer)).await;
    let told = told.into_iter().flatten().next();
    let at_caller = at_caller.or(told).unwrap_or(Standing::Unknown);
    match (at_caller, at_issuer) {
        (revoked @ Standing::Revoked(_), _) | (_, revoked @ Standing::Revoked(_)) => revoked,
        (Standing::Good, other) | (other, _) => other,
    }
}

/// Gives back what was taken, if the request is refused.
async fn settle<O: Objects>(objects: &O, plans: &mut [Plan<'_>], standing: Standing) {
    let is_refused = standing != Standing::Good
        || plans
            .iter()
            .any(|plan| plan.is_enforced() && plan.is_refused());
    if is_refused {
        // What is only observed is charged for a request that another limit refuses, and not for
        // a credential that is none.
        let all = standing != Standing::Good;
        let mut taken: Vec<Taken> = Vec::new();
        for plan in plans.iter_mut().filter(|plan| all || plan.is_enforced()) {
            taken.extend(plan.release());
            if let Some(sent) = plan.unheard.take() {
                errand::give_up(objects, &plan.charge.object, &sent);
            }
        }
        errand::give_back(objects, &taken, Back::Refused).await;
    }
}

/// Where a request goes on without an answer, what the object charged it stands: it was let through.
fn let_stand<O: Objects>(objects: &O, plans: &mut [Plan<'_>]) {
    let wallet = &mut objects.limit_memory().borrow_mut().wallet;
    for plan in plans {
        if let Some(sent) = plan.unheard.take() {
            wallet.let_stand(&plan.charge.object, &sent);
        }
    }
}

/// Has more asked for where what is lent runs low or something may be free again, and where what is
/// known of the credential and its issuer gets old.
fn defer_refills<O: Objects>(objects: &O, plans: &[Plan<'_>], question: Option<&StandingQuestion>) {
    let now_ms = objects.now_ms();
    let mut memory = objects.limit_memory().borrow_mut();
    let mut errands = Vec::new();
    for plan in plans {
        let object = plan.charge.object;
        let own = question.filter(|asked| asked.caller == object && plan.is_enforced());
        let ages = own.is_some_and(|asked| {
            memory.standing(asked, now_ms).is_some()
                && !memory.standing_lasts(asked, now_ms, STANDING_MS / 2)
        });
        let due = |unit: &UnitCharge| match unit.look {
            true => None,
            false => memory.wallet.ask_in_ms(&object, unit),
        };
        let due = plan.charge.units.iter().map(|unit| (due(unit), unit));
        let due: Vec<_> = due.filter_map(|(ms, unit)| Some((ms?, unit))).collect();
        let after_ms = due.iter().map(|(after_ms, _)| *after_ms).min();
        let after_ms = if ages { Some(0) } else { after_ms };
        let Some(after_ms) = after_ms else { continue };
        for (_, unit) in &due {
            memory.wallet.will_ask(&object, unit, after_ms);
        }
        errands.push(Errand::Refill {
            object,
            units: due.into_iter().map(|(_, unit)| unit.clone()).collect(),
            after_ms,
            standing: own.cloned().map(Box::new),
        });
    }
    if let Some(issuer) = question.and_then(|asked| asked.issuer)
        && memory.marks(&issuer, now_ms).is_some()
        && memory
            .marks(&issuer, now_ms.saturating_add(STANDING_MS / 2))
            .is_none()
    {
        errands.push(Errand::Marks { issuer });
    }
    drop(memory);
    for errand in errands {
        objects.defer(errand);
    }
}
