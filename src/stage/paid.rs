//! All that the request costs has been charged.
//!
//! Where the cost was not known when limits were charged, one unit was; the rest is charged here,
//! all or nothing, when the content was found good. A request that is refused for what it costs is
//! charged nothing.

use std::rc::Rc;

use crate::idempotency::key::IdempotencyKey;
use crate::limit::charge::{Charge, Charged, Taken};
use crate::limit::rule::{LimitRule, Mode};
use crate::object::ObjectName;
use crate::origin::choice::{PARTS, choose};
use crate::policy::gate::{Origin, Target};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::charging::{Counted, is_observed};
use crate::stage::identified::Identified;
use crate::stage::shielded::judge;
use crate::stage::validated::Validated;
use crate::trail::{Refused, StageName};

/// Every check was passed and every limit was charged. What is sent from here is what was checked.
pub struct Paid<'g> {
    validated: Validated<'g>,
    /// Where it is sent.
    target: Target,
}

/// What is still to be charged, or why no wait would help.
struct Due {
    charge: Charge,
    /// Limits that never allow what this request costs.
    never: Vec<String>,
    never_observed: Vec<String>,
}

impl<'g, B> Exchange<Validated<'g>, B> {
    /// The question: what the request costs beyond the unit that was charged. Empty where its cost
    /// was known, or is too high for any wait.
    pub fn rest(&self) -> Charge {
        self.due().map(|due| due.charge).unwrap_or_default()
    }

    /// Judges the answer to [`Exchange::rest`].
    pub fn pay(mut self, charged: &Charged) -> Result<Exchange<Paid<'g>, B>, Refused> {
        let due = match self.due() {
            Ok(due) => due,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        if !due.never_observed.is_empty() {
            let limits = due.never_observed;
            self.trail.observed.push(Refusal::OverEveryLimit { limits });
        }
        let judged = match due.never.is_empty() {
            true => judge(&mut self.trail, &due.charge, charged),
            false => Err(Refusal::OverEveryLimit { limits: due.never }),
        };
        let route = self.stage.identified().routed().route();
        let costs = |one: &Taken| one.rule.takes_cost();
        match judged {
            Ok(()) => {
                if self.stage.price() == Some(0) {
                    self.trail.give_back(costs);
                }
                let target = route.target();
                Ok(self.next(StageName::Paid, |validated| Paid { validated, target }))
            }
            Err(refusal) => {
                // What only observes counts what was asked for.
                let enforced = |one: &Taken| costs(one) && !is_observed(route, &one.rule);
                self.trail.give_back(enforced);
                Err(self.refuse(refusal))
            }
        }
    }

    fn due(&self) -> Result<Due, Refusal> {
        let identified = self.stage.identified();
        let routed = identified.routed();
        let route = routed.route();
        let mut due = Due {
            charge: Charge::default(),
            never: Vec::new(),
            never_observed: Vec::new(),
        };
        let price = self.stage.price().filter(|_| route.mode != Mode::Off);
        let Some(price) = price else {
            return Ok(due);
        };
        let mut counted: Vec<Counted> = Vec::new();
        let object = routed.address_object();
        counted.extend(route.shield.iter().map(|rule| Counted {
            object,
            rule: Rc::clone(rule),
            key: None,
        }));
        if route.cost.needs_body() {
            counted.extend(identified.counting(&self.trail.facts)?.counted);
        }
        counted.retain(|one| one.rule.takes_cost() && one.rule.mode != Mode::Off);
        let is_dear = |rule: &LimitRule| price > rule.meter.capacity();
        for one in counted.iter().filter(|one| is_dear(&one.rule)) {
            let named = match is_observed(route, &one.rule) {
                true => &mut due.never_observed,
                false => &mut due.never,
            };
            named.push(one.rule.name.clone());
        }
        counted.retain(|one| !is_dear(&one.rule));
        let rest = price.saturating_sub(1);
        if rest > 0 && due.never.is_empty() {
            due.charge = Charge::of(routed.gather(counted, rest));
        }
        Ok(due)
    }
}

impl<'g, B> Exchange<Paid<'g>, B> {
    /// Chooses between several origins of the route: the same for a caller as long as it is well.
    pub fn aim(mut self, is_well: impl Fn(&Origin) -> bool) -> Self {
        let identified = self.stage.identified();
        let route = identified.routed().route();
        if route.split.is_empty() {
            return self;
        }
        let shares: Vec<u32> = route.split.iter().map(|(percent, _)| *percent).collect();
        let target = |place: usize| match place.checked_sub(1) {
            None => Some(route.target()),
            Some(place) => route.split.get(place).map(|(_, target)| target.clone()),
        };
        let object = match identified.caller().known() {
            Some(one) => one.object(),
            None => ObjectName::of(&["ip", &identified.routed().address_key()]),
        };
        let place = choose(&shares, object.part(PARTS), |place| {
            target(place).is_some_and(|one| is_well(&one.origin))
        });
        if let Some(target) = target(place) {
            self.stage.target = target;
        }
        self
    }
}

impl<'g> Paid<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        self.validated.identified()
    }

    /// By which the request is carried out once.
    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        self.validated.key()
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }
}
