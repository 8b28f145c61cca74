//! What of an answer's head leaves: what becomes of 5xx, of addresses, and of who may keep it.

use edgeward::answer::keeping::Keeping;
use edgeward::policy::load::load;
use serde_json::{Value, json};

use crate::support::{bindings, gate};
use crate::{Told, get, policy, told};

fn answer(status: u16, fields: &[(&'static str, &'static str)]) -> Told {
    Told {
        status,
        fields: fields.to_vec(),
        ..told("{}")
    }
}

/// What is set on an answer in place of what it said; `None`: it is not set.
fn set(rules: Value, given: &Told, name: &str) -> Option<String> {
    let end = get(&rules, given);
    assert_eq!(end.reason, "released");
    let set = end.set.into_iter();
    set.filter(|(one, _)| *one == name)
        .map(|(_, value)| value)
        .next()
}

fn is_removed(rules: Value, given: &Told, name: &str) -> bool {
    get(&rules, given).removed.iter().any(|one| one == name)
}

#[test]
fn a_5xx_is_kept_back_with_its_kind_and_the_line_has_its_status() {
    for (status, told) in [
        (500, "502 origin_failed"),
        (501, "502 origin_failed"),
        (502, "502 origin_failed"),
        (503, "503 origin_failed"),
        (504, "504 origin_failed"),
        (599, "502 origin_failed"),
        (499, "as it came"),
        (404, "as it came"),
        (200, "as it came"),
    ] {
        let end = get(&json!({ "errors": "hide" }), &answer(status, &[]));
        assert_eq!(end.row(), told, "{status}");
        assert_eq!(end.line["origin"]["status"], status);
        let passed = get(&json!({}), &answer(status, &[]));
        assert_eq!(passed.row(), "as it came", "{status}");
    }
    // A rule over answers has nothing left to judge.
    let judged = json!({ "errors": "hide", "response": { "allow": "false" } });
    let end = get(&judged, &answer(500, &[]));
    assert_eq!(end.row(), "502 origin_failed");
    assert!(!end.asked.contains(&"answer"));
}

#[test]
fn an_origin_hides_its_errors_unless_it_or_its_route_says_otherwise() {
    for (origin, route, is_hidden) in [
        (None, None, true),
        (Some("hide"), None, true),
        (Some("pass"), None, false),
        (Some("pass"), Some("hide"), true),
        (None, Some("pass"), false),
        (Some("hide"), Some("pass"), false),
    ] {
        let mut policy = policy(json!({ "split": { "p": 50 } }));
        policy["origins"]["o"] = json!({ "url": "https://origin.example" });
        policy["origins"]["p"] = json!({ "url": "https://other.example" });
        if let Some(origin) = origin {
            policy["origins"]["o"]["errors"] = json!(origin);
            policy["origins"]["p"]["errors"] = json!(origin);
        }
        if let Some(route) = route {
            policy["routes"][0]["errors"] = json!(route);
        }
        let gate = gate(&policy);
        let targets = [gate.routes[0].target(), gate.routes[0].split[0].1.clone()];
        for target in targets {
            let hides = target.errors == edgeward::origin::rule::Errors::Hide;
            assert_eq!(hides, is_hidden, "{origin:?} {route:?}");
        }
    }
}

#[test]
fn an_address_of_the_inside_becomes_the_gateway_s_or_is_not_told() {
    for status in [201, 302, 404] {
        for name in ["location", "content-location"] {
            let own = answer(status, &[(name, "https://origin.example/o/8?a=1")]);
            let public = set(json!({}), &own, name);
            assert_eq!(public.as_deref(), Some("https://api.example.com/o/8?a=1"));
            let private = answer(status, &[(name, "http://169.254.169.254/")]);
            assert!(is_removed(json!({}), &private, name));
            let elsewhere = answer(status, &[(name, "https://login.example.net/")]);
            assert_eq!(set(json!({}), &elsewhere, name), None);
            assert!(!is_removed(json!({}), &elsewhere, name));
        }
    }
    let link = answer(200, &[("link", "<https://origin.example/o?p=2>; rel=next")]);
    assert_eq!(
        set(json!({}), &link, "link").as_deref(),
        Some("<https://api.example.com/o?p=2>; rel=next")
    );
    let mixed = answer(200, &[("link", "</a>; rel=a, <http://10.0.0.1/>; rel=b")]);
    assert!(is_removed(json!({}), &mixed, "link"));
}

#[test]
fn an_origin_takes_no_word_of_the_gateway_s_out_by_naming_it_in_connection() {
    let fields = [
        ("cache-control", "public"),
        ("vary", "accept"),
        ("location", "https://origin.example/o"),
        ("connection", "Cache-Control, vary, location"),
    ];
    let mine = json!({ "cacheable_by": "caller" });
    let given = answer(200, &fields);
    assert_eq!(
        set(mine.clone(), &given, "cache-control").as_deref(),
        Some("private")
    );
    // What is only put into other words goes.
    assert_eq!(set(mine.clone(), &given, "location"), None);
    assert!(is_removed(mine, &given, "location"));
    let judged = json!({ "response": { "allow": "true" } });
    assert_eq!(
        set(judged, &given, "cache-control").as_deref(),
        Some("private, no-cache")
    );
    let all = json!({ "cacheable_by": "everyone" });
    assert!(is_removed(all, &given, "cache-control"));
}

#[test]
fn a_length_that_is_none_is_not_told() {
    for (length, is_told) in [
        ("5", true),
        ("-1", false),
        ("2, 3", false),
        ("x", false),
        ("", false),
    ] {
        let given = answer(200, &[("content-length", length)]);
        assert_eq!(
            is_removed(json!({}), &given, "content-length"),
            !is_told,
            "{length}"
        );
    }
}

#[test]
fn who_may_keep_an_answer_is_the_route_s_to_say() {
    let public = answer(200, &[("cache-control", "public, max-age=60")]);
    let (mine, all) = (
        json!({ "cacheable_by": "caller" }),
        json!({ "cacheable_by": "everyone" }),
    );
    let told = set(mine.clone(), &public, "cache-control");
    assert_eq!(told.as_deref(), Some("private, max-age=60"));
    assert_eq!(set(all.clone(), &public, "cache-control"), None);
    let targeted = answer(200, &[("cdn-cache-control", "max-age=600")]);
    assert!(is_removed(mine.clone(), &targeted, "cdn-cache-control"));
    assert!(!is_removed(all.clone(), &targeted, "cdn-cache-control"));
    for rules in [mine, all] {
        let told = set(rules.clone(), &answer(404, &[]), "cache-control");
        assert_eq!(told.as_deref(), Some("no-store"));
        assert_eq!(set(rules, &answer(404, &[]), "vary"), None);
    }
    // What was judged for one caller is stricter still, and an error of its own no laxer.
    let judged = json!({ "response": { "allow": "true" }, "cacheable_by": "everyone" });
    let told = set(judged.clone(), &public, "cache-control");
    assert_eq!(told.as_deref(), Some("private, no-cache"));
    let told = set(judged, &answer(401, &[]), "cache-control");
    assert_eq!(told.as_deref(), Some("no-store"));
}

#[test]
fn a_route_with_a_credential_is_its_caller_s_and_varies_by_where_that_stands() {
    let mut policy = policy(json!({}));
    policy["authenticators"] = json!({
        "keys": { "kind": "api_key", "header": "x-own-key" },
        "more": { "kind": "api_key", "prefix": "mo", "header": "x-more-key", "pepper_binding": "NONCE_SECRET" },
        "opaque": {
            "kind": "introspection", "endpoint": "https://issuer.example/i", "client_id": "e",
            "client_secret_binding": "INTROSPECTION_SECRET", "audiences": ["a"]
        },
        "devices": { "kind": "client_certificate", "subjects": [{
            "fingerprint_sha256": "0".repeat(64), "subject": "d"
        }] }
    });
    for (auth, cacheable_by, keeping, fields) in [
        (json!("public"), None, Keeping::Everyone, vec![]),
        (json!("public"), Some("caller"), Keeping::Caller, vec![]),
        (json!(["keys"]), None, Keeping::Caller, vec!["x-own-key"]),
        (
            json!(["keys"]),
            Some("everyone"),
            Keeping::Everyone,
            vec!["x-own-key"],
        ),
        (json!(["devices"]), None, Keeping::Caller, vec![]),
        (
            json!(["opaque", "keys", "more", "devices"]),
            None,
            Keeping::Caller,
            vec!["authorization", "x-own-key", "x-more-key"],
        ),
    ] {
        policy["routes"][0]["auth"] = auth.clone();
        match cacheable_by {
            Some(by) => policy["routes"][0]["cacheable_by"] = json!(by),
            None => drop(
                policy["routes"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("cacheable_by"),
            ),
        }
        let loaded = load(policy.to_string().as_bytes(), &bindings());
        let gate = loaded.map_err(|faults| faults[0].to_string()).unwrap();
        let route = &gate.routes[0];
        assert_eq!(route.keeping, keeping, "{auth}");
        assert_eq!(route.credential_fields, fields, "{auth}");
    }
}
