//! Algorithms and keys (RFC 7518, RFC 8037, RFC 9864). What a key set passes over is shown beside
//! `src/credential/jwk.rs`; signatures of many forms in `wycheproof.rs`.

use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, KeySource, TokenFault as F, UnverifiedToken};
use edgeward::credential::signature::Algorithm;
use edgeward::secret::Secret;
use serde_json::{Value, json};

use crate::support::NOW_MS;
use crate::support::signer::{base64url, es256, es256_jwk, hs256};
use crate::{BEARER, alice, claims, issuer, judge, judge_by, rule};

const SECRET: &str = "a secret that both sides hold, and long enough";

fn es256_rule(jwk: &Value, algorithms: &[Algorithm]) -> (JwtRule, KeySet) {
    let keys = KeySet::from_value(&json!({ "keys": [jwk] }), algorithms).unwrap();
    (rule(algorithms, KeySource::Inline(keys.clone())), keys)
}

fn es256_token(alg: &str) -> String {
    es256(9, &json!({ "alg": alg, "kid": "ec" }), &claims())
}

#[test]
fn al_02_an_ecdsa_signature_is_r_and_s_at_full_length() {
    let (rule, keys) = es256_rule(&es256_jwk(9, "ec"), &[Algorithm::Es256]);
    let good = es256_token("ES256");
    let judge = |text: &str| judge_by(text, &rule, &keys, NOW_MS);
    assert_eq!(judge(&good), alice());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(signature).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&raw).unwrap().to_der();
    let (r, s) = raw.split_at(32);
    // The order of P-256, one more than the largest scalar.
    let mut order = (-p256::Scalar::ONE).to_bytes().to_vec();
    order[31] += 1;
    let zero = [0; 32];
    let with = |r: &[u8], s: &[u8]| [r, s].concat();
    let mut wrong = vec![
        der.as_bytes().to_vec(),
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
        [&[0], &raw[..]].concat(),
        [&[0], r, &[0], s].concat(),
        with(s, r),
    ];
    for odd in [&zero[..], &order[..]] {
        wrong.extend([with(odd, s), with(r, odd), with(odd, odd)]);
    }
    wrong.push(with(&zero, &order));
    wrong.push(with(&order, &zero));
    for signature in wrong {
        let judged = judge(&format!("{input}.{}", base64url(&signature)));
        assert_eq!(judged, Err(F::Signature), "{signature:02x?}");
    }
}

/// The runtime, and its twin here, look whether a point lies on its curve; see `docs/STANDARDS.md`.
#[test]
fn al_04_a_point_off_its_curve_verifies_nothing() {
    let mut jwk = es256_jwk(9, "ec");
    jwk["y"] = json!(base64url(&[1; 32]));
    let (rule, keys) = es256_rule(&jwk, &[Algorithm::Es256]);
    let judged = judge_by(&es256_token("ES256"), &rule, &keys, NOW_MS);
    assert_eq!(judged, Err(F::Signature));
}

#[test]
fn al_06_a_shared_secret_verifies_its_algorithm_alone_and_no_public_key_is_one() {
    let [secret, before, other] = [
        SECRET,
        "the one before it, and as long as it has to be",
        "other",
    ]
    .map(|text| Secret::new(text.into()));
    let source = KeySource::Shared {
        current: secret.clone(),
        previous: None,
    };
    let rule = rule(&[Algorithm::Hs256], source);
    let by = |text: &str, secrets: &[&Secret]| {
        let token = UnverifiedToken::parse(text)?;
        let token = token.verify_shared(&rule, secrets.iter().copied(), NOW_MS)?;
        Ok(token.admit(NOW_MS, &BEARER)?.subject.clone())
    };
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let token = hs256(&header, &claims(), SECRET.as_bytes());
    assert_eq!(by(&token, &[&secret]), alice());
    assert_eq!(by(&token, &[&before, &secret]), alice());
    assert_eq!(by(&token, &[&other]), Err(F::Signature));
    assert_eq!(by(&token, &[]), Err(F::Signature));
    assert_eq!(by(&issuer().sign(&claims()), &[&secret]), Err(F::Algorithm));
    // #104: the public key as the secret, in the forms it may be had in.
    let jwk = issuer().jwk();
    let x = jwk["x"].as_str().unwrap();
    for public in [jwk.to_string(), x.to_owned()] {
        let confused = hs256(
            &json!({ "alg": "HS256", "kid": "one" }),
            &claims(),
            public.as_bytes(),
        );
        assert_eq!(judge(&confused), Err(F::Algorithm));
    }
    let both = &[Algorithm::Ed25519, Algorithm::Hs256];
    let (rule, keys) = es256_rule(&jwk, both);
    let confused = hs256(
        &json!({ "alg": "HS256", "kid": "one" }),
        &claims(),
        x.as_bytes(),
    );
    assert_eq!(
        judge_by(&confused, &rule, &keys, NOW_MS),
        Err(F::KeyUnknown)
    );
}

/// S and S plus the group's order sign alike; RFC 8032 §5.1.7 takes the smaller alone.
#[test]
fn al_07_an_ed25519_signature_has_one_spelling() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let good = issuer().sign(&claims());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(signature).unwrap();
    let mut second = raw.clone();
    let mut carry = 0;
    for (place, order) in second[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*place) + u16::from(order) + carry;
        (*place, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    let identity = [&[1][..], &[0; 31], &raw[32..]].concat();
    for signature in [
        second,
        identity,
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
    ] {
        let judged = judge(&format!("{input}.{}", base64url(&signature)));
        assert_eq!(judged, Err(F::Signature), "{signature:02x?}");
    }
}

#[test]
fn al_08_a_key_of_one_curve_verifies_no_algorithm_of_another() {
    let algorithms = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Ed25519,
        Algorithm::Rs256,
    ];
    let (rule, keys) = es256_rule(&es256_jwk(9, "ec"), &algorithms);
    for (alg, expected) in [
        ("ES256", alice()),
        ("ES384", Err(F::Signature)),
        ("EdDSA", Err(F::KeyUnknown)),
        ("RS256", Err(F::Signature)),
        ("ES256K", Err(F::Algorithm)),
        ("ES512", Err(F::Algorithm)),
    ] {
        let judged = judge_by(&es256_token(alg), &rule, &keys, NOW_MS);
        assert_eq!(judged, expected, "{alg}");
    }
    // Of the right length, and still of another curve.
    let input = es256_token("ES384");
    let input = input.rsplit_once('.').unwrap().0;
    let long = format!("{input}.{}", base64url(&[1; 96]));
    assert_eq!(judge_by(&long, &rule, &keys, NOW_MS), Err(F::KeyUnknown));
}
