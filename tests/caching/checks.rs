//! What is checked though the answer is there already.

use super::*;

/// A gate whose answers are kept, with one of alice's in the cache.
fn with_one(rules: Value) -> (Gate, FakePorts) {
    let (gate, ports) = (gate(&policy(rules)), ports());
    assert_eq!(ask(&gate, &ports, as_caller("alice", &[])).cache, "miss");
    assert_eq!(ask(&gate, &ports, as_caller("alice", &[])).cache, "hit");
    (gate, ports)
}

fn change(ports: &mut FakePorts, record: Value) {
    ports.records.extend([keys::record("alice", record)]);
}

#[test]
fn no_check_of_a_request_is_passed_over() {
    let rules = json!({
        "require": { "scopes": ["orders:write"] },
        "allow": "path.id == '7' && request.headers['x-reason'] != 'none'",
        "request": { "query": { "type": "object", "additionalProperties": false, "properties": {} } },
    });
    let reasons = [("x-reason", "some")];
    let with_one = || {
        let (gate, ports) = (gate(&policy(rules.clone())), ports());
        assert_eq!(
            ask(&gate, &ports, as_caller("alice", &reasons)).cache,
            "miss"
        );
        assert_eq!(
            ask(&gate, &ports, as_caller("alice", &reasons)).cache,
            "hit"
        );
        (gate, ports)
    };
    type Sabotage = fn(&mut FakePorts, &mut Facts);
    let cases: [(u16, &str, Sabotage); 9] = [
        (401, "no_credential", |_, facts| {
            *facts = request("GET", "/orders/7", &[], "");
        }),
        (401, "key_unknown", |ports, _| ports.records.clear()),
        (401, "key_revoked", |ports, _| {
            change(ports, json!({ "state": "revoked" }))
        }),
        (401, "key_expired", |ports, _| {
            change(ports, json!({ "expires_at": 1_700_000_000 }));
        }),
        (403, "missing_scopes", |ports, _| {
            change(ports, json!({ "scopes": ["x"] }))
        }),
        (403, "not_allowed", |_, facts| {
            *facts = as_caller("alice", &[("x-reason", "none")]);
        }),
        (422, "invalid", |_, facts| {
            facts.raw_query = Some("b=1".into())
        }),
        (503, "counter_down", |ports, _| {
            ports.counters_down.set(true)
        }),
        (426, "plain_http", |_, facts| facts.is_https = false),
    ];
    for (status, reason, sabotage) in cases {
        let (gate, mut ports) = with_one();
        let mut facts = as_caller("alice", &reasons);
        sabotage(&mut ports, &mut facts);
        let end = ask(&gate, &ports, facts);
        println!("{reason}: {} {}", end.status, end.reason);
        assert!(
            !ports.asked.borrow().contains(&"stored"),
            "{reason}: looked for"
        );
        assert_eq!(end.status, status, "{reason}");
        assert_eq!((end.cache.as_str(), sent(&ports)), ("-", 1), "{reason}");
    }
}

#[test]
fn a_kept_answer_costs_what_an_answer_costs() {
    let mut tight = policy(json!({}));
    tight["limits"]["caller"]["limit"] = json!(3);
    let (gate, ports) = (gate(&tight), ports());
    let asked = || as_caller("alice", &[]);
    assert_eq!(
        words(&gate, &ports, [asked(), asked(), asked()]),
        ["miss", "hit", "hit"]
    );
    let end = ask(&gate, &ports, asked());
    assert_eq!(
        (end.status, end.cache.as_str(), sent(&ports)),
        (429, "-", 1)
    );
}

#[test]
fn an_answer_is_judged_each_time_it_is_given() {
    let rules = json!({ "response": {
        "allow": "body.owner == caller.subject && request.headers['x-as'] != 'guest'",
        "fields": [{ "pointer": "/secret", "read": "request.headers['x-as'] == 'clerk'" }],
    } });
    let (gate, ports) = (gate(&policy(rules)), ports());
    let fields = [
        ("cache-control", "max-age=600"),
        ("etag", "\"a\""),
        ("content-length", "30"),
    ];
    answers(&ports, &fields, r#"{"owner":"alice","secret":"x"}"#);
    let clerk = || as_caller("alice", &[("x-as", "clerk")]);
    let seen = ask(&gate, &ports, clerk());
    assert_eq!(
        seen.left.as_deref(),
        Some(r#"{"owner":"alice","secret":"x"}"#)
    );
    // The same entry, for whoever may read less of it.
    for (fields, left) in [
        (vec![("x-as", "nobody")], r#"{"owner":"alice"}"#),
        (vec![("x-as", "clerk")], r#"{"owner":"alice","secret":"x"}"#),
        // Judged content has no tag that would be true of it.
        (
            vec![("x-as", "nobody"), ("if-none-match", "\"a\"")],
            r#"{"owner":"alice"}"#,
        ),
    ] {
        let end = ask(&gate, &ports, as_caller("alice", &fields));
        assert_eq!((end.cache.as_str(), end.status), ("hit", 200));
        assert_eq!(end.left.as_deref(), Some(left));
        assert_eq!(end.field("cache-control"), Some("private, no-cache"));
    }
    let end = ask(&gate, &ports, as_caller("alice", &[("x-as", "guest")]));
    assert_eq!(
        (end.cache.as_str(), end.status, end.reason.as_str()),
        ("hit", 403, "object_refused")
    );
    let head = ask(
        &gate,
        &ports,
        asked_for("HEAD", "/orders/7", "alice", &[("x-as", "clerk")]),
    );
    assert_eq!(
        (head.cache.as_str(), head.left.as_deref()),
        ("hit", Some(""))
    );
    assert_eq!(sent(&ports), 1);
    // What is another's is kept as it came, and is refused each time.
    let other = || asked_for("GET", "/orders/7", "bob", &[("x-as", "x")]);
    for cache in ["miss", "hit", "hit"] {
        let end = ask(&gate, &ports, other());
        assert_eq!((end.cache.as_str(), end.status), (cache, 403));
    }
    assert_eq!(sent(&ports), 2);
}

#[test]
fn a_schema_holds_for_a_kept_answer() {
    let rules = json!({ "response": {
        "body_mode": "enforce", "body": { "type": "object", "required": ["owner"] },
    } });
    let (gate, ports) = (gate(&policy(rules)), ports());
    for cache in ["miss", "hit"] {
        let end = ask(&gate, &ports, as_caller("alice", &[]));
        assert_eq!(
            (end.cache.as_str(), end.status, end.reason.as_str()),
            (cache, 502, "answer_schema")
        );
    }
}

#[test]
fn a_kept_answer_is_cleaned_as_any_is() {
    let (gate, ports) = with_one(json!({ "limits": ["address"] }));
    ports.store.entries.borrow_mut().clear();
    let fields = [
        ("cache-control", "public, s-maxage=600"),
        ("server", "nginx"),
        ("x-request-id", "theirs"),
        ("access-control-allow-origin", "*"),
        ("ratelimit", "\"q\";r=1"),
        ("x-ratelimit-remaining", "1"),
        ("location", "http://10.0.0.1/"),
        ("cache-status", "inner; hit"),
        ("keep-alive", "timeout=5"),
        ("etag", "\"a\""),
        ("vary", "accept"),
    ];
    answers(&ports, &fields, "{}");
    for cache in ["miss", "hit"] {
        let end = ask(&gate, &ports, as_caller("alice", &[]));
        assert_eq!(end.cache, cache);
        let mut names: Vec<_> = end.fields.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| *name != "age");
        names.sort_unstable();
        let left = [
            "cache-control",
            "cache-status",
            "content-type",
            "etag",
            "vary",
        ];
        assert_eq!(names, left, "{cache}");
        assert_eq!(end.field("cache-control"), Some("private"));
        assert_eq!(end.field("vary"), Some("accept, x-api-key"));
    }
    let kept = ports.store.entries.borrow();
    let text = String::from_utf8(kept.values().next().unwrap().clone()).unwrap();
    assert!(text.contains("nginx"), "kept as it came");
    assert!(
        !text.contains("keep-alive") && !text.contains("x-internal"),
        "less what is of one hop"
    );
}

#[test]
fn what_an_origin_counted_once_is_not_told_again() {
    let mut plain = policy(json!({ "limits": [] }));
    plain["profile"] = json!("development");
    let (gate, ports) = (gate(&plain), ports());
    answers(
        &ports,
        &[("cache-control", "max-age=600"), ("ratelimit", "\"q\";r=1")],
        "{}",
    );
    let first = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (first.cache.as_str(), first.field("ratelimit")),
        ("miss", Some("\"q\";r=1"))
    );
    let again = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (again.cache.as_str(), again.field("ratelimit")),
        ("hit", None)
    );
}
