//! The compact form: what is no token by its text alone (RFC 7515 §2, §5.2, §7.1).

use edgeward::credential::jws::{CompactJws, HEADER_BYTES_MAX, TOKEN_BYTES_MAX};
use edgeward::credential::jwt::TokenFault as F;
use serde_json::{Map, Value, json};

use crate::support::signer::base64url;
use crate::{alice, claims, expect, header_with, issuer, judge, judge_claims, judge_header};

/// A good token's three parts.
fn parts() -> [String; 3] {
    let text = issuer().sign(&claims());
    let mut parts = text.split('.').map(str::to_owned);
    [(); 3].map(|()| parts.next().unwrap())
}

/// The texts are signed as they stand: only their spelling is wrong.
#[test]
fn js_01_no_part_has_a_character_outside_its_alphabet() {
    let [header, payload, signature] = parts();
    let odd = [
        "=", "==", "+", "/", " ", "\t", "\r\n", "\n", "\0", "%20", "é", "*",
    ];
    for (odd, at) in odd
        .into_iter()
        .flat_map(|odd| [0, 8, usize::MAX].map(|at| (odd, at)))
    {
        let with_odd = |part: &str| {
            let (before, after) = part.split_at(at.min(part.len()));
            format!("{before}{odd}{after}")
        };
        for text in [
            issuer().sign_input(&format!("{}.{payload}", with_odd(&header))),
            issuer().sign_input(&format!("{header}.{}", with_odd(&payload))),
            format!("{header}.{payload}.{}", with_odd(&signature)),
        ] {
            // By itself, and not only because what reads it next is strict too.
            assert_eq!(
                CompactJws::parse(&text).err(),
                Some(F::Malformed),
                "{odd:?}: {text}"
            );
            assert_eq!(judge(&text), Err(F::Malformed), "{odd:?} at {at}: {text}");
        }
    }
}

#[test]
fn js_02_no_bit_is_left_over_in_a_last_character() {
    let raise = |part: &str| {
        let (before, last) = part.split_at(part.len() - 1);
        // The next character of the alphabet differs in the lowest bit, which no byte uses.
        let next = char::from(last.as_bytes()[0] + 1);
        format!("{before}{next}")
    };
    let sign =
        |header: &str, payload: &str| judge(&issuer().sign_input(&format!("{header}.{payload}")));
    // Of three lengths in a row two leave bits over.
    for spaces in 0..3 {
        let header = format!("{}{}", issuer().header(), " ".repeat(spaces));
        let payload = format!("{}{}", claims(), " ".repeat(spaces));
        let (header, payload) = (base64url(header.as_bytes()), base64url(payload.as_bytes()));
        assert_eq!(sign(&header, &payload), alice());
        if header.len() % 4 != 0 {
            assert_eq!(
                sign(&raise(&header), &payload),
                Err(F::Malformed),
                "{header}"
            );
        }
        if payload.len() % 4 != 0 {
            assert_eq!(
                sign(&header, &raise(&payload)),
                Err(F::Malformed),
                "{payload}"
            );
        }
    }
    let [header, payload, signature] = parts();
    let raised = format!("{header}.{payload}.{}", raise(&signature));
    assert_eq!(judge(&raised), Err(F::Malformed));
    assert_eq!(CompactJws::parse(&raised).err(), Some(F::Malformed));
}

#[test]
fn js_03_a_signature_is_there() {
    let [header, payload, signature] = parts();
    let none = header_with("alg", json!("none"));
    let none = base64url(none.to_string().as_bytes());
    expect(
        |text: &String| judge(text),
        [
            (format!("{header}.{payload}.{signature}"), alice()),
            (format!("{header}.{payload}."), Err(F::Malformed)),
            (format!("{none}.{payload}."), Err(F::Malformed)),
            (format!("{header}.{payload}.AA"), Err(F::Signature)),
        ],
    );
}

#[test]
fn at_08_a_token_has_three_parts_and_an_encrypted_one_five() {
    let [header, payload, signature] = parts();
    for text in [
        String::new(),
        ".".into(),
        "..".into(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}.{signature}"),
        format!("{header}....{signature}"),
    ] {
        assert_eq!(judge(&text), Err(F::Malformed), "{text}");
    }
}

#[test]
fn js_12_the_json_serialization_is_no_token() {
    let [header, payload, signature] = parts();
    let flat = json!({ "protected": header, "payload": payload, "signature": signature });
    let general = json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] });
    // With points in it, so that it falls into three parts (RFC 8725bis §3.14).
    let polyglot = format!("{{\"a\":\"{header}.{payload}.{signature}\"}}");
    for text in [flat.to_string(), general.to_string(), polyglot] {
        assert_eq!(judge(&text), Err(F::Malformed), "{text}");
    }
}

#[test]
fn jw_11_a_token_and_its_header_are_bounded_in_bytes() {
    let padded = |bytes: usize| {
        let mut claims = claims();
        claims["pad"] = json!("a".repeat(bytes));
        issuer().sign(&claims)
    };
    let fits = |bytes: &usize| padded(*bytes).len() <= TOKEN_BYTES_MAX;
    let most = (5_000..7_000).take_while(fits).last().unwrap();
    assert!(padded(most).len() >= TOKEN_BYTES_MAX - 1);
    assert_eq!(judge(&padded(most)), alice());
    assert_eq!(judge(&padded(most + 1)), Err(F::TooLarge));
    assert_eq!(judge(&"a.".repeat(1_000_000)), Err(F::TooLarge));

    let header = |bytes: usize| header_with("pad", json!("a".repeat(bytes)));
    let length = |bytes: usize| base64url(header(bytes).to_string().as_bytes()).len();
    let most = (1_000..2_000)
        .take_while(|bytes| length(*bytes) <= HEADER_BYTES_MAX)
        .last()
        .unwrap();
    assert_eq!(length(most), HEADER_BYTES_MAX);
    assert_eq!(judge_header(&header(most)), alice());
    assert_eq!(judge_header(&header(most + 1)), Err(F::TooLarge));
}

#[test]
fn jw_11_json_of_a_token_is_bounded_in_depth_and_members() {
    let nested = |depth: usize| {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let many = |count: usize| -> Map<String, Value> {
        (0..count)
            .map(|number| (format!("m{number}"), json!(number)))
            .collect()
    };
    let laid_over = |mut whole: Value, more: Map<String, Value>| {
        whole.as_object_mut().unwrap().extend(more);
        whole
    };
    let own = claims().as_object().unwrap().len();
    expect(
        judge_claims,
        [
            (crate::with("x", nested(15)), alice()),
            (crate::with("x", nested(16)), Err(F::Malformed)),
            (laid_over(claims(), many(128 - own)), alice()),
            (laid_over(claims(), many(129 - own)), Err(F::Malformed)),
            (crate::with("x", Value::Object(many(128))), alice()),
            (
                crate::with("x", Value::Object(many(129))),
                Err(F::Malformed),
            ),
        ],
    );
    let own = issuer().header().as_object().unwrap().len();
    expect(
        judge_header,
        [
            (header_with("x", nested(15)), alice()),
            (header_with("x", nested(16)), Err(F::Malformed)),
            (laid_over(issuer().header(), many(128 - own)), alice()),
            (
                laid_over(issuer().header(), many(129 - own)),
                Err(F::Malformed),
            ),
        ],
    );
}
