//! Which requests switch, and what becomes of the origin's answer.

use edgeward::challenge::Asking;
use edgeward::policy::gate::Gate;
use edgeward::problem::{Problem, Telling};
use edgeward::refusal::Refusal;
use expect_test::expect_file;
use serde_json::json;

use crate::support::keys::key;
use crate::support::{FakePorts, gate, request};
use crate::{PAGE, handshake, policy, ports, switches, token, told, with_certificate};

fn row(table: &mut Vec<String>, gate: &Gate, name: &str, facts: edgeward::facts::Facts) {
    let ports = ports();
    let told = told(gate, &ports, facts);
    let asked = ports.asked.borrow().contains(&"origin");
    let asked = if asked { "origin asked" } else { "-" };
    table.push(format!("{name} | {told} | {asked}"));
}

#[test]
fn a_handshake_passes_every_check_before_its_origin_is_asked() {
    let gate = gate(&policy(json!({})));
    let key = key("good");
    let token = token();
    let by_key = ("x-api-key", key.as_str());
    let keyed = |more: &[(&str, &str)]| {
        let mut fields = vec![by_key];
        fields.extend_from_slice(more);
        handshake("/keys", &fields)
    };
    let jws = token.trim_start_matches("Bearer ");
    let mut table = Vec::new();
    let mut put = |name: &str, facts| row(&mut table, &gate, name, facts);
    put("a key", keyed(&[]));
    put("a token", handshake("/keys", &[("authorization", &token)]));
    put("a key, from a page", keyed(&[("origin", PAGE)]));
    put(
        "from another page",
        keyed(&[("origin", "https://evil.example")]),
    );
    put("from a page that is nowhere", keyed(&[("origin", "null")]));
    put(
        "from two pages",
        keyed(&[("origin", &format!("{PAGE}, {PAGE}"))]),
    );
    put(
        "from a page in capitals",
        keyed(&[("origin", "https://APP.example")]),
    );
    put("nobody", handshake("/keys", &[]));
    put(
        "nobody, from a page",
        handshake("/keys", &[("origin", PAGE)]),
    );
    put(
        "a mistyped key",
        handshake("/keys", &[("x-api-key", &key.replace("good", "goof"))]),
    );
    for (name, query) in [
        ("access_token in the query", format!("access_token={jws}")),
        (
            "a token in the query by another name",
            format!("ticket={jws}"),
        ),
        ("a key in the query", format!("k={key}")),
    ] {
        put(name, handshake(&format!("/keys?{query}"), &[]));
        let besides = handshake(&format!("/keys?{query}"), &[by_key]);
        put(&format!("{name}, and a key"), besides);
    }
    put(
        "a token as a subprotocol",
        handshake(
            "/keys",
            &[("sec-websocket-protocol", &format!("chat, {jws}"))],
        ),
    );
    put("another version", keyed(&[("sec-websocket-version", "8")]));
    put("no version", keyed(&[("sec-websocket-version", "")]));
    put(
        "no key of the handshake",
        keyed(&[("sec-websocket-key", "")]),
    );
    put("no Connection", keyed(&[("connection", "")]));
    put(
        "the key named by Connection",
        keyed(&[("connection", "upgrade, sec-websocket-key")]),
    );
    put(
        "a subprotocol of no policy",
        keyed(&[("sec-websocket-protocol", "mqtt")]),
    );
    put("no upgrade", request("GET", "/keys", &[by_key], ""));
    put(
        "another upgrade",
        request("GET", "/keys", &[by_key, ("upgrade", "h2c")], ""),
    );
    put(
        "another method",
        request("POST", "/keys", &[by_key, ("upgrade", "websocket")], ""),
    );
    put("a route without sockets", handshake("/plain", &[by_key]));
    put(
        "a route without sockets, another upgrade",
        request("GET", "/plain", &[("upgrade", "h2c")], ""),
    );
    put(
        "public, from a page",
        handshake("/open", &[("origin", PAGE)]),
    );
    put("public, from no page", handshake("/open", &[]));
    put("public, from no page, a key", handshake("/open", &[by_key]));
    let shown = |fields| with_certificate(handshake("/certificates", fields));
    put("a certificate, from a page", shown(&[("origin", PAGE)]));
    put("a certificate, from no page", shown(&[]));
    expect_file!["../golden/handshakes.txt"].assert_eq(&(table.join("\n") + "\n"));
}

#[test]
fn an_origin_is_asked_for_what_the_policy_lists_and_for_nothing_of_the_hop() {
    let gate = gate(&policy(json!({})));
    let ports = ports();
    switches(&ports, &[("sec-websocket-protocol", "chat")]);
    let fields = [
        ("x-api-key", key("good")),
        ("sec-websocket-protocol", "secret, chat.v2, chat".to_owned()),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(told(&gate, &ports, handshake("/keys", &fields)), "101 chat");
    let arrived = ports.arrived.borrow();
    let of = |name: &str| {
        let mut set = arrived[0].set.iter().filter(|(field, _)| field == name);
        set.next().map(|(_, value)| value.clone())
    };
    assert_eq!(of("upgrade").as_deref(), Some("websocket"));
    let protocols = of("sec-websocket-protocol");
    assert_eq!(protocols.as_deref(), Some("chat.v2, chat"));
    for gone in [
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "x-api-key",
        "connection",
        "upgrade",
    ] {
        assert!(arrived[0].removed.iter().any(|name| name == gone), "{gone}");
    }
    assert_eq!(arrived[0].content, None);
}

#[test]
fn nobody_switches_who_was_not_asked_to_or_not_to_that() {
    let gate = gate(&policy(json!({})));
    let chat = [("sec-websocket-protocol", "chat")];
    let plain = || request("GET", "/plain", &[], "");
    let asks = |protocols| {
        let key = key("good");
        handshake(
            "/keys",
            &[("x-api-key", &key), ("sec-websocket-protocol", protocols)],
        )
    };
    let bad = "502 origin-invalid origin_invalid";
    let outcome = |facts, answer: &dyn Fn(&FakePorts)| {
        let ports = ports();
        answer(&ports);
        told(&gate, &ports, facts)
    };
    let switch = |fields: &'static [(&str, &str)]| move |ports: &FakePorts| switches(ports, fields);
    let chat: &'static [(&str, &str)] = Box::leak(Box::new(chat));
    assert_eq!(outcome(plain(), &switch(&[])), bad);
    assert_eq!(outcome(asks("chat"), &switch(chat)), "101 chat");
    // An origin may choose none of them (RFC 6455 §4.2.2).
    assert_eq!(outcome(asks("chat"), &switch(&[])), "101");
    assert_eq!(outcome(asks("chat.v2"), &switch(chat)), bad);
    assert_eq!(outcome(asks(""), &switch(chat)), bad);
    let bare = |ports: &FakePorts| ports.origin_answers.fields.borrow_mut().clear();
    assert_eq!(outcome(asks(""), &bare), bad);
    // Any other answer leaves as any answer does.
    for status in [200, 403, 404] {
        let says = |ports: &FakePorts| ports.origin_status.set(status);
        assert_eq!(outcome(asks(""), &says), "released 1", "{status}");
    }
}

#[test]
fn a_client_is_told_which_version_there_is() {
    for refusal in [Refusal::SocketAlone, Refusal::SocketVersion] {
        let facts = request("GET", "/keys", &[], "");
        let telling = Telling {
            request_id: &facts.request_id,
            asking: Asking {
                realm: "chat",
                metadata: "",
            },
            challenges: &[],
        };
        let fields = Problem::of(&refusal, &telling).fields;
        let expected = [
            ("upgrade", "websocket".to_owned()),
            ("sec-websocket-version", "13".to_owned()),
        ];
        assert_eq!(fields, expected);
    }
}
