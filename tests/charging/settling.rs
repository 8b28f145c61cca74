//! What comes back, or is owed, once the origin has answered or failed.

use edgeward::admit::{Outcome, admit};
use edgeward::decision::{Ending, line};
use edgeward::ports::OriginFault;
use serde_json::{Value, json};

use crate::support::{FakePorts, gate, run};
use crate::{
    address, ask, faults, get, held, limit, outcome, own, policy, ports, post, route, settle,
};

const LIMIT: u64 = 45;

/// A route with two limits, too small to be lent of; `change` is laid over it.
fn told(change: Value) -> Value {
    let small = |by: &str| limit(json!({ "by": by, "limit": LIMIT }));
    let mut one = route(json!({ "limits": ["ip", "own"] }));
    crate::lay(&mut one, change);
    policy(json!({ "limits": { "ip": small("ip"), "own": small("caller") }, "routes": [one] }))
}

fn tokens(reserve: Value) -> Value {
    told(json!({ "cost": { "reserve": reserve, "header": "x-tokens-used" } }))
}

/// Units held of the address and of alice, after all errands.
fn both(ports: &FakePorts) -> [u64; 2] {
    settle(ports);
    [
        held(ports, &address(), "ip"),
        held(ports, &own("alice"), "own"),
    ]
}

#[test]
fn what_was_reserved_becomes_what_the_origin_tells() {
    let reserves = [
        (json!(40), 40),
        (json!(0), 0),
        (json!("int(path.shop)"), 30),
        (json!("caller.tenant == 'acme' ? 20 : 1"), 20),
        (json!("caller.tenant == 'acme' ? 0 : 1"), 0),
    ];
    for (reserve, reserved) in reserves {
        let gate = gate(&tokens(reserve.clone()));
        for (header, cost) in [
            (Some("0"), 0),
            (Some("1"), 1),
            (Some("25"), 25),
            (Some("40"), 40),
            (Some("045"), 45),
            (None, reserved),
            (Some(""), reserved),
            (Some("-1"), reserved),
            (Some("+1"), reserved),
            (Some("1.0"), reserved),
            (Some("5, 5"), reserved),
            (Some("1000000001"), reserved),
            (Some("99999999999999999999999"), reserved),
        ] {
            let ports = ports();
            ports
                .origin_tells
                .set(header.map(|text| ("x-tokens-used", text)));
            let (reason, trail) = outcome(&gate, &ports, get("alice", "/shops/30", &[]), "");
            let context = format!("{reserve} {header:?}");
            assert_eq!((reason, both(&ports)), ("ok", [cost; 2]), "{context}");
            let charged: Vec<_> = trail.limits.iter().map(|one| one.charged).collect();
            assert_eq!(charged, [cost; 2], "{context}");
            let remaining: Vec<_> = trail.limits.iter().map(|one| one.remaining).collect();
            assert_eq!(remaining, [Some(LIMIT - cost); 2], "{context}");
        }
    }
}

#[test]
fn more_than_there_is_room_for_is_owed_and_holds_up_what_comes_next() {
    let (gate, ports) = (gate(&tokens(json!(10))), ports());
    ports.origin_tells.set(Some(("x-tokens-used", "1000")));
    assert_eq!(ask(&gate, &ports, get("alice", "/shops/a", &[])), "ok");
    settle(&ports);
    assert_eq!(
        ask(&gate, &ports, get("alice", "/shops/a", &[])),
        "over_limit"
    );
    ports.clock_ms.set(ports.clock_ms.get() + 61_000);
    ports.origin_tells.set(Some(("x-tokens-used", "10")));
    assert_eq!(ask(&gate, &ports, get("alice", "/shops/a", &[])), "ok");
}

#[test]
fn the_origins_word_on_the_cost_stays_here_and_stands_in_the_line() {
    let (gate, ports) = (gate(&tokens(json!(10))), ports());
    for (header, cost) in [
        (Some("7"), json!({ "reserved": 10, "told": 7 })),
        (Some("many"), json!({ "reserved": 10 })),
        (None, json!({ "reserved": 10 })),
    ] {
        ports
            .origin_tells
            .set(header.map(|text| ("x-tokens-used", text)));
        let ended = run(admit(
            &gate,
            &ports,
            get("alice", "/shops/a", &[]),
            Vec::new(),
        ));
        let Ok(Outcome::Released(release)) = ended else {
            panic!("refused")
        };
        let is_removed = release.remove().iter().any(|name| name == "x-tokens-used");
        assert_eq!(is_removed, header.is_some());
        let ending = Ending {
            status: 200,
            refusal: None,
            policy: None,
            ms: 1,
        };
        let line = json!(line(release.trail(), &ending));
        assert_eq!(line["cost"], cost);
        crate::check_line(&line);
    }
}

#[test]
fn only_configured_failures_are_refunded_and_a_tenth_of_a_limit_at_most() {
    let all = ["connect", "timeout", "500", "503"];
    type Fail = fn(&FakePorts);
    let fails: [(&str, Fail); 6] = [
        ("connect", |ports| ports.origin.set(Some(OriginFault::Down))),
        ("timeout", |ports| {
            ports.origin.set(Some(OriginFault::TimedOut))
        }),
        ("500", |ports| ports.origin_status.set(500)),
        ("503", |ports| ports.origin_status.set(503)),
        ("-", |ports| ports.origin.set(Some(OriginFault::Invalid))),
        ("-", |ports| ports.origin_status.set(499)),
    ];
    for causes in [
        &all[..],
        &["connect"],
        &["timeout"],
        &["500"],
        &["503"],
        &[],
    ] {
        let mut policy = told(json!({ "cost": 2 }));
        if !causes.is_empty() {
            policy["routes"][0]["refund_on"] = json!(causes);
        }
        let gate = gate(&policy);
        for (name, fail) in fails {
            let ports = ports();
            fail(&ports);
            let (_, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
            let is_refunded = causes.contains(&name);
            let units = if is_refunded { 0 } else { 2 };
            assert_eq!(both(&ports), [units; 2], "{name} {causes:?}");
            let noted = trail.refund.map(|cause| cause.as_text());
            assert_eq!(noted.as_deref(), is_refunded.then_some(name), "{causes:?}");
        }
    }
    // Four of 45 come back, and no more, however often the origin fails.
    let (gate, ports) = (gate(&told(json!({ "refund_on": ["503"] }))), ports());
    ports.origin_status.set(503);
    for _ in 0..20 {
        let told = ask(&gate, &ports, get("alice", "/shops/a", &[]));
        assert_eq!(told, "origin_failed");
        settle(&ports);
    }
    assert_eq!(both(&ports), [16; 2]);
}

#[test]
fn who_stops_sending_content_gets_nothing_back() {
    let gate = gate(&told(json!({ "refund_on": ["connect", "timeout", "503"] })));
    for (fault, status, units) in [
        (Some(OriginFault::Down), 200, 1),
        (Some(OriginFault::TimedOut), 200, 1),
        (Some(OriginFault::Left), 200, 1),
        (None, 503, 0),
        (Some(OriginFault::Full), 200, 0),
    ] {
        let ports = ports();
        ports.origin.set(fault);
        ports.origin_status.set(status);
        outcome(&gate, &ports, post("alice", "/shops/a", "{}"), "{}");
        assert_eq!(both(&ports), [units; 2], "{fault:?} {status}");
    }
}

#[test]
fn a_refund_and_a_told_cost_do_not_add_up() {
    let mut policy = tokens(json!(4));
    policy["routes"][0]["refund_on"] = json!(["503"]);
    let (gate, ports) = (gate(&policy), ports());
    ports.origin_status.set(503);
    ports.origin_tells.set(Some(("x-tokens-used", "3")));
    let (_, trail) = outcome(&gate, &ports, get("alice", "/shops/a", &[]), "");
    assert_eq!((both(&ports), trail.cost), ([0; 2], None));
}

#[test]
fn what_cannot_be_settled_does_not_load() {
    let body = tokens(json!("size(request.body.prompt)"));
    assert_eq!(
        faults(&body),
        ["/routes/0/cost/reserve: it is reserved before the content is read"]
    );
    let dear = tokens(json!(46));
    assert!(faults(&dear)[0].contains("one request costs more than `ip` ever allows"));
    let guesses = limit(json!({ "by": "ip", "counts": "refused_credentials" }));
    let mut guessing = told(json!({ "refund_on": ["503"], "limits": ["own", "guesses"] }));
    guessing["limits"]["guesses"] = guesses;
    assert_eq!(
        faults(&guessing),
        ["/routes/0/refund_on: a route that bounds guessing gives nothing back"]
    );
}
