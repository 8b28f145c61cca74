//! What is wrong with how a policy has origins reached and told. Refresh with `UPDATE_EXPECT=1`.

use edgeward::policy::load::load;
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::support::bindings;
use crate::{policy, signing};

#[test]
fn each_mistake_is_told_at_its_place_with_what_to_write_instead() {
    let origin = |change| policy(change, json!({}));
    let bound = |field: &str, name: &str| {
        let mut policy = origin(json!({}));
        policy["origins"]["api"][field] = json!(name);
        policy
    };
    let large = json!({ "request": { "max_bytes": 8_388_609 } });
    let split =
        json!({ "origin": "plain", "split": { "api": 5 }, "request": { "max_bytes": 8_388_609 } });
    let mut of_a_split = policy(json!({}), split);
    of_a_split["origins"]["plain"] = json!({ "url": "https://plain.example" });
    let read_only = json!({
        "match": { "methods": ["GET"], "path": "/orders/{id}" }, "request": { "max_bytes": 8_388_609 }
    });
    let mut both = bound("service_binding", "ORDERS");
    both["origins"]["api"]["client_certificate_binding"] = json!("ORDERS_MTLS");
    let mut clear = bound("client_certificate_binding", "ORDERS_MTLS");
    clear["origins"]["api"]["url"] = json!("http://127.0.0.1:1");
    let when_read = json!({ "signature": { "content_digest": "when_read" } });
    let cases = [
        ("as it should be", origin(json!({}))),
        (
            "a statement in the place of a signature",
            origin(json!({ "identity": { "header": "signature-input" } })),
        ),
        (
            "content too large for a digest",
            policy(json!({}), large.clone()),
        ),
        ("content too large for another origin's", of_a_split),
        ("no content at all", policy(json!({}), read_only)),
        ("content that need not be read", policy(when_read, large)),
        (
            "a service that is bound",
            bound("service_binding", "ORDERS"),
        ),
        ("a service that is not", bound("service_binding", "NOTHING")),
        (
            "a certificate that is bound",
            bound("client_certificate_binding", "ORDERS_MTLS"),
        ),
        (
            "a certificate that is not",
            bound("client_certificate_binding", "NOTHING"),
        ),
        ("a certificate without TLS", clear),
        ("a service with a certificate", both),
    ];
    let faults = |policy: &Value| match load(policy.to_string().as_bytes(), &signing()) {
        Ok(_) => "loads".to_owned(),
        Err(faults) => faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n    "),
    };
    let told = cases.map(|(name, policy)| format!("{name}\n    {}\n", faults(&policy)));
    expect_file!["../golden/origins.txt"].assert_eq(&told.concat());
}

#[test]
fn without_a_key_nothing_is_signed_and_no_policy_that_says_so_loads() {
    let policy = policy(json!({}), json!({})).to_string();
    let faults = load(policy.as_bytes(), &bindings()).err().unwrap();
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let fix = "Bind one with `npx wrangler secret put IDENTITY_KEY`";
    let expected = format!("/origins/api/signature: there is no key to sign it with. {fix}");
    assert_eq!(told, [expected]);
}

#[test]
fn the_name_of_a_key_has_to_fit_into_a_field() {
    let mut secrets = signing();
    let key = secrets.0.get_mut("IDENTITY_KEY").unwrap();
    *key = key.replace("k-1", "ключ");
    let policy = policy(json!({}), json!({})).to_string();
    let faults = load(policy.as_bytes(), &secrets).err().unwrap();
    assert_eq!(faults[0].pointer, "/origins/api/signature");
    assert!(faults[0].problem.contains("`kid`"), "{faults:?}");
}

#[test]
fn what_is_signed_must_not_be_over_before_the_last_try() {
    let told = |origin: Value, route: Value| {
        let mut policy = policy(origin, route);
        policy["origins"]["api"]["retry"] = json!({ "attempts": 1 });
        let faults = load(policy.to_string().as_bytes(), &signing())
            .err()
            .unwrap_or_default();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    // One try, a pause, and a second for the way.
    assert_eq!(
        told(json!({ "timeout_ms": 58_600 }), json!({})),
        Vec::<String>::new()
    );
    let over = |what: &str| {
        format!(
            "/routes/0/origin: the `{what}` of a request to `api` is over before it is sent for the last \
             time. Raise `ttl_s` of its `{what}` to 61, or lower `timeout_ms` or `retry.attempts`"
        )
    };
    let both = [over("identity"), over("signature")];
    assert_eq!(told(json!({ "timeout_ms": 58_601 }), json!({})), both);
    assert_eq!(told(json!({}), json!({ "timeout_ms": 58_601 })), both);
}
