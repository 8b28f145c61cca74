//! `origins` as enforced: how each is reached, what it is told, what is done about one that is not
//! well.

use std::collections::HashMap;
use std::rc::Rc;

use crate::facts::Method;
use crate::identity::{IDENTITY_BINDING, IdentityKeys};
use crate::message::{self, MessageRule};
use crate::origin::choice::PARTS;
use crate::origin::rule::{
    ANSWER_BYTES_DEFAULT, ANSWER_IDLE_MS_DEFAULT, ANSWER_TOTAL_MS_DEFAULT, AnswerBounds,
    BreakerRule, BulkheadRule, Errors, OriginRules, RetryRule,
};
use crate::policy::authenticators;
use crate::policy::document::{
    AnswerEntry, ContentDigestEntry, Document, ErrorsEntry, OriginEntry, RouteEntry,
};
use crate::policy::fault::Faults;
use crate::policy::gate::{
    Identity, Origin, OriginBinding, READ_BYTES_MAX, RefundCause, Route, Secrets, Target,
};
use crate::policy::routes::Place;

/// What a signed message may take to its origin, once it was sent.
const ARRIVAL_MS: u64 = 1_000;

/// Makes every origin of the policy.
pub(super) fn build(
    document: &Document,
    keys: Option<&IdentityKeys>,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> HashMap<String, Rc<Origin>> {
    let mut origins = HashMap::new();
    for (name, entry) in &document.origins {
        let origin = Origin {
            name: name.clone(),
            url: entry.url.trim_end_matches('/').to_owned(),
            timeout_ms: entry.timeout_ms,
            rules: rules(entry),
            identity: identity(name, entry, keys, faults),
            signature: signature(name, entry, keys, faults),
            binding: binding(name, entry, secrets, faults),
        };
        origins.insert(name.clone(), Rc::new(origin));
    }
    origins
}

/// The statement an origin gets: it gets one wherever there is a key.
fn identity(
    name: &str,
    entry: &OriginEntry,
    keys: Option<&IdentityKeys>,
    faults: &mut Faults,
) -> Option<Identity> {
    if entry.identity.is_some() && keys.is_none() {
        no_key(&["origins", name, "identity"], faults);
    }
    let given = entry.identity.clone().unwrap_or_default();
    let header = given.header.as_deref();
    if header.is_some_and(|header| {
        authenticators::is_reserved(header) || message::FIELDS.contains(&header)
    }) {
        let problem = "this header has a meaning of its own";
        let at = ["origins", name, "identity", "header"];
        faults.add(&at, problem, "Choose another, as edgeward-identity");
    }
    keys.map(|_| Identity {
        header: given.header.unwrap_or_else(|| "edgeward-identity".into()),
        audience: given.audience.unwrap_or_else(|| name.to_owned()),
        ttl_s: given.ttl_s.unwrap_or(60),
    })
}

fn signature(
    name: &str,
    entry: &OriginEntry,
    keys: Option<&IdentityKeys>,
    faults: &mut Faults,
) -> Option<MessageRule> {
    let given = entry.signature.as_ref()?;
    let at = ["origins", name, "signature"];
    match keys {
        None => no_key(&at, faults),
        Some(keys) if !message::is_sayable(keys.key_id()) => {
            let problem = format!("the `kid` of {IDENTITY_BINDING} cannot stand in a header field");
            faults.add(
                &at,
                problem,
                "Make a key whose `kid` is of ASCII letters and digits",
            );
        }
        Some(_) => {}
    }
    Some(MessageRule {
        reads: given.content_digest == ContentDigestEntry::Required,
        ttl_s: given.ttl_s,
        tag: given.tag.clone(),
    })
}

fn no_key(at: &[&str], faults: &mut Faults) {
    let fix = format!("Bind one with `npx wrangler secret put {IDENTITY_BINDING}`");
    faults.add(at, "there is no key to sign it with", fix);
}

fn binding(
    name: &str,
    entry: &OriginEntry,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<OriginBinding> {
    let (field, binding, lines) = match (&entry.service_binding, &entry.client_certificate_binding)
    {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            let problem =
                "a Worker that is bound is reached without TLS, so no certificate is shown";
            let at = ["origins", name, "client_certificate_binding"];
            faults.add(&at, problem, "Write it or `service_binding`, not both");
            return None;
        }
        (Some(service), None) => {
            let lines =
                format!("[[services]] binding = \"{service}\", service = the Worker's name");
            (
                "service_binding",
                OriginBinding::Service(service.clone()),
                lines,
            )
        }
        (None, Some(certificate)) => {
            let lines = format!(
                "[[mtls_certificates]] binding = \"{certificate}\", certificate_id = what \
                 `npx wrangler mtls-certificate upload` printed"
            );
            let binding = OriginBinding::Certificate(certificate.clone());
            ("client_certificate_binding", binding, lines)
        }
    };
    let at = ["origins", name, field];
    if !secrets.has_fetcher(binding.name()) {
        let problem = format!("no such binding: `{}`", binding.name());
        faults.add(
            &at,
            problem,
            format!("Write in wrangler.toml, and deploy: {lines}"),
        );
    }
    if matches!(binding, OriginBinding::Certificate(_)) && !entry.url.starts_with("https:") {
        let problem = "a certificate is shown over TLS alone, and this URL has none";
        faults.add(&["origins", name, "url"], problem, "Write an https: URL");
    }
    Some(binding)
}

/// Judges what a route sends its origins, of what they are to be told.
pub(super) fn check_told(entry: &RouteEntry, route: &mut Route, at: &Place, faults: &mut Faults) {
    let mut targets = vec![route.target()];
    targets.extend(route.split.iter().map(|(_, target)| target.clone()));
    for target in &targets {
        check_expiry(target, at, faults);
    }
    let mut rules = targets
        .iter()
        .filter_map(|target| target.origin.signature.as_ref());
    let is_digested = rules.any(|rule| rule.reads);
    let has_content = entry
        .matching
        .methods
        .iter()
        .filter_map(|name| Method::parse(name))
        .any(Method::may_have_body);
    if is_digested && has_content && route.request.max_bytes > READ_BYTES_MAX {
        let problem = format!("content whose digest is signed has at most {READ_BYTES_MAX} bytes");
        let fix =
            "Lower it, or write \"content_digest\": \"when_read\" at the origin's `signature`";
        at.add(faults, &["request", "max_bytes"], problem, fix);
    }
    route.request.is_digested = is_digested;
}

/// Judges origins that are said to know keys: some route has to take keys for them.
pub(super) fn check_keys(document: &Document, routes: &[Route], faults: &mut Faults) {
    for (name, entry) in &document.origins {
        if !entry
            .retry
            .as_ref()
            .is_some_and(|one| one.origin_knows_keys)
        {
            continue;
        }
        let leads = |route: &Route| {
            let others = route.split.iter().map(|(_, target)| &target.origin);
            others.chain([&route.origin]).any(|one| one.name == *name)
        };
        let mut keyed = routes.iter().filter(|route| route.idempotency.is_some());
        if !keyed.any(leads) {
            let problem = "no route to this origin takes an `Idempotency-Key`";
            let fix = "Write \"idempotency\": \"required\" or \"optional\" on one, or remove it";
            let at = ["origins", name, "retry", "origin_knows_keys"];
            faults.add(&at, problem, fix);
        }
    }
}

/// A request that is sent again is sent with what was signed at first.
fn check_expiry(target: &Target, at: &Place, faults: &mut Faults) {
    let rules = &target.origin.rules;
    if rules.attempts() == 0 {
        return;
    }
    let last_ms = rules
        .longest_ms(target.timeout_ms)
        .saturating_sub(target.timeout_ms);
    let needs_ms = last_ms.saturating_add(ARRIVAL_MS);
    let signed = [
        (
            "identity",
            target.origin.identity.as_ref().map(|one| one.ttl_s),
        ),
        (
            "signature",
            target.origin.signature.as_ref().map(|one| one.ttl_s),
        ),
    ];
    for (what, ttl_s) in signed {
        if ttl_s.is_some_and(|ttl_s| ttl_s.saturating_mul(1_000) < needs_ms) {
            let problem = format!(
                "the `{what}` of a request to `{}` is over before it is sent for the last time",
                target.origin.name
            );
            let fix = format!(
                "Raise `ttl_s` of its `{what}` to {}, or lower `timeout_ms` or `retry.attempts`",
                needs_ms.div_ceil(1_000)
            );
            at.add(faults, &["origin"], problem, fix);
        }
    }
}

/// The rules of an origin. What cannot be read the policy's schema has refused.
fn rules(entry: &OriginEntry) -> OriginRules {
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
                origin_knows_keys: retry.origin_knows_keys,
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
