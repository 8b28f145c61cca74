//! DP-09: one spelling of the URL that a proof is made for.

use edgeward::credential::dpop::target;
use proptest::prelude::*;
use serde_json::json;

use crate::support::holder::Holder;
use crate::{ask, bound, gate, policy, proof, request};

#[test]
fn dp_09_spellings_of_one_url_are_one_target() {
    let own = Some("https://api.example.com/orders");
    for (url, expected) in [
        ("https://api.example.com/orders", own),
        ("HTTPS://api.example.com/orders", own),
        ("https://API.Example.COM/orders", own),
        ("https://api.example.com:443/orders", own),
        ("https://api.example.com/orders?x=1", own),
        ("https://api.example.com/orders#top", own),
        (
            "https://api.example.com/orders?x=https://evil.example/",
            own,
        ),
        ("https://api.example.com/orders#?", own),
        ("https://api.example.com/%6frders", own),
        ("https://api.example.com/%6Frders", own),
        ("https://api.example.com", Some("https://api.example.com/")),
        (
            "https://api.example.com?x=1",
            Some("https://api.example.com/"),
        ),
        (
            "https://api.example.com/orders/",
            Some("https://api.example.com/orders/"),
        ),
        (
            "https://api.example.com/Orders",
            Some("https://api.example.com/Orders"),
        ),
        (
            "https://api.example.com:8443/orders",
            Some("https://api.example.com:8443/orders"),
        ),
        (
            "https://api.example.com:80/orders",
            Some("https://api.example.com:80/orders"),
        ),
        (
            "http://api.example.com:80/orders",
            Some("http://api.example.com/orders"),
        ),
        (
            "http://api.example.com:443/orders",
            Some("http://api.example.com:443/orders"),
        ),
        (
            "https://[2001:DB8::1]/orders",
            Some("https://[2001:db8::1]/orders"),
        ),
        (
            "https://[2001:db8::1]:443/orders",
            Some("https://[2001:db8::1]/orders"),
        ),
        (
            "https://[2001:db8::443]/orders",
            Some("https://[2001:db8::443]/orders"),
        ),
        (
            "https://api.example.com/caf%c3%a9",
            Some("https://api.example.com/caf%C3%A9"),
        ),
        (
            "https://api.example.com/a%20b",
            Some("https://api.example.com/a%20b"),
        ),
        ("", None),
        ("/orders", None),
        ("api.example.com/orders", None),
        ("//api.example.com/orders", None),
        ("https:api.example.com/orders", None),
        ("https:///orders", None),
        ("https://:443/orders", None),
        ("ftp://api.example.com/orders", None),
        ("javascript://api.example.com/orders", None),
        (" https://api.example.com/orders", None),
        ("https://user@api.example.com/orders", None),
        ("https://user:pass@api.example.com/orders", None),
        ("https://api.example.com@evil.example/orders", None),
        ("https://evil.example\\@api.example.com/orders", None),
        ("https://api.example.com/../orders", None),
        ("https://api.example.com/a/%2e%2e/orders", None),
        ("https://api.example.com/./orders", None),
        ("https://api.example.com//orders", None),
        ("https://api.example.com/a%2forders", None),
        ("https://api.example.com/a%5corders", None),
        ("https://api.example.com/orders;x=1", None),
        ("https://api.example.com/%zz", None),
        ("https://api.example.com/orders%00", None),
        ("https://api.example.com/%252e%252e", None),
        ("https://api.example.com/caf\u{e9}", None),
        ("https://api.example.com/orders ", None),
    ] {
        assert_eq!(target(url).as_deref(), expected, "DP-09 {url:?}");
    }
}

/// The gate reached at `authority`, with or without a `public_url`: whether a proof for `htu` is
/// taken.
fn is_taken(public_url: Option<&str>, authority: &str, path: &str, htu: &str) -> bool {
    let mut policy = policy();
    if let Some(url) = public_url {
        policy["public_url"] = json!(url);
    }
    let gate = gate(&policy);
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    let proof = proof(&holder, &token, json!({ "htu": htu }));
    let authorization = format!("DPoP {token}");
    let fields = [
        ("authorization", authorization.as_str()),
        ("dpop", &proof),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
    ];
    let mut facts = request("GET", path, &fields, "");
    facts.authority = authority.to_owned();
    let told = ask(&gate, facts);
    assert!(
        matches!(told.reason, "-" | "proof_target"),
        "{}",
        told.line()
    );
    told.status == 200
}

#[test]
fn dp_09_a_proof_is_for_this_host_port_and_path() {
    for (path, htu, taken) in [
        ("/orders", "https://api.example.com/orders", true),
        ("/orders?page=2", "https://api.example.com/orders", true),
        (
            "/orders?page=2",
            "https://api.example.com/orders?page=3",
            true,
        ),
        ("/%6frders", "https://api.example.com/orders", true),
        ("/orders", "https://api.example.com/%6frders", true),
        ("/orders", "HTTPS://API.EXAMPLE.COM:443/orders#x", true),
        ("/orders/7", "https://api.example.com/orders/7", true),
        ("/orders/7", "https://api.example.com/orders/8", false),
        ("/orders/7", "https://api.example.com/orders", false),
        ("/orders", "https://api.example.com/orders/", false),
        ("/orders", "https://api.example.com/Orders", false),
        ("/orders", "http://api.example.com/orders", false),
        ("/orders", "http://api.example.com:443/orders", false),
        ("/orders", "https://api.example.com:8443/orders", false),
        (
            "/orders",
            "https://api.example.com.evil.example/orders",
            false,
        ),
        ("/orders", "https://evil.example/orders", false),
        (
            "/orders",
            "https://evil.example/https://api.example.com/orders",
            false,
        ),
        ("/orders", "https://user@api.example.com/orders", false),
        ("/orders", "https://api.example.com/x/../orders", false),
        ("/orders", "/orders", false),
        ("/orders", "https://origin.example/orders", false),
    ] {
        assert_eq!(
            is_taken(None, "api.example.com", path, htu),
            taken,
            "DP-09 {path} {htu}"
        );
    }
}

#[test]
fn dp_09_the_public_url_decides_where_there_is_one() {
    let public = Some("https://api.example.com");
    for (public_url, authority, htu, taken) in [
        (
            public,
            "gate.internal",
            "https://api.example.com/orders",
            true,
        ),
        (
            public,
            "gate.internal",
            "https://gate.internal/orders",
            false,
        ),
        (public, "evil.example", "https://evil.example/orders", false),
        (
            Some("https://API.example.com:443"),
            "gate.internal",
            "https://api.example.com/orders",
            true,
        ),
        (
            Some("https://api.example.com:8443"),
            "api.example.com",
            "https://api.example.com/orders",
            false,
        ),
        (
            Some("https://api.example.com:8443"),
            "x",
            "https://api.example.com:8443/orders",
            true,
        ),
        (
            Some("https://[2001:db8::1]"),
            "x",
            "https://[2001:DB8::1]:443/orders",
            true,
        ),
        (
            None,
            "[2001:db8::1]:8443",
            "https://[2001:DB8::1]:8443/orders",
            true,
        ),
        (None, "[2001:db8::1]", "https://[2001:db8::2]/orders", false),
        (
            None,
            "API.example.com:443",
            "https://api.example.com/orders",
            true,
        ),
        (
            None,
            "user@api.example.com",
            "https://api.example.com/orders",
            false,
        ),
    ] {
        let is_taken = is_taken(public_url, authority, "/orders", htu);
        assert_eq!(is_taken, taken, "DP-09 {public_url:?} {authority} {htu}");
    }
}

proptest! {
    /// A target is its own target, and no text makes one of two.
    #[test]
    fn dp_09_a_target_stays_what_it_is(url in "(https?|HTTP)://[A-Za-z0-9.:\\[\\]@-]{0,20}[/A-Za-z0-9.%~?#;\\\\ -]{0,24}") {
        if let Some(one) = target(&url) {
            let again = target(&one);
            prop_assert_eq!(again.as_deref(), Some(one.as_str()));
            prop_assert!(!one.contains(['?', '#', '@', '\\', ' ']));
        }
    }
}
