use super::*;

/// The example of RFC 6455 §1.2, with fields replaced; an empty value takes one out.
fn told(fields: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push((*name, *value));
        }
    }
    let all = all.iter();
    let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    match read(&Headers::new(all.collect())) {
        Ok(Handshake { origin, protocols }) => {
            format!("{} {}", origin.unwrap_or("-".into()), protocols.join("+"))
        }
        Err(HandshakeFault::Version) => "version".into(),
        Err(HandshakeFault::Field { name }) => format!("not {name}"),
    }
}

#[test]
fn a_handshake_is_read_as_rfc_6455_4_2_1_has_it() {
    for (name, value, expected) in [
        ("x-nothing", "", "- "),
        ("upgrade", "WebSocket", "- "),
        ("upgrade", "h2c", "not upgrade"),
        ("upgrade", "websocket, h2c", "not upgrade"),
        ("upgrade", "websocket/13", "not upgrade"),
        ("connection", "keep-alive, UPGRADE", "- "),
        ("connection", "keep-alive", "not connection"),
        ("connection", "", "not connection"),
        ("connection", "upgrades", "not connection"),
        ("sec-websocket-version", "", "version"),
        ("sec-websocket-version", "8", "version"),
        ("sec-websocket-version", "13, 13", "version"),
        ("sec-websocket-version", "013", "version"),
        ("sec-websocket-key", "", "not sec-websocket-key"),
        (
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZQ",
            "not sec-websocket-key",
        ),
        (
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25j",
            "not sec-websocket-key",
        ),
        (
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZWU=",
            "not sec-websocket-key",
        ),
        (
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZR==",
            "not sec-websocket-key",
        ),
        (
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
            "not sec-websocket-key",
        ),
        ("origin", "https://app.example", "https://app.example "),
        ("sec-websocket-protocol", "chat, chat.v2", "- chat+chat.v2"),
        (
            "sec-websocket-protocol",
            "chat, chat",
            "not sec-websocket-protocol",
        ),
        (
            "sec-websocket-protocol",
            "chat,",
            "not sec-websocket-protocol",
        ),
        (
            "sec-websocket-protocol",
            "a chat",
            "not sec-websocket-protocol",
        ),
    ] {
        assert_eq!(told(&[(name, value)]), expected, "{name}: {value}");
    }
}

#[test]
fn so_many_subprotocols_may_be_asked_for_and_no_more() {
    let many = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("p{n}")).collect();
        names.join(", ")
    };
    let most = many(PROTOCOLS_MAX);
    let expected = format!("- {}", most.replace(", ", "+"));
    assert_eq!(told(&[("sec-websocket-protocol", &most)]), expected);
    let more = many(PROTOCOLS_MAX + 1);
    let expected = "not sec-websocket-protocol";
    assert_eq!(told(&[("sec-websocket-protocol", &more)]), expected);
}

#[test]
fn only_websocket_is_asked_for_by_its_name() {
    for (value, expected) in [
        ("websocket", true),
        ("WEBSOCKET", true),
        ("h2c, websocket", true),
        ("h2c", false),
        ("websockets", false),
        ("", false),
    ] {
        let headers = Headers::new(vec![("upgrade".into(), value.into())]);
        assert_eq!(asks(&headers), expected, "{value}");
    }
    assert!(!asks(&Headers::default()));
}

#[test]
fn what_the_policy_does_not_list_goes_nowhere() {
    let listed = ["chat".to_owned(), "chat.v2".to_owned()];
    for (offered, expected) in [
        (vec![], Some(vec![])),
        (vec!["chat.v2", "chat"], Some(vec!["chat.v2", "chat"])),
        (vec!["access_token", "chat"], Some(vec!["chat"])),
        (vec!["access_token", "eyJhbGciOiJub25lIn0.e30.x"], None),
        (vec!["CHAT"], None),
    ] {
        let handshake = Handshake {
            origin: None,
            protocols: offered.iter().map(|one| (*one).to_owned()).collect(),
        };
        let known = handshake.known(&listed);
        let expected =
            expected.map(|names: Vec<&str>| names.into_iter().map(String::from).collect());
        assert_eq!(known, expected, "{offered:?}");
    }
}

#[test]
fn a_signed_token_is_known_by_its_form() {
    assert!(looks_like_a_token(
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
    ));
    assert!(looks_like_a_token("eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn"));
    assert!(!looks_like_a_token("eyJ.a"));
    assert!(!looks_like_a_token("a.b.c"));
}
