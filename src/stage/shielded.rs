//! The client's address has been charged: whatever follows is bounded per address, cryptography
//! included.

use std::rc::Rc;

use crate::limit::charge::{Charge, Charged, Taken, TakenOf, UnitCharged, Verdict};
use crate::limit::headers::LimitReport;
use crate::limit::meter::MeterRule;
use crate::limit::rule::{Counts, LimitRule, Mode};
use crate::limit::standing::Standing;
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::charging::Counted;
use crate::stage::routed::Routed;
use crate::trail::{Refused, StageName, Trail};

/// The limits by address had room, or say that they are not asked.
pub struct Shielded<'g> {
    routed: Routed<'g>,
}

impl<'g, B> Exchange<Routed<'g>, B> {
    /// The question: the route's limits by address.
    pub fn address_charge(&self) -> Charge {
        let routed = &self.stage;
        let object = routed.address_object();
        // A route's mode never applies to authentication, and so not to what bounds guessing.
        let is_off = routed.route().mode == Mode::Off;
        let stays = |rule: &&Rc<LimitRule>| !is_off || rule.counts == Counts::RefusedCredentials;
        let rules = routed.route().shield.iter().filter(stays);
        let counted = rules.map(|rule| Counted {
            object,
            rule: Rc::clone(rule),
            key: None,
        });
        Charge::of(routed.gather(counted, routed.price(&self.trail.facts).units()))
    }

    /// Judges the answer to [`Exchange::address_charge`].
    pub fn shield(mut self, charged: &Charged) -> Result<Exchange<Shielded<'g>, B>, Refused> {
        let asked = self.address_charge();
        // A guess costs whoever makes it, never the caller it names.
        self.trail.failure = asked.for_refusal(Counts::RefusedCredentials);
        self.trail.probe = asked.for_refusal(Counts::RefusedObjects);
        let priced = self.stage.price(&self.trail.facts).fault();
        let mode = self.stage.route().mode;
        let judged = judge(&mut self.trail, &asked, charged);
        match judged.and_then(|()| self.settle(mode, priced)) {
            Ok(()) => Ok(self.next(StageName::Identified, |routed| Shielded { routed })),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }
}

impl<'g> Shielded<'g> {
    pub fn routed(&self) -> &Routed<'g> {
        &self.routed
    }
}

/// Judges the answers to a charge and notes what the caller is told of its limits.
///
/// Refuses if an enforced limit had no room or did not answer, and if the answers are not to the
/// question that was asked.
pub(crate) fn judge(trail: &mut Trail, asked: &Charge, charged: &Charged) -> Result<(), Refusal> {
    answers(asked, charged)?;
    let standing = standing(asked, charged);
    if let Err(refusal @ Refusal::Revoked { .. }) = standing {
        return Err(refusal);
    }
    let costs = charged.taken.iter().filter(|one| one.rule.takes_cost());
    trail.taken.extend(costs.cloned());
    trail.taken.extend(charged.units.iter().filter_map(free));
    let (observed, enforced): (Vec<_>, Vec<_>) =
        charged.units.iter().partition(|answer| answer.observed);
    let silent = enforced.iter().filter(|answer| answer.is_silent);
    trail
        .silent
        .extend(silent.map(|answer| answer.unit.rule.name.clone()));
    let reports = enforced.iter().filter_map(|answer| report(answer));
    reports.for_each(|report| trail.report(report));
    trail.observed.extend(refusal_of(&observed));
    refusal_of(&enforced).map_or(standing, Err)
}

/// Judges the answers to the charge of a message: as those to a request's, and nobody is told of them.
pub(super) fn judge_alone(asked: &Charge, charged: &Charged) -> Result<(), Refusal> {
    answers(asked, charged)?;
    let standing = standing(asked, charged);
    if let Err(refusal @ Refusal::Revoked { .. }) = standing {
        return Err(refusal);
    }
    let enforced = charged.units.iter().filter(|answer| !answer.observed);
    let enforced: Vec<_> = enforced.collect();
    refusal_of(&enforced).map_or(standing, Err)
}

/// Whether the answers are to the question that was asked.
fn answers(asked: &Charge, charged: &Charged) -> Result<(), Refusal> {
    let questions = asked.objects.iter().flat_map(|charge| {
        charge
            .units
            .iter()
            .map(move |unit| (&charge.object, charge.observed, unit))
    });
    let answers = charged
        .units
        .iter()
        .map(|answer| (&answer.object, answer.observed, &answer.unit));
    match questions.eq(answers) {
        true => Ok(()),
        false => Err(Refusal::AnswerMismatch {
            port: Port::Counter,
        }),
    }
}

/// Whether the credential that was asked about was not taken back. Anything but a "good" to this
/// question refuses.
fn standing(asked: &Charge, charged: &Charged) -> Result<(), Refusal> {
    let port = Port::Revocation;
    match (&asked.standing, &charged.standing) {
        (None, None) => Ok(()),
        (Some(question), Some((of, standing))) if question == of => match standing {
            Standing::Good => Ok(()),
            Standing::Revoked(by) => Err(Refusal::Revoked { by: *by }),
            Standing::Unknown | Standing::NotAsked => Err(Refusal::PortDown { port }),
        },
        _ => Err(Refusal::AnswerMismatch { port }),
    }
}

/// The refusal that the verdicts amount to, if any: silence first, as it says nothing of the caller.
fn refusal_of(answers: &[&UnitCharged]) -> Option<Refusal> {
    let named = |wanted: fn(&Verdict) -> bool| -> Vec<String> {
        let found = answers.iter().filter(|answer| wanted(&answer.verdict));
        found.map(|answer| answer.unit.rule.name.clone()).collect()
    };
    let silent = named(|verdict| matches!(verdict, Verdict::Unanswered));
    if !silent.is_empty() {
        return Some(Refusal::CounterDown { limits: silent });
    }
    let limits = named(|verdict| matches!(verdict, Verdict::Exhausted { .. }));
    let waits = answers.iter().filter_map(|answer| match answer.verdict {
        Verdict::Exhausted { retry_after_ms } => Some(retry_after_ms),
        _ => None,
    });
    waits.max().map(|retry_after_ms| match retry_after_ms {
        u64::MAX => Refusal::OverEveryLimit { limits },
        _ => Refusal::OverLimit {
            limits,
            retry_after_ms,
        },
    })
}

/// A charge of no units, so that more can be charged to the row later.
fn free(answer: &UnitCharged) -> Option<Taken> {
    let is_granted = matches!(answer.verdict, Verdict::Granted { .. });
    let is_free = answer.unit.units == 0 && !answer.unit.look;
    (is_granted && is_free).then(|| Taken {
        object: answer.object,
        rule: Rc::clone(&answer.unit.rule),
        row: answer.unit.row.clone(),
        units: 0,
        of: TakenOf::Object { at_ms: 0 },
    })
}

/// What the caller is told; nothing of a limit that was not counted.
fn report(answer: &UnitCharged) -> Option<LimitReport> {
    let (remaining, frees_in_ms, charged) = match answer.verdict {
        // A look says nothing of this request.
        Verdict::Granted { .. } if answer.unit.look => return None,
        Verdict::Granted {
            remaining,
            frees_in_ms,
        } => (Some(remaining), frees_in_ms, answer.unit.units),
        Verdict::NotCharged { .. } if answer.unit.look => return None,
        Verdict::NotCharged { remaining } => (remaining, 0, 0),
        Verdict::Exhausted { retry_after_ms } => (Some(0), retry_after_ms, 0),
        Verdict::Unanswered | Verdict::Unmetered => return None,
    };
    let rule = &answer.unit.rule;
    Some(LimitReport {
        name: rule.name.clone(),
        limit: rule.meter.capacity(),
        window_ms: rule.meter.window_ms(),
        concurrent: matches!(rule.meter, MeterRule::Permits(_)),
        remaining,
        frees_in_ms,
        charged,
    })
}
