//! Tokens that must not pass, by the ids of the requirement each breaks (RFC 7515: JS, RFC 7519:
//! JW, RFC 7518: AL, RFC 8725bis: B, RFC 9068: AT), and published vectors that must.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

#[path = "../support/mod.rs"]
mod support;
mod text;
mod vectors;

use edgeward::credential::claims::ClaimNames;
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, KeySource, TokenFault, UnverifiedToken};
use edgeward::credential::possession::{Scheme, SenderConstraint, Shown};
use edgeward::credential::signature::Algorithm;
use edgeward::credential::verified::TokenRule;
use edgeward::secret::Secret;
use serde_json::{Value, json};
use support::NOW_MS;
use support::signer::{self, Issuer, hs256};

const NOW_S: u64 = NOW_MS / 1_000;
const SECRET: &[u8] = b"a secret that both sides hold, and long enough";

fn rule(algorithms: &[Algorithm], keys: KeySource) -> JwtRule {
    JwtRule {
        token: TokenRule {
            name: "accounts".into(),
            audiences: vec!["https://api.example".into()],
            leeway_s: 30,
            sender_constraint: SenderConstraint::Optional,
            nonce_key: None,
            claims: ClaimNames {
                scopes: "scope".into(),
                roles: Some("roles".into()),
                tenant: Some("org".into()),
                plan: None,
                version: Some("ver".into()),
            },
        },
        issuer: "https://issuer.example".into(),
        algorithms: algorithms.to_vec(),
        keys,
        token_type: None,
        max_lifetime_s: 900,
    }
}

const BEARER: Shown<'static> = Shown {
    scheme: Scheme::Bearer,
    key: None,
    certificate: None,
};

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "alice",
        "iat": NOW_S, "exp": NOW_S + 300, "scope": "read write", "roles": ["customer"], "org": "acme"
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Judges a token by an issuer's published keys, signatures checked in Rust.
fn judge_by(text: &str, rule: &JwtRule, keys: &KeySet, now_ms: u64) -> Result<String, TokenFault> {
    let token = UnverifiedToken::parse(text)?;
    let mut last = TokenFault::KeyUnknown;
    for question in token.questions(rule, keys)? {
        let answer = question.answered(signer::verify(&question));
        match token.clone().verify(rule, &question, answer, now_ms) {
            Ok(verified) => {
                let caller = verified.admit(now_ms, &BEARER)?;
                return Ok(caller.subject.clone());
            }
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

fn issuer() -> Issuer {
    Issuer::new(1, "one")
}

fn ed25519() -> (JwtRule, KeySet) {
    let set = json!({ "keys": [issuer().jwk()] });
    let keys = KeySet::from_value(&set, &[Algorithm::Ed25519]).unwrap();
    (
        rule(&[Algorithm::Ed25519], KeySource::Inline(keys.clone())),
        keys,
    )
}

fn judge(text: &str) -> Result<String, TokenFault> {
    let (rule, keys) = ed25519();
    judge_by(text, &rule, &keys, NOW_MS)
}

#[test]
fn a_good_token_names_its_caller() {
    assert_eq!(judge(&issuer().sign(&claims())), Ok("alice".into()));
}

#[test]
fn claims_are_judged_by_type_and_range() {
    use TokenFault as F;
    let claim = |claim| Err(F::Claim { claim });
    for (id, claims, expected) in [
        (
            "JW-03 expired at the edge of the leeway",
            with("exp", json!(NOW_S - 30)),
            Err(F::Expired),
        ),
        (
            "JW-03 good within the leeway",
            with("exp", json!(NOW_S - 29)),
            Ok("alice".into()),
        ),
        (
            "JW-03 exp 0 is expired, not absent",
            with("exp", json!(0)),
            Err(F::Expired),
        ),
        (
            "JW-03 nbf ahead",
            with("nbf", json!(NOW_S + 31)),
            Err(F::NotYetValid),
        ),
        (
            "JW-03 nbf within the leeway",
            with("nbf", json!(NOW_S + 30)),
            Ok("alice".into()),
        ),
        (
            "JW-03 iat ahead",
            with("iat", json!(NOW_S + 31)),
            Err(F::NotYetValid),
        ),
        (
            "JW-03 lives too long",
            with("exp", json!(NOW_S + 901)),
            Err(F::Lifetime),
        ),
        (
            "JW-03 lives just long enough",
            with("exp", json!(NOW_S + 900)),
            Ok("alice".into()),
        ),
        (
            "JW-02 exp as text",
            with("exp", json!((NOW_S + 300).to_string())),
            claim("exp"),
        ),
        ("JW-02 exp null", with("exp", Value::Null), claim("exp")),
        ("JW-02 exp true", with("exp", json!(true)), claim("exp")),
        ("JW-02 exp negative", with("exp", json!(-1)), claim("exp")),
        (
            "JW-02 exp over 2^53",
            with("exp", json!(u64::MAX)),
            claim("exp"),
        ),
        (
            "JW-04 exp at 2^53 overflows nothing",
            with("exp", json!(9_007_199_254_740_991_u64)),
            Err(F::Lifetime),
        ),
        ("JW-02 nbf as text", with("nbf", json!("0")), claim("nbf")),
        ("AT-02 no exp", without("exp"), claim("exp")),
        ("AT-02 no iat", without("iat"), claim("iat")),
        ("AT-02 no sub", without("sub"), claim("sub")),
        ("AT-02 empty sub", with("sub", json!("")), claim("sub")),
        (
            "JW-06 sub no text",
            with("sub", json!(["alice"])),
            claim("sub"),
        ),
        ("AT-04 no aud", without("aud"), Err(F::Audience)),
        (
            "JW-05 another aud",
            with("aud", json!("https://api.example/")),
            Err(F::Audience),
        ),
        (
            "JW-05 aud in a list",
            with("aud", json!(["x", "https://api.example"])),
            Ok("alice".into()),
        ),
        ("JW-05 empty aud", with("aud", json!([])), claim("aud")),
        (
            "JW-05 aud of numbers",
            with("aud", json!([1])),
            claim("aud"),
        ),
        (
            "AT-03 another iss",
            with("iss", json!("https://issuer.example/")),
            Err(F::Issuer),
        ),
        (
            "JW-06 iss in a list",
            with("iss", json!(["https://issuer.example"])),
            claim("iss"),
        ),
        ("AT-03 no iss", without("iss"), claim("iss")),
        (
            "AT-07 scope of numbers",
            with("scope", json!([1])),
            claim("mapped"),
        ),
        (
            "DP-15 bound to a key nobody showed",
            with("cnf", json!({ "jkt": "x" })),
            Err(F::Bound),
        ),
    ] {
        assert_eq!(judge(&issuer().sign(&claims)), expected, "{id}");
    }
}

#[test]
fn headers_that_choose_or_change_are_refused() {
    use TokenFault as F;
    let header = |name: &str, value: Value| {
        let mut header = issuer().header();
        header[name] = value;
        header.to_string()
    };
    let refused = |parameter| Err(F::Header { parameter });
    for (id, header, expected) in [
        (
            "JS-05 alg none",
            header("alg", json!("none")),
            Err(F::Algorithm),
        ),
        (
            "B-02 alg in another case",
            header("alg", json!("eddsa")),
            Err(F::Algorithm),
        ),
        (
            "JS-05 alg in a list",
            header("alg", json!(["EdDSA"])),
            refused("alg"),
        ),
        (
            "JS-05 alg missing",
            header("alg", json!("")),
            Err(F::Algorithm),
        ),
        (
            "AL-08 another algorithm",
            header("alg", json!("ES256")),
            Err(F::Algorithm),
        ),
        (
            "RFC 9864 the new name",
            header("alg", json!("Ed25519")),
            Ok("alice".into()),
        ),
        ("JS-06 jwk", header("jwk", issuer().jwk()), refused("jwk")),
        (
            "JS-06 jku",
            header("jku", json!("https://evil.example")),
            refused("jku"),
        ),
        (
            "JS-06 x5u",
            header("x5u", json!("https://evil.example")),
            refused("x5u"),
        ),
        ("JS-06 x5c", header("x5c", json!([])), refused("x5c")),
        (
            "JS-09 crit",
            header("crit", json!(["exp"])),
            refused("crit"),
        ),
        (
            "JS-09 empty crit",
            header("crit", json!([])),
            refused("crit"),
        ),
        ("B6-02 b64", header("b64", json!(false)), refused("b64")),
        ("B-07 zip", header("zip", json!("DEF")), refused("zip")),
        ("JW-08 nested", header("cty", json!("JWT")), refused("cty")),
        ("JS-07 kid no text", header("kid", json!(1)), refused("kid")),
        (
            "JS-07 unknown kid",
            header("kid", json!("../../dev/null")),
            Err(F::KeyUnknown),
        ),
        (
            "JS-07 kid too long",
            header("kid", json!("a".repeat(257))),
            refused("kid"),
        ),
        (
            "B-11 typ of another kind",
            header("typ", json!("dpop+jwt")),
            Err(F::Type),
        ),
        (
            "B-11 typ logout",
            header("typ", json!("logout+jwt")),
            Err(F::Type),
        ),
        (
            "JS-08 typ JWT",
            header("typ", json!("jwt")),
            Ok("alice".into()),
        ),
        (
            "JS-08 typ in full",
            header("typ", json!("application/AT+jwt")),
            Ok("alice".into()),
        ),
    ] {
        let text = issuer().sign_text(&header, &claims().to_string());
        assert_eq!(judge(&text), expected, "{id}");
    }
}

#[test]
fn a_named_type_is_required_where_the_policy_says_so() {
    let (rule, keys) = ed25519();
    let rule = JwtRule {
        token_type: Some("at+jwt".into()),
        ..rule
    };
    for (typ, expected) in [
        (json!("at+jwt"), Ok("alice".to_owned())),
        (json!("application/at+jwt"), Ok("alice".to_owned())),
        (json!("JWT"), Err(TokenFault::Type)),
    ] {
        let mut header = issuer().header();
        header["typ"] = typ.clone();
        let text = issuer().sign_text(&header.to_string(), &claims().to_string());
        assert_eq!(judge_by(&text, &rule, &keys, NOW_MS), expected, "{typ}");
    }
    let text = issuer().sign_text(r#"{"alg":"EdDSA","kid":"one"}"#, &claims().to_string());
    assert_eq!(judge_by(&text, &rule, &keys, NOW_MS), Err(TokenFault::Type));
}

#[test]
fn a_shared_secret_verifies_its_algorithm_alone() {
    let secret = Secret::new(String::from_utf8(SECRET.to_vec()).unwrap());
    let rule = rule(
        &[Algorithm::Hs256],
        KeySource::Shared {
            current: secret.clone(),
            previous: None,
        },
    );
    let judge = |text: &str| {
        let token = UnverifiedToken::parse(text)?;
        token
            .verify_shared(&rule, std::iter::once(&secret), NOW_MS)
            .and_then(|token| Ok(token.admit(NOW_MS, &BEARER)?.subject.clone()))
    };
    let header = |alg: &str| json!({ "alg": alg, "typ": "JWT" });
    assert_eq!(
        judge(&hs256(&header("HS256"), &claims(), SECRET)),
        Ok("alice".into())
    );
    assert_eq!(
        judge(&hs256(&header("HS256"), &claims(), b"other")),
        Err(TokenFault::Signature)
    );
    assert_eq!(judge(&issuer().sign(&claims())), Err(TokenFault::Algorithm));
    // #104: the public key as the secret of an HMAC.
    let public = issuer().jwk().to_string();
    let confused = hs256(&header("HS256"), &claims(), public.as_bytes());
    assert_eq!(self::judge(&confused), Err(TokenFault::Algorithm));
}
