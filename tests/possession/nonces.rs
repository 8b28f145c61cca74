//! DP-10, DP-14, DP-20, DP-21: nonces, and how a client learns of them.

use edgeward::credential::nonce::{NONCE_MS, NonceKey};
use edgeward::secret::Secret;
use serde_json::{Value, json};

use crate::support::bindings;
use crate::support::holder::Holder;
use crate::support::told::Told;
use crate::{NOW_MS, bound, gate, policy, ports, proof, request, tell, with_bearer, with_proof};

/// The start of a nonce's minute.
const MINUTE_MS: u64 = NOW_MS - NOW_MS % NONCE_MS;

fn nonce(at_ms: u64) -> String {
    let secret = bindings().0["NONCE_SECRET"].clone();
    NonceKey::new(Secret::new(secret)).current(at_ms)
}

/// What comes of a proof with this nonce at this instant, in an isolate of its own.
fn at(now_ms: u64, nonce: Value) -> Told {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({ "iss": "https://nonce.example" }));
    let change = json!({ "nonce": nonce, "iat": now_ms / 1_000 });
    let mut facts = with_proof(&token, &proof(&holder, &token, change));
    facts.received_at_ms = now_ms;
    let ports = ports();
    ports.clock_ms.set(now_ms);
    tell(&gate, &ports, facts)
}

#[test]
fn dp_10_a_proof_without_our_nonce_is_told_one() {
    let own = nonce(NOW_MS);
    let other = NonceKey::new(Secret::new("another secret".into())).current(NOW_MS);
    for (id, nonce) in [
        ("none", Value::Null),
        ("a made one", json!("nonce")),
        ("of another gateway", json!(other)),
        ("in another case", json!(own.to_ascii_uppercase())),
        ("with a space", json!(format!("{own} "))),
        ("half", json!(own[..11])),
        ("padded", json!(format!("{own}=="))),
    ] {
        let told = at(NOW_MS, nonce);
        assert_eq!(
            told.line(),
            "401 dpop-nonce-required proof_nonce",
            "DP-10 {id}"
        );
        assert_eq!(told.dpop_nonce.as_deref(), Some(own.as_str()), "DP-10 {id}");
        let challenge = told
            .challenges
            .iter()
            .find(|one| one.starts_with("DPoP "))
            .unwrap();
        assert!(
            challenge.contains(r#", error="use_dpop_nonce","#),
            "DP-10 {id}: {challenge}"
        );
        assert_eq!(told.asked_for("replay"), 0, "DP-10 {id}");
    }
    let told = at(NOW_MS, json!(own));
    assert_eq!(told.line(), "200 - -", "DP-10 ours");
    assert_eq!(told.dpop_nonce, None, "it has the newest");
}

#[test]
fn dp_20_a_nonce_needs_no_memory_and_turns_before_it_ends() {
    let first = nonce(MINUTE_MS);
    for (after_ms, expected, told_anew) in [
        (0, "-", false),
        (NONCE_MS - 1, "-", false),
        // The next is given out while the one before is still taken.
        (NONCE_MS, "-", true),
        (2 * NONCE_MS - 1, "-", true),
        (2 * NONCE_MS, "proof_nonce", true),
        (3 * NONCE_MS, "proof_nonce", true),
    ] {
        let now_ms = MINUTE_MS + after_ms;
        let told = at(now_ms, json!(first));
        assert_eq!(told.reason, expected, "DP-20 after {after_ms} ms");
        assert_eq!(
            told.dpop_nonce,
            told_anew.then(|| nonce(now_ms)),
            "DP-20 after {after_ms} ms"
        );
        if let Some(next) = told.dpop_nonce {
            assert_eq!(
                at(now_ms, json!(next)).reason,
                "-",
                "DP-20 what is told is taken"
            );
        }
    }
    let early = at(MINUTE_MS - 1, json!(first));
    assert_eq!(early.reason, "proof_nonce", "DP-20 before it was given out");
}

#[test]
fn dp_10_only_who_has_a_good_token_is_told_a_nonce() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let bad = bound(&holder, json!({ "iss": "https://nonce.example", "exp": 1 }));
    let told = tell(
        &gate,
        &ports(),
        with_proof(&bad, &proof(&holder, &bad, json!({}))),
    );
    assert_eq!((told.status, told.dpop_nonce), (401, None));
    // No other check is skipped for want of a nonce, nor by one.
    let token = bound(&holder, json!({ "iss": "https://nonce.example" }));
    let change = json!({ "nonce": nonce(NOW_MS), "htm": "POST" });
    let told = tell(
        &gate,
        &ports(),
        with_proof(&token, &proof(&holder, &token, change)),
    );
    assert_eq!(told.reason, "proof_method");
    let plain = bound(&holder, json!({}));
    let told = tell(
        &gate,
        &ports(),
        with_proof(&plain, &proof(&holder, &plain, json!({}))),
    );
    assert_eq!(
        (told.status, told.dpop_nonce),
        (200, None),
        "an authenticator without nonces"
    );
    let told = tell(&gate, &ports(), with_bearer("/orders", &token));
    assert_eq!(
        told.reason, "token_bound",
        "a nonce is no way around the proof"
    );
}

#[test]
fn dp_14_and_21_a_client_is_told_what_to_prove_and_a_page_may_read_it() {
    let mut policy = policy();
    policy["cors"] = json!({ "origins": ["https://app.example"], "methods": ["GET"] });
    let gate = gate(&policy);
    let told = tell(&gate, &ports(), request("GET", "/orders", &[], ""));
    let expected = "DPoP realm=\"orders\", algs=\"ES256 Ed25519 ES384 PS256 RS256\", \
                    resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\"";
    assert!(
        told.challenges.iter().any(|one| one == expected),
        "DP-14 {:?}",
        told.challenges
    );
    let fields = edgeward::cors::fields(gate.cors.as_ref().unwrap(), "https://app.example");
    let exposed = fields
        .iter()
        .find(|(name, _)| *name == "access-control-expose-headers");
    let exposed = exposed.unwrap().1.to_ascii_lowercase();
    for name in ["dpop-nonce", "www-authenticate"] {
        assert!(exposed.split(", ").any(|one| one == name), "DP-21 {name}");
    }
}
