//! The header: what it must say, and what it may not (RFC 7515 §4, RFC 7797, RFC 8725bis §3).

use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::TokenFault as F;
use edgeward::credential::signature::Algorithm;
use serde_json::{Value, json};

use crate::support::NOW_MS;
use crate::support::signer::{Issuer, base64url};
use crate::{
    alice, claims, ed25519, expect, header_with, issuer, judge, judge_by, judge_header,
    wrong_header,
};

/// Signs good claims under a header of any text.
fn judge_text(header: &str) -> Result<String, F> {
    judge(&issuer().sign_text(header, &claims().to_string()))
}

#[test]
fn js_04_a_parameter_stands_once() {
    for header in [
        r#"{"alg":"none","alg":"EdDSA","kid":"one"}"#,
        r#"{"alg":"EdDSA","alg":"EdDSA","kid":"one"}"#,
        r#"{"alg":"EdDSA","kid":"two","kid":"one"}"#,
        r#"{"\u0061lg":"none","alg":"EdDSA","kid":"one"}"#,
        r#"{"alg":"EdDSA","kid":"one","x":{"a":1,"a":2}}"#,
    ] {
        assert_eq!(judge_text(header), Err(F::Malformed), "{header}");
    }
}

#[test]
fn js_05_alg_is_there_is_text_and_has_one_case() {
    let without = json!({ "typ": "at+jwt", "kid": "one" });
    let alg = |value: Value| header_with("alg", value);
    expect(
        judge_header,
        [
            (alg(json!("EdDSA")), alice()),
            (alg(json!("Ed25519")), alice()),
            (without, Err(F::Algorithm)),
            (alg(json!("")), Err(F::Algorithm)),
            (alg(json!("eddsa")), Err(F::Algorithm)),
            (alg(json!("EDDSA")), Err(F::Algorithm)),
            (alg(json!("EdDSA ")), Err(F::Algorithm)),
            (alg(json!(["EdDSA"])), wrong_header("alg")),
            (alg(json!({ "EdDSA": true })), wrong_header("alg")),
            (alg(json!(1)), wrong_header("alg")),
            (alg(Value::Null), wrong_header("alg")),
        ],
    );
}

#[test]
fn js_06_a_token_brings_no_key_and_points_to_none() {
    let own = issuer().jwk();
    let attackers = Issuer::new(2, "one");
    expect(
        judge_header,
        [
            (header_with("jwk", own), wrong_header("jwk")),
            (header_with("jwk", Value::Null), wrong_header("jwk")),
            (
                header_with("jku", json!("https://issuer.example/keys")),
                wrong_header("jku"),
            ),
            (
                header_with("jku", json!("https://idp@evil.example#")),
                wrong_header("jku"),
            ),
            (
                header_with("x5u", json!("https://evil.example")),
                wrong_header("x5u"),
            ),
            (header_with("x5c", json!(["MII"])), wrong_header("x5c")),
            (header_with("x5c", json!([])), wrong_header("x5c")),
        ],
    );
    let mut header = attackers.header();
    header["jwk"] = attackers.jwk();
    let forged = attackers.sign_text(&header.to_string(), &claims().to_string());
    assert_eq!(judge(&forged), wrong_header("jwk"));
}

#[test]
fn js_07_kid_is_short_text_compared_whole() {
    let kid = |value: Value| header_with("kid", value);
    let unknown = || Err(F::KeyUnknown);
    expect(
        judge_header,
        [
            (kid(json!("one")), alice()),
            (kid(json!("One")), unknown()),
            (kid(json!("one ")), unknown()),
            (kid(json!("")), unknown()),
            (kid(json!("../../dev/null")), unknown()),
            (kid(json!("one' OR '1'='1")), unknown()),
            (kid(json!("https://evil.example/one")), unknown()),
            (kid(json!("a".repeat(256))), unknown()),
            (kid(json!("a".repeat(257))), wrong_header("kid")),
            (kid(json!("é".repeat(129))), wrong_header("kid")),
            (kid(json!("one\0")), Err(F::Malformed)),
            (kid(json!(1)), wrong_header("kid")),
            (kid(json!(["one"])), wrong_header("kid")),
            (kid(Value::Null), wrong_header("kid")),
        ],
    );
}

#[test]
fn js_08_typ_is_a_media_type_that_may_leave_out_application() {
    let typ = |value: Value| header_with("typ", value);
    expect(
        judge_header,
        [
            (typ(json!("at+jwt")), alice()),
            (typ(json!("AT+JWT")), alice()),
            (typ(json!("application/at+jwt")), alice()),
            (typ(json!("Application/AT+jwt")), alice()),
            (typ(json!("jwt")), alice()),
            (typ(json!("text/at+jwt")), Err(F::Type)),
            (typ(json!("application/application/at+jwt")), Err(F::Type)),
            (typ(json!("at+jwt;v=1")), Err(F::Type)),
            (typ(json!(" at+jwt")), Err(F::Type)),
            (typ(json!("")), Err(F::Type)),
            (typ(json!(["at+jwt"])), wrong_header("typ")),
            (typ(Value::Null), wrong_header("typ")),
        ],
    );
}

/// Nothing is understood, so nothing may be critical: malformed or not, the outcome is one.
#[test]
fn js_09_crit_is_refused_in_every_form() {
    let forms = [
        json!(["exp"]),
        json!(["b64"]),
        json!(["x"]),
        json!(["alg"]),
        json!(["x", "x"]),
        json!([1]),
        json!([]),
        json!("b64"),
        json!({ "b64": true }),
        Value::Null,
        json!(false),
    ];
    for crit in forms {
        let mut header = header_with("crit", crit.clone());
        header["x"] = json!(true);
        assert_eq!(judge_header(&header), wrong_header("crit"), "{crit}");
        // Before the signature counts: one that is wrong changes nothing.
        let text = Issuer::new(2, "one").sign_text(&header.to_string(), &claims().to_string());
        assert_eq!(judge(&text), wrong_header("crit"), "{crit}");
    }
}

#[test]
fn js_10_a_header_is_a_json_object_in_utf_8_with_one_reading() {
    let good = issuer().header().to_string();
    let put = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    for header in [
        format!("\u{feff}{good}"),
        format!("{good}{good}"),
        format!("{good}x"),
        format!("[{good}]"),
        format!("\"{}\"", "EdDSA"),
        "null".into(),
        String::new(),
        put(r#""x":"\ud800""#),
        put(r#""x":NaN"#),
        put(r#""x":Infinity"#),
        put(r#""x":1e400"#),
        put(r#""x":01"#),
        put("'x':1"),
        put("x:1"),
        put("/* x */\"x\":1"),
        put("\"x\":\"\n\""),
        good.replace('}', ",}"),
    ] {
        assert_eq!(judge_text(&header), Err(F::Malformed), "{header:?}");
    }
    let payload = base64url(claims().to_string().as_bytes());
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin_1 = [good.as_bytes(), b"\xe9"].concat();
    let within = put("\"x\":\"?\"").replace('?', "\u{1}").into_bytes();
    let within: Vec<u8> = within
        .iter()
        .map(|byte| if *byte == 1 { 0xff } else { *byte })
        .collect();
    for header in [utf_16, latin_1, within] {
        let text = issuer().sign_input(&format!("{}.{payload}", base64url(&header)));
        assert_eq!(judge(&text), Err(F::Malformed), "{header:02x?}");
    }
    assert_eq!(
        judge_text(&format!(" {good}\n")),
        alice(),
        "white space is JSON's"
    );
}

/// One letter as one character, and the same letter as two.
#[test]
fn js_11_text_is_compared_as_it_stands() {
    let (one, two) = ("caf\u{e9}", "cafe\u{301}");
    let mut jwk = issuer().jwk();
    jwk["kid"] = json!(one);
    let keys = KeySet::from_value(&json!({ "keys": [jwk] }), &[Algorithm::Ed25519]).unwrap();
    let (rule, _) = ed25519();
    for (kid, expected) in [(one, alice()), (two, Err(F::KeyUnknown))] {
        let text = issuer().sign_text(
            &header_with("kid", json!(kid)).to_string(),
            &claims().to_string(),
        );
        assert_eq!(judge_by(&text, &rule, &keys, NOW_MS), expected, "{kid}");
    }
    let escaped = r#"{"alg":"EdDSA","kid":"\u006fne"}"#;
    assert_eq!(
        judge_text(escaped),
        alice(),
        "an escape is another spelling of one text"
    );
}

#[test]
fn b6_01_b64_is_refused_without_crit() {
    for b64 in [json!(true), json!(false)] {
        assert_eq!(
            judge_header(&header_with("b64", b64.clone())),
            wrong_header("b64"),
            "{b64}"
        );
    }
}

#[test]
fn b6_02_an_unencoded_payload_is_no_token() {
    let mut header = header_with("b64", json!(false));
    assert_eq!(judge_header(&header), wrong_header("b64"));
    header["crit"] = json!(["b64"]);
    let plain = format!("{}.{}", base64url(header.to_string().as_bytes()), "{}");
    assert_eq!(judge(&issuer().sign_input(&plain)), wrong_header("crit"));
}

#[test]
fn b6_03_b64_is_refused_in_every_type() {
    for b64 in [json!("false"), json!(0), Value::Null, json!([])] {
        assert_eq!(
            judge_header(&header_with("b64", b64.clone())),
            wrong_header("b64"),
            "{b64}"
        );
    }
}
