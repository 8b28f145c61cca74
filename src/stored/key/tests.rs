use std::collections::HashSet;

use serde_json::{Map, json};

use super::*;
use crate::credential::caller::{CallerKind, CallerObjects};
use crate::credential::own_limit::OwnLimits;
use crate::revocation::Credential;

fn caller() -> KnownCaller {
    let mut claims = Map::new();
    claims.insert("acr".into(), json!("gold"));
    claims.insert("amr".into(), json!(["pwd"]));
    KnownCaller {
        kind: CallerKind::ApiKey,
        authenticator: "keys".into(),
        issuer: "https://issuer.example".into(),
        subject: "alice".into(),
        tenant: Some("acme".into()),
        scopes: vec!["read".into(), "write".into()],
        roles: vec!["clerk".into()],
        plan: None,
        credential: Credential::Key { id: "k1".into() },
        good_until_ms: None,
        limits: OwnLimits::default(),
        claims,
        objects: CallerObjects::default(),
    }
}

struct Asked {
    policy: &'static str,
    route: &'static str,
    is_https: bool,
    authority: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    origin: [&'static str; 2],
    caller: Option<KnownCaller>,
    headers: Vec<(&'static str, &'static str)>,
    fields: Vec<&'static str>,
}

fn asked() -> Asked {
    Asked {
        policy: "abc",
        route: "orders",
        is_https: true,
        authority: "api.example.com",
        path: "/orders/7",
        query: Some("a=1"),
        origin: ["orders", "https://origin.example"],
        caller: Some(caller()),
        headers: vec![("accept", "text/html"), ("x-other", "1")],
        fields: vec!["accept", "accept-language"],
    }
}

fn key(asked: &Asked) -> StoreKey {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fields: Vec<String> = asked.fields.iter().map(|&name| name.to_owned()).collect();
    StoreKey::of(&Parts {
        policy: asked.policy,
        route: asked.route,
        is_https: asked.is_https,
        authority: asked.authority,
        path: asked.path,
        query: asked.query,
        origin: asked.origin,
        caller: asked.caller.as_ref(),
        headers: &Headers::new(asked.headers.iter().map(own).collect()),
        fields: &fields,
    })
}

/// Each line changes one part of what is asked.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn another_part_is_another_key() {
    type Change = fn(&mut Asked);
    fn who(asked: &mut Asked) -> &mut KnownCaller {
        asked.caller.as_mut().unwrap()
    }
    let changes: [(&str, Change); 32] = [
        ("policy", |one| one.policy = "abd"),
        ("route", |one| one.route = "order"),
        ("scheme", |one| one.is_https = false),
        ("host", |one| one.authority = "api.example.org"),
        ("port", |one| one.authority = "api.example.com:444"),
        ("path", |one| one.path = "/orders/8"),
        ("query", |one| one.query = Some("a=2")),
        ("an empty query", |one| one.query = Some("")),
        ("no query", |one| one.query = None),
        ("origin", |one| one.origin[0] = "canary"),
        ("its place", |one| one.origin[1] = "https://canary.example"),
        ("nobody", |one| one.caller = None),
        ("kind", |one| who(one).kind = CallerKind::Token),
        ("authenticator", |one| {
            who(one).authenticator = "others".into()
        }),
        ("issuer", |one| {
            who(one).issuer = "https://other.example".into()
        }),
        ("subject", |one| who(one).subject = "bob".into()),
        ("key", |one| {
            who(one).credential = Credential::Key { id: "k2".into() };
        }),
        ("no key", |one| who(one).credential = Credential::Configured),
        ("tenant", |one| who(one).tenant = Some("other".into())),
        ("an empty tenant", |one| {
            who(one).tenant = Some(String::new())
        }),
        ("no tenant", |one| who(one).tenant = None),
        ("fewer scopes", |one| who(one).scopes.truncate(1)),
        ("scopes in one", |one| {
            who(one).scopes = vec!["readwrite".into()]
        }),
        ("a scope as a role", |one| {
            who(one).scopes.pop();
            who(one).roles.insert(0, "write".into());
        }),
        ("roles", |one| who(one).roles = Vec::new()),
        ("acr", |one| {
            who(one).claims.insert("acr".into(), json!("silver"));
        }),
        ("no amr", |one| {
            who(one).claims.remove("amr");
        }),
        ("a field", |one| one.headers[0].1 = "text/plain"),
        ("an empty field", |one| one.headers[0].1 = ""),
        ("no field", |one| {
            one.headers.remove(0);
        }),
        ("another field", |one| one.headers[0].0 = "accept-language"),
        ("one field more", |one| one.fields.push("x-other")),
    ];
    let first = key(&asked());
    let mut seen = HashSet::from([first]);
    for (what, change) in changes {
        let mut other = asked();
        change(&mut other);
        assert!(seen.insert(key(&other)), "{what}");
    }
}

#[test]
fn what_no_answer_differs_by_is_no_part() {
    let first = key(&asked());
    let mut other = asked();
    other.headers[1].1 = "2";
    assert_eq!(key(&other), first, "a field that does not reach the origin");
    let caller = other.caller.as_mut().unwrap();
    caller.claims.insert("jti".into(), json!("9"));
    caller.plan = Some("gold".into());
    caller.good_until_ms = Some(7);
    assert_eq!(key(&other), first);
    assert_eq!(first.hex().len(), 64);
}

#[test]
fn a_part_does_not_flow_into_the_next() {
    let with = |path, query| {
        let mut one = asked();
        (one.path, one.query) = (path, query);
        key(&one)
    };
    assert_ne!(with("/a", Some("b")), with("/ab", Some("")));
    assert_ne!(with("/a", None), with("/a", Some("")));
    let with = |route, policy| {
        let mut one = asked();
        (one.route, one.policy) = (route, policy);
        key(&one)
    };
    assert_ne!(with("bc", "a"), with("c", "ab"));
}
