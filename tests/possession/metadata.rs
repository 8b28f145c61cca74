//! Protected-resource metadata: PR-01 to PR-07 (RFC 9728).

use edgeward::house::{is_own, page};
use edgeward::reply::{Kept, own};
use edgeward::resource::METADATA_PATH;
use serde_json::{Value, json};

use crate::{ask, gate, policy, request};

const BASE: &str = "https://api.example.com";

fn document(policy: &Value) -> Option<Value> {
    let page = page(METADATA_PATH, Some(&gate(policy)), BASE)?;
    serde_json::from_str(&page.text).ok()
}

/// It is made of the policy and the address alone: there is no caller that it could depend on.
#[test]
fn pr_02_and_07_the_document_is_json_and_anyone_may_keep_it() {
    let gate = gate(&policy());
    let page = page(METADATA_PATH, Some(&gate), BASE).unwrap();
    assert_eq!(
        (page.status, page.content_type),
        (200, "application/json"),
        "PR-02"
    );
    let document: Value = serde_json::from_str(&page.text).unwrap();
    assert!(document.is_object(), "PR-02");
    assert!(page.may_be_kept, "PR-07: the same for everyone");
    let cache = &own(Kept::Shortly)[0];
    assert_eq!(
        *cache,
        ("cache-control", "public, max-age=300".to_owned()),
        "PR-07"
    );
}

#[test]
fn pr_03_and_04_the_document_says_what_a_client_needs() {
    let mut policy = policy();
    policy["routes"][0]["require"] = json!({ "scopes": ["orders:write", "orders:read"] });
    policy["routes"][1]["require"] = json!({ "scopes": ["orders:read"] });
    let document = document(&policy).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": BASE,
            "authorization_servers": [
                "https://issuer.example", "https://loose.example", "https://nonce.example",
                "https://strict.example"
            ],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders:read", "orders:write"],
            "dpop_signing_alg_values_supported": ["ES256", "Ed25519", "ES384", "PS256", "RS256"],
            "tls_client_certificate_bound_access_tokens": true,
            "resource_name": "orders"
        })
    );
}

#[test]
fn pr_04_what_is_not_taken_is_not_published() {
    let mut policy = policy();
    for name in ["accounts", "noncing", "strict", "loose"] {
        policy["authenticators"][name]["sender_constraint"] = json!("off");
        let entry = policy["authenticators"][name].as_object_mut().unwrap();
        entry.shift_remove("dpop_nonce_binding");
    }
    let bearer = document(&policy).unwrap();
    for absent in [
        "dpop_signing_alg_values_supported",
        "tls_client_certificate_bound_access_tokens",
        "scopes_supported",
    ] {
        assert_eq!(bearer.get(absent), None, "PR-04 {absent}");
    }
    let authenticators = policy["authenticators"].as_object_mut().unwrap();
    authenticators.retain(|name, _| name == "keys" || name == "devices" || name == "robots");
    for route in policy["routes"].as_array_mut().unwrap() {
        if route["auth"] != "public" {
            route["auth"] = json!(["keys"]);
        }
    }
    assert_eq!(
        document(&policy),
        None,
        "an API without tokens has no such document"
    );
    assert_eq!(
        page(METADATA_PATH, None, BASE),
        None,
        "nor has one without a policy"
    );
}

#[test]
fn pr_01_and_06_one_path_is_the_documents() {
    let gate = gate(&policy());
    assert_eq!(
        METADATA_PATH, "/.well-known/oauth-protected-resource",
        "PR-01"
    );
    assert!(is_own(METADATA_PATH));
    for path in [
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/x",
        "/.well-known/oauth-protected-resource%2Fx",
        "/.well-known/oauth-protected-resourcex",
        "/.well-known/OAuth-Protected-Resource",
        "/x/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource?x",
    ] {
        assert_eq!(page(path, Some(&gate), BASE), None, "PR-06 {path}");
    }
    // Spelled in another way it is the same path, and no route's.
    let told = ask(
        &gate,
        request("GET", "/.well-known/oauth%2Dprotected-resource", &[], ""),
    );
    assert_eq!(told.status, 404, "PR-06");
}

#[test]
fn pr_06_no_route_can_stand_in_its_place() {
    let mut policy = policy();
    policy["routes"][5]["match"]["path"] = json!("/{*rest}");
    let gate = gate(&policy);
    assert_eq!(
        ask(&gate, request("GET", "/elsewhere", &[], "")).status,
        200
    );
    assert_eq!(
        ask(&gate, request("GET", METADATA_PATH, &[], "")).status,
        404,
        "PR-06"
    );
    let below = format!("{METADATA_PATH}/orders");
    assert_eq!(
        ask(&gate, request("GET", &below, &[], "")).status,
        404,
        "no other resource is here"
    );
}

#[test]
fn pr_03_the_resource_is_the_identifier_it_was_asked_by() {
    for base in [BASE, "https://[2001:db8::1]:8443", "http://localhost:8787"] {
        let page = page(METADATA_PATH, Some(&gate(&policy())), base).unwrap();
        let document: Value = serde_json::from_str(&page.text).unwrap();
        assert_eq!(document["resource"], base, "PR-03");
    }
}
