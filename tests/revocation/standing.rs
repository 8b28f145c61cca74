//! Marks, on every route: what they refuse, what that costs, and who answers when objects do not.

use edgeward::limit::standing::STANDING_MS;
use edgeward::object::ObjectName;
use edgeward::revocation::{Mark, Marks};

use crate::support::keys::key;
use crate::{
    NOW_MS, NOW_S, ROUTES, gate, issued_up_to, issuer_object, key_owner, of_key, of_token, policy,
    ports, send, token, token_owner, used, write,
};

/// A mark, where it stands, what it refuses, the nearest that it does not, and the log's word.
type Case = (&'static str, ObjectName, Mark, String, String, &'static str);

fn cases() -> Vec<Case> {
    let under = |version| Mark::VersionUnder { version };
    let one = || token("one", NOW_S - 10, 3);
    let [newer, older] = [token("two", NOW_S - 9, 3), token("two", NOW_S - 10, 2)];
    vec![
        (
            "key",
            key_owner(),
            of_key("good"),
            key("good"),
            key("spare"),
            "revoked_key",
        ),
        (
            "jti",
            token_owner(),
            of_token("one"),
            one(),
            token("two", NOW_S - 10, 3),
            "revoked_token",
        ),
        (
            "instant",
            token_owner(),
            issued_up_to(NOW_S - 10),
            one(),
            newer.clone(),
            "revoked_by_instant",
        ),
        (
            "version",
            token_owner(),
            under(3),
            older.clone(),
            one(),
            "revoked_by_version",
        ),
        (
            "jti at the issuer",
            issuer_object(),
            of_token("one"),
            one(),
            newer.clone(),
            "revoked_token",
        ),
        (
            "issuer",
            issuer_object(),
            issued_up_to(NOW_S - 10),
            one(),
            newer,
            "revoked_by_instant",
        ),
        (
            "issuer, version",
            issuer_object(),
            under(3),
            older,
            one(),
            "revoked_by_version",
        ),
    ]
}

#[test]
fn a_mark_refuses_what_it_names_on_every_route_and_nothing_else() {
    let gate = gate(&policy("refuse"));
    for route in ROUTES {
        for (id, object, mark, marked, other, reason) in cases() {
            let ports = ports();
            for credential in [&marked, &other] {
                let told = send(&gate, &ports.beside(), route, credential);
                assert_eq!(told.line(), "200 - -", "{route}, {id}: before the mark");
            }
            write(&ports, &object, mark);
            let told = send(&gate, &ports.beside(), route, &marked);
            assert_eq!(
                told.line(),
                format!("401 credential-invalid {reason}"),
                "{route}, {id}"
            );
            assert_eq!(told.asked_for("origin"), 0, "{route}, {id}");
            let told = send(&gate, &ports.beside(), route, &other);
            assert_eq!(told.line(), "200 - -", "{route}, {id}: another");
        }
    }
}

#[test]
fn a_mark_over_one_caller_or_issuer_is_no_other_s() {
    let gate = gate(&policy("refuse"));
    let ports = ports();
    let elsewhere = [
        ObjectName::of_caller("accounts", "https://issuer.example", "bob"),
        ObjectName::of_caller("accounts", "https://other.example", "alice"),
        ObjectName::of_caller("keys", "", "alice"),
        ObjectName::of_issuer("accounts", "https://other.example"),
        ObjectName::of_issuer("keys", ""),
    ];
    for object in elsewhere {
        for mark in [
            of_key("good"),
            of_token("one"),
            issued_up_to(NOW_S),
            Mark::VersionUnder { version: 9 },
        ] {
            write(&ports, &object, mark);
        }
    }
    for route in ROUTES {
        for credential in [key("good"), token("one", NOW_S - 10, 3)] {
            assert_eq!(
                send(&gate, &ports.beside(), route, &credential).status,
                200,
                "{route}"
            );
        }
    }
}

#[test]
fn a_revoked_credential_is_charged_nothing_anywhere() {
    let gate = gate(&policy("refuse"));
    for route in ROUTES {
        for (id, object, mark, marked, _, _) in cases() {
            let ports = ports();
            write(&ports, &object, mark);
            for _ in 0..3 {
                assert_eq!(
                    send(&gate, &ports, route, &marked).status,
                    401,
                    "{route}, {id}"
                );
            }
            for owner in [
                key_owner(),
                token_owner(),
                ObjectName::of(&["tenant", "acme"]),
            ] {
                for row in ["minute", "org", "watch"] {
                    assert_eq!(used(&ports, &owner, row), 0, "{route}, {id}: {row}");
                }
            }
        }
    }
}

#[test]
fn the_order_of_limits_in_the_policy_is_no_one_s_refusal() {
    let gate = gate(&policy("refuse"));
    let ports = ports();
    let told = send(&gate, &ports, "tenant-first", &key("good"));
    assert_eq!(told.line(), "200 - -");
    assert_eq!(used(&ports, &key_owner(), "minute"), 1);
    assert_eq!(used(&ports, &key_owner(), "watch"), 1);
    assert_eq!(used(&ports, &ObjectName::of(&["tenant", "acme"]), "org"), 1);
}

#[test]
fn a_silent_object_leaves_it_to_the_store_and_a_silent_store_to_nobody() {
    // What a limit says of silence is another matter: these admit.
    let gate = gate(&policy("admit"));
    let marked = |mark: Mark| {
        let mut marks = Marks::default();
        marks.add(&mark, NOW_MS).unwrap();
        Some(marks)
    };
    for route in ROUTES {
        for (id, object, mark, credential, other, reason) in cases() {
            for all in [true, false] {
                let silenced = || {
                    let ports = ports();
                    ports.counters_down.set(all);
                    ports.silent.borrow_mut().insert(object.hex());
                    ports
                };
                let ports = silenced();
                assert_eq!(
                    send(&gate, &ports, route, &credential).status,
                    200,
                    "{route}, {id}"
                );
                *ports.stored_marks.borrow_mut() = marked(mark.clone());
                // Another isolate: this one may rely on what it was told for a while.
                let ports = silenced();
                *ports.stored_marks.borrow_mut() = marked(mark.clone());
                let told = send(&gate, &ports, route, &credential);
                assert_eq!(
                    told.line(),
                    format!("401 credential-invalid {reason}"),
                    "{route}, {id}"
                );
                assert_eq!(
                    send(&gate, &ports, route, &other).status,
                    200,
                    "{route}, {id}"
                );
                let ports = silenced();
                *ports.stored_marks.borrow_mut() = None;
                let told = send(&gate, &ports, route, &credential);
                let expected = "503 temporary-reduced-capacity revocation_down";
                assert_eq!(told.line(), expected, "{route}, {id}");
                assert_eq!(told.asked_for("origin"), 0, "{route}, {id}");
                assert!(told.retry_after_s.is_some());
            }
        }
    }
}

#[test]
fn a_remembered_refusal_is_no_way_past_a_mark() {
    let gate = gate(&policy("refuse"));
    for (route, first) in [("watched", 200), ("tenant-first", 200)] {
        let ports = ports();
        // The observed limit is full, and the isolate remembers that.
        for _ in 0..3 {
            let told = send(&gate, &ports, route, &key("good"));
            assert_eq!(told.status, first, "{route}");
        }
        let told = send(&gate, &ports, route, &key("good"));
        assert_eq!(told.observed, ["over_limit"], "{route}");
        write(&ports, &key_owner(), of_key("good"));
        ports.clock_ms.set(NOW_MS + STANDING_MS);
        let told = send(&gate, &ports, route, &key("good"));
        assert_eq!(told.reason, "revoked_key", "{route}");
    }
    // An enforced one that is remembered refuses by itself, and no less.
    let mut policy = policy("refuse");
    policy["limits"]["minute"]["limit"] = 1.into();
    let gate = crate::gate(&policy);
    for (route, passes) in [("caller", false), ("observed", true)] {
        let ports = ports();
        assert_eq!(send(&gate, &ports, route, &key("good")).status, 200);
        assert_eq!(
            send(&gate, &ports, route, &key("good")).status == 200,
            passes,
            "{route}"
        );
        write(&ports, &key_owner(), of_key("good"));
        for after_ms in [0, 1, STANDING_MS - 1, STANDING_MS, 9_000, 30_000, 61_000] {
            ports.clock_ms.set(NOW_MS + after_ms);
            let told = send(&gate, &ports, route, &key("good"));
            let may_pass = passes && after_ms < STANDING_MS;
            assert!(
                may_pass || told.status != 200,
                "{route} {after_ms}: {}",
                told.line()
            );
        }
        assert_eq!(
            send(&gate, &ports, route, &key("good")).reason,
            "revoked_key",
            "{route}"
        );
    }
}

#[test]
fn a_certificate_leaves_the_policy_to_be_revoked() {
    let mut policy = policy("refuse");
    policy["authenticators"]["devices"] = serde_json::json!({
        "kind": "client_certificate",
        "subjects": [{ "fingerprint_sha256": "0d".repeat(32), "subject": "good" }]
    });
    policy["routes"][0]["auth"] = serde_json::json!(["devices"]);
    let gate = crate::gate(&policy);
    let ports = ports();
    let mut facts = crate::request("GET", "/bare", &[], "");
    facts.connection.certificate = Some(edgeward::facts::ClientCertificate {
        fingerprint: [13; 32],
        is_verified: true,
    });
    let told = crate::at_clock(&gate, &ports, facts);
    assert_eq!((told.status, told.asked_for("counter")), (200, 0));
}
