//! The expressions of one route, compiled and checked against what its requests can be.
//!
//! Owns: what is known of them before there is one, and how a fault is told. Called by:
//! `policy::{routes, charging}`.

use serde_json::{Map, Value};

use crate::facts::Method;
use crate::policy::document::{ModeEntry, RouteEntry};
use crate::policy::expression::{Expression, Gives, Known, Scope};
use crate::policy::fault::Faults;
use crate::policy::route_table::Template;
use crate::policy::routes::{Context, Place};

pub(super) const TRUE_OR_FALSE: &str = "Write a CEL expression that gives true or false";

/// Compiles an expression about requests of a route; as [`compile_in`] else.
pub(super) fn compile(
    context: &Context<'_>,
    entry: &RouteEntry,
    template: &Template,
    source: &str,
    gives: Gives,
) -> Result<Expression, String> {
    compile_in(context, entry, template, source, (Scope::Request, gives))
}

/// Compiles an expression of a route. Fails with what to tell: line, column, what is wrong, and the
/// text from there on.
pub(super) fn compile_in(
    context: &Context<'_>,
    entry: &RouteEntry,
    template: &Template,
    source: &str,
    (scope, gives): (Scope, Gives),
) -> Result<Expression, String> {
    let known = known(entry, &context.document.schemas);
    let compiled = Expression::compile_in(context.env, source, template.parameters(), scope);
    let checked = compiled.and_then(|rule| rule.check(source, &known, gives).map(|()| rule));
    checked.map_err(|fault| fault.told(source))
}

/// The rule of a route.
pub(super) fn allow(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Expression> {
    let source = entry.allow.as_deref()?;
    compile(context, entry, template, source, Gives::Truth)
        .map_err(|problem| at.add(faults, &["allow"], problem, TRUE_OR_FALSE))
        .ok()
}

/// Schemas tell of values where they are enforced.
pub(super) fn known<'s>(entry: &'s RouteEntry, named: &'s Map<String, Value>) -> Known<'s> {
    let methods = entry.matching.methods.iter();
    let mut methods = methods.filter_map(|name| Method::parse(name));
    let has_content = methods.all(Method::may_have_body);
    Known {
        body: content(entry).filter(|_| has_content),
        answer: entry.response.as_ref().and_then(|response| {
            let mode = response.body_mode.unwrap_or(ModeEntry::Observe);
            let modes = [entry.mode, response.mode, mode];
            response
                .body
                .as_ref()
                .filter(|_| modes.into_iter().all(is_enforced))
        }),
        query: entry.request.query.as_ref().filter(|_| is_held(entry)),
        named: Some(named),
    }
}

/// The schema that content is held to, where there is any.
pub(super) fn content(entry: &RouteEntry) -> Option<&Value> {
    entry.request.body.as_ref().filter(|_| is_held(entry))
}

fn is_held(entry: &RouteEntry) -> bool {
    is_enforced(entry.mode) && is_enforced(entry.request.mode)
}

fn is_enforced(mode: ModeEntry) -> bool {
    matches!(mode, ModeEntry::Enforce)
}
