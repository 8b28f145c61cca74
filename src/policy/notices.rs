//! What is odd in a policy that loads, and may be a slip: told to whoever checks it, and no fault.
//!
//! Owns: names of roles and scopes that `roles` of the policy does not have. A token may bring names that
//! the policy does not define, so that none of them is refused. Called by: `admin`.

use crate::body::finding::listed;
use crate::policy::expression::Expression;
use crate::policy::gate::{Gate, Route};

/// Most notices that are told of a policy.
pub const NOTICES_MAX: usize = 100;

/// One sentence each, routes in their order; at most [`NOTICES_MAX`]. None where the policy defines no roles.
pub fn of(gate: &Gate) -> Vec<String> {
    if gate.roles.names().next().is_none() {
        return Vec::new();
    }
    let all = gate.routes.iter().flat_map(|route| of_route(gate, route));
    all.take(NOTICES_MAX).collect()
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
    let mut known: Vec<&str> = gate.roles.names().collect();
    known.sort_unstable();
    let known = listed(known.into_iter());
    let roles = roles
        .into_iter()
        .map(|name| format!("{id}: no role of `roles` is named `{name}`; there is {known}"));
    let scopes = scopes.map(|scope| format!("{id}: no role of `roles` names the scope `{scope}`"));
    roles.chain(scopes).collect()
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
