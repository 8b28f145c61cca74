//! A good token, changed anywhere: it names a caller only as long as it says what was signed.

use std::sync::LazyLock;

use edgeward::credential::dpop::Proof;
use edgeward::credential::jwk::KeySet;
use edgeward::credential::jws::CompactJws;
use edgeward::credential::jwt::UnverifiedToken;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::support::NOW_MS;
use crate::support::signer::{base64url, es256, es256_jwk};
use crate::{alice, claims, ed25519, issuer, judge, judge_by, with};

static GOOD: LazyLock<String> = LazyLock::new(|| issuer().sign(&claims()));

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, char),
    Insert(Index, String),
    Remove(Index),
    Swap(Index, Index),
    /// A piece of the text, put in elsewhere.
    Repeat(Index, usize, Index),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let character = prop_oneof![
        proptest::char::range('!', '~'),
        prop::sample::select("AZaz09-_.=+/ \t\r\n\0\u{feff}é".chars().collect::<Vec<_>>()),
    ];
    let index = any::<Index>;
    prop_oneof![
        (index(), character.clone()).prop_map(|(at, to)| Change::Replace(at, to)),
        (index(), "[A-Za-z0-9._=+/ {}\",:-]{1,8}").prop_map(|(at, text)| Change::Insert(at, text)),
        index().prop_map(Change::Remove),
        (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)),
        (index(), 1..40_usize, index()).prop_map(|(from, long, to)| Change::Repeat(from, long, to)),
        index().prop_map(Change::Cut),
    ]
}

fn apply(text: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for change in changes
        .iter()
        .filter(|_| !text.is_empty())
        .cloned()
        .collect::<Vec<_>>()
    {
        let place = |at: Index| at.index(text.len().max(1));
        match change {
            _ if text.is_empty() => {}
            Change::Replace(at, to) => {
                let at = place(at);
                text[at] = to;
            }
            Change::Insert(at, more) => {
                let at = place(at);
                text.splice(at..at, more.chars());
            }
            Change::Remove(at) => {
                text.remove(place(at));
            }
            Change::Swap(one, other) => {
                let (one, other) = (place(one), place(other));
                text.swap(one, other);
            }
            Change::Repeat(from, long, to) => {
                let (from, to) = (place(from), place(to));
                let piece = text[from..(from + long).min(text.len())].to_vec();
                text.splice(to..to, piece);
            }
            Change::Cut(at) => text.truncate(place(at)),
        }
    }
    text.into_iter().collect()
}

/// JSON of any shape, biased to the names that mean something.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["EdDSA", "none", "one", "at+jwt", "alice"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let name = prop_oneof![
            "[a-z]{0,4}",
            prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned)
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const NAMES: [&str; 16] = [
    "alg", "kid", "typ", "crit", "b64", "jwk", "jku", "cty", "iss", "sub", "aud", "exp", "nbf",
    "iat", "scope", "cnf",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Base64url here has one spelling, and Ed25519 signatures too: no other text says the same.
    #[test]
    fn js_02_a_changed_text_names_no_caller(changes in prop::collection::vec(change(), 1..4)) {
        let text = apply(&GOOD, &changes);
        match judge(&text) {
            Ok(_) => prop_assert_eq!(&text, &*GOOD),
            Err(_) => prop_assert_ne!(&text, &*GOOD),
        }
    }

    /// ECDSA has two signatures for one message (#124); what is signed is the same in both.
    #[test]
    fn al_02_a_changed_text_says_what_was_signed_or_nothing(changes in prop::collection::vec(change(), 1..3)) {
        let (rule, _) = ed25519();
        let algorithms = vec![edgeward::credential::signature::Algorithm::Es256];
        let keys = KeySet::from_value(&json!({ "keys": [es256_jwk(9, "ec")] }), &algorithms).unwrap();
        let rule = edgeward::credential::jwt::JwtRule { algorithms, ..rule };
        let good = es256(9, &json!({ "alg": "ES256", "kid": "ec" }), &claims());
        let text = apply(&good, &changes);
        if judge_by(&text, &rule, &keys, NOW_MS).is_ok() {
            prop_assert_eq!(text.rsplit_once('.').unwrap().0, good.rsplit_once('.').unwrap().0);
        }
    }

    /// The JSON is changed and written anew, under the signature of the good one.
    #[test]
    fn b_15_changed_json_under_an_old_signature_names_no_caller(
        name in prop::sample::select(NAMES.to_vec()), value in json_value(), in_header in any::<bool>(),
    ) {
        let signature = GOOD.rsplit_once('.').unwrap().1.to_owned();
        let (mut header, mut payload) = (issuer().header(), claims());
        if in_header { header[name] = value } else { payload[name] = value }
        let (header, payload) = (header.to_string(), payload.to_string());
        let text = format!("{}.{}.{signature}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        match judge(&text) {
            Ok(_) => prop_assert_eq!(&text, &*GOOD),
            Err(_) => prop_assert_ne!(&text, &*GOOD),
        }
    }

    #[test]
    fn b_15_any_text_is_read_or_refused(
        text in prop_oneof![any::<String>(), "[A-Za-z0-9_.=-]{0,200}", "(eyJ[A-Za-z0-9_-]{0,40}[.]){0,6}"],
    ) {
        let _ = CompactJws::parse(&text);
        let _ = Proof::parse(&text);
        prop_assert!(UnverifiedToken::parse(&text).is_err());
    }

    #[test]
    fn jk_01_any_bytes_are_a_key_set_or_none(
        bytes in prop::collection::vec(any::<u8>(), 0..200), key in json_value(), members in prop::collection::vec(json_value(), 0..4),
    ) {
        let algorithms = edgeward::credential::dpop::ALGORITHMS;
        prop_assert!(KeySet::parse(&bytes, &algorithms).is_err());
        let _ = KeySet::from_value(&key, &algorithms);
        let _ = KeySet::from_value(&json!({ "keys": members }), &algorithms);
        let mut odd = issuer().jwk();
        odd["x"] = key;
        let _ = KeySet::from_value(&json!({ "keys": [odd] }), &algorithms);
    }
}

// Each case signs and verifies, which takes its time where nothing is optimized.
proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Signed by the right key, a claim of any type and value: an answer, never a panic, and no
    /// caller but the one who is named.
    #[test]
    fn jw_02_any_claim_of_any_type_is_judged(name in prop::sample::select(NAMES.to_vec()), value in json_value()) {
        let said = with(name, value.clone());
        let judged = judge(&issuer().sign(&said));
        if judged.is_ok() {
            prop_assert_eq!(judged.ok(), said["sub"].as_str().map(str::to_owned));
        }
        let mut header = issuer().header();
        header[name] = value;
        let judged = judge(&issuer().sign_text(&header.to_string(), &claims().to_string()));
        prop_assert!(judged.is_err() || judged == alice());
    }

    #[test]
    fn js_10_any_header_and_payload_are_judged(header in json_value(), payload in json_value()) {
        let text = issuer().sign_text(&header.to_string(), &payload.to_string());
        prop_assert!(judge(&text).is_err());
    }

    #[test]
    fn b_15_any_bytes_are_read_or_refused(
        header in prop::collection::vec(any::<u8>(), 0..64), payload in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let text = issuer().sign_input(&format!("{}.{}", base64url(&header), base64url(&payload)));
        prop_assert!(judge(&text).is_err());
        let _ = judge(&String::from_utf8_lossy(&payload));
    }
}
