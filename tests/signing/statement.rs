//! The recipe of docs/IDENTITY.md by which an origin in Rust verifies a statement.

use crate::support::signer::{base64url, sign};
use crate::{KEY, signing};
use edgeward::identity::IdentityKeys;
use serde_json::json;

include!("recipe.rs");

const NOW_S: u64 = 1_800_000_000;

fn statement(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| base64url(json.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let keys = IdentityKeys::from_secrets(&signing()).unwrap().unwrap();
    format!("{signed}.{}", base64url(&sign(&keys, &signed)))
}

/// The key of the gateway under its id, and another's under another.
fn keys(kid: &str) -> Option<[u8; 32]> {
    let key: Value = serde_json::from_str(KEY).unwrap();
    let point = Base64UrlUnpadded::decode_vec(key["x"].as_str().unwrap()).unwrap();
    let other = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    match kid {
        "k-1" => point.try_into().ok(),
        "other" => Some(other.verifying_key().to_bytes()),
        _ => None,
    }
}

#[test]
fn the_page_has_the_recipe_that_is_tested() {
    let page = include_str!("../../docs/IDENTITY.md");
    let recipe = include_str!("recipe.rs");
    assert!(page.contains(&format!("<!-- identity.rs -->\n```rust\n{recipe}```\n")));
}

#[test]
fn the_recipe_takes_a_statement_and_nothing_like_one() {
    let header = json!({ "alg": "EdDSA", "kid": "k-1", "typ": "edgeward+jwt" });
    let claims = json!({ "aud": "orders", "exp": NOW_S + 1, "sub": "alice" });
    let good = statement(&header, &claims);
    let said = identify(&good, keys, NOW_S).unwrap();
    assert_eq!(said["sub"], "alice");
    let with = |object: &Value, name: &str, value: Value| {
        let mut object = object.clone();
        object[name] = value;
        object
    };
    let cases = [
        (
            "over",
            statement(&header, &with(&claims, "exp", json!(NOW_S))),
        ),
        (
            "for ever",
            statement(&header, &with(&claims, "exp", json!(null))),
        ),
        (
            "another's",
            statement(&header, &with(&claims, "aud", json!("stock"))),
        ),
        (
            "another algorithm",
            statement(&with(&header, "alg", json!("none")), &claims),
        ),
        (
            "another type",
            statement(&with(&header, "typ", json!("JWT")), &claims),
        ),
        (
            "an unknown key",
            statement(&with(&header, "kid", json!("k-2")), &claims),
        ),
        (
            "another key",
            statement(&with(&header, "kid", json!("other")), &claims),
        ),
        ("cut", good[..good.len() - 2].to_owned()),
        ("unsigned", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ("nothing", String::new()),
    ];
    for (what, text) in cases {
        assert_eq!(identify(&text, keys, NOW_S), None, "{what}");
    }
}
