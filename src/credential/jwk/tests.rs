use super::*;
use serde_json::json;

const ALL: [Algorithm; 5] = [
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
];

fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A key with `extra` laid over its members; `null` there stays `null`.
fn laid_over(mut key: Value, extra: Value) -> Value {
    if let (Some(key), Some(extra)) = (key.as_object_mut(), extra.as_object()) {
        key.extend(extra.clone());
    }
    key
}

fn okp(extra: Value) -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[7; 32]), "kid": "a" });
    laid_over(key, extra)
}

fn ec(curve: &str, x_bytes: usize, y_bytes: usize) -> Value {
    let (x, y) = (base64url(&vec![1; x_bytes]), base64url(&vec![2; y_bytes]));
    json!({ "kty": "EC", "crv": curve, "x": x, "y": y })
}

/// An RSA key whose modulus has `n_bytes` and begins with `first`.
fn rsa(n_bytes: usize, first: u8, e: &[u8]) -> Value {
    let mut n = vec![0xab; n_bytes];
    n[0] = first;
    json!({ "kty": "RSA", "n": base64url(&n), "e": base64url(e) })
}

fn read_by(keys: Vec<Value>, allowed: &[Algorithm]) -> Result<Vec<Algorithm>, KeySetFault> {
    let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), allowed)?;
    Ok(set.0.iter().map(PublicKey::algorithm).collect())
}

fn read(keys: Vec<Value>) -> Result<Vec<Algorithm>, KeySetFault> {
    read_by(keys, &ALL)
}

/// Each key alone in a set: whether it may verify.
fn expect(cases: impl IntoIterator<Item = (Value, bool)>) {
    for (key, may_verify) in cases {
        let kept = read(vec![key.clone()]).map(|keys| keys.len());
        assert_eq!(kept, Ok(usize::from(may_verify)), "{key}");
    }
}

const E: [u8; 3] = [1, 0, 1];

#[test]
fn al_01_rsa_keys_have_2048_to_8192_bits_and_the_usual_exponent() {
    let mut even = vec![0xab; 256];
    even[255] = 0xaa;
    expect([
        (rsa(256, 0x80, &E), true),
        (rsa(256, 0x7f, &E), false),
        (rsa(255, 0xff, &E), false),
        (rsa(64, 0xff, &E), false),
        (rsa(257, 0x01, &E), true),
        (rsa(1_024, 0xff, &E), true),
        (rsa(1_025, 0x01, &E), false),
        (rsa(256, 0xab, &[1]), false),
        (rsa(256, 0xab, &[3]), false),
        (rsa(256, 0xab, &[1, 0, 0]), false),
        (rsa(256, 0xab, &[1, 0, 3]), false),
        (rsa(256, 0xab, &[1, 0, 0, 0, 1]), false),
        (rsa(256, 0xab, &[]), false),
        (
            json!({ "kty": "RSA", "n": base64url(&even), "e": "AQAB" }),
            false,
        ),
        (json!({ "kty": "RSA", "e": "AQAB" }), false),
    ]);
}

#[test]
fn al_04_coordinates_have_the_length_of_their_curve() {
    expect([
        (ec("P-256", 32, 32), true),
        (ec("P-256", 31, 32), false),
        (ec("P-256", 32, 33), false),
        (ec("P-256", 0, 0), false),
        (ec("P-384", 48, 48), true),
        (ec("P-384", 32, 32), false),
        (ec("P-521", 66, 66), false),
        (ec("secp256k1", 32, 32), false),
        (
            json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]) }),
            false,
        ),
    ]);
}

#[test]
fn al_05_numbers_have_one_spelling() {
    // 32 bytes leave two bits over in the last character, here `c`: setting one changes no byte.
    assert!(base64url(&[7; 32]).ends_with('c'));
    expect([
        (rsa(257, 0, &E), false),
        (rsa(256, 0xab, &[0, 1, 0, 1]), false),
        (
            laid_over(rsa(256, 0xab, &E), json!({ "e": "AQAB=" })),
            false,
        ),
        (laid_over(rsa(256, 0xab, &E), json!({ "e": 65_537 })), false),
        (okp(json!({ "x": base64url(&[7; 31]) })), false),
        (okp(json!({ "x": base64url(&[7; 33]) })), false),
        (
            okp(json!({ "x": format!("{}d", &base64url(&[7; 32])[..42]) })),
            false,
        ),
    ]);
}

#[test]
fn al_07_an_ed25519_key_is_of_the_large_order_and_spelled_one_way() {
    let number = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    let eight = |text: &str| -> [u8; 32] {
        let bytes = (0..32).map(|index| u8::from_str_radix(&text[index * 2..index * 2 + 2], 16));
        bytes
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
            .try_into()
            .unwrap()
    };
    let weak = [
        number(0, 0, 0),
        number(0, 0, 0x80),
        number(1, 0, 0),
        number(1, 0, 0x80),
        number(0xec, 0xff, 0x7f),
        number(0xec, 0xff, 0xff),
        eight("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        eight("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
        eight("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        eight("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ];
    for key in weak {
        // Another implementation agrees that these are weak.
        let known = ed25519_dalek::VerifyingKey::from_bytes(&key);
        assert!(known.is_ok_and(|key| key.is_weak()), "{key:02x?}");
        expect([(okp(json!({ "x": base64url(&key) })), false)]);
    }
    let second_spellings = [
        number(0xed, 0xff, 0x7f),
        number(0xee, 0xff, 0x7f),
        [0xff; 32],
    ];
    for key in second_spellings {
        expect([(okp(json!({ "x": base64url(&key) })), false)]);
    }
    expect([
        (okp(json!({ "x": base64url(&number(3, 0, 0)) })), true),
        (
            okp(json!({ "x": base64url(&number(0xeb, 0xff, 0x7f)) })),
            true,
        ),
    ]);
}

#[test]
fn jk_01_members_that_are_no_key_are_passed_over_and_the_rest_still_serves() {
    for odd in [
        json!("no key"),
        json!(null),
        json!({}),
        json!({ "kty": "weird" }),
        json!({ "kty": 1 }),
        okp(json!({ "crv": "Ed448" })),
        okp(json!({ "x": "A===" })),
        okp(json!({ "kid": 1 })),
        okp(json!({ "kid": "a".repeat(KEY_ID_BYTES_MAX + 1) })),
    ] {
        let read = read(vec![odd.clone(), okp(json!({}))]);
        assert_eq!(read, Ok(vec![Algorithm::Ed25519]), "{odd}");
    }
    expect([(okp(json!({ "kid": "a".repeat(KEY_ID_BYTES_MAX) })), true)]);
}

#[test]
fn jk_02_a_key_for_another_use_does_not_verify() {
    expect([
        (okp(json!({ "use": "sig", "key_ops": ["verify"] })), true),
        (okp(json!({ "key_ops": ["sign", "verify"] })), true),
        (okp(json!({ "use": "enc" })), false),
        (okp(json!({ "use": 1 })), false),
        (okp(json!({ "use": null })), false),
        (okp(json!({ "use": "sig", "key_ops": ["sign"] })), false),
        (okp(json!({ "key_ops": [] })), false),
        (okp(json!({ "key_ops": "verify" })), false),
        (okp(json!({ "key_ops": ["verify", "verify"] })), false),
        (okp(json!({ "key_ops": ["sign", "sign", "verify"] })), false),
    ]);
}

#[test]
fn jk_03_a_key_has_the_algorithm_it_names_or_the_policys_for_its_kind() {
    use Algorithm::{Ed25519, Es256, Ps256, Rs256};
    let rsa = |alg: Option<&str>| match alg {
        Some(alg) => laid_over(rsa(256, 0xab, &E), json!({ "alg": alg })),
        None => rsa(256, 0xab, &E),
    };
    for (key, allowed, expected) in [
        (rsa(Some("PS256")), &[Rs256, Ps256][..], Some(Ps256)),
        (rsa(Some("RS256")), &[Rs256, Ps256], Some(Rs256)),
        (rsa(Some("PS256")), &[Rs256], None),
        (rsa(Some("RS512")), &[Rs256], None),
        (rsa(None), &[Rs256, Ps256], Some(Rs256)),
        (rsa(None), &[Ps256, Rs256], Some(Ps256)),
        (rsa(None), &[Es256], None),
        (okp(json!({ "alg": "EdDSA" })), &[Ed25519], Some(Ed25519)),
        (okp(json!({ "alg": "Ed25519" })), &[Ed25519], Some(Ed25519)),
        (okp(json!({ "alg": "ES256" })), &[Ed25519, Es256], None),
        (
            okp(json!({ "alg": "HS256" })),
            &[Ed25519, Algorithm::Hs256],
            None,
        ),
        (okp(json!({ "alg": null })), &[Ed25519], None),
    ] {
        let read = read_by(vec![key.clone()], allowed);
        assert_eq!(
            read,
            Ok(expected.into_iter().collect()),
            "{key} {allowed:?}"
        );
    }
}

#[test]
fn b_01_one_key_under_two_algorithms_verifies_neither() {
    let named = |alg: &str| laid_over(rsa(256, 0xab, &E), json!({ "alg": alg, "kid": alg }));
    let both = vec![named("RS256"), okp(json!({})), named("PS256")];
    assert_eq!(read(both), Ok(vec![Algorithm::Ed25519]));
    let twice = vec![named("RS256"), named("RS256")];
    assert_eq!(read(twice), Ok(vec![Algorithm::Rs256; 2]));
}

#[test]
fn jk_05_a_token_without_a_key_id_chooses_only_where_there_is_no_choice() {
    let count = |ids: &[&str], asked: Option<&str>, algorithm: Algorithm| {
        let keys: Vec<_> = ids.iter().map(|id| okp(json!({ "kid": id }))).collect();
        let set = KeySet::from_value(&json!({ "keys": keys }), &ALL).unwrap();
        set.candidates(asked, algorithm).len()
    };
    assert_eq!(count(&["a"], None, Algorithm::Ed25519), 1);
    assert_eq!(count(&["a", "b"], None, Algorithm::Ed25519), 0);
    assert_eq!(count(&["a", "b"], Some("b"), Algorithm::Ed25519), 1);
    assert_eq!(count(&["a", "b"], Some("B"), Algorithm::Ed25519), 0);
    assert_eq!(count(&["a"], Some("a"), Algorithm::Es256), 0);
}

#[test]
fn jk_06_a_set_with_a_private_or_symmetric_key_is_refused_whole() {
    for extra in [
        json!({ "d": "AA" }),
        json!({ "d": null }),
        json!({ "kty": "RSA", "dq": "AA" }),
        json!({ "kty": "AKP", "priv": "AA" }),
        json!({ "kty": "oct", "k": "AA" }),
        json!({ "use": "enc", "d": "AA" }),
    ] {
        let read = read(vec![okp(json!({})), okp(extra.clone())]);
        assert_eq!(read, Err(KeySetFault::PrivateKey), "{extra}");
    }
}

#[test]
fn jk_07_a_set_is_bounded() {
    assert!(read(vec![okp(json!({})); KEYS_MAX]).is_ok());
    let over = read(vec![okp(json!({})); KEYS_MAX + 1]);
    assert_eq!(over, Err(KeySetFault::TooManyKeys));
    let spaces = " ".repeat(KEY_SET_BYTES_MAX);
    let sized = format!("{}{{\"keys\":[]}}", &spaces[11..]);
    assert!(KeySet::parse(sized.as_bytes(), &ALL).is_ok());
    let over = KeySet::parse(format!(" {sized}").as_bytes(), &ALL);
    assert_eq!(over, Err(KeySetFault::TooLarge));
    for text in [
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html>",
    ] {
        let read = KeySet::parse(text.as_bytes(), &ALL);
        assert_eq!(read, Err(KeySetFault::NotAKeySet), "{text}");
    }
}

#[test]
fn jk_07_a_set_comes_as_json() {
    for (content_type, expected) in [
        ("application/jwk-set+json", true),
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/jwk-set+json;charset=UTF-8", true),
        ("text/html", false),
        ("text/plain", false),
        ("application/jwk+json", false),
        ("application/json, text/html", false),
        ("application/problem+json", false),
        ("json", false),
        ("", false),
    ] {
        assert_eq!(is_key_set_type(content_type), expected, "{content_type}");
    }
}
