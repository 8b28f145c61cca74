//! What is wrong with a policy is told all at once, by place, with what to write instead.
//! Refresh with `UPDATE_EXPECT=1 cargo test --test policies`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod support;

use edgeward::policy::load::load;
use expect_test::expect_file;
use serde_json::{Value, json};
use support::bindings;

/// A policy that loads; `change` is laid over its fields.
fn policy(change: Value) -> Value {
    let mut policy = json!({
        "name": "orders",
        "origins": { "orders": { "url": "https://origin.example" } },
        "authenticators": { "keys": { "kind": "api_key" } },
        "limits": { "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 5, "window_s": 60, "on_error": "refuse" } },
        "routes": [route(json!({}))]
    });
    for (name, value) in change.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

fn route(change: Value) -> Value {
    let mut route = json!({
        "id": "list", "match": { "methods": ["GET"], "path": "/orders/{id}" },
        "origin": "orders", "auth": ["keys"], "limits": ["ip"]
    });
    for (name, value) in change.as_object().unwrap() {
        route[name] = value.clone();
    }
    route
}

fn jwt(change: Value) -> Value {
    let mut jwt = json!({
        "kind": "jwt", "issuer": "https://issuer.example", "audiences": ["a"],
        "algorithms": ["ES256"], "jwks_uri": "https://issuer.example/jwks.json"
    });
    for (name, value) in change.as_object().unwrap() {
        jwt[name] = value.clone();
    }
    jwt
}

fn faults(policy: &Value) -> Vec<String> {
    match load(policy.to_string().as_bytes(), &bindings()) {
        Ok(_) => vec!["loads".into()],
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn each_mistake_is_told_at_its_place_with_what_to_write_instead() {
    let routes = |routes: Vec<Value>| policy(json!({ "routes": routes }));
    let one = |change| routes(vec![route(change)]);
    let authenticators = |change| policy(json!({ "authenticators": change }));
    let other = |change: Value| {
        let mut other = route(change);
        other["id"] = json!("other");
        other
    };
    let cases = [
        ("as it should be", policy(json!({}))),
        ("no auth", one(json!({ "auth": null }))),
        ("an unknown field", one(json!({ "colour": "red" }))),
        (
            "an unknown authenticator",
            one(json!({ "auth": ["tokens"] })),
        ),
        ("an unknown origin", one(json!({ "origin": "nowhere" }))),
        (
            "an unknown limit",
            one(json!({ "limits": ["ip", "minute"] })),
        ),
        ("an unknown plan", policy(json!({ "default_plan": "gold" }))),
        (
            "an unknown limit in a plan",
            policy(json!({ "plans": { "free": { "limits": ["x"] } } })),
        ),
        (
            "one id twice",
            routes(vec![
                route(json!({})),
                route(json!({ "match": { "methods": ["GET"], "path": "/x" } })),
            ]),
        ),
        (
            "one path twice",
            routes(vec![
                route(json!({})),
                other(json!({ "match": { "methods": ["GET"], "path": "/orders/{other}" } })),
            ]),
        ),
        (
            "the gateway's own path",
            one(json!({ "match": { "methods": ["GET"], "path": "/.edgeward/x" } })),
        ),
        (
            "a path nobody can ask for",
            one(json!({ "match": { "methods": ["GET"], "path": "/a//b" } })),
        ),
        (
            "an unknown name in a rule",
            one(json!({ "allow": "path.account == caller.subject" })),
        ),
        (
            "a rule on its third line",
            one(
                json!({ "allow": "caller.kind == 'token'\n  && path.id != ''\n  && caller.scopes == 'read'" }),
            ),
        ),
        (
            "a rule that gives no truth",
            one(json!({ "allow": "caller.subject" })),
        ),
        (
            "a rule about content that nobody can send",
            one(json!({
                "match": { "methods": ["POST"], "path": "/orders/{id}" },
                "allow": "request.body.ammount > 5",
                "request": { "body": {
                    "type": "object", "additionalProperties": false,
                    "properties": { "amount": { "type": "integer" } }
                } }
            })),
        ),
        (
            "a cost that is no number",
            one(json!({ "cost": "path.id + 'x'" })),
        ),
        (
            "a role that nobody knows",
            policy(json!({ "roles": { "lead": { "inherits": ["support"] } } })),
        ),
        (
            "roles in a circle",
            policy(json!({ "roles": { "a": { "inherits": ["b"] }, "b": { "inherits": ["a"] } } })),
        ),
        (
            "a wildcard within a word",
            policy(json!({ "roles": { "a": ["pay*"] } })),
        ),
        (
            "a route of no tenant",
            policy(json!({ "tenancy": { "path": "tenantId" } })),
        ),
        (
            "a tenant in two places",
            policy(json!({ "tenancy": { "path": "id", "header": "x-tenant" } })),
        ),
        (
            "refused objects by tenant",
            policy(json!({ "limits": { "ip": {
                "by": "tenant", "algorithm": "sliding_window", "limit": 5, "window_s": 60,
                "on_error": "refuse", "counts": "refused_objects"
            } } })),
        ),
        (
            "a rule that does not parse",
            one(json!({ "allow": "path.id ==" })),
        ),
        (
            "a schema that does not compile",
            one(
                json!({ "request": { "query": { "type": "object", "properties": { "a": { "type": "strin" } } } } }),
            ),
        ),
        (
            "an unknown named schema",
            one(json!({ "request": { "body": { "$ref": "#/schemas/None" } } })),
        ),
        (
            "a parameter that is not in the path",
            one(json!({ "request": { "path": { "account": { "type": "string" } } } })),
        ),
        ("a cost above a limit", one(json!({ "cost": 6 }))),
        (
            "two authenticators of one issuer",
            authenticators(
                json!({ "keys": { "kind": "api_key" }, "a": jwt(json!({})), "b": jwt(json!({})) }),
            ),
        ),
        (
            "two authenticators of one header",
            authenticators(json!({ "keys": { "kind": "api_key" }, "more": { "kind": "api_key" } })),
        ),
        (
            "no secret for the pepper",
            authenticators(json!({ "keys": { "kind": "api_key", "pepper_binding": "NOTHING" } })),
        ),
        (
            "an identity without a key",
            policy(
                json!({ "origins": { "orders": { "url": "https://origin.example", "identity": {} } } }),
            ),
        ),
    ];
    let told =
        cases.map(|(name, policy)| format!("{name}\n    {}", faults(&policy).join("\n    ")));
    expect_file!["golden/policies.txt"].assert_eq(&(told.join("\n") + "\n"));
}

#[test]
fn production_refuses_what_is_fit_only_for_a_trial() {
    let short = [
        ("JWT_SECRET".to_owned(), "short".to_owned()),
        ("KEY_PEPPER".into(), support::PEPPER.into()),
    ];
    let lax = policy(json!({
        "profile": "production",
        "cors": { "origins": ["*"] },
        "origins": { "orders": { "url": "http://origin.example" }, "local": { "url": "http://127.0.0.1:1" } },
        "authenticators": {
            "keys": { "kind": "api_key" },
            "long": jwt(json!({ "max_lifetime_s": 3_601 })),
            "short": jwt(json!({ "issuer": "x", "algorithms": ["HS256"], "jwks_uri": null, "secret_binding": "JWT_SECRET" }))
        },
        "transport": { "min_tls": "1.1" },
        "routes": [route(json!({ "limits": [] }))]
    }));
    let mut lax = lax;
    lax["authenticators"]["short"]
        .as_object_mut()
        .unwrap()
        .remove("jwks_uri");
    let places = |policy: &Value| -> Vec<String> {
        let loaded = load(
            policy.to_string().as_bytes(),
            &support::bindings::Bindings(short.clone().into()),
        );
        let mut places: Vec<_> = loaded
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        places.dedup();
        places
    };
    assert_eq!(
        places(&lax),
        [
            "/authenticators/long/max_lifetime_s",
            "/authenticators/short/secret_binding",
            "/cors/origins/0",
            "/origins/orders/url",
            "/routes/0/limits",
            "/transport/min_tls",
        ]
    );
    lax["profile"] = json!("development");
    lax["transport"] = json!({});
    assert_eq!(places(&lax), Vec::<String>::new());
}

/// RFC 8725bis §3.10: what the gateway asks by itself is public, or on this machine for a trial.
#[test]
fn b_11_an_issuer_is_asked_at_a_public_https_address_alone() {
    let asking = |profile: &str, url: &str| {
        let introspection = json!({
            "kind": "introspection", "endpoint": url, "client_id": "edgeward",
            "client_secret_binding": "JWT_SECRET", "audiences": ["a"]
        });
        let authenticators = json!({
            "keys": { "kind": "api_key" }, "signed": jwt(json!({ "jwks_uri": url })),
            "opaque": introspection
        });
        let change = json!({ "profile": profile, "authenticators": authenticators });
        let mut told = faults(&policy(change));
        told.retain(|fault| !fault.contains("fragment"));
        told
    };
    let both = |told: &str| {
        ["opaque/endpoint", "signed/jwks_uri"]
            .map(|place| format!("/authenticators/{place}: {told}"))
            .to_vec()
    };
    let public = "Write the issuer's public address, as https://issuer.example/path";
    let trial = "Write the issuer's public https address; \
                 for a trial on this machine set profile to development";
    let loads = || vec!["loads".to_owned()];
    for (profile, url, expected) in [
        ("production", "https://issuer.example/x", loads()),
        (
            "production",
            "http://127.0.0.1:8789/x",
            both(&format!("the host is this machine. {trial}")),
        ),
        ("development", "http://127.0.0.1:8789/x", loads()),
        (
            "production",
            "https://issuer.internal/x",
            both(&format!("the host's name is private. {trial}")),
        ),
        ("development", "https://issuer.internal/x", loads()),
        (
            "production",
            "https://169.254.169.254/x",
            both(&format!("the address is link-local, not public. {public}")),
        ),
        (
            "development",
            "https://10.0.0.1/x",
            both(&format!("the address is private, not public. {public}")),
        ),
        (
            "development",
            "http://issuer.example/x",
            both(&format!(
                "what is asked would travel in the clear. {public}"
            )),
        ),
    ] {
        assert_eq!(asking(profile, url), expected, "{profile} {url}");
    }
}

#[test]
fn b_06_a_shared_secret_is_as_long_as_the_hash_and_so_is_the_one_before_it() {
    let mut shared = jwt(json!({ "algorithms": ["HS256"], "secret_binding": "S" }));
    shared.as_object_mut().unwrap().remove("jwks_uri");
    let keys = json!({ "kind": "api_key" });
    let policy = policy(json!({ "authenticators": { "keys": keys, "shared": shared } }));
    let told = |current: usize, previous: usize| {
        let secrets = [
            ("KEY_PEPPER".to_owned(), support::PEPPER.to_owned()),
            ("S".into(), "s".repeat(current)),
            ("S_PREVIOUS".into(), "s".repeat(previous)),
        ];
        let secrets = support::bindings::Bindings(secrets.into());
        let faults = load(policy.to_string().as_bytes(), &secrets).err();
        let faults = faults.unwrap_or_default().into_iter();
        faults.map(|fault| fault.problem).collect::<Vec<_>>()
    };
    assert_eq!(told(32, 32), Vec::<String>::new());
    assert_eq!(told(31, 32), ["the secret has under 32 bytes"]);
    assert_eq!(told(32, 31), ["S_PREVIOUS has under 32 bytes"]);
}

/// What the examples say of limits, plans and costs is enforced.
#[test]
fn every_limit_plan_and_cost_of_the_examples_loads() {
    let read = |name: &str| -> Value {
        let path = format!(
            "{}/schemas/examples/valid/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    for name in ["payments.json", "every-field.json", "limits.json"] {
        let told = load(read(name).to_string().as_bytes(), &bindings()).err();
        let faults = told.unwrap_or_default().into_iter();
        let mut places: Vec<_> = faults.map(|fault| fault.pointer).collect();
        places.retain(|place| {
            let of_limits = ["/limits", "/plans", "/default_plan"];
            let of_routes = ["/cost", "/limits", "/refund_on"];
            of_limits.iter().any(|start| place.starts_with(start))
                || of_routes.iter().any(|end| place.contains(end))
        });
        assert_eq!(places, Vec::<String>::new(), "{name}");
    }
}

/// A double may be a whole number: the schema is asked as it is for each other mistake.
#[test]
fn what_a_reader_is_not_sure_of_is_told_by_the_schema() {
    let mut policy = policy(json!({}));
    policy["limits"]["ip"]["window_s"] = json!(60.5);
    let told = faults(&policy);
    let is_told =
        |fault: &String| fault.contains("/limits/ip/window_s: ") && fault.contains("integer");
    assert!(told.iter().any(is_told), "{told:?}");
}

#[test]
fn text_that_is_no_policy_is_told_where() {
    for (text, place) in [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        (r#"{"name":"a","name":"b"}"#, "/name"),
        ("\u{feff}{}", ""),
    ] {
        let faults = load(text.as_bytes(), &bindings()).err().unwrap();
        assert_eq!(faults[0].pointer, place, "{text:?}: {faults:?}");
    }
}
