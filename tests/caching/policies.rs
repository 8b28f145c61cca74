//! Which policies with a cache load.

use edgeward::policy::load::load;

use super::*;
use support::bindings;

fn faults(rules: Value) -> Vec<String> {
    match load(policy(rules).to_string().as_bytes(), &bindings()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
    }
}

fn cache(change: Value) -> Value {
    let mut cache = json!({ "max_age_s": 60 });
    let members = change.as_object().unwrap().clone();
    cache.as_object_mut().unwrap().extend(members);
    json!({ "cache": cache })
}

fn at(pointer: &str) -> Vec<String> {
    vec![format!("/routes/0/{pointer}")]
}

#[test]
fn what_a_kept_answer_would_undo_does_not_load() {
    let methods =
        |methods: Value| json!({ "match": { "methods": methods, "path": "/orders/{id}" } });
    for (rules, told) in [
        (json!({}), vec![]),
        (methods(json!(["GET"])), vec![]),
        (methods(json!(["HEAD"])), at("match/methods")),
        (methods(json!(["GET", "POST"])), at("match/methods")),
        (methods(json!(["GET", "OPTIONS"])), at("match/methods")),
        (json!({ "idempotency": "optional" }), at("idempotency")),
        (json!({ "auth": "public", "limits": ["address"] }), vec![]),
        (
            json!({ "auth": "public", "limits": ["address"], "cacheable_by": "caller" }),
            at("cache"),
        ),
        (json!({ "cacheable_by": "everyone" }), vec![]),
        (
            json!({ "cost": { "reserve": 1, "header": "x-cost" } }),
            at("cost"),
        ),
    ] {
        assert_eq!(faults(rules.clone()), told, "{rules}");
    }
}

#[test]
fn a_cache_is_bounded_and_differs_by_what_reaches_the_origin() {
    for (rules, told) in [
        (cache(json!({ "default_age_s": 60 })), vec![]),
        (
            cache(json!({ "default_age_s": 61 })),
            at("cache/default_age_s"),
        ),
        (cache(json!({ "max_age_s": 0 })), at("cache/max_age_s")),
        (cache(json!({ "max_age_s": 86_401 })), at("cache/max_age_s")),
        (
            cache(json!({ "max_bytes": 1_048_577 })),
            at("cache/max_bytes"),
        ),
        (json!({ "cache": {} }), at("cache/max_age_s")),
        (json!({ "cache": true }), at("cache")),
        (
            cache(json!({ "vary": ["accept", "cookie", "origin", "user-agent", "x-edition"] })),
            vec![],
        ),
        (cache(json!({ "vary": ["x-api-key"] })), at("cache/vary/0")),
        (
            cache(json!({ "vary": ["authorization"] })),
            at("cache/vary/0"),
        ),
        (
            cache(json!({ "vary": ["x-forwarded-host"] })),
            at("cache/vary/0"),
        ),
        (
            cache(json!({ "vary": ["accept-encoding"] })),
            at("cache/vary/0"),
        ),
        (
            cache(json!({ "vary": ["x-a", "range"] })),
            at("cache/vary/1"),
        ),
        (
            cache(json!({ "vary": ["cache-control"] })),
            at("cache/vary/0"),
        ),
    ] {
        assert_eq!(faults(rules.clone()), told, "{rules}");
    }
}

#[test]
fn a_session_is_not_kept() {
    let socket = json!({ "messages": "caller", "origins": ["https://app.example"] });
    let rules = json!({
        "match": { "methods": ["GET"], "path": "/orders/{id}" }, "websocket": socket,
    });
    assert!(faults(rules).contains(&"/routes/0/cache".to_owned()));
}
