use super::*;
use serde_json::json;

const ALL: [Algorithm; 5] = [
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
];

fn okp(extra: Value) -> Value {
    let x = Base64UrlUnpadded::encode_string(&[7; 32]);
    let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a" });
    if let (Some(key), Some(extra)) = (key.as_object_mut(), extra.as_object()) {
        key.extend(extra.clone());
    }
    key
}

fn rsa(n_bytes: usize, e: &[u8]) -> Value {
    let n = Base64UrlUnpadded::encode_string(&vec![0xab; n_bytes]);
    json!({ "kty": "RSA", "n": n, "e": Base64UrlUnpadded::encode_string(e) })
}

fn read(keys: Vec<Value>) -> Result<Vec<Algorithm>, KeySetFault> {
    let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), &ALL)?;
    Ok(set.0.iter().map(PublicKey::algorithm).collect())
}

#[test]
fn keys_that_may_not_verify_are_passed_over() {
    for (key, kept) in [
        (okp(json!({})), 1),
        (
            okp(json!({ "use": "sig", "key_ops": ["verify"], "alg": "EdDSA" })),
            1,
        ),
        (okp(json!({ "use": "enc" })), 0),
        (okp(json!({ "use": 1 })), 0),
        (okp(json!({ "key_ops": ["sign"] })), 0),
        (okp(json!({ "key_ops": ["verify", "verify"] })), 0),
        (okp(json!({ "alg": "ES256" })), 0),
        (okp(json!({ "alg": null })), 0),
        (okp(json!({ "kid": 1 })), 0),
        (okp(json!({ "kid": "a".repeat(KEY_ID_BYTES_MAX + 1) })), 0),
        (okp(json!({ "x": "AAAA" })), 0),
        (okp(json!({ "x": "A===" })), 0),
        (okp(json!({ "crv": "Ed448" })), 0),
        (rsa(256, &[1, 0, 1]), 1),
        (rsa(255, &[1, 0, 1]), 0),
        (rsa(1_024, &[1, 0, 1]), 1),
        (rsa(1_025, &[1, 0, 1]), 0),
        (rsa(256, &[3]), 0),
        (rsa(256, &[1]), 0),
        (rsa(256, &[1, 0, 0]), 0),
        (json!("no key"), 0),
        (json!({ "kty": "weird" }), 0),
    ] {
        assert_eq!(
            read(vec![key.clone()]).map(|keys| keys.len()),
            Ok(kept),
            "{key}"
        );
    }
}

#[test]
fn a_set_with_a_private_or_symmetric_key_is_refused_whole() {
    for extra in [json!({ "d": "AA" }), json!({ "kty": "oct", "k": "AA" })] {
        assert_eq!(
            read(vec![okp(json!({})), okp(extra)]),
            Err(KeySetFault::PrivateKey)
        );
    }
}

#[test]
fn a_set_is_bounded() {
    assert!(read(vec![okp(json!({})); KEYS_MAX]).is_ok());
    assert_eq!(
        read(vec![okp(json!({})); KEYS_MAX + 1]),
        Err(KeySetFault::TooManyKeys)
    );
    let spaces = " ".repeat(KEY_SET_BYTES_MAX);
    let sized = format!("{}{{\"keys\":[]}}", &spaces[11..]);
    assert!(KeySet::parse(sized.as_bytes(), &ALL).is_ok());
    let over = format!(" {sized}");
    assert_eq!(
        KeySet::parse(over.as_bytes(), &ALL),
        Err(KeySetFault::TooLarge)
    );
    assert_eq!(KeySet::parse(b"[]", &ALL), Err(KeySetFault::NotAKeySet));
}

#[test]
fn a_token_without_a_key_id_chooses_only_where_there_is_no_choice() {
    let set = |ids: &[&str]| {
        let keys: Vec<_> = ids.iter().map(|id| okp(json!({ "kid": id }))).collect();
        KeySet::from_value(&json!({ "keys": keys }), &ALL).unwrap()
    };
    assert_eq!(set(&["a"]).candidates(None, Algorithm::Ed25519).len(), 1);
    assert_eq!(
        set(&["a", "b"]).candidates(None, Algorithm::Ed25519).len(),
        0
    );
    assert_eq!(
        set(&["a", "b"])
            .candidates(Some("b"), Algorithm::Ed25519)
            .len(),
        1
    );
    assert_eq!(set(&["a"]).candidates(Some("a"), Algorithm::Es256).len(), 0);
}
