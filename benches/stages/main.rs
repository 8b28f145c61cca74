//! Requests through `admit`, over ports that answer from memory: what the instructions of one are
//! counted of (`tests/instructions/`).
//!
//! `stages CASE TIMES …`: sends each case so often. Two runs that differ in how often one case is
//! sent differ by what that case costs. It prints what came of each, so that nothing else is counted.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is measured stops at the first surprise"
)]

#[path = "../../tests/admit/orders.rs"]
mod orders;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;

use edgeward::admit::{Outcome, admit};
use edgeward::challenge::Asking;
use edgeward::decision::{Chain, Ending, line};
use edgeward::facts::Facts;
use edgeward::limit::errand;
use edgeward::policy::gate::Gate;
use edgeward::problem::{Problem, Telling};
use edgeward::reply::every;
use serde_json::{Value, json};
use support::{FakePorts, gate, request, run};

const BODY: &str = r#"{"item":"tea"}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ports = orders::ports();
    let gate = gate(&roomy());
    let mut chain = Chain::new("0123456789abcdef0123456789abcdef".into(), None);
    for pair in arguments.chunks(2) {
        let [name, times] = pair else {
            panic!("each case with how often")
        };
        let times: u32 = times.parse().expect("a number");
        let (facts, body) = case(name);
        let mut told: HashMap<u16, u32> = HashMap::new();
        for _ in 0..times {
            let status = one(&gate, &ports, &mut chain, facts.clone(), body);
            *told.entry(status).or_default() += 1;
        }
        println!("{name} {told:?}");
    }
}

/// The policy of the decision table, its limits out of reach.
fn roomy() -> Value {
    let mut policy = orders::policy();
    for limit in policy["limits"].as_object_mut().unwrap().values_mut() {
        limit["limit"] = json!(1_000_000_000);
    }
    policy
}

fn case(name: &str) -> (Facts, &'static str) {
    let body = match name {
        "unfit" => r#"{"item":"tea","x":1}"#,
        _ => BODY,
    };
    let token = orders::token(json!({}));
    let (header, value) = match name {
        "key" => ("x-api-key", orders::key("good")),
        "mistyped" => ("x-api-key", orders::key("good").replace("good", "goof")),
        "forbidden" => ("x-api-key", orders::key("reader")),
        "anonymous" => ("accept", "application/json".into()),
        "forged" => ("authorization", format!("{token}A")),
        "token" | "unfit" | "unknown" => ("authorization", token),
        _ => panic!("no case {name}"),
    };
    let path = match name {
        "unknown" => "/accounts/acme/nothing",
        _ => "/accounts/acme/orders",
    };
    // What a browser or a library sends along.
    let fields = [
        ("accept-encoding", "gzip, deflate, br"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101",
        ),
        ("accept-language", "en-US,en;q=0.5"),
        ("content-type", "application/json"),
        (header, value.as_str()),
    ];
    (request("POST", path, &fields, body), body)
}

/// One request to its end: the answer's fields, its line, and what is done behind it.
fn one(gate: &Gate, ports: &FakePorts, chain: &mut Chain, facts: Facts, body: &str) -> u16 {
    let outcome = run(admit(gate, ports, facts, body.as_bytes().to_vec()));
    let (status, text) = match &outcome {
        Ok(Outcome::Released(release)) => {
            let trail = release.trail();
            std::hint::black_box(every(Some(gate), trail));
            let ending = Ending {
                status: 200,
                refusal: None,
                policy: Some(&gate.version),
                ms: 0,
            };
            (200, chain.seal(&line(trail, &ending)))
        }
        Err(refused) => {
            let trail = &refused.trail;
            std::hint::black_box(every(Some(gate), trail));
            let telling = Telling {
                request_id: &trail.facts.request_id,
                asking: Asking {
                    realm: &gate.name,
                    metadata: "",
                },
                challenges: &trail.challenges,
            };
            let problem = Problem::of(&refused.refusal, &telling);
            let document = problem.document("", &trail.facts.request_id);
            std::hint::black_box(document.to_string());
            let status = problem.slug.status();
            let ending = Ending {
                status,
                refusal: Some((&refused.refusal, problem.slug)),
                policy: Some(&gate.version),
                ms: 0,
            };
            (status, chain.seal(&line(trail, &ending)))
        }
        Ok(_) => panic!("no case is a preflight or carried out once"),
    };
    std::hint::black_box(text);
    drop(outcome);
    for errand in ports.errands.take() {
        run(errand::run(ports, errand));
    }
    // A thousand requests a second.
    ports.clock_ms.set(ports.clock_ms.get() + 1);
    ports.asked.borrow_mut().clear();
    ports.arrived.borrow_mut().clear();
    status
}
