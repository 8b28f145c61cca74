use super::*;

#[test]
fn each_path_has_its_verbs_and_no_other() {
    let id = "AAAAAAAAAAAA";
    for (path, method, expected) in [
        ("status", "GET", Ok(Verb::Status)),
        ("keys", "POST", Ok(Verb::CreateKey)),
        ("keys/AAAAAAAAAAAA", "GET", Ok(Verb::ShowKey(id.into()))),
        (
            "keys/AAAAAAAAAAAA/limits",
            "POST",
            Ok(Verb::LimitKey(id.into())),
        ),
        (
            "keys/AAAAAAAAAAAA/revoke",
            "POST",
            Ok(Verb::RevokeKey(id.into())),
        ),
        ("keys/AAAAAAAAAAAA/revoke", "GET", Err("other_method")),
        ("keys", "DELETE", Err("other_method")),
        ("keys/..", "GET", Err("no_route")),
        ("keys/", "GET", Err("no_route")),
        ("keys/AAAAAAAAAAA%41", "GET", Err("no_route")),
        ("nothing", "GET", Err("no_route")),
    ] {
        let found = Verb::find(&format!("/.edgeward/{path}"), method);
        assert_eq!(
            found.as_ref().map_err(Refusal::reason),
            expected.as_ref().map_err(|reason| *reason),
            "{path}"
        );
    }
}

#[test]
fn content_is_read_by_the_description() {
    let create = |text: &str| Verb::CreateKey.read(None, text.as_bytes().to_vec());
    let read = create(r#"{"subject":"acme","scopes":["a"],"expires_at":"never"}"#);
    assert!(matches!(read, Ok(Command::CreateKey(asked)) if asked.env == "live"));
    for wrong in [
        r#"{"subject":"acme"}"#,
        r#"{"subject":"acme","scopes":["a"],"state":"active"}"#,
        r#"{"subject":"acme","scopes":["a"],"expires_at":"later"}"#,
        r#"{"subject":"acme","scopes":["a"],"cidrs":["nowhere"]}"#,
        r#"{"subject":"","scopes":[]}"#,
    ] {
        assert!(
            matches!(create(wrong), Err(Refusal::Invalid { .. })),
            "{wrong}"
        );
    }
    assert!(matches!(create("{"), Err(Refusal::NotJson { .. })));
    let revoke = |text: &str| Verb::RevokeTokens.read(None, text.as_bytes().to_vec());
    for (text, fits) in [
        (r#"{"jti":"a"}"#, true),
        (r#"{"jti":"a","subject":"b","expires_at":1}"#, true),
        (r#"{"subject":"b"}"#, true),
        (r#"{"subject":"b","version_below":2}"#, true),
        (r#"{"every":true}"#, true),
        (r#"{"every":false}"#, false),
        (r#"{}"#, false),
        (r#"{"jti":"a","version_below":2}"#, false),
        (r#"{"every":true,"subject":"b"}"#, false),
    ] {
        assert_eq!(revoke(text).is_ok(), fits, "{text}");
    }
    assert!(
        Verb::RevokeKey(String::new())
            .read(None, b"{}".to_vec())
            .is_ok()
    );
    assert!(
        Verb::RevokeKey(String::new())
            .read(None, b"{\"a\":1}".to_vec())
            .is_err()
    );
}

#[test]
fn a_keys_own_numbers_are_read_by_the_description() {
    let limit = |text: &str| {
        let verb = Verb::LimitKey(String::new());
        verb.read(None, text.as_bytes().to_vec()).is_ok()
    };
    for (text, fits) in [
        (r#"{"set":{"minute":{"limit":5}}}"#, true),
        (
            r#"{"set":{"burst":{"rate_per_s":5,"burst":9}},"clear":["minute"]}"#,
            true,
        ),
        (r#"{"clear":["minute"]}"#, true),
        (r#"{"set":{"slow":{"rate_per_s":0.5,"queue":0}}}"#, true),
        (r#"{}"#, false),
        (r#"{"set":{"minute":{"limit":0}}}"#, false),
        (r#"{"set":{"minute":{"limit":5,"burst":2}}}"#, false),
        (r#"{"set":{"minute":{"window_s":5}}}"#, false),
        (r#"{"set":{"minute":{"rate_per_s":5}}}"#, false),
        (r#"{"set":{"a b":{"limit":5}}}"#, false),
        (r#"{"set":{"minute":5}}"#, false),
    ] {
        assert_eq!(limit(text), fits, "{text}");
    }
}

#[test]
fn a_page_is_bounded() {
    let list = |query: &str| Verb::ListKeys.read(Some(query), Vec::new());
    for (query, fits) in [
        ("", true),
        ("limit=1", true),
        ("limit=200&subject=a&cursor=b", true),
        ("limit=0", false),
        ("limit=201", false),
        ("limit=x", false),
        ("limit=1&limit=2", false),
        ("other=1", false),
    ] {
        assert_eq!(list(query).is_ok(), fits, "{query}");
    }
    assert!(Verb::Status.read(Some("a=1"), Vec::new()).is_err());
}
