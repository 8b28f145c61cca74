//! `cache` of a route, as enforced.
//!
//! Owns: defaults, which fields are part of the key, and that nothing stands beside it that a kept
//! answer would undo. Called by: `policy::routes`.

use crate::answer::keeping::Keeping;
use crate::message;
use crate::policy::authenticators::is_reserved;
use crate::policy::document::{AuthenticatorEntry, CacheEntry, CostEntry, Document, RouteEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{Auth, Route};
use crate::policy::routes::Place;
use crate::policy::tenancy::TenantPlace;
use crate::spoken_for::is_spoken_for;
use crate::stored::{CONTENT_BYTES_DEFAULT, NEGOTIATED, StoreRule};

/// Fields that may be named though they have a meaning of their own: origins answer by them.
const MAY_VARY: [&str; 3] = ["cookie", "origin", "user-agent"];

/// Gives a route its cache, once all else of it is known.
pub(super) fn complete(
    entry: &RouteEntry,
    route: &mut Route,
    at: &Place,
    document: &Document,
    faults: &mut Faults,
) {
    let Some(cache) = &entry.cache else { return };
    check_beside(entry, route, at, faults);
    check_times(cache, at, faults);
    check_vary(cache, at, document, faults);
    let reaches = |name: &&str| !is_spoken_for(name) && !is_credential(name, document);
    let declared = route.request.headers.iter().flat_map(|one| one.names());
    let tenant = route.tenancy.iter().filter_map(|one| match &one.place {
        TenantPlace::Header(name) => Some(name.as_str()),
        TenantPlace::Path(_) | TenantPlace::Query(_) => None,
    });
    let named = cache.vary.iter().map(String::as_str);
    let mut fields: Vec<String> = NEGOTIATED
        .into_iter()
        .chain(named)
        .chain(declared)
        .chain(tenant)
        .filter(reaches)
        .map(str::to_owned)
        .collect();
    fields.sort_unstable();
    fields.dedup();
    route.cache = Some(StoreRule {
        age_s_max: cache.max_age_s,
        content_bytes_max: cache.max_bytes.unwrap_or(CONTENT_BYTES_DEFAULT),
        age_s_default: cache.default_age_s,
        fields,
        told: told(route),
        is_shared: route.auth == Auth::Public,
    });
}

/// Fields that the gateway tells the route's origins, other ones each time.
fn told(route: &Route) -> Vec<String> {
    let others = route.split.iter().map(|(_, target)| &target.origin);
    let origins = others.chain([&route.origin]);
    let statements = origins.filter_map(|origin| Some(origin.identity.as_ref()?.header.clone()));
    let fixed = ["traceparent", "tracestate"].into_iter();
    let fixed = fixed.chain(message::FIELDS).map(str::to_owned);
    fixed.chain(statements).collect()
}

fn check_beside(entry: &RouteEntry, route: &Route, at: &Place, faults: &mut Faults) {
    let methods = &entry.matching.methods;
    let is_safe = methods.iter().all(|name| name == "GET" || name == "HEAD");
    if !is_safe || !methods.iter().any(|name| name == "GET") {
        let problem = "answers to GET are kept, and given to GET and HEAD alone";
        let fix =
            "Write [\"GET\"] or [\"GET\", \"HEAD\"], and a route of its own for other methods";
        at.add(faults, &["match", "methods"], problem, fix);
    }
    if entry.websocket.is_some() {
        let problem = "a session is no answer that could be kept";
        at.add(faults, &["cache"], problem, "Remove it");
    }
    if route.auth == Auth::Public && route.keeping == Keeping::Caller {
        let problem =
            "answers are their caller's, and callers of a public route cannot be told apart";
        let fix = "Remove it or `cacheable_by`, or list authenticators in `auth`";
        at.add(faults, &["cache"], problem, fix);
    }
    if matches!(entry.cost, Some(CostEntry::Told { .. })) {
        let problem = "an origin that is not asked tells no cost";
        let fix = "Write a cost that is known before, or remove `cache`";
        at.add(faults, &["cost"], problem, fix);
    }
}

fn check_times(cache: &CacheEntry, at: &Place, faults: &mut Faults) {
    if cache
        .default_age_s
        .is_some_and(|age_s| age_s > cache.max_age_s)
    {
        let problem = "no answer is given for longer than max_age_s";
        let place = ["cache", "default_age_s"];
        at.add(faults, &place, problem, "Lower it, or raise max_age_s");
    }
}

fn check_vary(cache: &CacheEntry, at: &Place, document: &Document, faults: &mut Faults) {
    for (index, name) in cache.vary.iter().enumerate() {
        let name = name.as_str();
        let is_known = NEGOTIATED.contains(&name) || MAY_VARY.contains(&name);
        let problem = match name {
            _ if is_known => continue,
            _ if is_credential(name, document) => "answers differ by their callers all the same",
            _ if is_spoken_for(name) => "no caller's field of this name reaches an origin",
            "cache-control" | "pragma" => "it says how to use a cache, and not what is asked for",
            _ if is_reserved(name) => "this field has a meaning of its own",
            _ => continue,
        };
        at.add(
            faults,
            &["cache", "vary", &index.to_string()],
            problem,
            "Remove it",
        );
    }
}

/// Whether a field shows who calls: none of these reaches an origin.
fn is_credential(name: &str, document: &Document) -> bool {
    let is_key = |one: &AuthenticatorEntry| matches!(one, AuthenticatorEntry::ApiKey(keys) if keys.header == name);
    matches!(name, "authorization" | "proxy-authorization" | "dpop")
        || document.authenticators.values().any(is_key)
}
