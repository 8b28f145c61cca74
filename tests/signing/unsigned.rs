//! The last step before a request can be sent: with its signature, and with no other.

use edgeward::identity::Signable;
use edgeward::limit::ask;
use edgeward::message::Message;
use edgeward::policy::gate::Gate;
use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::claimed::Leading;
use edgeward::stage::forward::Unsigned;
use edgeward::stage::identified::Evidence;
use edgeward::stage::routed::Routing;
use serde_json::json;

use crate::support::{FakePorts, NOW_MS, request, run};
use crate::{gate_with, ports};

/// A request of nobody's, as far as it comes unsigned.
fn unsigned(gate: &Gate, ports: &FakePorts) -> Unsigned<Vec<u8>> {
    let facts = request("GET", "/orders/7", &[], "");
    let Ok(Routing::Route(routed)) = Exchange::received(facts, Vec::new()).route(gate) else {
        panic!("no route")
    };
    let charged = run(ask::charge(ports, routed.address_charge()));
    let presented = routed
        .shield(&charged)
        .ok()
        .unwrap()
        .present()
        .ok()
        .unwrap();
    let identified = presented.identify(Evidence::Nothing).ok().unwrap();
    let charged = run(ask::charge(ports, identified.charge().unwrap()));
    let limited = identified.limit(&charged).ok().unwrap();
    let inspected = limited.authorize().ok().unwrap().inspect().ok().unwrap();
    let validated = inspected.validate_unread().ok().unwrap();
    let charged = run(ask::charge(ports, validated.rest()));
    let claiming = validated.pay(&charged).ok().unwrap().claim();
    let keys = gate.identity_keys.as_ref().unwrap();
    let statement = claiming.statement().unwrap();
    let signed = run(ports.sign(keys, statement.clone())).ok();
    let Ok(Leading::Run(claimed)) = claiming.claimed(None) else {
        panic!("nothing is claimed")
    };
    claimed.forward(signed).ok().unwrap().0
}

#[test]
fn nothing_goes_on_without_the_signature_that_was_asked_for() {
    let gate = gate_with(json!({}), json!({ "auth": "public" }));
    let ports = ports();
    let keys = gate.identity_keys.as_ref();
    let told = |unsigned: Unsigned<Vec<u8>>, signed: Option<(Message, Vec<u8>)>| {
        let forward = unsigned.signed(signed);
        forward.map_or_else(|refusal| refusal.reason(), |_| "can be sent")
    };
    let asked = |now_ms: u64| {
        let mut unsigned = unsigned(&gate, &ports);
        let message = unsigned.message(keys, now_ms).ok().flatten().unwrap();
        assert!(!message.signing_input().is_empty());
        (unsigned, message)
    };
    let (one, message) = asked(NOW_MS);
    assert_eq!(told(one, Some((message.clone(), vec![1]))), "can be sent");
    assert_eq!(told(asked(NOW_MS).0, None), "answer_mismatch");
    // Another time is another message.
    let (later, _) = asked(NOW_MS + 1_000);
    assert_eq!(
        told(later, Some((message.clone(), vec![1]))),
        "answer_mismatch"
    );
    let never = unsigned(&gate, &ports);
    assert_eq!(told(never, Some((message, vec![1]))), "answer_mismatch");
    assert_eq!(told(unsigned(&gate, &ports), None), "answer_mismatch");
    let mut keyless = unsigned(&gate, &ports);
    assert_eq!(
        keyless.message(None, NOW_MS).unwrap_err().reason(),
        "signer_down"
    );
}
