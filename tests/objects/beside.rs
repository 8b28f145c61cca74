//! What leaves beside an object: redirects, and words to caches.
use super::releasing::{MINE, THEIRS, allowing, hiding};
use super::*;

#[test]
fn a_redirect_leaves_without_content_that_nobody_was_asked_about() {
    let of = |status| Told {
        status,
        ..told(THEIRS)
    };
    let hidden =
        json!({ "response": { "allow": "body.owner == path.id", "refused_as": "not_found" } });
    for rules in [&allowing(), &hidden] {
        for status in [300, 301, 302, 303, 307, 308, 399] {
            assert_eq!(get(rules, &of(status)).row(), "left ", "{status}");
        }
        assert_eq!(get(rules, &of(400)).row(), format!("left {THEIRS}"));
    }
    let watched = json!({ "response": { "allow": "body.owner == path.id", "mode": "observe" } });
    assert_eq!(get(&watched, &of(302)).row(), "as it came");
}

#[test]
fn no_shared_cache_is_told_to_keep_what_one_caller_may_see() {
    let fields = [
        "cdn-cache-control",
        "cloudflare-cdn-cache-control",
        "surrogate-control",
        "edge-control",
        "x-accel-expires",
    ];
    let with = |more: &[(&'static str, &'static str)]| Told {
        fields: [fields.map(|name| (name, "max-age=60")).as_slice(), more].concat(),
        ..told(MINE)
    };
    let answers = [with(&[]), with(&[("cache-control", "no-store")])];
    for (rules, is_own) in [
        (allowing(), true),
        (hiding(), true),
        (json!({ "response": { "body": true } }), false),
        (json!({}), false),
    ] {
        for told in &answers {
            let end = get(&rules, told);
            for name in fields {
                let is_removed = end.removed.iter().any(|one| one == name);
                assert_eq!(is_removed, is_own, "{rules} {name}");
            }
        }
    }
}
