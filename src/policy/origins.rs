//! What is done about an origin that is not well, as enforced.

use std::collections::HashMap;
use std::rc::Rc;

use crate::facts::Method;
use crate::origin::choice::PARTS;
use crate::origin::rule::{
    ANSWER_BYTES_DEFAULT, ANSWER_IDLE_MS_DEFAULT, ANSWER_TOTAL_MS_DEFAULT, AnswerBounds,
    BreakerRule, BulkheadRule, Errors, OriginRules, RetryRule,
};
use crate::policy::document::{AnswerEntry, ErrorsEntry, OriginEntry, RouteEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{Origin, RefundCause, Target};
use crate::policy::routes::Place;

/// The rules of an origin. What cannot be read the policy's schema has refused.
pub(super) fn rules(entry: &OriginEntry) -> OriginRules {
    OriginRules {
        bulkhead: entry.max_concurrent.map(|open_max| BulkheadRule {
            open_max,
            waiting_max: entry.max_waiting,
            wait_ms: entry.wait_ms,
        }),
        breaker: entry.circuit_breaker.as_ref().map(|breaker| BreakerRule {
            failure_ratio: breaker.failure_ratio,
            requests_min: breaker.min_requests,
            failures_in_a_row: breaker.consecutive,
            window_ms: breaker.window_s.saturating_mul(1_000),
            open_ms: breaker.open_s.saturating_mul(1_000),
            probes: breaker.probes,
            on: causes(&breaker.on),
        }),
        retry: entry
            .retry
            .as_ref()
            .filter(|retry| retry.attempts > 0)
            .map(|retry| RetryRule {
                attempts: retry.attempts,
                methods: retry
                    .methods
                    .iter()
                    .filter_map(|name| Method::parse(name))
                    .collect(),
                on: causes(&retry.on),
            }),
        answer: entry.answer.as_ref().map(bounds),
        errors: errors(entry.errors),
    }
}

/// What becomes of 5xx answers.
pub(super) fn errors(entry: ErrorsEntry) -> Errors {
    match entry {
        ErrorsEntry::Hide => Errors::Hide,
        ErrorsEntry::Pass => Errors::Pass,
    }
}

/// The bounds of an answer, with the defaults of those not named.
pub(super) fn bounds(entry: &AnswerEntry) -> AnswerBounds {
    AnswerBounds {
        bytes_max: entry.max_bytes.unwrap_or(ANSWER_BYTES_DEFAULT),
        idle_ms: entry.idle_timeout_ms.unwrap_or(ANSWER_IDLE_MS_DEFAULT),
        total_ms: entry.total_timeout_ms.unwrap_or(ANSWER_TOTAL_MS_DEFAULT),
    }
}

/// The other origins of a route.
pub(super) fn split(
    entry: &RouteEntry,
    origins: &HashMap<String, Rc<Origin>>,
    at: &Place,
    faults: &mut Faults,
) -> Vec<(u32, Target)> {
    let mut shares = Vec::new();
    for (name, percent) in &entry.split {
        let Some(origin) = origins.get(name) else {
            faults.unknown(&at.path(&["split", name]), "origin", name, origins.keys());
            continue;
        };
        if *name == entry.origin {
            let problem = "the route's own origin gets what the others leave";
            at.add(faults, &["split", name], problem, "Remove it");
        }
        let answer = entry.answer.as_ref().map(bounds);
        let target = Target {
            origin: Rc::clone(origin),
            timeout_ms: entry.timeout_ms.unwrap_or(origin.timeout_ms),
            answer: answer.or(origin.rules.answer),
            errors: entry.errors.map_or(origin.rules.errors, errors),
        };
        shares.push((*percent, target));
    }
    let parts: u32 = shares.iter().map(|(percent, _)| percent).sum();
    if parts > PARTS {
        let problem = format!("{parts} of {PARTS} callers");
        at.add(
            faults,
            &["split"],
            problem,
            "Write shares that are 100 in all at most",
        );
    }
    shares
}

fn causes(names: &[String]) -> Vec<RefundCause> {
    names
        .iter()
        .filter_map(|name| RefundCause::parse(name))
        .collect()
}
