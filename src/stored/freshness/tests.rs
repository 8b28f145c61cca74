use super::*;

/// 1994-11-06T08:49:37Z.
const NOW_MS: u64 = 784_111_777_000;
const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn rule() -> StoreRule {
    StoreRule {
        age_s_max: 100,
        content_bytes_max: 1_000,
        age_s_default: None,
        fields: ["accept", "x-edition"].map(str::to_owned).to_vec(),
        told: ["traceparent", "statement"].map(str::to_owned).to_vec(),
        is_shared: false,
    }
}

fn seen_after(took_ms: u64, fields: &[(&str, &str)], rule: &StoreRule) -> Option<Fresh> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fields: Vec<_> = fields.iter().map(own).collect();
    let seen = Seen {
        status: 200,
        fields: &fields,
        at_ms: NOW_MS,
        took_ms,
        has_end: true,
    };
    fresh(&seen, rule)
}

fn left_s(fields: &[(&str, &str)]) -> Option<u64> {
    left_s_by(&rule(), fields)
}

fn left_s_by(rule: &StoreRule, fields: &[(&str, &str)]) -> Option<u64> {
    let left_ms = seen_after(0, fields, rule)?.left_ms;
    assert_eq!(left_ms % 1_000, 0);
    Some(left_ms / 1_000)
}

#[test]
fn an_answer_is_kept_for_as_long_as_its_origin_and_the_policy_say() {
    for (said, left) in [
        ("max-age=60", Some(60)),
        ("max-age=100", Some(100)),
        ("max-age=101", Some(100)),
        ("max-age=99999999999999999999", Some(100)),
        ("max-age=1", Some(1)),
        ("max-age=0", None),
        ("s-maxage=20, max-age=60", Some(20)),
        ("max-age=20, s-maxage=60", Some(60)),
        ("max-age=20, s-maxage=0", None),
        ("public, MAX-AGE = 7", Some(7)),
        ("private, max-age=60", Some(60)),
        ("private=\"x-a\", max-age=60", Some(60)),
        ("must-revalidate, immutable, max-age=60", Some(60)),
        ("max-age=60, stale-while-revalidate=600", Some(60)),
        ("no-store, max-age=60", None),
        ("max-age=60, No-Store", None),
        ("no-cache, max-age=60", None),
        ("no-cache=\"set-cookie\", max-age=60", None),
        ("max-age=60, max-age=60", None),
        ("max-age=60, max-age=5", None),
        ("max-age", None),
        ("max-age=", None),
        ("max-age=x", None),
        ("max-age=\"60\"", None),
        ("max-age=-1", None),
        ("max-age=6.5", None),
        ("max-age=60, ext=\"", None),
        ("ext=\"no-store\", max-age=60", Some(60)),
        ("public", None),
        ("", None),
    ] {
        assert_eq!(left_s(&[("cache-control", said)]), left, "{said}");
    }
}

#[test]
fn expires_counts_where_no_age_is_told() {
    let at = |date: &'static str, expires: &'static str| [("date", date), ("expires", expires)];
    assert_eq!(left_s(&at(NOW, "Sun, 06 Nov 1994 08:50:07 GMT")), Some(30));
    assert_eq!(left_s(&at(NOW, "Sun, 06 Nov 1994 08:49:38 GMT")), Some(1));
    assert_eq!(left_s(&at(NOW, NOW)), None);
    assert_eq!(left_s(&at(NOW, "Sun, 06 Nov 1994 08:49:36 GMT")), None);
    assert_eq!(left_s(&at(NOW, "0")), None);
    assert_eq!(left_s(&at(NOW, "-1")), None);
    assert_eq!(
        left_s(&[("expires", "Sun, 06 Nov 1994 08:50:07 GMT")]),
        Some(30)
    );
    let both = [("expires", "0"), ("cache-control", "max-age=60")];
    assert_eq!(left_s(&both), Some(60));
    // Its own date is older than its arrival: what of that is age is gone.
    let late = at(
        "Sun, 06 Nov 1994 08:49:27 GMT",
        "Sun, 06 Nov 1994 08:50:07 GMT",
    );
    assert_eq!(left_s(&late), Some(30));
}

#[test]
fn what_an_answer_has_of_age_is_no_longer_fresh() {
    let aged = |age: &'static str| [("cache-control", "max-age=60"), ("age", age)];
    assert_eq!(left_s(&aged("0")), Some(60));
    assert_eq!(left_s(&aged("59")), Some(1));
    assert_eq!(left_s(&aged("60")), None);
    assert_eq!(left_s(&aged("x")), None);
    assert_eq!(left_s(&aged("5, 6")), None);
    assert_eq!(left_s(&aged("99999999999999999999")), None);
    let dated = |date: &'static str| [("cache-control", "max-age=60"), ("date", date)];
    assert_eq!(left_s(&dated("Sun, 06 Nov 1994 08:49:17 GMT")), Some(40));
    assert_eq!(left_s(&dated("Sun, 06 Nov 1994 08:48:37 GMT")), None);
    assert_eq!(left_s(&dated("Sun, 06 Nov 1994 09:49:37 GMT")), Some(60));
    assert_eq!(left_s(&dated("today")), None);
    // The time that it took counts as age, beside what is told of it.
    let took = seen_after(2_500, &aged("10"), &rule()).unwrap();
    assert_eq!((took.age_ms, took.left_ms), (12_500, 47_500));
    // The policy's bound is of the time here.
    let long = [("cache-control", "max-age=600"), ("age", "300")];
    assert_eq!(left_s(&long), Some(100));
}

#[test]
fn what_says_nothing_of_its_age_is_kept_where_the_policy_says_for_how_long() {
    let rule = StoreRule {
        age_s_default: Some(5),
        ..rule()
    };
    assert_eq!(left_s_by(&rule, &[]), Some(5));
    assert_eq!(left_s_by(&rule, &[("cache-control", "private")]), Some(5));
    assert_eq!(left_s_by(&rule, &[("age", "5")]), None);
    for said in ["max-age=0", "max-age=x", "no-store", "no-cache", "\""] {
        assert_eq!(left_s_by(&rule, &[("cache-control", said)]), None, "{said}");
    }
    assert_eq!(left_s_by(&rule, &[("expires", "0")]), None);
}

#[test]
fn what_is_one_client_s_is_not_shared() {
    let rule = StoreRule {
        is_shared: true,
        ..rule()
    };
    let said = |text: &'static str| [("cache-control", text)];
    assert_eq!(left_s_by(&rule, &said("max-age=60")), Some(60));
    assert_eq!(left_s_by(&rule, &said("max-age=60, Private")), None);
    assert_eq!(left_s_by(&rule, &said("private=\"x\", max-age=60")), None);
}

#[test]
fn only_a_whole_and_plain_200_is_kept() {
    let with = |name: &'static str, value: &'static str| {
        left_s(&[("cache-control", "max-age=60"), (name, value)]).is_some()
    };
    for (name, value, is_kept) in [
        ("set-cookie", "a=1", false),
        ("set-cookie2", "a=1", false),
        ("content-range", "bytes 0-1/2", false),
        ("content-encoding", "gzip", false),
        ("content-encoding", "Identity", true),
        ("content-type", "application/json", true),
        ("content-type", "text/event-stream", false),
        ("content-type", " Text/Event-Stream; charset=utf-8", false),
        (
            "content-type",
            "multipart/x-mixed-replace; boundary=a",
            false,
        ),
        ("content-length", "0", true),
        ("content-length", "1000", true),
        ("content-length", "1001", false),
        ("content-length", "x", false),
        ("content-length", "5, 5", false),
        ("etag", "\"a\"", true),
        ("cdn-cache-control", "max-age=600", true),
        ("cdn-cache-control", "no-store", false),
        ("surrogate-control", "No-Cache", false),
        ("surrogate-control", "\"", false),
        ("x-accel-expires", "0", false),
    ] {
        assert_eq!(with(name, value), is_kept, "{name}: {value}");
    }
    for status in [
        201, 203, 204, 206, 301, 302, 304, 401, 403, 404, 410, 429, 500, 503,
    ] {
        let fields = [("cache-control".to_owned(), "max-age=60".to_owned())];
        let seen = Seen {
            status,
            fields: &fields,
            at_ms: NOW_MS,
            took_ms: 0,
            has_end: true,
        };
        assert_eq!(fresh(&seen, &rule()), None, "{status}");
    }
}

#[test]
fn an_answer_varies_by_what_its_key_holds_or_by_what_nobody_sends() {
    for (vary, is_kept) in [
        ("", true),
        ("Accept", true),
        ("accept , X-Edition", true),
        // Neither is sent on from such a route: the origin has seen none.
        (
            "Origin, Accept-Encoding, Cookie, Authorization, User-Agent",
            true,
        ),
        ("*", false),
        ("Accept, *", false),
        ("X-Forwarded-For", false),
        ("edgeward-request-id", false),
        ("Traceparent", false),
        ("Statement", false),
        ("accept accept", false),
    ] {
        let fields = [("cache-control", "max-age=60"), ("vary", vary)];
        assert_eq!(left_s(&fields).is_some(), is_kept, "{vary}");
    }
}

#[test]
fn more_fields_than_are_kept_are_not_kept() {
    let with = |bytes: usize| {
        let value = "x".repeat(bytes);
        let fields = [("cache-control", "max-age=60"), ("x", value.as_str())];
        left_s(&fields).is_some()
    };
    let others = "cache-control".len() + "max-age=60".len() + 1;
    assert!(with(FIELD_BYTES_MAX - others));
    assert!(!with(FIELD_BYTES_MAX - others + 1));
}

#[test]
fn content_without_an_end_of_its_own_is_kept_only_with_its_length() {
    let fresh_with = |has_end: bool, length: Option<&str>| {
        let mut fields = vec![("cache-control".to_owned(), "max-age=60".to_owned())];
        fields.extend(length.map(|length| ("content-length".to_owned(), length.to_owned())));
        let seen = Seen {
            status: 200,
            fields: &fields,
            at_ms: NOW_MS,
            took_ms: 0,
            has_end,
        };
        fresh(&seen, &rule()).is_some()
    };
    assert!(fresh_with(true, None));
    assert!(fresh_with(false, Some("3")));
    assert!(!fresh_with(false, None));
}
