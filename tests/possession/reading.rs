//! Reading proofs, before any signature: DP-02 to DP-05, DP-07.

use edgeward::credential::dpop::{PROOF_BYTES_MAX, Proof, ProofFault};
use serde_json::{Value, json};

use crate::support::holder::Holder;
use crate::{NOW_S, change_to, proof_claims};

#[test]
fn dp_02_what_is_no_single_token_does_not_read() {
    let good = Holder::new("ES256", 5).sign(&proof_claims("t"));
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, tail) = (parts[0], parts[1], parts[2]);
    assert!(Proof::parse(&good).is_ok());
    for (id, text) in [
        ("nothing", String::new()),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{tail}")),
        ("an empty payload", format!("{head}..{tail}")),
        ("padding", format!("{head}.{body}.{tail}=")),
        ("a space before", format!(" {good}")),
        ("a line break", format!("{head}.{body}.{tail}\n")),
        (
            "the other alphabet",
            format!("{head}.{body}.{}", tail.replace(['-', '_'], "+")),
        ),
        (
            "JSON serialization",
            r#"{"payload":"","protected":"","signature":""}"#.into(),
        ),
    ] {
        let read = Proof::parse(&text);
        // Without one of the two characters, the other alphabet is the same text.
        if id == "the other alphabet" && text == good {
            continue;
        }
        assert_eq!(read.err(), Some(ProofFault::Malformed), "DP-02 {id}");
    }
    let holder = Holder::new("ES256", 5);
    let header = holder.header().to_string();
    for (id, header, payload) in [
        ("a list of claims", header.clone(), "[]".to_owned()),
        (
            "text after the claims",
            header.clone(),
            format!("{}{{}}", proof_claims("t")),
        ),
        (
            "a claim twice",
            header.clone(),
            proof_claims("t")
                .to_string()
                .replacen('{', r#"{"htm":"POST","#, 1),
        ),
        (
            "a parameter twice",
            header.replacen('{', r#"{"alg":"none","#, 1),
            proof_claims("t").to_string(),
        ),
        (
            "a key's member twice",
            header.replacen(r#""kty""#, r#""kty":"RSA","kty""#, 1),
            proof_claims("t").to_string(),
        ),
    ] {
        let read = Proof::parse(&holder.sign_text(&header, &payload));
        assert_eq!(read.err(), Some(ProofFault::Malformed), "DP-02 {id}");
    }
}

#[test]
fn dp_02_a_proof_is_bounded_on_both_sides() {
    let holder = Holder::new("Ed25519", 5);
    let of_length = |bytes: usize| {
        let sized = |padding: usize| {
            let mut claims = proof_claims("t");
            claims["pad"] = json!("a".repeat(padding));
            holder.sign(&claims)
        };
        let near = bytes - sized(0).len();
        let padding = (near * 3 / 4 - 8..).find(|padding| sized(*padding).len() >= bytes);
        sized(padding.unwrap())
    };
    let most = of_length(PROOF_BYTES_MAX);
    assert!(most.len() == PROOF_BYTES_MAX && Proof::parse(&most).is_ok());
    let over = of_length(PROOF_BYTES_MAX + 1);
    assert_eq!(Proof::parse(&over).err(), Some(ProofFault::TooLarge));
}

/// The fault of a proof with one claim changed; null takes it away.
fn of_claims(change: Value) -> Option<ProofFault> {
    let mut claims = proof_claims("t");
    change_to(&mut claims, &change);
    Proof::parse(&Holder::new("ES256", 5).sign(&claims)).err()
}

fn of_header(holder: &Holder, change: Value) -> Option<ProofFault> {
    let mut header = holder.header();
    change_to(&mut header, &change);
    Proof::parse(&holder.sign_text(&header.to_string(), &proof_claims("t").to_string())).err()
}

#[test]
fn dp_03_every_claim_is_there_and_of_its_type() {
    for claim in ["jti", "htm", "htu", "iat"] {
        let fault = Some(ProofFault::Claim { claim });
        assert_eq!(of_claims(json!({ claim: null })), fault, "DP-03 no {claim}");
        for value in [json!(""), json!([]), json!({}), json!(true)] {
            assert_eq!(
                of_claims(json!({ claim: value })),
                fault,
                "DP-03 {claim} {value}"
            );
        }
    }
    for (claim, value) in [
        ("jti", json!(7)),
        ("htm", json!(["GET"])),
        ("htu", json!(7)),
        ("iat", json!(NOW_S.to_string())),
        ("iat", json!(-1)),
        ("iat", json!(u64::MAX)),
        ("ath", json!(7)),
        ("ath", json!("")),
        ("nonce", json!(7)),
        ("nonce", json!("")),
        ("nonce", json!([])),
    ] {
        let fault = Some(ProofFault::Claim { claim });
        assert_eq!(
            of_claims(json!({ claim: value })),
            fault,
            "DP-03 {claim} {value}"
        );
    }
    let mut claims = proof_claims("t");
    claims["nonce"] = Value::Null;
    let read = Proof::parse(&Holder::new("ES256", 5).sign(&claims));
    assert_eq!(
        read.err(),
        Some(ProofFault::Claim { claim: "nonce" }),
        "DP-03 nonce null"
    );
    assert_eq!(
        of_claims(json!({ "exp": 1, "aud": "x" })),
        None,
        "DP-03 claims of no meaning here"
    );
}

#[test]
fn dp_04_a_token_of_another_type_is_no_proof() {
    let holder = Holder::new("ES256", 5);
    for (kind, fault) in [
        (json!("dpop+jwt"), None),
        (json!("DPoP+JWT"), None),
        (json!("application/dpop+jwt"), None),
        (json!("jwt"), Some(ProofFault::Type)),
        (json!("at+jwt"), Some(ProofFault::Type)),
        (json!("dpop"), Some(ProofFault::Type)),
        (json!("text/dpop+jwt"), Some(ProofFault::Type)),
        (json!(["dpop+jwt"]), Some(ProofFault::Type)),
        (Value::Null, Some(ProofFault::Type)),
    ] {
        assert_eq!(
            of_header(&holder, json!({ "typ": kind })),
            fault,
            "DP-04 {kind}"
        );
    }
}

#[test]
fn dp_05_only_an_asymmetric_algorithm_by_its_exact_name_proves() {
    let holder = Holder::new("ES256", 5);
    for name in [
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("ES512"),
        json!("RS1"),
        json!("es256"),
        json!(["ES256"]),
        json!(""),
        Value::Null,
    ] {
        let fault = of_header(&holder, json!({ "alg": name }));
        assert_eq!(fault, Some(ProofFault::Algorithm), "DP-05 {name}");
    }
    for parameter in ["crit", "b64", "zip", "cty"] {
        let fault = of_header(&holder, json!({ parameter: "x" }));
        assert_eq!(fault, Some(ProofFault::Malformed), "DP-05 {parameter}");
    }
    assert_eq!(of_header(&holder, json!({ "kid": "one" })), None);
}

#[test]
fn dp_07_a_key_is_public_and_of_its_algorithm() {
    let holder = Holder::new("ES256", 5);
    let with = |name: &str, value: Value| {
        let mut jwk = holder.jwk();
        jwk[name] = value;
        of_header(&holder, json!({ "jwk": jwk }))
    };
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for value in [json!("AQAB"), json!(""), json!(null)] {
            assert_eq!(
                with(member, value.clone()),
                Some(ProofFault::Key),
                "DP-07 {member} {value}"
            );
        }
    }
    for (member, value) in [
        ("kty", json!("oct")),
        ("kty", json!("OKP")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("x", json!("AA")),
        ("x", json!(7)),
        ("y", json!(null)),
        ("alg", json!("ES384")),
        ("alg", json!("none")),
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("kid", json!(7)),
    ] {
        assert_eq!(
            with(member, value.clone()),
            Some(ProofFault::Key),
            "DP-07 {member} {value}"
        );
    }
    for (member, value) in [
        ("alg", json!("ES256")),
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("kid", json!("mine")),
    ] {
        assert_eq!(with(member, value.clone()), None, "DP-07 {member} {value}");
    }
    for jwk in [Value::Null, json!("key"), json!([]), json!({})] {
        assert_eq!(
            of_header(&holder, json!({ "jwk": jwk })),
            Some(ProofFault::Key),
            "{jwk}"
        );
    }
    // A key for signatures of 1024 bits, and one that everyone can take roots of.
    let rsa = Holder::new("RS256", 0);
    for (member, value) in [("n", "y".repeat(171)), ("e", "Aw".into())] {
        let mut jwk = rsa.jwk();
        jwk[member] = json!(value);
        assert_eq!(
            of_header(&rsa, json!({ "jwk": jwk })),
            Some(ProofFault::Key),
            "{member}"
        );
    }
}
