//! Requests that ask for a change, sent again to an origin that knows their keys.

use edgeward::facts::RequestId;
use edgeward::idempotency::KeptAnswer;
use edgeward::problem::slug_of;
use support::keys;

use super::*;

fn policy(retry: &Value, idempotency: &str) -> Value {
    let limit = json!({
        "by": "ip", "algorithm": "sliding_window", "limit": 100_000, "window_s": 60,
        "on_error": "local",
    });
    json!({
        "name": "payments",
        "origins": { "api": {
            "url": "https://origin.example", "timeout_ms": 5_000, "retry": retry,
        } },
        "authenticators": { "keys": { "kind": "api_key" } },
        "limits": { "ip": limit },
        "routes": [{
            "id": "pay", "match": { "methods": ["POST", "PATCH", "GET"], "path": "/payments" },
            "origin": "api", "auth": ["keys"], "limits": ["ip"], "idempotency": idempotency,
            // Content is read, with a key or without: it could be sent again.
            "request": { "body": { "type": "object" }, "optional": true },
        }],
    })
}

fn knowing() -> Value {
    json!({ "on": ["connect", "timeout", "503"], "origin_knows_keys": true })
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records.extend([keys::record("alice", json!({}))]);
    ports
}

/// Pays; the status that is told, and the reason.
fn pay(gate: &Gate, ports: &FakePorts, id: u8, method: &str, fields: &[(&str, &str)]) -> String {
    let own = keys::key("alice");
    let json = ("content-type", "application/json");
    let mut all = vec![("x-api-key", own.as_str()), json];
    all.extend(fields);
    let mut facts = request(method, "/payments", &all, "{}");
    facts.request_id = RequestId::from_random([id; 16]);
    let kept = |status| KeptAnswer {
        status,
        fields: Vec::new(),
        content: Some(String::new()),
    };
    match run(admit(gate, ports, facts, b"{}".to_vec())) {
        Ok(Outcome::Released(release)) => {
            let retries = release.trail().origin.as_ref().map_or(0, |one| one.retries);
            let (mut cleared, _open) = release.part();
            let status = ports.origin_status.get();
            if let Some(granted) = cleared.take_keep() {
                ports.act(&granted.object, &granted.keep(kept(status)));
            }
            format!("{status} after {retries}")
        }
        Ok(Outcome::Replayed { answer, .. }) => format!("{} replayed", answer.status),
        Ok(_) => panic!("no answer"),
        Err(mut refused) => {
            let status = slug_of(&refused.refusal).status();
            if let Some(granted) = refused.trail.keep.take() {
                ports.act(&granted.object, &granted.keep(kept(status)));
            }
            format!("{status} {}", refused.refusal.reason())
        }
    }
}

const KEY: (&str, &str) = ("idempotency-key", "\"k\"");

#[test]
fn a_request_with_a_key_is_sent_again_as_it_was_and_has_one_answer() {
    let (gate, ports) = (gate(&policy(&knowing(), "optional")), ports());
    ports.origin_fails_first.set(1);
    assert_eq!(pay(&gate, &ports, 1, "POST", &[KEY]), "200 after 1");
    let arrived = ports.arrived.borrow().clone();
    assert_eq!(arrived.len(), 2);
    let said = |one: &support::Arrived| {
        (
            one.url.clone(),
            one.method,
            one.removed.clone(),
            one.set.clone(),
            one.content.clone(),
        )
    };
    assert_eq!(said(&arrived[0]), said(&arrived[1]));
    assert_eq!(arrived[1].content.as_deref(), Some(b"{}".as_slice()));
    assert!(!arrived[1].removed.contains(&"idempotency-key".to_owned()));
    assert_eq!(pay(&gate, &ports, 2, "POST", &[KEY]), "200 replayed");
    assert_eq!(sent(&ports), 2);
}

#[test]
fn without_a_key_or_without_the_policy_s_word_it_is_sent_once() {
    for (retry, idempotency, method, fields, tries) in [
        (knowing(), "optional", "POST", vec![KEY], 2),
        (knowing(), "optional", "PATCH", vec![KEY], 2),
        (knowing(), "required", "POST", vec![KEY], 2),
        (knowing(), "optional", "POST", vec![], 1),
        // What `Connection` names is for the gateway's neighbor: no key was sent.
        (
            knowing(),
            "optional",
            "POST",
            vec![KEY, ("connection", "Idempotency-Key")],
            1,
        ),
        (
            json!({ "on": ["connect"], "origin_knows_keys": false }),
            "optional",
            "POST",
            vec![KEY],
            1,
        ),
        (
            json!({ "on": ["connect"] }),
            "optional",
            "POST",
            vec![KEY],
            1,
        ),
        (
            json!({ "on": ["503"], "origin_knows_keys": true }),
            "optional",
            "POST",
            vec![KEY],
            1,
        ),
        (
            json!({ "attempts": 2, "origin_knows_keys": true }),
            "optional",
            "POST",
            vec![KEY],
            2,
        ),
    ] {
        let (gate, ports) = (gate(&policy(&retry, idempotency)), ports());
        ports.origin.set(Some(OriginFault::Down));
        assert_eq!(
            pay(&gate, &ports, 1, method, &fields),
            "503 origin_down",
            "{retry} {fields:?}"
        );
        assert_eq!(sent(&ports), tries, "{retry} {method} {fields:?}");
    }
}

#[test]
fn what_nobody_knows_in_the_end_is_unknown_and_is_not_sent_again() {
    for fault in [OriginFault::Down, OriginFault::TimedOut] {
        let (gate, ports) = (gate(&policy(&knowing(), "optional")), ports());
        ports.origin.set(Some(fault));
        pay(&gate, &ports, 1, "POST", &[KEY]);
        assert_eq!(sent(&ports), 2);
        ports.origin.set(None);
        assert_eq!(pay(&gate, &ports, 2, "POST", &[KEY]), "409 outcome_unknown");
        assert_eq!(sent(&ports), 2);
    }
}

/// The first try may have acted, or be at it still: what the second is told is not what became of it.
#[test]
fn a_retry_that_is_told_to_wait_frees_no_key_and_is_not_kept() {
    for status in [401, 409, 425, 429] {
        let (gate, ports) = (gate(&policy(&knowing(), "optional")), ports());
        ports.origin_status.set(status);
        ports.origin_fails_first.set(1);
        assert_eq!(
            pay(&gate, &ports, 1, "POST", &[KEY]),
            format!("{status} after 1")
        );
        ports.origin_status.set(200);
        assert_eq!(
            pay(&gate, &ports, 2, "POST", &[KEY]),
            "409 outcome_unknown",
            "{status}"
        );
        assert_eq!(sent(&ports), 2);
        // Sent once, 401 and 429 say that it did not act, and any other is its answer.
        let ports = self::ports();
        ports.origin_status.set(status);
        assert_eq!(
            pay(&gate, &ports, 1, "POST", &[KEY]),
            format!("{status} after 0")
        );
        ports.origin_status.set(200);
        let again = match status {
            401 | 429 => "200 after 0".to_owned(),
            _ => format!("{status} replayed"),
        };
        assert_eq!(pay(&gate, &ports, 2, "POST", &[KEY]), again);
    }
}

#[test]
fn keys_have_no_budget_of_their_own() {
    let (gate, ports) = (gate(&policy(&knowing(), "optional")), ports());
    ports.origin.set(Some(OriginFault::Down));
    for number in 0..200_u32 {
        let key = format!("\"k{number}\"");
        pay(&gate, &ports, 1, "POST", &[("idempotency-key", &key)]);
    }
    assert_eq!(sent(&ports), 200 + 1 + 20);
}

#[test]
fn an_origin_that_knows_keys_has_to_be_sent_some() {
    let faults = |idempotency: &str| {
        let policy = policy(&knowing(), idempotency).to_string();
        let loaded = edgeward::policy::load::load(policy.as_bytes(), &support::bindings());
        loaded
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect::<Vec<_>>()
    };
    assert_eq!(faults("off"), ["/origins/api/retry/origin_knows_keys"]);
    assert!(faults("optional").is_empty() && faults("required").is_empty());
}

#[test]
fn an_origin_that_a_route_sends_some_callers_to_may_know_keys() {
    let mut policy = policy(&json!({}), "required");
    policy["origins"]["canary"] = json!({ "url": "https://canary.example", "retry": knowing() });
    policy["routes"][0]["split"] = json!({ "canary": 5 });
    gate(&policy);
}
