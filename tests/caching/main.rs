//! Kept answers through the whole gateway over fakes: whom one is given to, what is checked all the
//! same, and what is never kept.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod checks;
mod keeping;
mod policies;
mod sharing;
#[path = "../support/mod.rs"]
mod support;

use edgeward::admit::{Outcome, admit};
use edgeward::decision::{Ending, line};
use edgeward::facts::Facts;
use edgeward::policy::gate::Gate;
use edgeward::ports::OriginAnswer;
use edgeward::problem::slug_of;
use edgeward::stage::release::Left;
use serde_json::{Value, json};
use support::{FakePorts, NOW_MS, gate, keys, request, run};

/// One route with a cache, with `rules` laid over it.
fn policy(rules: Value) -> Value {
    let mut route = json!({
        "id": "orders", "match": { "methods": ["GET", "HEAD"], "path": "/orders/{id}" },
        "origin": "api", "auth": ["keys"], "limits": ["address", "caller"],
        "cache": { "max_age_s": 60, "max_bytes": 1000 },
    });
    for (name, value) in rules.as_object().unwrap() {
        route[name] = value.clone();
    }
    let limit = |by: &str| json!({ "by": by, "algorithm": "sliding_window", "limit": 100, "window_s": 60, "on_error": "refuse" });
    json!({
        "name": "orders",
        "origins": {
            "api": { "url": "https://api.example" },
            "canary": { "url": "https://canary.example" },
        },
        "authenticators": { "keys": { "kind": "api_key" } },
        "limits": { "address": limit("ip"), "caller": limit("caller") },
        "routes": [route],
    })
}

fn ports() -> FakePorts {
    let mut ports = FakePorts::new();
    ports.records.extend([
        keys::record("alice", json!({})),
        keys::record("bob", json!({})),
    ]);
    answers(&ports, &[("cache-control", "max-age=600")], "{}");
    ports
}

/// What the origin answers from now on.
fn answers(ports: &FakePorts, fields: &[(&str, &str)], content: &str) {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let kind = ("content-type".to_owned(), "application/json".to_owned());
    let chunked = ("transfer-encoding".to_owned(), "chunked".to_owned());
    ports
        .origin_answers
        .fields
        .replace(fields.chain([kind, chunked]).collect());
    ports.origin_answers.content.replace(content.into());
}

/// What came of one request.
#[derive(Debug, Default)]
struct End {
    /// The log's word for the cache; `-`: none.
    cache: String,
    status: u16,
    reason: String,
    /// What left of judged content; `None`: all, as it came.
    left: Option<String>,
    /// The fields that left, as they came or as they were set.
    fields: Vec<(String, String)>,
    line: Value,
}

impl End {
    fn field(&self, name: &str) -> Option<&str> {
        let known = self.fields.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str())
    }
}

fn as_caller(name: &str, fields: &[(&str, &str)]) -> Facts {
    asked_for("GET", "/orders/7", name, fields)
}

fn asked_for(method: &str, target: &str, name: &str, fields: &[(&str, &str)]) -> Facts {
    let key = keys::key(name);
    let mut all = vec![("x-api-key", key.as_str())];
    all.extend(fields);
    request(method, target, &all, "")
}

/// Sends a request at the time of the ports' clock.
fn ask(gate: &Gate, ports: &FakePorts, mut facts: Facts) -> End {
    facts.received_at_ms = ports.clock_ms.get();
    ports.asked.borrow_mut().clear();
    let told = |status, refusal| Ending {
        status,
        refusal,
        policy: None,
        ms: 0,
    };
    let mut end = match run(admit(gate, ports, facts, Vec::new())) {
        Ok(Outcome::Released(release)) => {
            let cleared = release.cleared();
            let answer = cleared.answer();
            let status = answer.status();
            let kept = answer.names().into_iter().filter(|name| {
                let is_set = cleared.set().iter().any(|(set, _)| set == name);
                !cleared.remove().contains(name) && !is_set
            });
            let mut fields: Vec<(String, String)> = kept
                .map(|name| (name.clone(), answer.field(&name).unwrap()))
                .collect();
            let set = cleared.set().iter();
            fields.extend(set.map(|(name, value)| ((*name).to_owned(), value.clone())));
            End {
                status,
                reason: "released".into(),
                left: match cleared.left() {
                    Left::AsItCame => None,
                    Left::Nothing => Some(String::new()),
                    Left::Bytes(bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
                },
                fields,
                line: json!(line(cleared.trail(), &told(status, None))),
                ..End::default()
            }
        }
        Ok(_) => panic!("no answer"),
        Err(refused) => {
            let slug = slug_of(&refused.refusal);
            let ending = told(slug.status(), Some((&refused.refusal, slug)));
            End {
                status: slug.status(),
                reason: refused.refusal.reason().into(),
                line: json!(line(&refused.trail, &ending)),
                ..End::default()
            }
        }
    };
    end.cache = end.line["cache"].as_str().unwrap_or("-").to_owned();
    end
}

/// The log's words for the cache of several requests.
fn words(gate: &Gate, ports: &FakePorts, asked: impl IntoIterator<Item = Facts>) -> Vec<String> {
    let ends = asked.into_iter().map(|facts| ask(gate, ports, facts).cache);
    ends.collect()
}

/// How often the origin was asked.
fn sent(ports: &FakePorts) -> usize {
    ports.arrived.borrow().len()
}

#[test]
fn a_kept_answer_is_given_to_its_caller_until_it_is_no_longer_fresh() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let first = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (first.cache.as_str(), first.status, sent(&ports)),
        ("miss", 200, 1)
    );
    assert_eq!(first.field("cache-status"), Some("edgeward; fwd=miss"));
    assert_eq!(first.line["origin"]["name"], "api");
    ports.clock_ms.set(NOW_MS + 59_999);
    let again = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (again.cache.as_str(), again.status, sent(&ports)),
        ("hit", 200, 1)
    );
    assert_eq!(again.field("age"), Some("59"));
    assert_eq!(again.field("cache-status"), Some("edgeward; hit; ttl=0"));
    assert_eq!(again.line.get("origin"), None, "it was not asked");
    assert_eq!(again.line["stage"], "released");
    ports.clock_ms.set(NOW_MS + 60_000);
    assert_eq!(words(&gate, &ports, [as_caller("alice", &[])]), ["miss"]);
    assert_eq!(sent(&ports), 2);
    assert_eq!(*ports.store.lives_s.borrow(), [60, 60]);
}

#[test]
fn a_route_without_a_cache_looks_for_nothing_and_keeps_nothing() {
    let mut plain = policy(json!({}));
    plain["routes"][0].as_object_mut().unwrap().remove("cache");
    let (gate, ports) = (gate(&plain), ports());
    for times in 1..=3 {
        let end = ask(&gate, &ports, as_caller("alice", &[("user-agent", "x")]));
        assert_eq!((end.cache.as_str(), end.field("cache-status")), ("-", None));
        assert_eq!(sent(&ports), times);
        assert!(!ports.asked.borrow().contains(&"stored"));
    }
    assert!(ports.store.entries.borrow().is_empty());
    let arrived = ports.arrived.borrow();
    assert!(!arrived[0].removed.contains(&"user-agent".to_owned()));
}

#[test]
fn a_cache_that_fails_is_one_without_the_answer() {
    use edgeward::ports::ReadFault;
    let gate = gate(&policy(json!({})));
    for fault in [ReadFault::Broken, ReadFault::TimedOut, ReadFault::TooLarge] {
        let ports = ports();
        ask(&gate, &ports, as_caller("alice", &[]));
        ports.store.fault.set(Some(fault));
        let end = ask(&gate, &ports, as_caller("alice", &[]));
        assert_eq!(
            (end.cache.as_str(), end.status, sent(&ports)),
            ("silent", 200, 2)
        );
        ports.store.fault.set(None);
        assert_eq!(words(&gate, &ports, [as_caller("alice", &[])]), ["hit"]);
    }
    let ports = ports();
    ask(&gate, &ports, as_caller("alice", &[]));
    ports.store.is_broken.set(true);
    let end = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (end.cache.as_str(), end.status, sent(&ports)),
        ("miss", 200, 2)
    );
    ports.store.is_broken.set(false);
    // What another wrote there, or half of what was.
    for entry in ports.store.entries.borrow_mut().values_mut() {
        entry.pop();
    }
    assert_eq!(words(&gate, &ports, [as_caller("alice", &[])]), ["miss"]);
}
