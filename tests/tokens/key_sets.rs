//! Published keys, from the issuer to the verdict (RFC 7517). Single members of a set are judged
//! beside `src/credential/jwk.rs`, instants beside `src/credential/key_cache.rs`.

use edgeward::credential::jwk::KeySet;
use edgeward::credential::jwt::{JwtRule, KeySource, TokenFault as F};
use edgeward::credential::key_cache::{FRESH_MS, REFETCH_MS_MIN, STALE_MS_MAX};
use edgeward::credential::signature::Algorithm;
use edgeward::credential::verify::{TokenRules, verify};
use edgeward::refusal::{Port, Refusal};
use edgeward::secret::Secret;
use serde_json::{Value, json};

use crate::support::signer::Issuer;
use crate::support::{FakePorts, NOW_MS, run};
use crate::{BEARER, NOW_S, alice, ed25519, issuer, judge_by, rule, with};

const KEY_ID: &str = "one";

/// A gateway and an issuer whose keys are at an address.
struct Pair {
    ports: FakePorts,
    rule: JwtRule,
}

impl Pair {
    fn new() -> Self {
        let source = KeySource::Uri("https://issuer.example/keys".into());
        let mut rule = rule(&[Algorithm::Ed25519], source);
        rule.max_lifetime_s = 200_000;
        Self {
            ports: FakePorts::new(),
            rule,
        }
    }

    fn publish(&self, issuers: &[&Issuer]) {
        let keys: Vec<Value> = issuers.iter().map(|issuer| issuer.jwk()).collect();
        *self.ports.issuer.published.borrow_mut() = Some(set(&keys));
    }

    /// A token of this issuer, good for two days.
    fn token(issuer: &Issuer) -> Secret {
        Secret::new(issuer.sign(&with("exp", json!(NOW_S + 172_800))))
    }

    fn ask(&self, token: &Secret, after_ms: u64) -> Result<String, Refusal> {
        let now_ms = NOW_MS + after_ms;
        self.ports.clock_ms.set(now_ms);
        let rules = TokenRules {
            signed: vec![&self.rule],
            opaque: None,
            known: Vec::new(),
        };
        let found = run(verify(&self.ports, token, &rules, "gate", now_ms))?;
        Ok(found.admit(now_ms, &BEARER).unwrap().subject.clone())
    }

    fn fetches(&self) -> u32 {
        self.ports.issuer.fetches.get()
    }
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::from_value(&json!({ "keys": keys }), &[Algorithm::Ed25519]).unwrap()
}

fn admitted() -> Result<String, Refusal> {
    Ok("alice".into())
}

fn unknown() -> Result<String, Refusal> {
    let fault = F::KeyUnknown;
    Err(Refusal::TokenRefused { fault })
}

fn down() -> Result<String, Refusal> {
    Err(Refusal::PortDown { port: Port::KeySet })
}

#[test]
fn jk_03_the_header_does_not_choose_the_algorithm_of_a_key() {
    let (rule, _) = ed25519();
    let mut jwk = issuer().jwk();
    jwk["alg"] = json!("ES256");
    let keys = set(&[jwk]);
    let token = issuer().sign(&with("x", json!(1)));
    assert_eq!(judge_by(&token, &rule, &keys, NOW_MS), Err(F::KeyUnknown));
}

#[test]
fn jk_04_of_many_keys_with_one_id_three_are_tried() {
    let (rule, _) = ed25519();
    let others: Vec<_> = (2..5).map(|seed| Issuer::new(seed, KEY_ID).jwk()).collect();
    let token = issuer().sign(&with("x", json!(1)));
    for (before, expected) in [(0, alice()), (2, alice()), (3, Err(F::Signature))] {
        let mut keys = others[..before].to_vec();
        keys.push(issuer().jwk());
        assert_eq!(
            judge_by(&token, &rule, &set(&keys), NOW_MS),
            expected,
            "{before}"
        );
    }
    // Those of another algorithm do not count.
    let ec = crate::support::signer::es256_jwk(9, KEY_ID);
    let keys = [ec.clone(), ec.clone(), ec, issuer().jwk()];
    let document = json!({ "keys": keys });
    let keys = KeySet::from_value(&document, &[Algorithm::Es256, Algorithm::Ed25519]).unwrap();
    assert_eq!(judge_by(&token, &rule, &keys, NOW_MS), alice());
}

#[test]
fn jk_05_a_token_without_kid_needs_a_set_of_one() {
    let (rule, _) = ed25519();
    let header = r#"{"alg":"EdDSA"}"#;
    let token = issuer().sign_text(header, &with("x", json!(1)).to_string());
    let other = Issuer::new(2, "two").jwk();
    let judge = |keys: &[Value]| judge_by(&token, &rule, &set(keys), NOW_MS);
    assert_eq!(judge(&[issuer().jwk()]), alice());
    assert_eq!(judge(&[issuer().jwk(), other.clone()]), Err(F::KeyUnknown));
    assert_eq!(judge(&[other]), Err(F::Signature));
    assert_eq!(judge(&[]), Err(F::KeyUnknown));
}

#[test]
fn jk_08_unknown_keys_fetch_once_in_thirty_seconds() {
    let pair = Pair::new();
    pair.publish(&[&issuer()]);
    assert_eq!(pair.ask(&Pair::token(&issuer()), 0), admitted());
    assert_eq!(pair.fetches(), 1);
    for number in 0..100 {
        let stray = Issuer::new(7, ["a", "b", "c", "d"][number % 4]);
        assert_eq!(
            pair.ask(&Pair::token(&stray), 1_000 + number as u64),
            unknown()
        );
    }
    assert_eq!(pair.fetches(), 2);
    let stray = Pair::token(&Issuer::new(7, "e"));
    assert_eq!(pair.ask(&stray, 999 + REFETCH_MS_MIN), unknown());
    assert_eq!(pair.fetches(), 2);
    assert_eq!(pair.ask(&stray, 1_000 + REFETCH_MS_MIN), unknown());
    assert_eq!(pair.fetches(), 3);
}

#[test]
fn jk_09_no_keys_admit_nobody() {
    let pair = Pair::new();
    let token = Pair::token(&issuer());
    assert_eq!(pair.ask(&token, 0), down());
    pair.publish(&[]);
    assert_eq!(pair.ask(&token, 2_000), unknown());
    // A day without an answer is borne, and not a moment more.
    let pair = Pair::new();
    pair.publish(&[&issuer()]);
    assert_eq!(pair.ask(&token, 0), admitted());
    *pair.ports.issuer.published.borrow_mut() = None;
    assert_eq!(pair.ask(&token, STALE_MS_MAX - 1), admitted());
    assert_eq!(pair.ask(&token, STALE_MS_MAX), down());
}

/// Also for tokens that the isolate remembers: it forgets them when their key may be gone.
#[test]
fn jk_10_a_removed_key_stops_within_the_cache_time() {
    let pair = Pair::new();
    let (old, next) = (issuer(), Issuer::new(2, "two"));
    let (by_old, by_next) = (Pair::token(&old), Pair::token(&next));
    pair.publish(&[&old]);
    assert_eq!(pair.ask(&by_old, 0), admitted());
    // Rotated without notice: no request fails.
    pair.publish(&[&old, &next]);
    assert_eq!(pair.ask(&by_next, 1), admitted());
    assert_eq!(pair.ask(&by_old, 2), admitted());
    let removed_at_ms = 100_000;
    pair.publish(&[&next]);
    assert_eq!(pair.ask(&by_old, removed_at_ms), admitted());
    for after_ms in [
        FRESH_MS,
        FRESH_MS + 1,
        FRESH_MS + REFETCH_MS_MIN,
        2 * FRESH_MS,
    ] {
        assert_eq!(
            pair.ask(&by_old, removed_at_ms + after_ms),
            unknown(),
            "{after_ms}"
        );
        assert_eq!(
            pair.ask(&by_next, removed_at_ms + after_ms),
            admitted(),
            "{after_ms}"
        );
    }
}

#[test]
fn a_remembered_token_asks_for_no_key() {
    let pair = Pair::new();
    pair.publish(&[&issuer()]);
    let token = Pair::token(&issuer());
    for after_ms in [0, 1, FRESH_MS - 1] {
        assert_eq!(pair.ask(&token, after_ms), admitted());
    }
    assert_eq!(*pair.ports.asked.borrow(), ["key set", "signature"]);
}
