//! What is kept, and what a caller says of it.

use edgeward::ports::ReadFault;

use super::*;

#[test]
fn what_is_no_whole_200_is_asked_for_each_time() {
    let gate = gate(&policy(json!({ "errors": "pass" })));
    for status in [
        201, 203, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503,
    ] {
        let ports = ports();
        ports.origin_status.set(status);
        ask(&gate, &ports, as_caller("alice", &[]));
        ask(&gate, &ports, as_caller("alice", &[]));
        assert_eq!(sent(&ports), 2, "{status}");
        assert!(ports.store.entries.borrow().is_empty(), "{status}");
    }
    for fault in [ReadFault::Broken, ReadFault::TooLarge, ReadFault::TimedOut] {
        let ports = ports();
        ports.origin_answers.fault.set(Some(fault));
        let asked = || as_caller("alice", &[]);
        assert_eq!(words(&gate, &ports, [asked(), asked()]), ["miss", "miss"]);
    }
}

#[test]
fn an_answer_larger_than_is_kept_passes() {
    let gate = gate(&policy(json!({})));
    for (bytes, again) in [(1_000, "hit"), (1_001, "miss")] {
        let ports = ports();
        answers(
            &ports,
            &[("cache-control", "max-age=600")],
            &"x".repeat(bytes),
        );
        let asked = || as_caller("alice", &[]);
        assert_eq!(
            words(&gate, &ports, [asked(), asked()]),
            ["miss", again],
            "{bytes}"
        );
    }
    // What an answer may have at most on this route holds for what is kept of it.
    let bounded = support::gate(&policy(json!({ "answer": { "max_bytes": 10 } })));
    for (bytes, again) in [(10, "hit"), (11, "miss")] {
        let ports = ports();
        answers(
            &ports,
            &[("cache-control", "max-age=600")],
            &"x".repeat(bytes),
        );
        let asked = || as_caller("alice", &[]);
        assert_eq!(
            words(&bounded, &ports, [asked(), asked()]),
            ["miss", again],
            "{bytes}"
        );
    }
}

#[test]
fn what_its_origin_forbids_is_not_kept() {
    let gate = gate(&policy(json!({})));
    for (fields, again) in [
        (vec![("cache-control", "max-age=5")], "hit"),
        (vec![("cache-control", "private, max-age=5")], "hit"),
        (vec![], "miss"),
        (vec![("cache-control", "no-store, max-age=5")], "miss"),
        (vec![("cache-control", "no-cache, max-age=5")], "miss"),
        (vec![("cache-control", "max-age=5"), ("age", "5")], "miss"),
        (
            vec![("cache-control", "max-age=5"), ("set-cookie", "a=1")],
            "miss",
        ),
        (vec![("cache-control", "max-age=5"), ("vary", "*")], "miss"),
        (
            vec![("cache-control", "max-age=5"), ("vary", "x-forwarded-for")],
            "miss",
        ),
        (
            vec![("cache-control", "max-age=5"), ("vary", "accept")],
            "hit",
        ),
        (
            vec![("cache-control", "max-age=5"), ("content-length", "3")],
            "miss",
        ),
    ] {
        let ports = ports();
        answers(&ports, &fields, "{}");
        let asked = || as_caller("alice", &[]);
        assert_eq!(
            words(&gate, &ports, [asked(), asked()]),
            ["miss", again],
            "{fields:?}"
        );
    }
    let silent = support::gate(&policy(
        json!({ "cache": { "max_age_s": 60, "default_age_s": 5 } }),
    ));
    let ports = ports();
    answers(&ports, &[], "{}");
    let asked = || as_caller("alice", &[]);
    assert_eq!(words(&silent, &ports, [asked(), asked()]), ["miss", "hit"]);
    ports.clock_ms.set(NOW_MS + 5_000);
    assert_eq!(words(&silent, &ports, [asked()]), ["miss"]);
}

#[test]
fn a_caller_s_word_on_kept_answers_is_heeded() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let told = |said: &str| {
        ask(
            &gate,
            &ports,
            as_caller("alice", &[("cache-control", said)]),
        )
        .cache
    };
    let newest = |ports: &FakePorts| {
        let count = sent(ports).to_string();
        answers(
            ports,
            &[("cache-control", "max-age=600"), ("x-count", &count)],
            "{}",
        );
    };
    assert_eq!(told("no-store"), "bypass");
    assert!(ports.store.entries.borrow().is_empty());
    newest(&ports);
    assert_eq!(told("no-cache"), "request");
    let set = ports.arrived.borrow()[1].set.clone();
    assert!(set.contains(&("cache-control".into(), "no-cache".into())));
    newest(&ports);
    assert_eq!(told("max-age=10"), "hit");
    assert_eq!(told("max-age=0"), "request");
    let kept = ask(&gate, &ports, as_caller("alice", &[]));
    assert_eq!(
        (kept.cache.as_str(), kept.field("x-count")),
        ("hit", Some("2"))
    );
    ports.clock_ms.set(NOW_MS + 10_001);
    assert_eq!(told("max-age=10"), "miss");
    assert_eq!(told("min-fresh=60"), "hit");
    assert_eq!(told("min-fresh=61"), "miss");
    assert_eq!(told("no-store"), "bypass");
}

#[test]
fn parts_and_conditions_leave_what_is_kept_as_it_is() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let fields = [
        ("cache-control", "max-age=600"),
        ("etag", "\"a\""),
        ("content-length", "2"),
    ];
    answers(&ports, &fields, "{}");
    let told = |fields: &[(&str, &str)]| {
        let end = ask(&gate, &ports, as_caller("alice", fields));
        (end.cache.clone(), end.status, sent(&ports))
    };
    let row = |cache: &str, status, sent| (cache.to_owned(), status, sent);
    // Not kept: the origin is asked whether that copy holds, and may say that it does.
    assert_eq!(told(&[("if-none-match", "\"a\"")]), row("miss", 200, 1));
    assert!(
        !ports.arrived.borrow()[0]
            .removed
            .contains(&"if-none-match".to_owned())
    );
    assert_eq!(told(&[("range", "bytes=0-0")]), row("bypass", 200, 2));
    assert!(ports.store.entries.borrow().is_empty());
    assert_eq!(told(&[]), row("miss", 200, 3));
    assert_eq!(told(&[("if-none-match", "\"a\"")]), row("hit", 304, 3));
    assert_eq!(told(&[("if-none-match", "\"b\"")]), row("hit", 200, 3));
    assert_eq!(told(&[("range", "bytes=0-0")]), row("bypass", 200, 4));
    assert_eq!(told(&[("if-modified-since", "x")]), row("bypass", 200, 5));
    assert_eq!(told(&[("if-match", "\"a\"")]), row("bypass", 200, 6));
    let copy = ask(
        &gate,
        &ports,
        as_caller("alice", &[("if-none-match", "\"a\"")]),
    );
    assert_eq!(copy.field("etag"), Some("\"a\""));
    assert_eq!(copy.field("content-length"), None);
    assert_eq!(copy.field("content-type"), None);
}

#[test]
fn head_is_answered_by_what_get_was_and_leaves_nothing() {
    let (gate, ports) = (gate(&policy(json!({}))), ports());
    let head = || asked_for("HEAD", "/orders/7", "alice", &[]);
    let get = || as_caller("alice", &[]);
    assert_eq!(
        words(&gate, &ports, [head(), head(), get(), head(), get()]),
        ["miss", "miss", "miss", "hit", "hit"]
    );
    let arrived = ports.arrived.borrow();
    assert_eq!(
        arrived.iter().map(|one| one.method).collect::<Vec<_>>(),
        ["HEAD", "HEAD", "GET"]
    );
}
