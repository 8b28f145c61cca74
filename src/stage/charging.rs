//! What a request is charged: which limits, each counted where.
//!
//! Owns: that each object is asked once and no row is charged twice. Does not own: which limits a
//! route has (`policy::charging`), what comes of a charge (`stage::{shielded, limited}`).

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use crate::limit::charge::{Charge, ObjectCharge, UnitCharge};
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, Scope};
use crate::object::ObjectName;
use crate::policy::gate::Route;
use crate::refusal::{Reckoned, Refusal};
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::routed::Routed;

/// A limit that a request is charged, and what counts it.
pub(super) struct Counted {
    pub(super) object: ObjectName,
    pub(super) rule: Rc<LimitRule>,
}

/// What a request is charged, and why limits in observe mode could not be.
pub(super) struct Counting {
    counted: Vec<Counted>,
    pub(super) observed: Vec<Refusal>,
}

impl Routed<'_> {
    /// Gathers charges so that each object is asked once, and no row is charged twice.
    pub(super) fn gather(&self, counted: impl IntoIterator<Item = Counted>) -> Vec<ObjectCharge> {
        let route = self.route();
        let mut objects: Vec<ObjectCharge> = Vec::new();
        for Counted { object, rule } in counted {
            if rule.mode == Mode::Off {
                continue;
            }
            let row = match rule.scope {
                Scope::Service => object.row(&rule.name),
                Scope::Route => object.row(&format!("{}@{}", rule.name, route.id)),
            };
            let known = objects.iter().any(|charge| {
                charge.object == object && charge.units.iter().any(|unit| unit.row == row)
            });
            if known {
                continue;
            }
            // A refused credential costs one, whatever the route's requests cost.
            let (units, look) = match rule.counts {
                Counts::Requests => (route.cost, false),
                Counts::RefusedCredentials => (1, true),
            };
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
        let counting = self.counting()?;
        Ok(Charge {
            objects: self.stage.routed().gather(counting.counted),
            standing: self.stage.standing(),
        })
    }

    /// The limits behind [`Exchange::charge`].
    pub(super) fn counting(&self) -> Result<Counting, Refusal> {
        let routed = self.stage.routed();
        let route = routed.route();
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
            match self.object(rule) {
                Ok(object) => counting.counted.push(Counted {
                    object,
                    rule: Rc::clone(rule),
                }),
                Err(refusal) if is_observed(route, rule) => counting.observed.push(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(counting)
    }

    fn plan(&self) -> Option<&'g [Rc<LimitRule>]> {
        let gate = self.stage.routed().gate();
        let caller = self.stage.caller().known();
        let own = caller.and_then(|caller| caller.plan.as_ref());
        let plan = own.or(gate.default_plan.as_ref())?;
        gate.plans.get(plan).map(Vec::as_slice)
    }

    /// The counter itself, or the broker of it that serves this location.
    fn near(&self, rule: &LimitRule, object: ObjectName) -> ObjectName {
        let colo = self.trail.facts.connection.colo.as_deref();
        // A caller without a tenant counts by itself: nobody shares that counter.
        let is_shared = match rule.by {
            CountBy::Route | CountBy::Service => true,
            CountBy::Tenant => self.stage.has_tenant(),
            CountBy::Ip | CountBy::Caller | CountBy::Expression => false,
        };
        match is_shared && rule.brokers > 0 {
            true => object.brokered(colo.unwrap_or_default(), rule.brokers),
            false => object,
        }
    }

    /// What counts a limit for this request.
    fn object(&self, rule: &LimitRule) -> Result<ObjectName, Refusal> {
        if rule.by != CountBy::Expression {
            return Ok(self.near(rule, self.stage.object(rule.by)));
        }
        let failed = |why: String| Refusal::NotReckoned {
            of: Reckoned::Counter,
            why: format!("{}: {why}", rule.name),
        };
        let counters = &self.stage.routed().route().counters;
        let counter = counters.iter().find(|(name, _)| *name == rule.name);
        let (_, counter) = counter.ok_or_else(|| failed("the route has no expression".into()))?;
        let seen = self.stage.seen(&self.trail.facts, &Value::Null);
        let value = counter.name(|member| seen.under(member)).map_err(failed)?;
        Ok(ObjectName::of_value(&rule.name, &value))
    }
}

/// Whether a limit only records on this route what it would have refused.
fn is_observed(route: &Route, rule: &LimitRule) -> bool {
    // A route's mode never applies to authentication, and so not to what bounds guessing.
    let by_route = route.mode == Mode::Observe && rule.counts != Counts::RefusedCredentials;
    rule.mode == Mode::Observe || by_route
}
