//! DP-17 to DP-19: a proof is used once, whatever its spelling, in every isolate.

use edgeward::credential::dpop::{Occasion, Proof, ProofFault};
use edgeward::replay::{ReplayAnswer, Take, Taken, USES_MAX, Uses};
use serde_json::json;

use crate::support::holder::Holder;
use crate::support::rows::FakeUses;
use crate::{
    NOW_MS, NOW_S, TARGET, bound, gate, policy, ports, proof, proof_claims, request, tell,
    with_proof,
};

#[test]
fn dp_17_a_proof_is_taken_once_in_every_spelling() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    let ports = ports();
    let send = |id: &str, change, expected: &str| {
        let told = tell(
            &gate,
            &ports,
            with_proof(&token, &proof(&holder, &token, change)),
        );
        assert_eq!(told.reason, expected, "DP-17 {id}");
        assert_eq!(
            told.code,
            if expected == "-" { "-" } else { "dpop-invalid" },
            "DP-17 {id}"
        );
    };
    send("the first", json!({}), "-");
    send("itself", json!({}), "proof_replayed");
    for htu in [
        "https://api.example.com/orders?x=1",
        "https://api.example.com/orders?x=2",
        "https://api.example.com/orders#x",
        "HTTPS://API.EXAMPLE.COM/orders",
        "https://api.example.com:443/orders",
        "https://api.example.com/%6Frders",
    ] {
        send(htu, json!({ "htu": htu }), "proof_replayed");
    }
    send(
        "another instant",
        json!({ "iat": NOW_S + 9 }),
        "proof_replayed",
    );
    send(
        "another method's name",
        json!({ "htm": "get" }),
        "proof_method",
    );
    send("another jti", json!({ "jti": "proof-2" }), "-");
    send("another jti in case", json!({ "jti": "PROOF-1" }), "-");
    // The method is read with case, so `get` leads nowhere at all.
    let authorization = format!("DPoP {token}");
    let lower = proof(&holder, &token, json!({ "htm": "get" }));
    let fields = [("authorization", authorization.as_str()), ("dpop", &lower)];
    let told = tell(&gate, &ports, request("get", "/orders", &fields, ""));
    assert_eq!(told.status, 405, "DP-17 a method in lower case");
}

#[test]
fn dp_17_uses_are_of_one_key() {
    let gate = gate(&policy());
    let ports = ports();
    for seed in [5, 6] {
        let holder = Holder::new("ES256", seed);
        let token = bound(&holder, json!({}));
        let facts = with_proof(&token, &proof(&holder, &token, json!({})));
        assert_eq!(tell(&gate, &ports, facts).status, 200, "{seed}");
    }
    let holder = Holder::new("ES256", 5);
    let token = bound(&holder, json!({}));
    let text = proof(&holder, &token, json!({ "htm": "POST" }));
    let authorization = format!("DPoP {token}");
    let fields = [("authorization", authorization.as_str()), ("dpop", &text)];
    let told = tell(&gate, &ports, request("POST", "/orders", &fields, ""));
    assert_eq!(told.status, 200, "another request may have the same jti");
    let told = tell(&gate, &ports, request("POST", "/orders", &fields, ""));
    assert_eq!(told.reason, "proof_replayed");
}

#[test]
fn dp_17_a_use_is_remembered_for_longer_than_the_proof_is_good() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    // Sent again at the last instant of the proof, read there after a wait of `late_ms`, by an
    // object that had reason to forget: another use came before.
    for (ahead_s, late_ms) in [(0, 0), (60, 0), (0, 5_000), (60, 5_000), (60, 29_000)] {
        let ports = ports();
        let first = json!({ "iat": NOW_S + ahead_s });
        let at = |received_at_ms, change| {
            let mut facts = with_proof(&token, &proof(&holder, &token, change));
            facts.received_at_ms = received_at_ms;
            ports.clock_ms.set(received_at_ms + late_ms);
            tell(&gate, &ports, facts).reason
        };
        assert_eq!(at(NOW_MS, first.clone()), "-", "{ahead_s} {late_ms}");
        let last_ms = (NOW_S + ahead_s + 61) * 1_000 - 1;
        let other = json!({ "iat": NOW_S + ahead_s, "jti": "proof-2" });
        assert_eq!(at(last_ms, other), "-", "{ahead_s} {late_ms}");
        let again = at(last_ms, first.clone());
        assert_eq!(
            again, "proof_replayed",
            "DP-17 {ahead_s} s ahead, {late_ms} ms late"
        );
        assert_eq!(at(last_ms + 1, first), "proof_time", "{ahead_s} {late_ms}");
    }
}

#[test]
fn dp_17_without_a_memory_nobody_is_let_in() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    let ports = ports();
    ports.replay_down.set(true);
    let told = tell(
        &gate,
        &ports,
        with_proof(&token, &proof(&holder, &token, json!({}))),
    );
    assert_eq!(told.line(), "503 temporary-reduced-capacity replay_down");
    assert!(told.retry_after_s.is_some());
    assert_eq!(told.asked_for("origin"), 0);
    ports.replay_down.set(false);
    let told = tell(
        &gate,
        &ports,
        with_proof(&token, &proof(&holder, &token, json!({}))),
    );
    assert_eq!(told.status, 200, "what was not written down was not used");
}

#[test]
fn dp_17_a_full_memory_admits_nobody_and_makes_room_when_uses_end() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let token = bound(&holder, json!({}));
    let ports = ports();
    // The objects' names are hashes: the first request tells which one is meant.
    let other = proof(&holder, &token, json!({ "jti": "proof-0" }));
    assert_eq!(tell(&gate, &ports, with_proof(&token, &other)).status, 200);
    for uses in ports.uses.borrow().values() {
        for name in 1..USES_MAX {
            let until_ms = NOW_MS + 1_000;
            let name = name.to_string();
            uses.write(&Take { name, until_ms }).unwrap();
        }
    }
    let facts = || with_proof(&token, &proof(&holder, &token, json!({})));
    assert_eq!(tell(&gate, &ports, facts()).status, 503);
    ports.clock_ms.set(NOW_MS + 1_000);
    assert_eq!(tell(&gate, &ports, facts()).status, 200);
    assert_eq!(tell(&gate, &ports, facts()).reason, "proof_replayed");
}

/// A proof whose signature was checked, for `GET` [`TARGET`] with the token `t`.
fn signed(jti: &str) -> edgeward::credential::dpop::SignedProof {
    let mut claims = proof_claims("t");
    claims["jti"] = json!(jti);
    let proof = Proof::parse(&Holder::new("Ed25519", 5).sign(&claims)).unwrap();
    let occasion = Occasion {
        method: "GET",
        target: TARGET,
        token: "t",
        now_ms: NOW_MS,
    };
    let answer = proof.question().answered(true);
    proof.check(&occasion, answer).unwrap()
}

#[test]
fn dp_18_what_is_written_down_is_a_hash() {
    let question = signed("a jti that nobody else should read")
        .question()
        .clone();
    assert_eq!(question.take.name.len(), 40);
    assert!(!format!("{question:?}").contains("jti"));
    assert_ne!(question.take.name, signed("another").question().take.name);
    assert_eq!(question.object, signed("another").question().object);
}

#[test]
fn dp_19_only_fresh_for_this_very_use_proves_the_key() {
    let name = signed("one").question().take.name.clone();
    let other = signed("two").question().take.name.clone();
    for (name, taken, expected) in [
        (&name, Taken::Fresh, "proven"),
        (&name, Taken::Seen, "Replayed"),
        (&name, Taken::Full, "no answer"),
        (&other, Taken::Fresh, "no answer"),
        (&other, Taken::Seen, "no answer"),
        (&String::new(), Taken::Fresh, "no answer"),
    ] {
        let answer = ReplayAnswer {
            name: name.clone(),
            taken: taken.clone(),
        };
        let found = match signed("one").used_once(&answer) {
            None => "no answer".to_owned(),
            Some(Ok(_)) => "proven".into(),
            Some(Err(fault)) => format!("{fault:?}"),
        };
        assert_eq!(found, expected, "DP-19 {taken:?}");
    }
}

#[test]
fn dp_06_an_answer_about_another_signature_proves_nothing() {
    let holder = Holder::new("Ed25519", 5);
    let of = |jti: &str| {
        let mut claims = proof_claims("t");
        claims["jti"] = json!(jti);
        Proof::parse(&holder.sign(&claims)).unwrap()
    };
    let occasion = Occasion {
        method: "GET",
        target: TARGET,
        token: "t",
        now_ms: NOW_MS,
    };
    let (one, two) = (of("one"), of("two"));
    let fault = |answer| one.check(&occasion, answer).err();
    assert_eq!(
        fault(two.question().answered(true)),
        Some(ProofFault::Signature)
    );
    assert_eq!(
        fault(one.question().answered(false)),
        Some(ProofFault::Signature)
    );
    assert_eq!(fault(one.question().answered(true)), None);
}

#[test]
fn the_memory_of_uses_says_fresh_once() {
    let uses = FakeUses::default();
    let take = Take {
        name: "a".into(),
        until_ms: NOW_MS + 1_000,
    };
    let ask = || edgeward::replay::take(&uses, NOW_MS, &take).unwrap();
    assert_eq!(
        (ask(), ask(), ask()),
        (Taken::Fresh, Taken::Seen, Taken::Seen)
    );
}
