//! Best current practices (RFC 8725bis §3) that no other table holds.

use edgeward::credential::dpop::{Proof, ProofFault};
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, KeySource, TokenFault as F, UnverifiedToken};
use edgeward::credential::signature::Algorithm;
use edgeward::credential::verify::{TokenRules, verify};
use edgeward::refusal::Refusal;
use edgeward::secret::Secret;
use serde_json::{Value, json};

use crate::support::signer::{Issuer, es256, es256_jwk};
use crate::support::{FakePorts, NOW_MS, run};
use crate::{
    BEARER, alice, claims, ed25519, expect, header_with, issuer, judge, judge_by, judge_claims,
    judge_header, rule, with, without, wrong_header,
};

#[test]
fn b_01_the_policy_lists_algorithms_and_a_key_has_one_of_them() {
    use Algorithm::{Ed25519, Es256};
    let set = json!({ "keys": [es256_jwk(9, "ec"), issuer().jwk()] });
    let ec = |kid: &str| es256(9, &json!({ "alg": "ES256", "kid": kid }), &claims());
    for (algorithms, token, expected) in [
        (&[Es256, Ed25519][..], ec("ec"), alice()),
        (&[Es256, Ed25519], issuer().sign(&claims()), alice()),
        (&[Es256, Ed25519], ec("one"), Err(F::KeyUnknown)),
        (&[Ed25519], ec("ec"), Err(F::Algorithm)),
        (&[Es256], issuer().sign(&claims()), Err(F::Algorithm)),
        (&[], ec("ec"), Err(F::Algorithm)),
    ] {
        let keys = KeySet::from_value(&set, algorithms).unwrap();
        let rule = rule(algorithms, KeySource::Inline(keys.clone()));
        let judged = judge_by(&token, &rule, &keys, NOW_MS);
        assert_eq!(judged, expected, "{algorithms:?}");
    }
}

#[test]
fn b_02_a_name_in_another_case_is_no_algorithm() {
    for alg in [
        "eddsa", "EDDSA", "ed25519", "noNE", "Hs256", "es256", "rs256", "Ps256",
    ] {
        assert_eq!(
            judge_header(&header_with("alg", json!(alg))),
            Err(F::Algorithm),
            "{alg}"
        );
    }
}

#[test]
fn b_03_a_policy_cannot_ask_for_none() {
    for name in ["none", "None", "NONE", ""] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}

#[test]
fn b_04_an_encrypted_token_is_no_signed_one() {
    let enc = json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "one" }).to_string();
    let three_parts = issuer().sign_text(&enc, &claims().to_string());
    assert_eq!(judge(&three_parts), Err(F::Algorithm));
    let (header, rest) = three_parts.split_once('.').unwrap();
    assert_eq!(judge(&format!("{header}.AA.AA.{rest}")), Err(F::Malformed));
}

#[test]
fn b_07_a_compressed_token_is_refused() {
    for zip in [json!("DEF"), json!(""), json!(false), Value::Null] {
        let judged = judge_header(&header_with("zip", zip.clone()));
        assert_eq!(judged, wrong_header("zip"), "{zip}");
    }
}

#[test]
fn b_08_claims_are_utf_8() {
    let header = issuer().header().to_string();
    let sign = |payload: &[u8]| {
        let base64url = crate::support::signer::base64url;
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload));
        judge(&issuer().sign_input(&input))
    };
    let good = claims().to_string();
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin_1: Vec<u8> = with("name", json!("\u{e9}"))
        .to_string()
        .chars()
        .map(|c| c as u8)
        .collect();
    let overlong = with("name", json!("\u{1}"))
        .to_string()
        .replace("\\u0001", "\u{1}");
    let overlong = overlong
        .bytes()
        .flat_map(|b| if b == 1 { vec![0xc0, 0x80] } else { vec![b] });
    assert_eq!(sign(good.as_bytes()), alice());
    for payload in [utf_16, latin_1, overlong.collect()] {
        assert_eq!(sign(&payload), Err(F::Malformed), "{payload:02x?}");
    }
}

/// Two issuers with one key id: each token is judged by its own issuer's keys.
#[test]
fn b_09_keys_belong_to_one_issuer() {
    let rule_of = |name: &str, seed: u8| -> JwtRule {
        let set = json!({ "keys": [Issuer::new(seed, "one").jwk()] });
        let keys = KeySet::from_value(&set, &[Algorithm::Ed25519]).unwrap();
        let mut rule = rule(&[Algorithm::Ed25519], KeySource::Inline(keys));
        rule.token.name = name.into();
        rule.issuer = format!("https://{name}.example");
        rule
    };
    let (a, b) = (rule_of("a", 1), rule_of("b", 2));
    let rules = TokenRules {
        signed: vec![&a, &b],
        opaque: None,
        known: Vec::new(),
    };
    let ask = |issuer: &str, seed: u8| {
        let claims = with("iss", json!(issuer));
        let text = Secret::new(Issuer::new(seed, "one").sign(&claims));
        let token = run(verify(&FakePorts::new(), &text, &rules, "gate", NOW_MS));
        token.map(|token| {
            let caller = token.admit(NOW_MS, &BEARER).unwrap();
            (
                caller.authenticator.clone(),
                caller.issuer.clone(),
                caller.subject.clone(),
            )
        })
    };
    let caller = |name: &str| {
        Ok((
            name.into(),
            format!("https://{name}.example"),
            "alice".into(),
        ))
    };
    let refused = |fault| Err(Refusal::TokenRefused { fault });
    assert_eq!(ask("https://a.example", 1), caller("a"));
    assert_eq!(ask("https://b.example", 2), caller("b"));
    assert_eq!(ask("https://a.example", 2), refused(F::Signature));
    assert_eq!(ask("https://b.example", 1), refused(F::Signature));
    assert_eq!(ask("https://c.example", 1), refused(F::Issuer));
    // Judged by the other's rule and keys whole, it is still of another issuer.
    let (_, keys) = ed25519();
    let text = issuer().sign(&with("iss", json!("https://b.example")));
    assert_eq!(judge_by(&text, &a, &keys, NOW_MS), Err(F::Issuer));
}

#[test]
fn b_10_a_token_for_nobody_is_not_for_us() {
    assert_eq!(judge_claims(&without("aud")), Err(F::Audience));
}

#[test]
fn b_12_a_type_that_is_there_is_the_expected_one() {
    let typ = |value: &str| header_with("typ", json!(value));
    let without = json!({ "alg": "EdDSA", "kid": "one" });
    expect(
        judge_header,
        [
            (without, alice()),
            (typ("JWT"), alice()),
            (typ("at+jwt"), alice()),
            (typ("dpop+jwt"), Err(F::Type)),
            (typ("logout+jwt"), Err(F::Type)),
            (typ("secevent+jwt"), Err(F::Type)),
            (typ("token-introspection+jwt"), Err(F::Type)),
            (typ("edgeward+jwt"), Err(F::Type)),
            (typ("JOSE"), Err(F::Type)),
        ],
    );
}

/// A proof is no token and a token no proof, though one key may sign both.
#[test]
fn b_13_each_kind_of_token_has_rules_that_no_other_meets() {
    let mut header = issuer().header();
    header["jwk"] = issuer().jwk();
    header["typ"] = json!("dpop+jwt");
    let mut said = claims();
    said["jti"] = json!("j");
    said["htm"] = json!("GET");
    said["htu"] = json!("https://api.example/orders");
    let proof = issuer().sign_text(&header.to_string(), &said.to_string());
    assert!(Proof::parse(&proof).is_ok());
    assert_eq!(judge(&proof), wrong_header("jwk"));
    header["typ"] = json!("at+jwt");
    let token = issuer().sign_text(&header.to_string(), &said.to_string());
    assert_eq!(Proof::parse(&token).err(), Some(ProofFault::Type));
}

#[test]
fn b_14_algorithms_that_derive_keys_from_passwords_are_unknown() {
    for alg in [
        "PBES2-HS256+A128KW",
        "PBES2-HS512+A256KW",
        "dir",
        "A128KW",
        "ECDH-ES",
        "RSA1_5",
    ] {
        let mut header = header_with("alg", json!(alg));
        header["p2c"] = json!(1_000_000_000);
        assert_eq!(judge_header(&header), Err(F::Algorithm), "{alg}");
    }
}

/// RFC 9449 §7.2: as a bearer token it would be worth stealing again.
#[test]
fn dp_15_a_bound_token_is_no_bearer_token() {
    let hash = crate::support::signer::base64url(&[7; 32]);
    for cnf in [json!({ "jkt": hash }), json!({ "x5t#S256": hash })] {
        assert_eq!(
            judge_claims(&with("cnf", cnf.clone())),
            Err(F::Bound),
            "{cnf}"
        );
    }
}

#[test]
fn a_signature_belongs_to_one_token_and_one_key() {
    let good = issuer().sign(&claims());
    let other = issuer().sign(&with("sub", json!("root")));
    let (stolen, forged) = (
        good.rsplit('.').next().unwrap(),
        other.rsplit_once('.').unwrap().0,
    );
    let zeros = crate::support::signer::base64url(&[0; 64]);
    for text in [
        format!("{forged}.{stolen}"),
        Issuer::new(2, "one").sign(&claims()),
        format!("{forged}.{zeros}"),
    ] {
        assert_eq!(judge(&text), Err(F::Signature), "{text}");
    }
}

#[test]
fn an_answer_to_another_question_proves_nothing() {
    let (rule, keys) = ed25519();
    let good = UnverifiedToken::parse(&issuer().sign(&claims())).unwrap();
    let text = Issuer::new(2, "one").sign(&with("sub", json!("root")));
    let forged = UnverifiedToken::parse(&text).unwrap();
    let question = good.questions(&rule, &keys).unwrap().remove(0);
    let answer = question.answered(true);
    let own = forged.questions(&rule, &keys).unwrap().remove(0);
    for (asked, answer) in [
        (&question, answer),
        (&own, answer),
        (&own, own.answered(false)),
    ] {
        let judged = forged.clone().verify(&rule, asked, answer, NOW_MS);
        assert_eq!(judged.err(), Some(F::Signature));
    }
}
