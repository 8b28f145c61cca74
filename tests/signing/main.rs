//! The signature of a whole request to its origin, through the whole gateway over fakes. What arrives is
//! verified as an origin would: from the request alone, and the key that is published.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod policy;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod unsigned;
mod verifier;

use edgeward::admit::{Outcome, admit};
use edgeward::facts::RequestId;
use edgeward::message;
use edgeward::policy::gate::Gate;
use edgeward::policy::load::load;
use edgeward::ports::OriginFault;
use serde_json::{Value, json};
use support::{FakePorts, NOW_MS, PEPPER, bindings::Bindings, keys, request, run};
use verifier::{header, verify};

const KEY: &str = r#"{
    "kty": "OKP", "crv": "Ed25519", "kid": "k-1",
    "d": "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU",
    "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
}"#;

fn signing() -> Bindings {
    let secrets = [("KEY_PEPPER", PEPPER), ("IDENTITY_KEY", KEY)];
    Bindings(
        secrets
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    )
}

fn policy(origin: Value, route: Value) -> Value {
    let mut api = json!({ "url": "https://origin.example", "signature": {} });
    let mut one = json!({
        "id": "orders", "match": { "methods": ["GET", "PUT", "POST"], "path": "/orders/{id}" },
        "origin": "api", "auth": ["keys"], "limits": ["ip"],
    });
    for (object, change) in [(&mut api, origin), (&mut one, route)] {
        object
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
    }
    let ip = json!({
        "by": "ip", "algorithm": "sliding_window", "limit": 100_000, "window_s": 60, "on_error": "local",
    });
    json!({
        "name": "orders", "origins": { "api": api }, "limits": { "ip": ip },
        "authenticators": { "keys": { "kind": "api_key" } }, "routes": [one],
    })
}

fn gate_with(origin: Value, route: Value) -> Gate {
    let policy = policy(origin, route).to_string();
    load(policy.as_bytes(), &signing()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records.extend([keys::record("alice", json!({}))]);
    ports
}

/// What came of one request of Alice's.
fn ask(
    gate: &Gate,
    ports: &FakePorts,
    method: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> &'static str {
    let own = keys::key("alice");
    let fields = [fields, &[("x-api-key", own.as_str())]].concat();
    let mut facts = request(method, "/orders/7?b=2&a=%201", &fields, body);
    // Two requests are two attempts.
    let id = u8::try_from(ports.asked.borrow().len()).unwrap();
    facts.request_id = RequestId::from_random([id; 16]);
    match run(admit(gate, ports, facts, body.as_bytes().to_vec())) {
        Ok(Outcome::Released(_)) => "released",
        Ok(Outcome::Preflight { .. } | Outcome::Replayed { .. }) => "answered here",
        Ok(Outcome::Switched(_)) => "switched",
        Err(refused) => refused.refusal.reason(),
    }
}

/// How often something was signed: the statement, and then the message.
fn signers(ports: &FakePorts) -> usize {
    let asked = ports.asked.borrow();
    asked.iter().filter(|one| **one == "signer").count()
}

#[test]
fn what_arrives_is_what_was_signed_all_of_it() {
    let gate = gate_with(json!({}), json!({}));
    for (method, body) in [
        ("GET", ""),
        ("PUT", "x"),
        ("POST", ""),
        ("POST", "{\"a\": 1}\n"),
    ] {
        let ports = ports();
        assert_eq!(ask(&gate, &ports, method, &[], body), "released");
        let arrived = ports.arrived.borrow()[0].clone();
        let said = verify(&arrived, KEY).unwrap();
        let every = [
            "@method",
            "@authority",
            "@path",
            "@query",
            "content-digest",
            "edgeward-identity",
        ];
        assert_eq!(said.components, every);
        let now_s = NOW_MS / 1_000;
        let about = format!(
            r#"created={now_s};expires={};keyid="k-1";alg="ed25519";tag="edgeward""#,
            now_s + 60
        );
        assert_eq!(said.about, about);
        // Sent with anything else it does not verify.
        for spoil in verifier::SPOILS {
            let mut other = arrived.clone();
            spoil.1(&mut other);
            assert!(verify(&other, KEY).is_none(), "{method}: {}", spoil.0);
        }
    }
}

#[test]
fn time_and_tag_are_the_policys_and_begin_when_it_is_sent() {
    let signature = json!({ "signature": { "ttl_s": 5, "tag": "orders" } });
    let (gate, ports) = (gate_with(signature, json!({})), ports());
    // The content took its time to come.
    ports.clock_ms.set(NOW_MS + 20_500);
    assert_eq!(ask(&gate, &ports, "PUT", &[], "x"), "released");
    let said = verify(&ports.arrived.borrow()[0], KEY).unwrap();
    let sent_s = NOW_MS / 1_000 + 20;
    let about = format!(
        r#"created={sent_s};expires={};keyid="k-1";alg="ed25519";tag="orders""#,
        sent_s + 5
    );
    assert_eq!(said.about, about);
}

#[test]
fn sg_10_a_callers_own_signature_and_digest_stay_behind() {
    let gate = gate_with(json!({}), json!({}));
    let forged = [
        ("signature", "edgeward=:AAAA:, other=:AAAA:"),
        (
            "signature-input",
            "edgeward=(\"@method\");created=1, other=()",
        ),
        ("content-digest", "md5=:AAAA:"),
        ("edgeward-identity", "forged"),
    ];
    let ports = ports();
    assert_eq!(ask(&gate, &ports, "PUT", &forged, "x"), "released");
    let arrived = ports.arrived.borrow()[0].clone();
    for (name, _) in forged {
        assert!(arrived.removed.iter().any(|gone| gone == name), "{name}");
        let set = arrived.set.iter().filter(|(set, _)| set == name);
        assert_eq!(set.count(), 1, "{name}");
    }
    assert!(verify(&arrived, KEY).is_some());
}

#[test]
fn an_origin_that_asks_for_no_signature_gets_none_and_the_callers_own_passes() {
    let policy = json!({ "signature": null });
    let mut policy = self::policy(policy, json!({}));
    policy["origins"]["api"]
        .as_object_mut()
        .unwrap()
        .remove("signature");
    let gate = load(policy.to_string().as_bytes(), &signing())
        .ok()
        .unwrap();
    let ports = ports();
    let own = [
        ("signature", "mine=:AAAA:"),
        ("content-digest", "sha-256=:AAAA:"),
    ];
    assert_eq!(ask(&gate, &ports, "PUT", &own, "x"), "released");
    let arrived = ports.arrived.borrow()[0].clone();
    for (name, _) in own {
        assert!(!arrived.removed.iter().any(|gone| gone == name), "{name}");
        assert_eq!(header(&arrived, name), None, "{name}");
    }
}

#[test]
fn content_that_nothing_reads_passes_unread_only_where_the_policy_says_so() {
    let when_read = json!({ "signature": { "content_digest": "when_read" } });
    for (origin, read) in [(json!({}), true), (when_read, false)] {
        let (gate, ports) = (gate_with(origin, json!({})), ports());
        // What a caller says of its content is not what the gateway found.
        let own = [("content-digest", "md5=:AAAA:")];
        assert_eq!(ask(&gate, &ports, "PUT", &own, "x"), "released");
        assert_eq!(ports.asked.borrow().contains(&"content"), read);
        let arrived = ports.arrived.borrow()[0].clone();
        assert!(arrived.removed.iter().any(|gone| gone == "content-digest"));
        let said = verify(&arrived, KEY).unwrap();
        let is_covered = said.components.iter().any(|name| name == "content-digest");
        assert_eq!(
            (is_covered, header(&arrived, "content-digest").is_some()),
            (read, read)
        );
    }
}

#[test]
fn sg_08_content_that_is_read_is_what_its_caller_says() {
    let gate = gate_with(json!({}), json!({}));
    let right = message::content_digest(b"x");
    for (digest, told) in [
        (right.as_str(), "released"),
        ("sha-256=:AAAA:", "digest_mismatch"),
        ("sha-256=AAAA", "header_malformed"),
    ] {
        let ports = ports();
        let own = [("content-digest", digest)];
        assert_eq!(ask(&gate, &ports, "PUT", &own, "x"), told);
    }
    let gate = gate_with(json!({}), json!({ "mode": "observe" }));
    let own = [("content-digest", "sha-256=:AAAA:")];
    let ports = ports();
    assert_eq!(ask(&gate, &ports, "PUT", &own, "x"), "released");
    assert!(verify(&ports.arrived.borrow()[0], KEY).is_some());
}

#[test]
fn content_that_is_read_for_its_digest_has_the_routes_bound() {
    let gate = gate_with(json!({}), json!({ "request": { "max_bytes": 4 } }));
    let ports = ports();
    assert_eq!(ask(&gate, &ports, "PUT", &[], "1234"), "released");
    assert_eq!(ask(&gate, &ports, "PUT", &[], "12345"), "too_large");
    assert_eq!(ports.arrived.borrow().len(), 1);
}

#[test]
fn a_retry_is_sent_with_the_same_signature_which_is_still_good() {
    let retry = json!({ "retry": { "methods": ["PUT"], "on": ["connect"] }, "timeout_ms": 30_000 });
    let (gate, ports) = (gate_with(retry, json!({})), ports());
    ports.origin.set(Some(OriginFault::Down));
    assert_eq!(ask(&gate, &ports, "PUT", &[], "x"), "origin_down");
    let arrived = ports.arrived.borrow();
    assert_eq!(arrived.len(), 2);
    assert!(arrived.iter().all(|one| verify(one, KEY).is_some()));
    assert_eq!(
        header(&arrived[0], "signature"),
        header(&arrived[1], "signature")
    );
    assert_eq!(signers(&ports), 2);
}

#[test]
fn a_signer_that_does_not_answer_sends_nothing_and_gives_the_key_back() {
    let once = json!({ "idempotency": "required" });
    let (gate, ports) = (gate_with(json!({ "identity": {} }), once), ports());
    let key = [("idempotency-key", "\"k\"")];
    // Not even the statement; the statement alone.
    for signed in [0, 1] {
        ports.signers_left.set(Some(signed));
        assert_eq!(ask(&gate, &ports, "PUT", &key, "x"), "signer_down");
        assert!(ports.arrived.borrow().is_empty());
    }
    ports.signers_left.set(None);
    assert_eq!(ask(&gate, &ports, "PUT", &key, "x"), "released");
}

#[test]
fn what_is_not_sent_has_no_message_signed() {
    let (gate, ports) = (
        gate_with(json!({}), json!({ "idempotency": "required" })),
        ports(),
    );
    let key = [("idempotency-key", "\"k\"")];
    assert_eq!(ask(&gate, &ports, "PUT", &key, "x"), "released");
    assert_eq!(signers(&ports), 2);
    // The first is still under way: nobody kept its answer here.
    assert_eq!(ask(&gate, &ports, "PUT", &key, "x"), "in_flight");
    assert_eq!((ports.arrived.borrow().len(), signers(&ports)), (1, 3));
}

#[test]
fn what_is_left_of_content_is_what_is_covered_and_its_callers_digest_goes() {
    let body = r#"{"a":1,"admin":true}"#;
    let fields = json!([{ "pointer": "/admin", "write": "false", "on_refusal": "strip" }]);
    let request = json!({ "request": { "content_types": ["application/json"], "fields": fields } });
    let own = message::content_digest(body.as_bytes());
    let own = [
        ("content-type", "application/json"),
        ("content-digest", own.as_str()),
        ("repr-digest", own.as_str()),
        ("content-md5", "mZFLkyvTelC5g8XnyQrpOw=="),
    ];
    for signed in [true, false] {
        let mut policy = policy(json!({}), request.clone());
        if !signed {
            policy["origins"]["api"]
                .as_object_mut()
                .unwrap()
                .remove("signature");
        }
        let gate = load(policy.to_string().as_bytes(), &signing())
            .ok()
            .unwrap();
        let ports = ports();
        assert_eq!(ask(&gate, &ports, "PUT", &own, body), "released");
        let arrived = ports.arrived.borrow()[0].clone();
        assert_eq!(arrived.content.as_deref(), Some(br#"{"a":1}"#.as_slice()));
        assert_eq!(verify(&arrived, KEY).is_some(), signed);
        for name in ["content-digest", "repr-digest", "content-md5"] {
            assert!(arrived.removed.iter().any(|gone| gone == name), "{name}");
        }
    }
}
