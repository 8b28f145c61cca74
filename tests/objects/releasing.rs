//! What of an answer leaves.
use super::*;

pub(super) fn allowing() -> Value {
    json!({ "response": { "allow": "body.owner == path.id" } })
}

pub(super) fn hiding() -> Value {
    json!({ "response": { "fields": [
        { "pointer": "/secret", "read": "false" },
        { "pointer": "/items/*/cost", "read": "request.method == 'PUT'", "mask": "***" }
    ] } })
}

pub(super) const MINE: &str = r#"{ "owner":"7", "n":1.0 }"#;
pub(super) const THEIRS: &str = r#"{"owner":"8"}"#;

#[test]
fn an_object_leaves_only_where_the_rule_says_true() {
    for (content, row) in [
        (MINE, format!("left {MINE}")),
        (THEIRS, "403 object_refused".into()),
        (r#"{"\u006fwner":"7"}"#, r#"left {"\u006fwner":"7"}"#.into()),
        (r#"{"owner":7}"#, "403 object_refused".into()),
        ("{}", "403 object_rule_failed".into()),
        ("null", "403 object_rule_failed".into()),
        ("[]", "403 object_rule_failed".into()),
        ("", "403 object_rule_failed".into()),
        (r#"{"owner":"8","owner":"7"}"#, "502 answer_not_json".into()),
        (
            r#"{"owner":"8","\u006fwner":"7"}"#,
            "502 answer_not_json".into(),
        ),
        ("{\"owner\":\"7\"", "502 answer_not_json".into()),
        ("{\"owner\":\"7\"}{}", "502 answer_not_json".into()),
        (
            r#"{"owner":"7","n":99999999999999999999}"#,
            "502 answer_not_json".into(),
        ),
    ] {
        assert_eq!(get(&allowing(), &told(content)).row(), row, "{content}");
    }
    let invalid = Told {
        content: b"{\"owner\":\"7\",\"x\":\"\xff\"}".to_vec(),
        ..told("")
    };
    assert_eq!(get(&allowing(), &invalid).row(), "502 answer_not_json");
    let deep = format!(
        "{{\"owner\":\"7\",\"x\":{}1{}}}",
        "[".repeat(31),
        "]".repeat(31)
    );
    assert_eq!(get(&allowing(), &told(&deep)).reason, "released");
    let deep = format!(
        "{{\"owner\":\"7\",\"x\":{}1{}}}",
        "[".repeat(32),
        "]".repeat(32)
    );
    assert_eq!(get(&allowing(), &told(&deep)).row(), "502 answer_not_json");
    let deep = "[".repeat(500_000);
    assert_eq!(get(&allowing(), &told(&deep)).row(), "502 answer_not_json");
}

#[test]
fn the_line_says_which_expression_failed_and_why_and_repeats_no_value() {
    let end = get(&allowing(), &told(r#"{"canary":"hunter2"}"#));
    assert_eq!(end.line["detail"], "response.allow error NoSuchKey");
    assert_eq!(
        (&end.line["stage"], &end.line["verdict"]),
        (&json!("released"), &json!("refused"))
    );
    assert!(!end.line.to_string().contains("hunter2"));
    let rules = json!({ "response": { "fields": [{ "pointer": "/a", "read": "body.x.y" }] } });
    let end = get(&rules, &told(r#"{"a":"hunter2","b":1}"#));
    assert_eq!(end.row(), r#"left {"b":1}"#);
    assert_eq!(
        end.line["fields"],
        json!([{ "pointer": "/a", "act": "removed", "why": "error NoSuchKey" }])
    );
}

#[test]
fn hidden_and_missing_look_alike() {
    let rules =
        json!({ "response": { "allow": "body.owner == path.id", "refused_as": "not_found" } });
    let missing = |status| Told {
        status,
        ..told(r#"{"error":"none"}"#)
    };
    assert_eq!(get(&rules, &told(THEIRS)).row(), "404 object_refused");
    assert_eq!(get(&rules, &told("{}")).row(), "404 object_rule_failed");
    assert_eq!(get(&rules, &missing(404)).row(), "404 object_missing");
    assert_eq!(get(&rules, &missing(410)).row(), "404 object_missing");
    assert_eq!(get(&rules, &told(MINE)).reason, "released");
    assert_eq!(
        get(&allowing(), &missing(404)).row(),
        r#"left {"error":"none"}"#
    );
}

#[test]
fn fields_go_or_are_masked_and_all_else_keeps_its_bytes() {
    let text = r#"{ "a": 1.0, "secret": [1], "items": [ {"cost": 5, "n": 1e2}, {"n":99999999999999999999} ] }"#;
    let cut = r#"{ "a": 1.0, "items": [ {"cost": "***", "n": 1e2}, {"n":99999999999999999999} ] }"#;
    let spoiled = [
        "etag",
        "last-modified",
        "content-digest",
        "repr-digest",
        "digest",
        "content-md5",
        "content-length",
        "accept-ranges",
        "content-encoding",
    ];
    let fields = spoiled.map(|name| (name, "identity")).to_vec();
    let end = get(
        &hiding(),
        &Told {
            fields,
            ..told(text)
        },
    );
    assert_eq!(end.row(), format!("left {cut}"));
    for name in spoiled {
        assert!(end.removed.iter().any(|removed| removed == name), "{name}");
    }
    assert_eq!(end.set, [("cache-control", "private, no-cache".to_owned())]);
    assert_eq!(
        end.line["fields"][0],
        json!({ "pointer": "/secret", "act": "removed" })
    );
    assert_eq!(
        end.line["fields"][1],
        json!({ "pointer": "/items/*/cost", "act": "masked" })
    );
    let put = send(&hiding(), "PUT", &[], "", &told(text));
    assert_eq!(
        put.row(),
        format!("left {}", text.replace("\"secret\": [1], ", ""))
    );
    let plain = get(&hiding(), &told(r#"{"secrets":1, "items":5}"#));
    assert_eq!(plain.row(), r#"left {"secrets":1, "items":5}"#);
    assert!(!plain.removed.iter().any(|name| name == "etag"));
}

#[test]
fn what_cannot_be_judged_does_not_leave() {
    let of = |kind, status| Told {
        kind,
        status,
        ..told(MINE)
    };
    let with = |name, value| Told {
        fields: vec![(name, value)],
        ..told(MINE)
    };
    let fails = |fault| Told {
        fault: Some(fault),
        ..told(MINE)
    };
    for (told, row) in [
        (
            of("application/json; charset=utf-8", 200),
            format!("left {MINE}"),
        ),
        (of("application/hal+json", 201), format!("left {MINE}")),
        (of("Application/JSON", 200), format!("left {MINE}")),
        (
            of("application/json; charset=utf-16", 200),
            "502 answer_type".into(),
        ),
        (of("text/html", 200), "502 answer_type".into()),
        (of("text/json", 200), "502 answer_type".into()),
        (of("application/x-ndjson", 200), "502 answer_type".into()),
        (of("application/json-seq", 200), "502 answer_type".into()),
        (of("text/event-stream", 200), "502 answer_type".into()),
        (of("", 200), "502 answer_type".into()),
        (of("application/json", 206), "502 answer_not_whole".into()),
        (of("application/json", 304), "502 answer_not_whole".into()),
        (of("application/json", 204), "403 object_rule_failed".into()),
        (with("content-length", "0"), "403 object_rule_failed".into()),
        (
            with("content-encoding", "zstd"),
            "502 answer_encoded".into(),
        ),
        (
            with("content-encoding", "gzip, gzip"),
            "502 answer_encoded".into(),
        ),
        (with("content-encoding", "GZIP"), format!("left {MINE}")),
        (fails(ReadFault::Broken), "502 answer_broken".into()),
        (fails(ReadFault::TimedOut), "502 answer_timeout".into()),
        (fails(ReadFault::TooLarge), "502 answer_too_large".into()),
        (of("text/html", 500), "left ".into()),
        (of("text/html", 302), "left ".into()),
        (of("application/json", 500), format!("left {MINE}")),
        (
            Told {
                status: 500,
                ..told("{")
            },
            "left ".into(),
        ),
    ] {
        let (kind, status, fields) = (told.kind, told.status, told.fields.clone());
        assert_eq!(
            get(&allowing(), &told).row(),
            row,
            "{kind} {status} {fields:?}"
        );
    }
}

#[test]
fn errors_lose_their_fields_too_and_content_that_is_no_json() {
    let of = |status| Told {
        status,
        ..told(r#"{"secret":1,"a":2}"#)
    };
    for status in [400, 404, 500, 302, 200] {
        assert_eq!(
            get(&hiding(), &of(status)).row(),
            r#"left {"a":2}"#,
            "{status}"
        );
    }
    let html = Told {
        status: 503,
        kind: "text/html",
        ..told("<secret>")
    };
    let end = get(&hiding(), &html);
    assert_eq!(
        (end.row().as_str(), end.line["status"].as_u64()),
        ("left ", Some(503))
    );
    assert!(end.removed.iter().any(|name| name == "content-type"));
    let empty = Told {
        status: 204,
        ..told("")
    };
    assert_eq!(get(&hiding(), &empty).row(), "left ");
}

#[test]
fn a_size_is_bounded_on_both_sides() {
    let rules = json!({ "response": { "allow": "true", "max_bytes": 10 } });
    assert_eq!(get(&rules, &told("[1,2,3,45]")).row(), "left [1,2,3,45]");
    assert_eq!(
        get(&rules, &told("[1,2,3,456]")).row(),
        "502 answer_too_large"
    );
    let sized = |bytes: u64| faults(json!({ "response": { "allow": "true", "max_bytes": bytes } }));
    assert!(sized(8_388_608).is_empty());
    assert!(!sized(8_388_609).is_empty());
}

#[test]
fn a_schema_observes_unless_it_is_told_to_enforce() {
    let rules = |mode: Option<&str>| {
        let mut response = json!({ "body": { "required": ["a"] } });
        if let Some(mode) = mode {
            response["body_mode"] = json!(mode);
        }
        json!({ "response": response })
    };
    let end = get(&rules(None), &told("{}"));
    assert_eq!(
        (
            end.row().as_str(),
            &end.line["verdict"],
            &end.line["reason"]
        ),
        ("as it came", &json!("observed"), &json!("answer_schema"))
    );
    assert_eq!(
        get(&rules(Some("enforce")), &told("{}")).row(),
        "502 answer_schema"
    );
    assert_eq!(
        get(&rules(Some("enforce")), &told(r#"{"a":1}"#)).row(),
        r#"left {"a":1}"#
    );
    let off = get(&rules(Some("off")), &told("{}"));
    assert_eq!(
        (off.row().as_str(), off.asked.contains(&"answer")),
        ("as it came", false)
    );
}

#[test]
fn observe_lets_everything_pass_and_says_what_it_would_have_done() {
    for place in ["route", "response"] {
        let rules = |response: Value| {
            let mut rules = json!({ "response": response });
            match place {
                "route" => rules["mode"] = json!("observe"),
                _ => rules["response"]["mode"] = json!("observe"),
            }
            rules
        };
        let allow = rules(json!({ "allow": "body.owner == path.id", "refused_as": "not_found" }));
        for (answer, reason) in [
            (told(THEIRS), json!("object_refused")),
            (
                Told {
                    kind: "text/html",
                    ..told("")
                },
                json!("answer_type"),
            ),
            (
                Told {
                    fault: Some(ReadFault::TooLarge),
                    ..told("")
                },
                json!("answer_too_large"),
            ),
            (
                Told {
                    status: 404,
                    ..told("")
                },
                json!(null),
            ),
            (told(MINE), json!(null)),
        ] {
            let end = get(&allow, &answer);
            assert_eq!(end.row(), "as it came");
            assert_eq!(end.line.get("reason").unwrap_or(&json!(null)), &reason);
        }
        let fields = rules(json!({ "fields": [{ "pointer": "/secret", "read": "false" }] }));
        let end = get(&fields, &told(r#"{"secret":1}"#));
        assert_eq!(end.row(), "as it came");
        assert_eq!(
            end.line["fields"],
            json!([{ "pointer": "/secret", "act": "observed" }])
        );
        assert!(end.set.is_empty());
    }
}

#[test]
fn a_route_without_rules_is_not_read_and_one_that_is_off_neither() {
    for rules in [
        json!({}),
        json!({ "response": { "allow": "false", "mode": "off" } }),
        json!({ "response": { "allow": "false" }, "mode": "off" }),
    ] {
        let end = get(&rules, &told(THEIRS));
        assert_eq!(
            (end.row().as_str(), end.asked.contains(&"answer")),
            ("as it came", false)
        );
        let html = Told {
            kind: "text/event-stream",
            status: 206,
            ..told("")
        };
        assert_eq!(get(&rules, &html).row(), "as it came");
    }
    let stream = Told {
        kind: "text/event-stream",
        ..told("")
    };
    assert!(
        !get(&allowing(), &stream).asked.contains(&"answer"),
        "an endless one is not begun"
    );
}

#[test]
fn a_permit_comes_back_once_however_an_answer_ends() {
    let html = Told {
        kind: "text/html",
        ..told("")
    };
    for (rules, answer) in [
        (allowing(), told(THEIRS)),
        (allowing(), html),
        (
            allowing(),
            Told {
                fault: Some(ReadFault::Broken),
                ..told("")
            },
        ),
        (allowing(), told(MINE)),
        (json!({}), told(MINE)),
    ] {
        assert_eq!(get(&rules, &answer).errands, 1);
    }
}
