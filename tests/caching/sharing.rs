//! Who is given whose answer.

use super::*;

#[test]
fn no_caller_is_given_another_s() {
    let mut ports = ports();
    let scopes = keys::record(
        "scoped",
        json!({ "subject": "alice", "scopes": ["orders:read"] }),
    );
    let tenant = keys::record("moved", json!({ "subject": "alice", "tenant": "other" }));
    let roles = keys::record("clerk", json!({ "subject": "alice", "roles": ["clerk"] }));
    let twin = keys::record("twin", json!({ "subject": "alice" }));
    ports.records.extend([scopes, tenant, roles, twin]);
    let gate = gate(&policy(json!({})));
    for name in ["alice", "bob", "scoped", "moved", "clerk", "twin"] {
        answers(
            &ports,
            &[("cache-control", "max-age=600"), ("x-for", name)],
            "{}",
        );
        let end = ask(&gate, &ports, as_caller(name, &[]));
        assert_eq!(
            (end.cache.as_str(), end.field("x-for")),
            ("miss", Some(name))
        );
    }
    for name in ["alice", "bob", "scoped", "moved", "clerk", "twin"] {
        let end = ask(&gate, &ports, as_caller(name, &[]));
        assert_eq!(
            (end.cache.as_str(), end.field("x-for")),
            ("hit", Some(name))
        );
    }
}

#[test]
fn another_request_is_another_answer() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let asked = || {
        let mut other_host = as_caller("alice", &[]);
        other_host.authority = "other.example.com".into();
        let mut all = vec![other_host];
        for target in [
            "/orders/7",
            "/orders/8",
            "/orders/7?",
            "/orders/7?a=1",
            "/orders/7?a=2",
        ] {
            all.push(asked_for("GET", target, "alice", &[]));
        }
        for accept in ["text/html", "application/json", ""] {
            all.push(as_caller("alice", &[("accept", accept)]));
        }
        all.push(as_caller("alice", &[("accept-language", "de")]));
        all
    };
    let number = asked().len();
    assert_eq!(words(&gate, &ports, asked()), vec!["miss"; number]);
    assert_eq!(words(&gate, &ports, asked()), vec!["hit"; number]);
    assert_eq!(sent(&ports), number);
}

#[test]
fn one_reading_of_a_path_is_one_answer_and_another_form_of_it_is_none() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let ask = |target: &str| ask(&gate, &ports, asked_for("GET", target, "alice", &[]));
    assert_eq!(ask("/orders/7").cache, "miss");
    // Web cache deception: what looks like a static file is on no route, or is an order of its own.
    for (target, status) in [
        ("/orders/7/x.css", 404),
        ("/orders/7;x.css", 400),
        ("/orders/7%0a.css", 400),
        ("/orders/7%00.css", 400),
        ("/orders/../orders/7", 400),
        ("/orders//7", 400),
        ("/orders/7%2fx.css", 400),
    ] {
        let end = ask(target);
        assert_eq!((end.status, end.cache.as_str()), (status, "-"), "{target}");
        assert!(!ports.asked.borrow().contains(&"stored"), "{target}");
    }
    assert_eq!(ask("/orders/7.css").cache, "miss");
    assert_eq!(
        ask("/orders/%37").cache,
        "hit",
        "the same path, spelled otherwise"
    );
}

#[test]
fn another_policy_and_another_origin_are_another_answer() {
    let ports = ports();
    let first = gate(&policy(json!({})));
    assert_eq!(words(&first, &ports, [as_caller("alice", &[])]), ["miss"]);
    let second = gate(&policy(json!({ "timeout_ms": 5000 })));
    assert_eq!(words(&second, &ports, [as_caller("alice", &[])]), ["miss"]);
    assert_eq!(words(&first, &ports, [as_caller("alice", &[])]), ["hit"]);
    // All callers are the canary's, until it is not well: then they are asked of the other.
    let mut split = policy(json!({ "split": { "canary": 100 } }));
    split["origins"]["canary"]["circuit_breaker"] = json!({ "consecutive": 1 });
    let split = gate(&split);
    assert_eq!(words(&split, &ports, [as_caller("alice", &[])]), ["miss"]);
    assert_eq!(words(&split, &ports, [as_caller("alice", &[])]), ["hit"]);
    ports.origin_status.set(503);
    ask(&split, &ports, asked_for("GET", "/orders/9", "alice", &[]));
    ports.origin_status.set(200);
    assert_eq!(words(&split, &ports, [as_caller("alice", &[])]), ["miss"]);
    let urls: Vec<_> = ports
        .arrived
        .borrow()
        .iter()
        .map(|one| one.url.clone())
        .collect();
    assert_eq!(urls[2], "https://canary.example/orders/7");
    assert_eq!(urls[4], "https://api.example/orders/7");
}

#[test]
fn who_shows_nothing_shares_with_others_what_is_nobody_s() {
    let rules = json!({ "auth": "public", "limits": ["address"] });
    let (gate, ports) = (gate(&policy(rules)), ports());
    let anonymous = |address: u8| {
        let mut facts = request("GET", "/orders/7", &[], "");
        facts.connection.ip = Some([192, 0, 2, address].into());
        facts
    };
    assert_eq!(
        words(&gate, &ports, [anonymous(1), anonymous(2)]),
        ["miss", "hit"]
    );
    answers(&ports, &[("cache-control", "private, max-age=600")], "{}");
    ports.store.entries.borrow_mut().clear();
    assert_eq!(
        words(&gate, &ports, [anonymous(1), anonymous(2)]),
        ["miss", "miss"]
    );
}

#[test]
fn a_field_that_is_no_part_of_the_key_does_not_reach_the_origin() {
    let rules = json!({
        "cache": { "max_age_s": 60, "vary": ["x-edition"] },
        "request": { "headers": { "type": "object", "properties": {
            "X-Version": { "type": "integer" }, "x-api-key": { "type": "string" }
        } } },
    });
    let (gate, ports) = (gate(&policy(rules)), ports());
    let fields = |edition: &'static str, version: &'static str, other: &'static str| {
        as_caller(
            "alice",
            &[
                ("accept", "*/*"),
                ("accept-language", "en"),
                ("x-edition", edition),
                ("x-version", version),
                ("x-other", other),
                ("cookie", other),
                ("origin", "https://app.example"),
                ("accept-encoding", "gzip"),
                ("user-agent", "curl"),
                ("x-forwarded-host", "evil.example"),
            ],
        )
    };
    let asked = || {
        [
            fields("a", "1", "x"),
            fields("a", "1", "y"),
            fields("b", "1", "y"),
            fields("b", "2", "y"),
        ]
    };
    assert_eq!(
        words(&gate, &ports, asked()),
        ["miss", "hit", "miss", "miss"]
    );
    for arrived in ports.arrived.borrow().iter() {
        for name in [
            "x-other",
            "cookie",
            "origin",
            "accept-encoding",
            "user-agent",
            "x-api-key",
        ] {
            assert!(arrived.removed.contains(&name.to_owned()), "{name}");
        }
        for name in ["accept", "accept-language", "x-edition", "x-version"] {
            assert!(!arrived.removed.contains(&name.to_owned()), "{name}");
        }
        let set = |name: &str| {
            let found = arrived.set.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(set("accept-encoding"), Some("identity"));
        assert_eq!(set("user-agent"), Some("edgeward"));
        assert_eq!(set("x-forwarded-host"), Some("api.example.com"));
        assert_eq!(set("cache-control"), None);
    }
}

#[test]
fn a_tenant_that_a_field_names_reaches_the_origin_and_is_part_of_the_key() {
    let mut ports = ports();
    let agent = keys::record("agent", json!({ "roles": ["support"] }));
    ports.records.extend([agent]);
    let tenancy = json!({ "header": "x-tenant", "except_roles": ["support"] });
    let gate = gate(&policy(json!({ "tenancy": tenancy })));
    let asked =
        || ["acme", "other", "acme"].map(|tenant| as_caller("agent", &[("x-tenant", tenant)]));
    assert_eq!(words(&gate, &ports, asked()), ["miss", "miss", "hit"]);
    assert!(
        !ports.arrived.borrow()[0]
            .removed
            .contains(&"x-tenant".to_owned())
    );
}
