//! What is odd in a policy that loads, and may be a slip: told to whoever checks it, and no fault.
//!
//! Owns: names of roles and scopes that `roles` of the policy does not have, and limits that no route has. A
//! token may bring names that the policy does not define, so that none of them is refused. Called by: `admin`.

use std::collections::BTreeSet;

use crate::body::finding::listed;
use crate::policy::expression::Expression;
use crate::policy::gate::{Gate, Route};
use crate::policy::nearest::nearest;

/// Most notices that are told of a policy.
pub const NOTICES_MAX: usize = 100;

/// One sentence each, routes in their order and limits behind them; at most [`NOTICES_MAX`]. Names are told of
/// only where the policy defines roles.
pub fn of(gate: &Gate) -> Vec<String> {
    let has_roles = gate.roles.names().next().is_some();
    let named = gate.routes.iter().filter(|_| has_roles);
    let named = named.flat_map(|route| of_route(gate, route));
    named.chain(unused_limits(gate)).take(NOTICES_MAX).collect()
}

/// Limits that count nothing: a route was to name each, or a plan that some route charges.
fn unused_limits(gate: &Gate) -> Vec<String> {
    let by_route = gate.routes.iter().flat_map(|route| {
        let messages = route.socket.iter().map(|socket| &socket.messages);
        route.shield.iter().chain(&route.limits).chain(messages)
    });
    let has_plans = gate.routes.iter().any(|route| route.plan);
    let by_plan = gate.plans.values().filter(|_| has_plans).flatten();
    let used: BTreeSet<&str> = by_route
        .chain(by_plan)
        .map(|rule| rule.name.as_str())
        .collect();
    let all: BTreeSet<&str> = gate.limits.keys().map(String::as_str).collect();
    let unused = all.difference(&used);
    unused
        .map(|name| format!("no route is charged by the limit `{name}`"))
        .collect()
}

fn of_route(gate: &Gate, route: &Route) -> Vec<String> {
    let id = &route.id;
    let require = &route.require;
    let mut roles = require.roles.clone();
    let crossing = route.tenancy.iter().flat_map(|one| &one.except_roles);
    roles.extend(crossing.cloned());
    roles.extend(rules(route).flat_map(Expression::roles_named));
    roles.retain(|name| !gate.roles.is_known(name));
    roles.sort_unstable();
    roles.dedup();
    let scopes = require.scopes.iter().chain(&require.any_scopes);
    let scopes = scopes.filter(|scope| !gate.roles.is_named(scope));
    let roles = roles.into_iter().map(|name| {
        let told = meant(&name, gate.roles.names()).unwrap_or_else(|| there_is(gate));
        format!("{id}: no role of `roles` is named `{name}`; {told}")
    });
    let scopes = scopes.map(|scope| {
        let told = meant(scope, gate.roles.scopes()).map(|told| format!("; {told}"));
        let told = told.unwrap_or_default();
        format!("{id}: no role of `roles` names the scope `{scope}`{told}")
    });
    roles.chain(scopes).collect()
}

fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|known| format!("did you mean `{known}`?"))
}

fn there_is(gate: &Gate) -> String {
    let mut known: Vec<&str> = gate.roles.names().collect();
    known.sort_unstable();
    format!("there is {}", listed(known.into_iter()))
}

/// Every rule of a route that can look at roles.
fn rules(route: &Route) -> impl Iterator<Item = &Expression> {
    let writes = route.request.fields.iter().map(|rule| &rule.write);
    let answers = route.response.iter().flat_map(|rules| {
        let reads = rules.fields.iter().map(|rule| &rule.read);
        rules.allow.iter().chain(reads)
    });
    route.allow.iter().chain(writes).chain(answers)
}
