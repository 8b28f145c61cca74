//! Judging proofs through the whole driver: DP-01, DP-06, DP-08, DP-11 to DP-16, DP-18.

use edgeward::credential::dpop::JTI_BYTES_MAX;
use serde_json::json;

use crate::support::holder::Holder;
use crate::{
    NOW_S, ask, bound, gate, hash, key, policy, proof, proof_claims, request, token, with_bearer,
    with_proof,
};

const ALGORITHMS: [&str; 6] = ["ES256", "Ed25519", "EdDSA", "ES384", "PS256", "RS256"];

#[test]
fn a_proof_of_each_algorithm_admits_its_holder() {
    let gate = gate(&policy());
    for algorithm in ALGORITHMS {
        let holder = Holder::new(algorithm, 5);
        let token = bound(&holder, json!({}));
        let told = ask(
            &gate,
            with_proof(&token, &proof(&holder, &token, json!({}))),
        );
        assert_eq!(told.line(), "200 - -", "{algorithm}");
        assert_eq!(told.asked_for("replay"), 1, "{algorithm}");
        // The same text with one bit of the signature turned.
        let good = proof(&holder, &token, json!({}));
        let (text, signature) = good.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let turned = format!("{text}.{first}{}", &signature[1..]);
        let told = ask(&gate, with_proof(&token, &turned));
        assert_eq!(
            told.line(),
            "401 dpop-invalid proof_signature",
            "{algorithm}"
        );
        assert_eq!(
            told.asked_for("replay"),
            0,
            "{algorithm}: a forger filled the memory of uses"
        );
    }
}

#[test]
fn dp_01_a_second_header_is_a_second_credential() {
    let gate = gate(&policy());
    let holder = Holder::new("ES256", 5);
    let token = bound(&holder, json!({}));
    let one = proof(&holder, &token, json!({}));
    let other = proof(&holder, &token, json!({ "jti": "proof-2" }));
    for (id, proof, expected) in [
        ("one", one.clone(), "200 - -"),
        (
            "twice the same",
            format!("{one}, {one}"),
            "400 duplicate-credential credential_repeated",
        ),
        (
            "two",
            format!("{one}, {other}"),
            "400 duplicate-credential credential_repeated",
        ),
        (
            "an empty second",
            format!("{one},"),
            "400 duplicate-credential credential_repeated",
        ),
        (
            "an empty one",
            String::new(),
            "401 dpop-invalid proof_malformed",
        ),
        (
            "two by a space",
            format!("{one} {other}"),
            "401 dpop-invalid proof_malformed",
        ),
    ] {
        assert_eq!(
            ask(&gate, with_proof(&token, &proof)).line(),
            expected,
            "DP-01 {id}"
        );
    }
    let authorization = format!("DPoP {token}");
    let without = request("GET", "/orders", &[("authorization", &authorization)], "");
    assert_eq!(
        ask(&gate, without).line(),
        "401 dpop-invalid proof_missing",
        "DP-01 none"
    );
}

#[test]
fn dp_06_a_signature_is_of_this_key_and_this_text() {
    let gate = gate(&policy());
    let (holder, thief) = (Holder::new("ES256", 5), Holder::new("ES256", 6));
    let token = bound(&holder, json!({}));
    let good = proof(&holder, &token, json!({}));
    let stolen = proof(&thief, &token, json!({}));
    let (text, _) = good.rsplit_once('.').unwrap();
    let (_, theirs) = stolen.rsplit_once('.').unwrap();
    let claims = proof_claims(&token);
    // The holder's public key, and a signature by the thief's.
    let borrowed = thief.sign_text(&holder.header().to_string(), &claims.to_string());
    for (id, proof) in [
        ("another's signature", format!("{text}.{theirs}")),
        ("another's key", borrowed),
        ("no signature", format!("{text}.")),
        ("zeroes", format!("{text}.{}", "A".repeat(86))),
        ("half of it", format!("{text}.{}", "A".repeat(43))),
        ("DER", holder.sign_der(&claims)),
    ] {
        let told = ask(&gate, with_proof(&token, &proof));
        assert_eq!(told.status, 401, "DP-06 {id}");
        assert_eq!(told.reason, "proof_signature", "DP-06 {id}");
    }
    assert_eq!(ask(&gate, with_proof(&token, &good)).status, 200);
}

#[test]
fn dp_08_to_13_a_proof_is_for_this_request_and_token() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    let other = bound(&holder, json!({ "jti": "token-2" }));
    let padded = format!("{}=", hash(&token));
    let with_scheme = hash(&format!("DPoP {token}"));
    for (id, change, expected) in [
        ("as it should be", json!({}), "-"),
        ("DP-08 lower case", json!({ "htm": "get" }), "proof_method"),
        ("DP-08 another", json!({ "htm": "POST" }), "proof_method"),
        (
            "DP-08 HEAD for GET",
            json!({ "htm": "HEAD" }),
            "proof_method",
        ),
        ("DP-08 a space", json!({ "htm": "GET " }), "proof_method"),
        ("DP-11 60 s old", json!({ "iat": NOW_S - 60 }), "-"),
        ("DP-11 61 s old", json!({ "iat": NOW_S - 61 }), "proof_time"),
        ("DP-11 60 s ahead", json!({ "iat": NOW_S + 60 }), "-"),
        (
            "DP-11 61 s ahead",
            json!({ "iat": NOW_S + 61 }),
            "proof_time",
        ),
        (
            "DP-11 in milliseconds",
            json!({ "iat": NOW_S * 1_000 }),
            "proof_time",
        ),
        ("DP-11 zero", json!({ "iat": 0 }), "proof_time"),
        (
            "DP-11 2^53 - 1",
            json!({ "iat": 9_007_199_254_740_991_u64 }),
            "proof_time",
        ),
        ("DP-12 none", json!({ "ath": null }), "proof_token"),
        (
            "DP-12 of another token",
            json!({ "ath": hash(&other) }),
            "proof_token",
        ),
        ("DP-12 padded", json!({ "ath": padded }), "proof_token"),
        (
            "DP-12 with the scheme",
            json!({ "ath": with_scheme }),
            "proof_token",
        ),
        (
            "DP-12 the token itself",
            json!({ "ath": token }),
            "proof_token",
        ),
        (
            "DP-18 just short enough",
            json!({ "jti": "j".repeat(JTI_BYTES_MAX) }),
            "-",
        ),
        (
            "DP-18 too long",
            json!({ "jti": "j".repeat(JTI_BYTES_MAX + 1) }),
            "proof_claim",
        ),
    ] {
        let told = ask(&gate, with_proof(&token, &proof(&holder, &token, change)));
        assert_eq!(told.reason, expected, "{id}");
        let code = if expected == "-" { "-" } else { "dpop-invalid" };
        assert_eq!(told.code, code, "{id}");
    }
    let thief = Holder::new("Ed25519", 6);
    let stolen = with_proof(&token, &proof(&thief, &token, json!({})));
    let told = ask(&gate, stolen);
    assert_eq!(told.line(), "401 credential-invalid token_bound", "DP-13");
    assert_eq!(
        told.asked_for("replay"),
        0,
        "DP-13: a thief filled the memory of uses"
    );
}

#[test]
fn dp_13_a_binding_reads_in_its_one_spelling() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let own = holder.thumbprint();
    for (id, cnf, expected) in [
        ("its own", json!({ "jkt": own }), "-"),
        ("padded", json!({ "jkt": format!("{own}=") }), "token_claim"),
        ("short", json!({ "jkt": own[..42] }), "token_claim"),
        ("a number", json!({ "jkt": 7 }), "token_claim"),
        ("empty", json!({}), "token_claim"),
        ("text", json!(own), "token_claim"),
        (
            "of another kind",
            json!({ "jwk": holder.jwk() }),
            "token_claim",
        ),
        (
            "unknown beside",
            json!({ "jkt": own, "kid": own }),
            "token_bound",
        ),
        (
            "to a certificate alone",
            json!({ "x5t#S256": own }),
            "token_bound",
        ),
    ] {
        let token = token(json!({ "cnf": cnf }));
        let told = ask(
            &gate,
            with_proof(&token, &proof(&holder, &token, json!({}))),
        );
        assert_eq!(told.reason, expected, "DP-13 {id}");
    }
}

#[test]
fn dp_15_and_16_a_bound_token_is_no_bearer_token_and_an_unbound_one_no_more_than_that() {
    let gate = gate(&policy());
    let holder = Holder::new("ES256", 5);
    let of = |iss: &str, is_bound: bool| {
        let change = json!({ "iss": format!("https://{iss}.example") });
        if is_bound {
            bound(&holder, change)
        } else {
            token(change)
        }
    };
    let bearer = |token: &str| with_bearer("/orders", token);
    let proven = |token: &str| with_proof(token, &proof(&holder, token, json!({})));
    let both = |token: &str| {
        let (authorization, proof) = (format!("Bearer {token}"), proof(&holder, token, json!({})));
        request(
            "GET",
            "/orders",
            &[("authorization", &authorization), ("dpop", &proof)],
            "",
        )
    };
    for (id, facts, expected) in [
        (
            "DP-15 bound as bearer",
            bearer(&of("issuer", true)),
            "token_bound",
        ),
        (
            "DP-15 bound as bearer, with a proof",
            both(&of("issuer", true)),
            "token_bound",
        ),
        ("bound, proven", proven(&of("issuer", true)), "-"),
        ("unbound as bearer", bearer(&of("issuer", false)), "-"),
        (
            "DP-16 unbound under DPoP",
            proven(&of("issuer", false)),
            "token_bound",
        ),
        ("required, bound", proven(&of("strict", true)), "-"),
        (
            "required, unbound",
            bearer(&of("strict", false)),
            "token_unbound",
        ),
        (
            "required, unbound under DPoP",
            proven(&of("strict", false)),
            "token_bound",
        ),
        ("off, unbound", bearer(&of("loose", false)), "-"),
        (
            "off, bound and proven",
            proven(&of("loose", true)),
            "token_bound",
        ),
        (
            "off, bound as bearer",
            bearer(&of("loose", true)),
            "token_bound",
        ),
    ] {
        let told = ask(&gate, facts);
        assert_eq!(told.reason, expected, "{id}");
        assert_eq!(told.status, if expected == "-" { 200 } else { 401 }, "{id}");
    }
    let key = format!("DPoP {}", key("good"));
    let told = ask(
        &gate,
        request("GET", "/orders", &[("authorization", &key)], ""),
    );
    assert_eq!(told.status, 401, "an API key under DPoP");
}

#[test]
fn a_proof_does_not_reach_the_origin_nor_hide_behind_connection() {
    let gate = gate(&policy());
    let holder = Holder::new("ES256", 5);
    let token = bound(&holder, json!({}));
    let (authorization, text) = (format!("DPoP {token}"), proof(&holder, &token, json!({})));
    let fields = [
        ("authorization", authorization.as_str()),
        ("dpop", &text),
        ("connection", "dpop"),
    ];
    let ports = crate::ports();
    let told = crate::tell(&gate, &ports, request("GET", "/orders", &fields, ""));
    assert_eq!(told.line(), "200 - -");
    let removed = ports.arrived.borrow()[0].removed.clone();
    assert!(removed.contains(&"dpop".to_owned()) && removed.contains(&"authorization".to_owned()));
}
