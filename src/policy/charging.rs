//! What the requests of one route are charged, as enforced: limits, plan, cost.
//!
//! Owns: names resolved, expressions compiled, and that no request costs more than a limit ever
//! allows, where that can be told. Called by: `policy::routes`.

use std::rc::Rc;

use crate::limit::meter::MeterRule;
use crate::limit::rule::{CountBy, Counts, LimitRule};
use crate::policy::document::{CostEntry, RouteEntry, UnitsEntry};
use crate::policy::expression::{Expression, Gives};
use crate::policy::fault::Faults;
use crate::policy::gate::{Cost, RefundCause};
use crate::policy::route_table::Template;
use crate::policy::routes::{Context, Place};
use crate::policy::rules;
use crate::policy::sockets::session_s;

pub(super) struct Charging {
    /// Limits by address, which come before the credential.
    pub(super) shield: Vec<Rc<LimitRule>>,
    pub(super) limits: Vec<Rc<LimitRule>>,
    pub(super) plan: bool,
    pub(super) counters: Vec<(String, Expression)>,
    pub(super) cost: Cost,
    pub(super) cost_told_in: Option<String>,
    pub(super) refund_on: Vec<RefundCause>,
}

/// Makes what one route charges.
pub(super) fn charging(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Charging {
    let rules = named(entry, at, context, faults);
    let plan = entry.limits.iter().any(|name| name == "plan");
    let planned = match plan {
        true => planned(context),
        false => Vec::new(),
    };
    let (cost, cost_told_in) = cost(entry, template, at, context, faults);
    let refund_on = refund_on(entry, &rules, at, faults);
    let dear = |rule: &&Rc<LimitRule>| match cost {
        Cost::Fixed(units) => rule.takes_cost() && units > rule.meter.capacity(),
        Cost::Reckoned(_) => false,
    };
    let owned = rules.iter().filter(dear).map(|rule| (rule, ""));
    for (rule, of) in owned.chain(planned.iter().filter(dear).map(|rule| (rule, " of a plan"))) {
        let problem = format!(
            "one request costs more than `{}`{of} ever allows",
            rule.name
        );
        let fix = "Lower the cost or raise the limit";
        at.add(faults, &["cost"], problem, fix);
    }
    check_lifetimes(entry, rules.iter().chain(&planned), at, context, faults);
    let mut counters: Vec<(String, Expression)> = Vec::new();
    for rule in rules.iter().chain(&planned) {
        let known = counters.iter().any(|(name, _)| *name == rule.name);
        if rule.by == CountBy::Expression && !known {
            let counter = counter(rule, (entry, template), at, context, faults);
            counters.extend(counter.map(|counter| (rule.name.clone(), counter)));
        }
    }
    let (shield, limits) = rules.into_iter().partition(|rule| rule.by == CountBy::Ip);
    Charging {
        shield,
        limits,
        plan,
        counters,
        cost,
        cost_told_in,
        refund_on,
    }
}

/// The limits that the route names.
fn named(
    entry: &RouteEntry,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Vec<Rc<LimitRule>> {
    let mut rules = Vec::new();
    let names = entry.limits.iter().enumerate();
    for (index, name) in names.filter(|(_, name)| *name != "plan") {
        match context.limits.get(name) {
            Some(rule) => rules.push(Rc::clone(rule)),
            None if context.document.limits.contains_key(name) => {}
            None => {
                let path = at.path(&["limits", &index.to_string()]);
                faults.unknown(&path, "limit", name, context.document.limits.keys());
            }
        }
    }
    rules
}

/// Every limit of every plan: any of them may be a caller's.
fn planned(context: &Context<'_>) -> Vec<Rc<LimitRule>> {
    let plans = context.document.plans.values();
    let names = plans.flat_map(|plan| &plan.limits);
    names
        .filter_map(|name| context.limits.get(name).cloned())
        .collect()
}

/// What one request costs, or what is reserved of it; and where the origin tells what it cost.
fn cost(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> (Cost, Option<String>) {
    let Some(CostEntry::Told { reserve, header }) = &entry.cost else {
        let units = match &entry.cost {
            Some(CostEntry::Units(units)) => units,
            _ => return (Cost::Fixed(1), None),
        };
        return (
            units_of(units, &["cost"], (entry, template), at, context, faults),
            None,
        );
    };
    let place = ["cost", "reserve"];
    let cost = units_of(reserve, &place, (entry, template), at, context, faults);
    if cost.needs_body() {
        let problem = "it is reserved before the content is read";
        at.add(faults, &place, problem, "Reserve without request.body");
    }
    (cost, Some(header.clone()))
}

fn units_of(
    units: &UnitsEntry,
    place: &[&str],
    (entry, template): (&RouteEntry, &Template),
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Cost {
    let source = match units {
        UnitsEntry::Number(units) => return Cost::Fixed(*units),
        UnitsEntry::Expression(source) => source,
    };
    match rules::compile(context, entry, template, source, Gives::Units) {
        Ok(cost) => Cost::Reckoned(cost),
        Err(problem) => {
            let fix = "Write a whole number, or a CEL expression that gives one";
            at.add(faults, place, problem, fix);
            Cost::Fixed(1)
        }
    }
}

/// A permit that ended while its request waits for the origin would let one too many in.
fn check_lifetimes<'r>(
    entry: &RouteEntry,
    rules: impl Iterator<Item = &'r Rc<LimitRule>>,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) {
    let names = entry.split.keys().chain([&entry.origin]);
    let origins = names.filter_map(|name| context.origins.get(name));
    let longest = origins.map(|origin| {
        let timeout_ms = entry.timeout_ms.unwrap_or(origin.timeout_ms);
        origin.rules.longest_ms(timeout_ms)
    });
    let session_s = entry.websocket.as_ref().map_or(0, session_s);
    let session_ms = session_s.saturating_mul(1_000);
    let timeout_ms = longest
        .max()
        .map(|timeout_ms| timeout_ms.saturating_add(session_ms));
    for rule in rules {
        let MeterRule::Permits(permits) = rule.meter else {
            continue;
        };
        if timeout_ms.is_some_and(|timeout_ms| permits.window_ms < timeout_ms) {
            let problem = format!(
                "a permit of `{}` ends before the origin has to answer",
                rule.name
            );
            let (problem, fix) = match session_ms {
                0 => (
                    problem,
                    "Raise its lifetime_s, or lower the timeout_ms of the route or the origin",
                ),
                _ => (
                    format!("a permit of `{}` ends before its session has to", rule.name),
                    "Raise its lifetime_s, or lower websocket.max_session_s",
                ),
            };
            at.add(faults, &["limits"], problem, fix);
        }
    }
}

/// For which failures a request is refunded.
fn refund_on(
    entry: &RouteEntry,
    rules: &[Rc<LimitRule>],
    at: &Place,
    faults: &mut Faults,
) -> Vec<RefundCause> {
    let guesses = |rule: &Rc<LimitRule>| rule.counts == Counts::RefusedCredentials;
    if !entry.refund_on.is_empty() && rules.iter().any(guesses) {
        let problem = "a route that bounds guessing gives nothing back";
        let fix = "Remove it, or do not charge refused_credentials here";
        at.add(faults, &["refund_on"], problem, fix);
    }
    let causes = entry.refund_on.iter();
    causes
        .filter_map(|cause| RefundCause::parse(cause))
        .collect()
}

/// What a limit counts by on this route: only the route knows its path's parameters.
fn counter(
    rule: &LimitRule,
    (entry, template): (&RouteEntry, &Template),
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Expression> {
    let limit = context.document.limits.get(&rule.name)?;
    let source = limit.by.get("cel")?.as_str()?;
    let problem = match rules::compile(context, entry, template, source, Gives::Name) {
        Ok(counter) if !counter.needs_body() => return Some(counter),
        Ok(_) => "it is charged before the content is read".to_owned(),
        Err(problem) => problem,
    };
    let problem = format!("`{}` cannot count here: {problem}", rule.name);
    let fix = "Change what the limit counts `by`, or do not charge it on this route";
    at.add(faults, &["limits"], problem, fix);
    None
}
