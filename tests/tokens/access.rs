//! Access tokens as their own profile (RFC 9068): what an authenticator with
//! `token_type: "at+jwt"` asks for.

use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, TokenFault as F};
use serde_json::{Value, json};

use crate::support::NOW_MS;
use crate::{alice, ed25519, expect, issuer, judge_by, judge_claims, with, wrong_claim};

fn access_rule() -> (JwtRule, KeySet) {
    let (rule, keys) = ed25519();
    let rule = JwtRule {
        token_type: Some("at+jwt".into()),
        ..rule
    };
    (rule, keys)
}

/// The claims of an access token, with one set; `null` takes it away.
fn access_with(name: &str, value: Value) -> Value {
    let mut claims = with("client_id", json!("app"));
    claims["jti"] = json!("t1");
    claims[name] = value;
    if claims[name].is_null() {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

fn access() -> Value {
    access_with("x", json!(1))
}

fn judge_access(claims: &Value) -> Result<String, F> {
    let (rule, keys) = access_rule();
    judge_by(&issuer().sign(claims), &rule, &keys, NOW_MS)
}

fn judge_type(typ: &Value) -> Result<String, F> {
    let (rule, keys) = access_rule();
    let mut header = issuer().header();
    header["typ"] = typ.clone();
    if typ.is_null() {
        header.as_object_mut().unwrap().remove("typ");
    }
    let text = issuer().sign_text(&header.to_string(), &access().to_string());
    judge_by(&text, &rule, &keys, NOW_MS)
}

#[test]
fn at_01_the_type_is_that_of_an_access_token() {
    expect(
        judge_type,
        [
            (json!("at+jwt"), alice()),
            (json!("application/at+jwt"), alice()),
            (json!("AT+JWT"), alice()),
            (json!("APPLICATION/at+jwt"), alice()),
            (json!("JWT"), Err(F::Type)),
            (json!("at+jwt2"), Err(F::Type)),
            (json!("id+jwt"), Err(F::Type)),
            (Value::Null, Err(F::Type)),
        ],
    );
}

#[test]
fn at_02_an_access_token_says_everything_that_it_has_to() {
    assert_eq!(judge_access(&access()), alice());
    for claim in ["iss", "exp", "sub", "iat"] {
        assert_eq!(
            judge_access(&access_with(claim, Value::Null)),
            wrong_claim(claim)
        );
    }
    assert_eq!(
        judge_access(&access_with("aud", Value::Null)),
        Err(F::Audience)
    );
    for claim in ["client_id", "jti"] {
        assert_eq!(
            judge_access(&access_with(claim, Value::Null)),
            wrong_claim(claim)
        );
        for wrong in [json!(""), json!(1), json!(["app"])] {
            let judged = judge_access(&access_with(claim, wrong.clone()));
            assert!(
                matches!(judged, Err(F::Claim { .. })),
                "{claim} {wrong}: {judged:?}"
            );
        }
    }
}

#[test]
fn at_03_iss_is_the_issuer_character_by_character() {
    for iss in [
        "https://issuer.example/",
        "https://Issuer.example",
        "https://issuer.example.evil",
        "issuer.example",
        "https://issuer.example\u{200b}",
        "",
    ] {
        assert_eq!(
            judge_access(&access_with("iss", json!(iss))),
            Err(F::Issuer),
            "{iss}"
        );
    }
}

#[test]
fn at_04_aud_names_this_api() {
    expect(
        judge_access,
        [
            (
                access_with("aud", json!(["other", "https://api.example"])),
                alice(),
            ),
            (access_with("aud", json!("other")), Err(F::Audience)),
            (access_with("aud", json!(["other"])), Err(F::Audience)),
        ],
    );
}

#[test]
fn at_05_an_unsecured_access_token_is_none() {
    let (rule, keys) = access_rule();
    let mut header = issuer().header();
    header["alg"] = json!("none");
    let text = issuer().sign_text(&header.to_string(), &access().to_string());
    assert_eq!(judge_by(&text, &rule, &keys, NOW_MS), Err(F::Algorithm));
}

/// An ID token is for the client that asked for it.
#[test]
fn at_06_an_id_token_is_no_access_token() {
    let mut claims = with("nonce", json!("n"));
    claims["aud"] = json!("app");
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" }).to_string();
    let to_the_client = issuer().sign_text(&header, &claims.to_string());
    let (rule, keys) = access_rule();
    assert_eq!(judge_by(&to_the_client, &rule, &keys, NOW_MS), Err(F::Type));
    // Where one client and the API go by the same name, and the policy names no type, its claims
    // tell: no access token has them.
    for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
        let text = issuer().sign(&with(claim, json!("x")));
        assert_eq!(crate::judge(&text), Err(F::Type), "{claim}");
    }
}

#[test]
fn at_07_scope_is_one_text_of_exact_words() {
    let scope = |value: Value| with("scope", value);
    let wrong = || Err(F::Claim { claim: "scope" });
    expect(
        judge_claims,
        [
            (scope(json!("read write")), alice()),
            (scope(json!("")), alice()),
            (scope(json!(["read", "write"])), wrong()),
            (scope(json!([1])), wrong()),
            (scope(json!([])), wrong()),
            (scope(json!(1)), wrong()),
            (scope(Value::Null), wrong()),
            (scope(json!("read\twrite")), wrong_claim("mapped")),
        ],
    );
}
