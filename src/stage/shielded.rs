//! The client's address has been charged: whatever follows is bounded per address, cryptography
//! included.

use crate::limit::ask::{Charge, Charged, ObjectName, Verdict};
use crate::limit::headers::LimitReport;
use crate::limit::rule::Mode;
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
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
        if routed.route().mode == Mode::Off {
            return Charge::default();
        }
        let object = ObjectName::of(&["ip", &routed.address_key()]);
        routed.gather(routed.route().shield.iter().map(|rule| (object.clone(), rule)))
    }

    /// Judges the answer to [`Exchange::address_charge`].
    pub fn shield(mut self, charged: &Charged) -> Result<Exchange<Shielded<'g>, B>, Refused> {
        let asked = self.address_charge();
        match judge(&mut self.trail, &asked, charged) {
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
pub(super) fn judge(trail: &mut Trail, asked: &Charge, charged: &Charged) -> Result<(), Refusal> {
    let questions = asked.0.iter().flat_map(|charge| {
        charge.units.iter().map(move |unit| (&charge.object, charge.observed, unit))
    });
    let answers = charged.0.iter().map(|answer| (&answer.object, answer.observed, &answer.unit));
    if !questions.eq(answers) {
        return Err(Refusal::AnswerMismatch { port: Port::Counter });
    }
    let mut over = Vec::new();
    let mut observed = Vec::new();
    let mut silent = Vec::new();
    let mut wait_ms = 0;
    for answer in &charged.0 {
        let name = answer.unit.rule.name.clone();
        let (remaining, frees_in_ms, granted) = match answer.verdict {
            Verdict::Granted { remaining, frees_in_ms } => (remaining, frees_in_ms, true),
            Verdict::NotCharged { remaining } => (remaining, 0, false),
            Verdict::Exhausted { retry_after_ms } => {
                if answer.observed {
                    observed.push(Refusal::OverLimit { limits: vec![name], retry_after_ms });
                    continue;
                }
                wait_ms = wait_ms.max(retry_after_ms);
                over.push(name);
                (0, retry_after_ms, false)
            }
            Verdict::Unanswered if answer.observed => {
                observed.push(Refusal::CounterDown { limits: vec![name] });
                continue;
            }
            Verdict::Unanswered => {
                silent.push(name);
                continue;
            }
            Verdict::Unmetered => continue,
        };
        if !answer.observed {
            trail.limits.push(report(&answer.unit.rule, remaining, frees_in_ms, granted));
        }
    }
    trail.observed.extend(observed);
    match (silent.is_empty(), over.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(Refusal::CounterDown { limits: silent }),
        (true, false) if wait_ms == u64::MAX => Err(Refusal::OverEveryLimit { limits: over }),
        (true, false) => Err(Refusal::OverLimit { limits: over, retry_after_ms: wait_ms }),
    }
}

fn report(
    rule: &crate::limit::rule::LimitRule,
    remaining: u64,
    frees_in_ms: u64,
    charged: bool,
) -> LimitReport {
    LimitReport {
        name: rule.name.clone(),
        limit: rule.window.limit,
        window_ms: rule.window.window_ms,
        remaining,
        frees_in_ms,
        charged,
    }
}
