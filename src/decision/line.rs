//! The line of one request, field by field (`schemas/decision.schema.json`).

use std::net::IpAddr;

use serde::Serialize;

use crate::body::finding::clip;
use crate::decision::timestamp;
use crate::facts::Facts;
use crate::policy::gate::RefundCause;
use crate::problem::{Slug, slug_of};
use crate::refusal::{AnswerFault, Reckoned, Refusal};
use crate::stage::forward::trace_id;
use crate::stored::CacheNote;
use crate::trail::{CostNote, FieldNote, OriginNote, Trail};

/// How a request ended.
pub struct Ending<'a> {
    pub status: u16,
    /// Why it was refused, and as what the client was told.
    pub refusal: Option<(&'a Refusal, Slug)>,
    /// The gate's version; `None` if there is no gate.
    pub policy: Option<&'a str>,
    pub ms: u64,
}

/// The line of one request, without its chain: borrowed, so that it is written once and never held.
#[derive(Serialize)]
pub struct Line<'a> {
    event: &'static str,
    ts: String,
    request_id: String,
    trace_id: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    stage: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_template: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    colo: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<Limited<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observed: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field<'a>>,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
}

/// Who calls, as far as the log tells.
#[derive(Serialize)]
pub struct Caller<'a> {
    authenticator: &'a str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Limited<'a> {
    name: &'a str,
    charged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    /// That its counter gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<&'static str>,
}

#[derive(Serialize)]
struct Cost {
    reserved: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<u64>,
}

#[derive(Serialize)]
struct Origin<'a> {
    name: &'a str,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
}

/// What was taken out of the request or the answer, by the policy's own pointers.
#[derive(Serialize)]
struct Field<'a> {
    pointer: &'a str,
    act: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Writes the line of one request, without its chain.
pub fn line<'a>(trail: &'a Trail, ending: &Ending<'a>) -> Line<'a> {
    let facts = &trail.facts;
    let observed = trail.observed.first();
    let refused = ending.refusal.map(|(refusal, _)| refusal);
    let code = ending.refusal.map(|(_, slug)| slug);
    let verdict = match (refused, observed) {
        (Some(_), _) => "refused",
        (None, Some(_)) => "observed",
        (None, None) => "admitted",
    };
    let telling = refused.or(observed);
    Line {
        event: "decision",
        ts: timestamp(facts.received_at_ms),
        request_id: facts.request_id.to_string(),
        trace_id: trace_of(facts),
        verdict,
        code: code.or(observed.map(slug_of)).map(Slug::as_str),
        reason: telling.map(Refusal::reason),
        stage: trail.stage.as_str(),
        status: ending.status,
        route: trail.route.as_ref().map(|(id, _)| id.as_str()),
        method: method_of(&facts.method),
        path_template: trail.route.as_ref().map(|(_, template)| template.as_str()),
        caller: caller(trail),
        ip: facts.connection.ip,
        country: facts.connection.country.as_deref(),
        colo: facts.connection.colo.as_deref(),
        limits: limits(trail),
        cost: trail.cost.as_ref().map(cost),
        refund: trail.refund.map(RefundCause::as_text),
        idempotency: trail.is_replayed.then_some("replayed"),
        cache: trail.cache.map(CacheNote::as_str),
        origin: trail.origin.as_ref().map(origin),
        detail: telling.and_then(detail),
        observed: observed_reasons(trail),
        fields: trail.fields.iter().map(field).collect(),
        ms: ending.ms,
        policy: ending.policy,
    }
}

/// The trace that the request belongs to: its caller's, or one of its own.
fn trace_of(facts: &Facts) -> String {
    let given = facts.headers.get("traceparent").and_then(trace_id);
    given.unwrap_or_else(|| facts.request_id.as_trace_id())
}

/// The method as the log shows it: a name nobody knows is the caller's own text.
fn method_of(method: &str) -> String {
    let known = method
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if known && !method.is_empty() {
        clip(method, 32)
    } else {
        "OTHER".into()
    }
}

/// Who calls; `None` where nobody does.
pub fn caller(trail: &Trail) -> Option<Caller<'_>> {
    let caller = trail.caller.as_ref()?;
    Some(Caller {
        authenticator: &caller.authenticator,
        subject: &caller.subject,
        tenant: caller.tenant.as_deref(),
        key_id: caller.key_id(),
    })
}

fn limits(trail: &Trail) -> Vec<Limited<'_>> {
    let is_silent = |name: &String| trail.silent.contains(name);
    let reported = trail.limits.iter().map(|limit| {
        let known = limit.remaining;
        limited(&limit.name, limit.charged, known, is_silent(&limit.name))
    });
    // Counted nowhere, and so not told to the caller.
    let mut uncounted: Vec<&String> = trail.silent.iter().collect();
    uncounted.retain(|name| !trail.limits.iter().any(|limit| limit.name == **name));
    uncounted.dedup();
    let uncounted = uncounted
        .into_iter()
        .map(|name| limited(name, 0, None, true));
    reported.chain(uncounted).collect()
}

fn limited(name: &str, charged: u64, remaining: Option<u64>, is_silent: bool) -> Limited<'_> {
    Limited {
        name,
        charged,
        remaining,
        counter: is_silent.then_some("silent"),
    }
}

/// Every reason for which a rule in observe mode would have refused, where there is more than one.
fn observed_reasons(trail: &Trail) -> Vec<&'static str> {
    let mut reasons: Vec<_> = trail.observed.iter().map(Refusal::reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if trail.observed.len() > 1 {
        reasons
    } else {
        Vec::new()
    }
}

fn field(note: &FieldNote) -> Field<'_> {
    Field {
        pointer: &note.pointer,
        act: note.act,
        why: note.why.as_deref(),
    }
}

fn cost(note: &CostNote) -> Cost {
    Cost {
        reserved: note.reserved,
        told: note.told,
    }
}

fn origin(note: &OriginNote) -> Origin<'_> {
    Origin {
        name: &note.name,
        ms: note.ms,
        status: note.status,
        retries: Some(note.retries).filter(|retries| *retries > 0),
    }
}

/// What an operator has to know beyond the reason; never a value of the request.
fn detail(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::AllowFailed { why } => Some(format!("allow: {why}")),
        Refusal::NotReckoned { of, why } => Some(match of {
            Reckoned::Cost => format!("cost: {why}"),
            Reckoned::Counter => format!("limits: {why}"),
        }),
        Refusal::AmbiguousPath { fault } | Refusal::MalformedQuery { fault } => {
            Some(format!("{fault:?}"))
        }
        Refusal::TokenRefused { fault } => Some(format!("{fault:?}")),
        Refusal::ProofRefused { fault } => Some(format!("{fault:?}")),
        Refusal::MissingScopes { missing } => Some(missing.join(" ")),
        Refusal::MissingAnyScope { any } => Some(format!("any of {}", any.join(" "))),
        Refusal::OverLimit { limits, .. }
        | Refusal::OverEveryLimit { limits }
        | Refusal::CounterDown { limits } => Some(limits.join(" ")),
        Refusal::Invalid { findings } => findings
            .first()
            .map(|finding| format!("{} {}", finding.pointer, finding.keyword)),
        Refusal::NotJson { fault } => Some(fault.keyword().to_owned()),
        Refusal::NotForm { fault } => Some(fault.keyword().to_owned()),
        Refusal::FieldRefused { findings, why } => {
            let pointer = findings.first().map(|finding| finding.pointer.clone());
            why.clone().or(pointer)
        }
        Refusal::ObjectRefused { why, .. } => {
            why.as_ref().map(|why| format!("response.allow {why}"))
        }
        Refusal::AnswerUnfit { fault } => answer_detail(fault),
        Refusal::AnswerMismatch { port } => Some(format!("{port:?}")),
        _ => None,
    }
}

fn answer_detail(fault: &AnswerFault) -> Option<String> {
    match fault {
        AnswerFault::NotJson { fault } => Some(fault.keyword().to_owned()),
        AnswerFault::Schema { findings } => findings
            .first()
            .map(|finding| format!("{} {}", finding.pointer, finding.keyword)),
        _ => None,
    }
}
