//! Project Wycheproof's JSON Web Signatures (`tests/vectors/wycheproof/`), each judged as the
//! gateway judges the form and the signature of a token. Their payloads are no claims.

use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jws::CompactJws;
use edgeward::credential::signature::Algorithm;
use serde_json::{Value, json};

use crate::support::signer;

/// What the vectors call valid and we refuse.
const DEVIATIONS: [(std::ops::RangeInclusive<u64>, &str); 7] = [
    (264..=271, "RS384 and RS512 are not offered"),
    (320..=323, "PS384 is not offered"),
    (325..=328, "PS512 is not offered"),
    (
        346..=347,
        "a key for PS256 under PS384, and ES512, which is not offered",
    ),
    (350..=351, "the same"),
    (
        372..=372,
        "a character outside the alphabet, in the header (JS-01)",
    ),
    (
        373..=373,
        "a character outside the alphabet, in the payload (JS-01)",
    ),
];

/// What the vectors call invalid and we take: the padding that they speak of is not in them. Their
/// text is that of the vector beside, which is valid.
const MISPRINTS: [(u64, u64); 2] = [(367, 357), (370, 357)];

const PUBLIC: [Algorithm; 5] = [
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
];

/// Whether a text is taken under the key of its group.
fn is_taken(text: &str, group: &Value) -> bool {
    let Ok(jws) = CompactJws::parse(text) else {
        return false;
    };
    if let Some(secret) = group["private"]["k"].as_str() {
        let secret = Base64UrlUnpadded::decode_vec(secret).unwrap();
        return jws.is_sealed_by(&secret);
    }
    let set = json!({ "keys": [group["public"]] });
    let keys = KeySet::from_value(&set, &PUBLIC).unwrap();
    let questions = jws.questions(&PUBLIC, &keys).unwrap_or_default();
    questions
        .iter()
        .any(|question| jws.is_proven_by(question, question.answered(signer::verify(question))))
}

#[test]
fn al_03_every_published_vector_is_judged_as_published_or_stands_in_a_list() {
    let text = include_str!("../vectors/wycheproof/json_web_signature_test.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let (mut texts, mut taken, mut wrong, mut refused) = (HashMap::new(), 0, vec![], vec![]);
    for group in vectors["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{id} is {other}"),
            };
            // A vector of the JSON serialization is an object.
            let jws = &test["jws"];
            let text = jws.as_str().map_or_else(|| jws.to_string(), str::to_owned);
            let is_taken = is_taken(&text, group);
            taken += u64::from(is_taken);
            match (valid, is_taken) {
                (true, false) => refused.push(id),
                (false, true) => wrong.push(id),
                (true, true) | (false, false) => {}
            }
            texts.insert(id, text);
        }
    }
    assert_eq!(wrong, MISPRINTS.map(|(id, _)| id), "taken, though invalid");
    for (misprint, valid) in MISPRINTS {
        assert_eq!(texts[&misprint], texts[&valid], "{misprint}");
    }
    let listed: Vec<u64> = DEVIATIONS.iter().flat_map(|(ids, _)| ids.clone()).collect();
    assert_eq!(refused, listed, "refused, though valid");
    assert_eq!(
        texts.len() as u64,
        vectors["numberOfTests"].as_u64().unwrap()
    );
    assert_eq!(taken, 26);
}
