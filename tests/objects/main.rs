//! Fields on the way in, and objects and fields on the way out: what is decided of what an origin
//! answers, over fakes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod beside;
mod heads;
mod releasing;
mod writing;

use edgeward::admit::{Outcome, admit};
use edgeward::decision::{Ending, line};
use edgeward::policy::load::load;
use edgeward::ports::ReadFault;
use edgeward::problem::{Slug, slug_of};
use edgeward::stage::release::Left;
use serde_json::{Value, json};
use support::{FakePorts, bindings, gate, request, run};

/// A route whose rules are `rules`, laid over defaults.
fn policy(rules: Value) -> Value {
    let mut route = json!({
        "id": "r", "match": { "methods": ["GET", "HEAD", "POST", "PUT"], "path": "/o/{id}" },
        "origin": "o", "auth": "public", "limits": ["ip", "open"]
    });
    for (name, value) in rules.as_object().unwrap() {
        route[name] = value.clone();
    }
    json!({
        "name": "t",
        "origins": { "o": { "url": "https://origin.example", "errors": "pass" } },
        "limits": {
            "ip": { "by": "ip", "algorithm": "sliding_window", "limit": 99, "window_s": 60, "on_error": "refuse" },
            "open": { "by": "ip", "algorithm": "concurrency", "limit": 9, "on_error": "refuse" }
        },
        "routes": [route]
    })
}

/// An origin's answer.
#[derive(Clone)]
struct Told {
    status: u16,
    kind: &'static str,
    fields: Vec<(&'static str, &'static str)>,
    content: Vec<u8>,
    fault: Option<ReadFault>,
}

fn told(content: &str) -> Told {
    Told {
        status: 200,
        kind: "application/json",
        fields: Vec::new(),
        content: content.as_bytes().to_vec(),
        fault: None,
    }
}

/// What became of a request.
#[derive(Debug)]
struct End {
    /// The reason of a refusal, or `released`.
    reason: String,
    slug: Option<Slug>,
    /// What left: `None` as it came.
    content: Option<String>,
    removed: Vec<String>,
    set: Vec<(&'static str, String)>,
    line: Value,
    asked: Vec<&'static str>,
    errands: usize,
    arrived: Option<support::Arrived>,
}

impl End {
    /// As a row of a table: what happened, and what left.
    fn row(&self) -> String {
        match (&self.slug, &self.content) {
            (Some(slug), _) => format!("{} {}", slug.status(), self.reason),
            (None, None) => "as it came".into(),
            (None, Some(content)) => format!("left {content}"),
        }
    }
}

fn send(rules: &Value, method: &str, fields: &[(&str, &str)], body: &str, told: &Told) -> End {
    let (gate, ports) = (gate(&policy(rules.clone())), FakePorts::new());
    ports.origin_status.set(told.status);
    let mut answered: Vec<(String, String)> = vec![("content-type".into(), told.kind.into())];
    let further = told.fields.iter();
    answered.extend(further.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    ports.origin_answers.fields.replace(answered);
    ports.origin_answers.content.replace(told.content.clone());
    ports.origin_answers.fault.set(told.fault);
    let facts = request(method, "/o/7", fields, body);
    let outcome = run(admit(&gate, &ports, facts, body.as_bytes().to_vec()));
    let ended = |status, refusal| Ending {
        status,
        refusal,
        policy: None,
        ms: 0,
    };
    let mut end = match outcome {
        Err(refused) => {
            let slug = slug_of(&refused.refusal);
            let ending = ended(slug.status(), Some((&refused.refusal, slug)));
            End {
                reason: refused.refusal.reason().to_owned(),
                slug: Some(slug),
                content: None,
                removed: Vec::new(),
                set: Vec::new(),
                line: json!(line(&refused.trail, &ending)),
                asked: Vec::new(),
                errands: 0,
                arrived: None,
            }
        }
        Ok(Outcome::Preflight { .. } | Outcome::Replayed { .. } | Outcome::Switched(_)) => {
            panic!("no answer")
        }
        Ok(Outcome::Released(release)) => {
            let cleared = release.cleared();
            End {
                reason: "released".into(),
                slug: None,
                content: match cleared.left() {
                    Left::AsItCame => None,
                    Left::Nothing => Some(String::new()),
                    Left::Bytes(bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
                },
                removed: cleared.remove().to_vec(),
                set: cleared.set().to_vec(),
                line: json!(line(cleared.trail(), &ended(told.status, None))),
                asked: Vec::new(),
                errands: 0,
                arrived: None,
            }
        }
    };
    end.asked = ports.asked.borrow().clone();
    end.errands = ports.errands.borrow().len();
    end.arrived = ports.arrived.borrow().first().cloned();
    end
}

fn get(rules: &Value, told: &Told) -> End {
    send(rules, "GET", &[], "", told)
}

fn faults(rules: Value) -> Vec<String> {
    let loaded = load(policy(rules).to_string().as_bytes(), &bindings());
    let faults = loaded.err().unwrap_or_default();
    faults.iter().map(|fault| fault.pointer.clone()).collect()
}
