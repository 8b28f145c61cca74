//! Claims by type and range (RFC 7519).

use edgeward::credential::jwt::TokenFault as F;
use serde_json::{Value, json};

use crate::support::NOW_MS;
use crate::support::signer::base64url;
use crate::{
    NOW_S, alice, claims, ed25519, expect, header_with, issuer, judge, judge_by, judge_claims,
    judge_header, with, without, wrong_claim, wrong_header,
};

/// Signs a payload of any text under a good header.
fn judge_payload(payload: &str) -> Result<String, F> {
    judge(&issuer().sign_text(&issuer().header().to_string(), payload))
}

#[test]
fn jw_01_a_claim_stands_once() {
    let put = |member: &str| {
        claims()
            .to_string()
            .replacen('{', &format!("{{{member},"), 1)
    };
    for payload in [
        put(r#""sub":"root""#),
        put(r#""sub":"alice""#),
        put(r#""\u0073ub":"root""#),
        put(r#""x":{"y":1,"y":1}"#),
        put(r#""iss":"https://evil.example""#),
    ] {
        assert_eq!(judge_payload(&payload), Err(F::Malformed), "{payload}");
    }
}

/// Of the wrong type is not absent (CVE-2026-25537, CVE-2026-44459).
#[test]
fn jw_02_a_numeric_date_is_a_number_in_range() {
    let good_exp = NOW_S + 300;
    for claim in ["exp", "nbf", "iat"] {
        let judge_as = |number: &str| {
            let text = with(claim, json!("PLACE")).to_string();
            judge_payload(&text.replace("\"PLACE\"", number))
        };
        let wrong = [
            "\"1800000000\"",
            "\"\"",
            "true",
            "false",
            "null",
            "[1800000000]",
            "[]",
            "{}",
            "-1",
            "-0.5",
            "9007199254740992",
            "18446744073709551615",
        ];
        for number in wrong {
            assert_eq!(judge_as(number), wrong_claim(claim), "{claim} {number}");
        }
        let unreadable = [
            "1e400",
            "-1e400",
            "1e16",
            "18446744073709551616",
            "NaN",
            "Infinity",
            "0x1",
            "1_0",
            "01",
            "+1",
            "1.",
        ];
        for number in unreadable {
            assert_eq!(judge_as(number), Err(F::Malformed), "{claim} {number}");
        }
        let good = if claim == "exp" { good_exp } else { NOW_S };
        for number in [
            format!("{good}"),
            format!("{good}.0"),
            format!("{good}.75"),
            format!("{good}e0"),
        ] {
            assert_eq!(judge_as(&number), alice(), "{claim} {number}");
        }
    }
}

#[test]
fn jw_03_a_token_is_good_between_two_instants_and_not_for_long() {
    expect(
        judge_claims,
        [
            (with("exp", json!(NOW_S - 29)), alice()),
            (with("exp", json!(NOW_S - 30)), Err(F::Expired)),
            (with("exp", json!(0)), Err(F::Expired)),
            (with("exp", json!(-0.0)), Err(F::Expired)),
            (with("nbf", json!(NOW_S + 30)), alice()),
            (with("nbf", json!(NOW_S + 31)), Err(F::NotYetValid)),
            (with("nbf", json!(0)), alice()),
            (with("iat", json!(NOW_S + 30)), alice()),
            (with("iat", json!(NOW_S + 31)), Err(F::NotYetValid)),
            (with("exp", json!(NOW_S + 900)), alice()),
            (with("exp", json!(NOW_S + 901)), Err(F::Lifetime)),
            (with("iat", json!(NOW_S - 600)), alice()),
            (with("iat", json!(NOW_S - 601)), Err(F::Lifetime)),
        ],
    );
}

#[test]
fn jw_04_leeway_overflows_nothing() {
    let (rule, keys) = ed25519();
    // A quarter of a million years on, and still a date to `jwt-compact`.
    const FAR_S: u64 = 8_000_000_000_000;
    let late = issuer().sign(&with("exp", json!(FAR_S)));
    let early = issuer().sign(&with("nbf", json!(FAR_S)));
    for (leeway_s, at_the_end, before) in [
        (0, Err(F::Expired), Err(F::NotYetValid)),
        (60, Err(F::Expired), Err(F::NotYetValid)),
        (u64::MAX, alice(), alice()),
    ] {
        let mut rule = rule.clone();
        rule.max_lifetime_s = u64::MAX;
        rule.token.leeway_s = leeway_s;
        assert_eq!(judge_by(&late, &rule, &keys, NOW_MS), alice(), "{leeway_s}");
        assert_eq!(
            judge_by(&late, &rule, &keys, u64::MAX),
            at_the_end,
            "{leeway_s}"
        );
        assert_eq!(judge_by(&early, &rule, &keys, NOW_MS), before, "{leeway_s}");
    }
    let most = json!(9_007_199_254_740_991_u64);
    assert_eq!(judge_claims(&with("exp", most)), Err(F::Lifetime));
}

#[test]
fn jw_05_aud_is_text_or_a_list_of_text_and_matches_whole() {
    let aud = |value: Value| with("aud", value);
    expect(
        judge_claims,
        [
            (aud(json!("https://api.example")), alice()),
            (aud(json!(["x", "https://api.example"])), alice()),
            (aud(json!("https://api.example/")), Err(F::Audience)),
            (aud(json!("https://api.example.evil")), Err(F::Audience)),
            (aud(json!("https://API.example")), Err(F::Audience)),
            (aud(json!("api.example")), Err(F::Audience)),
            (aud(json!("")), Err(F::Audience)),
            (aud(json!(["x"])), Err(F::Audience)),
            (aud(json!([])), wrong_claim("aud")),
            (aud(json!([1])), wrong_claim("aud")),
            (aud(json!(["https://api.example", 1])), wrong_claim("aud")),
            (
                aud(json!(["https://api.example", null])),
                wrong_claim("aud"),
            ),
            (aud(json!([["https://api.example"]])), wrong_claim("aud")),
            (
                aud(json!({ "https://api.example": true })),
                wrong_claim("aud"),
            ),
            (aud(Value::Null), wrong_claim("aud")),
        ],
    );
}

/// A list with the right issuer in it is not the right issuer (CVE-2025-30144).
#[test]
fn jw_06_iss_and_sub_are_text() {
    for iss in [
        json!(["https://issuer.example"]),
        json!(1),
        Value::Null,
        json!({}),
    ] {
        assert_eq!(
            judge_claims(&with("iss", iss.clone())),
            wrong_claim("iss"),
            "{iss}"
        );
    }
    for sub in [
        json!(["alice"]),
        json!(1),
        Value::Null,
        json!(true),
        json!(""),
    ] {
        assert_eq!(
            judge_claims(&with("sub", sub.clone())),
            wrong_claim("sub"),
            "{sub}"
        );
    }
    let long = with("sub", json!("a".repeat(257)));
    assert_eq!(judge_claims(&long), wrong_claim("sub"));
    assert_eq!(
        judge_claims(&with("sub", json!("a\u{7}"))),
        wrong_claim("sub")
    );
}

/// StringOrURI is compared as text: no letter case, no ending, no escape of a URI is levelled.
#[test]
fn jw_07_a_uri_is_compared_as_text() {
    expect(
        judge_claims,
        [
            (with("iss", json!("HTTPS://issuer.example")), Err(F::Issuer)),
            (
                with("iss", json!("https://issuer.example/")),
                Err(F::Issuer),
            ),
            (
                with("iss", json!("https://issuer.example:443")),
                Err(F::Issuer),
            ),
            (
                with("iss", json!("https://issuer.ex%61mple")),
                Err(F::Issuer),
            ),
            (
                with("aud", json!("https://api.ex%61mple")),
                Err(F::Audience),
            ),
            (with("sub", json!("alice")), alice()),
        ],
    );
}

#[test]
fn jw_08_a_nested_token_is_refused() {
    for cty in [
        json!("JWT"),
        json!("jwt"),
        json!("application/jwt"),
        json!("text/plain"),
        json!(1),
    ] {
        let judged = judge_header(&header_with("cty", cty.clone()));
        assert_eq!(judged, wrong_header("cty"), "{cty}");
    }
    // Nested without saying so: the payload is a token, and no object.
    let inner = issuer().sign(&claims());
    assert_eq!(judge_payload(&inner), Err(F::Malformed));
    assert_eq!(judge_payload(&json!(inner).to_string()), Err(F::Malformed));
}

#[test]
fn jw_09_an_unsecured_token_is_none() {
    for alg in ["none", "None", "nOnE", "NONE", "none ", ""] {
        let header = header_with("alg", json!(alg));
        assert_eq!(judge_header(&header), Err(F::Algorithm), "{alg}");
        let (header, payload) = (header.to_string(), claims().to_string());
        let input = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(payload.as_bytes())
        );
        assert_eq!(judge(&format!("{input}.")), Err(F::Malformed), "{alg}");
        assert_eq!(judge(&input), Err(F::Malformed), "{alg}");
    }
}

#[test]
fn jw_10_claims_are_a_json_object_in_utf_8() {
    let good = claims().to_string();
    for payload in [
        "[]".into(),
        "null".into(),
        "\"alice\"".into(),
        "1".into(),
        String::new(),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        format!("{good}{good}"),
        good.replacen('{', "{\"x\":\"\\udc00\",", 1),
    ] {
        assert_eq!(judge_payload(&payload), Err(F::Malformed), "{payload:?}");
    }
    for name in ["exp", "iat", "sub", "iss"] {
        assert_eq!(judge_claims(&without(name)), wrong_claim(name));
    }
}
