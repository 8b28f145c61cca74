//! What a request is charged: how many units, of which limits, each counted where.
//!
//! Owns: when a cost is known, and that each object is asked once and no row is charged twice. Does not own: which limits a
//! route has (`policy::charging`), what comes of a charge (`stage::{shielded, limited}`).

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use crate::credential::caller::Caller;
use crate::facts::Facts;
use crate::limit::charge::{Charge, ObjectCharge, UnitCharge};
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, Scope};
use crate::object::ObjectName;
use crate::policy::gate::{Cost, Route};
use crate::policy::own_numbers::with_numbers;
use crate::refusal::{Reckoned, Refusal};
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::routed::Routed;
use crate::stage::view::Seen;

/// A limit that a request is charged, and what counts it.
pub(super) struct Counted {
    pub(super) object: ObjectName,
    pub(super) rule: Rc<LimitRule>,
    /// The id of the key that has numbers of its own for it, and so a counter of its own: two keys
    /// of one caller would else rewrite one another's.
    pub(super) key: Option<String>,
}

/// What a request is charged, and why limits in observe mode could not be.
pub(super) struct Counting {
    pub(super) counted: Vec<Counted>,
    pub(super) observed: Vec<Refusal>,
}

/// What a request costs, as far as it can be told at a stage.
#[derive(Debug)]
pub(super) enum Price {
    Known(u64),
    /// A later stage knows; one unit is charged meanwhile, so that no request is free that fails
    /// until then.
    Later,
    /// It cannot be told: one unit is charged, and the request is refused.
    Failed(Refusal),
}

impl Price {
    pub(super) fn units(&self) -> u64 {
        match self {
            Self::Known(units) => *units,
            Self::Later | Self::Failed(_) => 1,
        }
    }

    pub(super) fn fault(self) -> Result<(), Refusal> {
        match self {
            Self::Known(_) | Self::Later => Ok(()),
            Self::Failed(refusal) => Err(refusal),
        }
    }
}

impl Route {
    /// What a request costs by all that is seen of it.
    pub(super) fn price(&self, seen: &Seen<'_>) -> Price {
        match &self.cost {
            Cost::Fixed(units) => Price::Known(*units),
            Cost::Reckoned(_) if self.mode == Mode::Off => Price::Known(1),
            Cost::Reckoned(cost) => match cost.units(|member| seen.under(member)) {
                Ok(units) => Price::Known(units),
                Err(why) => Price::Failed(Refusal::NotReckoned {
                    of: Reckoned::Cost,
                    why,
                }),
            },
        }
    }
}

impl Routed<'_> {
    /// What the request costs before the caller is known.
    pub(super) fn price(&self, facts: &Facts) -> Price {
        let route = self.route();
        match route.cost.needs_caller() {
            true => Price::Later,
            false => route.price(&Seen {
                routed: self,
                caller: &Caller::Anonymous,
                facts,
                body: &Value::Null,
            }),
        }
    }

    /// Gathers charges so that each object is asked once, and no row is charged twice.
    ///
    /// - `cost`: the units that are charged where a limit takes the request's cost.
    pub(super) fn gather(
        &self,
        counted: impl IntoIterator<Item = Counted>,
        cost: u64,
    ) -> Vec<ObjectCharge> {
        let route = self.route();
        let mut objects: Vec<ObjectCharge> = Vec::new();
        for Counted { object, rule, key } in counted {
            if rule.mode == Mode::Off {
                continue;
            }
            let own = key.map(|id| format!("~{id}")).unwrap_or_default();
            let name = &rule.name;
            let row = match rule.scope {
                Scope::Service => object.row(&format!("{name}{own}")),
                Scope::Route => object.row(&format!("{name}{own}@{}", route.id)),
            };
            let known = objects.iter().any(|charge| {
                charge.object == object && charge.units.iter().any(|unit| unit.row == row)
            });
            if known {
                continue;
            }
            let units = if rule.takes_cost() { cost } else { 1 };
            let look = rule.is_of_refusals();
            let observed = is_observed(route, &rule);
            let unit = UnitCharge {
                rule,
                row,
                units,
                look,
            };
            let place = objects
                .iter_mut()
                .find(|charge| charge.object == object && charge.observed == observed);
            match place {
                Some(charge) => charge.units.push(unit),
                None => objects.push(ObjectCharge {
                    object,
                    observed,
                    units: vec![unit],
                }),
            }
        }
        objects
    }
}

impl<'g, B> Exchange<Identified<'g>, B> {
    /// The question: the route's limits by who calls, those of the caller's plan, and whether the
    /// credential was taken back. The last is asked whatever the route's mode.
    ///
    /// Fails where the route charges the caller's plan and there is none: no plan is no limit, and
    /// no limit was not meant. Fails also where an expression names no counter.
    pub fn charge(&self) -> Result<Charge, Refusal> {
        let facts = &self.trail.facts;
        let counting = self.stage.counting(facts)?;
        let cost = self.stage.price(facts).units();
        Ok(Charge {
            objects: self.stage.routed().gather(counting.counted, cost),
            standing: self.stage.standing(),
        })
    }
}

impl<'g> Identified<'g> {
    /// What the request costs before its content is read.
    pub(super) fn price(&self, facts: &Facts) -> Price {
        let route = self.routed().route();
        match route.cost.needs_body() {
            true => Price::Later,
            false => route.price(&self.seen(facts, &Value::Null)),
        }
    }

    /// The limits by who calls.
    pub(super) fn counting(&self, facts: &Facts) -> Result<Counting, Refusal> {
        let route = self.routed().route();
        let mut counting = Counting {
            counted: Vec::new(),
            observed: Vec::new(),
        };
        if route.mode == Mode::Off {
            return Ok(counting);
        }
        let mut rules: Vec<&Rc<LimitRule>> = route.limits.iter().collect();
        if route.plan {
            rules.extend(self.plan().ok_or(Refusal::NoPlan)?);
        }
        // Address limits of the route were charged before; a plan may name them again.
        let shielded: HashSet<&str> = route.shield.iter().map(|rule| rule.name.as_str()).collect();
        let rules = rules
            .into_iter()
            .filter(|rule| !shielded.contains(rule.name.as_str()) && rule.mode != Mode::Off);
        for rule in rules {
            match self.counter(rule, facts) {
                Ok(object) => counting.counted.push(self.with_own_numbers(object, rule)),
                Err(refusal) if is_observed(route, rule) => counting.observed.push(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(counting)
    }

    /// What each message of a session is charged. No limit of messages counts by an expression
    /// (`policy::sockets`).
    pub(super) fn message_charge(&self, rule: &Rc<LimitRule>, facts: &Facts) -> Vec<ObjectCharge> {
        if self.routed().route().mode == Mode::Off {
            return Vec::new();
        }
        let object = self.near(rule, self.object(rule.by), facts);
        let counted = self.with_own_numbers(object, rule);
        self.routed().gather([counted], 1)
    }

    /// A limit by the caller, with the numbers of the key it came with.
    fn with_own_numbers(&self, object: ObjectName, rule: &Rc<LimitRule>) -> Counted {
        let caller = self.caller().known();
        let caller = caller.filter(|_| rule.by == CountBy::Caller);
        let own = caller.and_then(|caller| {
            let meter = with_numbers(&rule.meter, caller.limits.get(&rule.name)?)?;
            Some((meter, caller.key_id()?.to_owned()))
        });
        match own {
            None => Counted {
                object,
                rule: Rc::clone(rule),
                key: None,
            },
            Some((meter, id)) => Counted {
                object,
                rule: Rc::new(LimitRule {
                    meter,
                    ..LimitRule::clone(rule)
                }),
                key: Some(id),
            },
        }
    }

    fn plan(&self) -> Option<&'g [Rc<LimitRule>]> {
        let gate = self.routed().gate();
        let caller = self.caller().known();
        let own = caller.and_then(|caller| caller.plan.as_ref());
        let plan = own.or(gate.default_plan.as_ref())?;
        gate.plans.get(plan).map(Vec::as_slice)
    }

    /// The counter itself, or the broker of it that serves this location.
    fn near(&self, rule: &LimitRule, object: ObjectName, facts: &Facts) -> ObjectName {
        let colo = facts.connection.colo.as_deref();
        // A caller without a tenant counts by itself: nobody shares that counter.
        let is_shared = match rule.by {
            CountBy::Route | CountBy::Service => true,
            CountBy::Tenant => self.has_tenant(),
            CountBy::Ip | CountBy::Caller | CountBy::Expression => false,
        };
        match is_shared && rule.brokers > 0 {
            true => object.brokered(colo.unwrap_or_default(), rule.brokers),
            false => object,
        }
    }

    /// What counts a limit for this request.
    fn counter(&self, rule: &LimitRule, facts: &Facts) -> Result<ObjectName, Refusal> {
        if rule.by != CountBy::Expression {
            return Ok(self.near(rule, self.object(rule.by), facts));
        }
        let failed = |why: String| Refusal::NotReckoned {
            of: Reckoned::Counter,
            why: format!("{}: {why}", rule.name),
        };
        let counters = &self.routed().route().counters;
        let counter = counters.iter().find(|(name, _)| *name == rule.name);
        let (_, counter) = counter.ok_or_else(|| failed("the route has no expression".into()))?;
        let seen = self.seen(facts, &Value::Null);
        let value = counter.name(|member| seen.under(member)).map_err(failed)?;
        Ok(ObjectName::of_value(&rule.name, &value))
    }
}

/// Whether a limit only records on this route what it would have refused.
pub(super) fn is_observed(route: &Route, rule: &LimitRule) -> bool {
    // A route's mode never applies to authentication, and so not to what bounds guessing.
    let by_route = route.mode == Mode::Observe && rule.counts != Counts::RefusedCredentials;
    rule.mode == Mode::Observe || by_route
}
