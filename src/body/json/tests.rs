use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, JsonFault> {
    parse(text.as_bytes(), BODY_LIMITS)
}

#[test]
fn what_has_two_readings_is_refused() {
    let at = |pointer: &str| pointer.to_owned();
    for (text, fault) in [
        (
            r#"{"a":1,"a":2}"#,
            JsonFault::DuplicateName { pointer: at("/a") },
        ),
        (
            r#"{"sub":1,"\u0073ub":2}"#,
            JsonFault::DuplicateName {
                pointer: at("/sub"),
            },
        ),
        (
            r#"[{"b":{"c":1,"c":1}}]"#,
            JsonFault::DuplicateName {
                pointer: at("/0/b/c"),
            },
        ),
        ("[1e999]", JsonFault::Syntax { line: 1, column: 6 }),
        (
            "[18446744073709551616]",
            JsonFault::NumberTooLarge { pointer: at("/0") },
        ),
        ("[1e300]", JsonFault::NumberTooLarge { pointer: at("/0") }),
        (
            r#"{"a":"\u0000"}"#,
            JsonFault::NulCharacter { pointer: at("/a") },
        ),
    ] {
        assert_eq!(read(text), Err(fault), "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "// c\n1",
        "NaN",
        "Infinity",
        "01",
        "+1",
        "1 2",
        "'a'",
        "\u{feff}{}",
        r#""\ud800""#,
        "\"\n\"",
        "{a:1}",
        "tru",
    ] {
        assert!(
            matches!(read(text), Err(JsonFault::Syntax { .. })),
            "{text:?}"
        );
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xc0\xae\"", b"{\"\xed\xa0\x80\":1}"] {
        assert!(parse(bytes, BODY_LIMITS).is_err(), "{bytes:?}");
    }
}

#[test]
fn numbers_that_all_readers_share_are_kept() {
    for (text, value) in [
        (
            "9007199254740991",
            serde_json::json!(9_007_199_254_740_991_u64),
        ),
        ("-1", serde_json::json!(-1)),
        ("18446744073709551615", serde_json::json!(u64::MAX)),
        ("0.5", serde_json::json!(0.5)),
    ] {
        assert_eq!(read(text), Ok(value));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_bound_holds_on_both_sides() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(BODY_LIMITS.depth_max)).is_ok());
    assert_eq!(
        read(&nested(BODY_LIMITS.depth_max + 1)),
        Err(JsonFault::TooDeep)
    );
    assert_eq!(read(&nested(100_000)), Err(JsonFault::TooDeep));
    let small = JsonLimits {
        depth_max: 3,
        names_max: 2,
        values_max: 6,
        items_max: 4,
        string_bytes_max: 3,
        digits_max: 5,
    };
    let within = |text: &str| parse(text.as_bytes(), small);
    let at = |pointer: &str| pointer.to_owned();
    for (text, beyond, fault) in [
        (
            r#"{"a":1,"b":2}"#,
            r#"{"a":1,"b":2,"c":3}"#,
            JsonFault::TooManyNames { pointer: at("/c") },
        ),
        ("[[1,2,3],4]", "[[1,2,3],4,5]", JsonFault::TooManyValues),
        (
            "[1,2,3,4]",
            "[1,2,3,4,5]",
            JsonFault::TooManyItems { pointer: at("") },
        ),
        (
            r#"["abc"]"#,
            r#"["abcd"]"#,
            JsonFault::StringTooLong { pointer: at("/0") },
        ),
        (
            "\"\u{e9}a\"",
            "\"\u{e9}\u{e9}\"",
            JsonFault::StringTooLong { pointer: at("") },
        ),
        (
            r#""\u0061\u0062\u0063""#,
            r#""\u0061\u0062\u0063d""#,
            JsonFault::StringTooLong { pointer: at("") },
        ),
        (
            r#"{"abc":1}"#,
            r#"{"abcd":1}"#,
            JsonFault::StringTooLong { pointer: at("") },
        ),
        (
            "[12345]",
            "[123456]",
            JsonFault::TooManyDigits { line: 1, column: 7 },
        ),
        (
            "-1.23e-45",
            "-1.23e-456",
            JsonFault::TooManyDigits {
                line: 1,
                column: 10,
            },
        ),
        (
            "[1,2\n,12345]",
            "[1,2\n,123456]",
            JsonFault::TooManyDigits { line: 2, column: 7 },
        ),
        (
            r#"["12","1\"1"]"#,
            r#"["1\"",123456]"#,
            JsonFault::TooManyDigits {
                line: 1,
                column: 13,
            },
        ),
    ] {
        assert!(within(text).is_ok(), "{text}");
        assert_eq!(within(beyond), Err(fault), "{beyond}");
    }
}

#[test]
fn digits_in_text_are_no_number() {
    let digits = "1".repeat(100);
    for text in [
        format!("\"{digits}\""),
        format!(r#"{{"{digits}":"\"{digits}"}}"#),
    ] {
        assert!(read(&text).is_ok(), "{text}");
    }
    let most = "1.".to_owned() + &"0".repeat(BODY_LIMITS.digits_max - 1);
    assert!(read(&most).is_ok());
    assert!(matches!(
        read(&(most + "0")),
        Err(JsonFault::TooManyDigits { .. })
    ));
    // Text that a million digits long number would take to read is not read.
    assert!(matches!(
        read(&"9".repeat(1 << 20)),
        Err(JsonFault::TooManyDigits { .. })
    ));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_read_is_json(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse(&bytes, BODY_LIMITS) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).ok(), Some(value));
        }
    }

    #[test]
    fn json_like_text_never_panics(text in r#"[\[\]{}",:\\u0-9eE+.\-a-f ntrlsu]{0,48}"#) {
        let _ = read(&text);
    }
}
