use super::*;
use proptest::prelude::*;

fn path(raw: &str) -> Result<String, TargetFault> {
    CanonicalPath::parse(raw).map(|path| path.as_str().to_owned())
}

#[test]
fn a_path_with_one_reading_is_spelled_one_way() {
    for (raw, canonical) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/%61/b", "/a/b"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/100%25", "/100%25"),
        ("/a%3bb", "/a%3Bb"),
        ("/...", "/..."),
        ("/a.b", "/a.b"),
    ] {
        assert_eq!(path(raw), Ok(canonical.to_owned()), "{raw}");
    }
}

#[test]
fn a_path_with_two_readings_is_refused() {
    use TargetFault as F;
    for (raw, fault) in [
        ("", F::NotAbsolute),
        ("a", F::NotAbsolute),
        ("//a", F::EmptySegment),
        ("/a//b", F::EmptySegment),
        ("/a//", F::EmptySegment),
        ("//", F::EmptySegment),
        ("/./a", F::DotSegment),
        ("/a/..", F::DotSegment),
        ("/a/%2e%2E/b", F::DotSegment),
        ("/a/.%2e", F::DotSegment),
        ("/a%2fb", F::EncodedSeparator),
        ("/a%5Cb", F::EncodedSeparator),
        ("/a%3fb", F::EncodedSeparator),
        ("/a%23b", F::EncodedSeparator),
        ("/a\\b", F::Backslash),
        ("/a%00", F::ControlCharacter),
        ("/a%0d%0ax", F::ControlCharacter),
        ("/a%252fb", F::DoubleEncoding),
        ("/a%25%32Fb", F::DoubleEncoding),
        ("/a%25%32%46b", F::DoubleEncoding),
        ("/a;b=1", F::MatrixParameter),
        ("/;b=1", F::MatrixParameter),
        ("/a/;b=1", F::MatrixParameter),
        ("/a%", F::BadPercent),
        ("/a%4", F::BadPercent),
        ("/a%zz", F::BadPercent),
        ("/a%+1", F::BadPercent),
        ("/%ff", F::BadUtf8),
        ("/%c0%ae", F::BadUtf8),
        ("/\u{ff0f}", F::BadCharacter),
        ("/a b", F::BadCharacter),
    ] {
        assert_eq!(path(raw), Err(fault), "{raw}");
    }
}

#[test]
fn matrix_parameters_are_a_whole_segment_and_asked_for() {
    for (raw, text) in [
        ("/a/;b=1", "/a/;b=1"),
        ("/a/;b=1;c=%20;", "/a/;b=1;c=%20;"),
        ("/a/%3Bb=1", "/a/%3Bb=1"),
    ] {
        let path = CanonicalPath::parse_with_matrix(raw).unwrap();
        assert_eq!(path.as_str(), text);
        assert_eq!(path.has_matrix(), raw != "/a/%3Bb=1", "{raw}");
        assert_eq!(CanonicalPath::parse_with_matrix(text), Ok(path));
    }
    for (raw, fault) in [
        ("/a;b=1", TargetFault::MatrixParameter),
        ("/..;/a", TargetFault::MatrixParameter),
        ("/;../a", TargetFault::DotSegment),
        ("/;a=1;%2e%2e/a", TargetFault::DotSegment),
        ("/;a=%2f", TargetFault::EncodedSeparator),
    ] {
        assert_eq!(CanonicalPath::parse_with_matrix(raw), Err(fault), "{raw}");
    }
}

#[test]
fn a_query_is_read_and_sent_alike() {
    let query = CanonicalQuery::parse(Some("a=1;b=2&c=%41+b&d&e==&&")).unwrap();
    assert_eq!(query.as_str(), Some("a=1%3Bb=2&c=A+b&d&e==&&"));
    let pairs: Vec<_> = query
        .pairs()
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(pairs, [("a", "1;b=2"), ("c", "A b"), ("d", ""), ("e", "=")]);
    for bad in ["%", "a=%f", "a=%00", "a=%ff", "a=\u{1}"] {
        assert!(CanonicalQuery::parse(Some(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn a_query_has_a_bounded_number_of_pairs() {
    let pairs = |count: usize| vec!["a=1"; count].join("&");
    assert!(CanonicalQuery::parse(Some(&pairs(QUERY_PAIRS_MAX))).is_ok());
    assert_eq!(
        CanonicalQuery::parse(Some(&pairs(QUERY_PAIRS_MAX + 1))),
        Err(TargetFault::TooManyPairs)
    );
}

proptest! {
    #[test]
    fn canonical_text_reads_as_itself(raw in "/[ -~]{0,40}") {
        if let Ok(first) = CanonicalPath::parse(&raw) {
            prop_assert_eq!(CanonicalPath::parse(first.as_str()), Ok(first));
        }
    }

    #[test]
    fn no_input_makes_a_path_with_structure_hidden_in_it(raw in "/[%./\\\\a-f0-9;?#]{0,24}") {
        if let Ok(path) = CanonicalPath::parse(&raw) {
            let segments = path.as_str().split('/').map(decode);
            for segment in segments {
                prop_assert!(!segment.contains(['/', '\\', '\0', '?', '#']));
                prop_assert!(segment != "." && segment != "..");
            }
        }
    }

    #[test]
    fn a_canonical_query_reads_as_itself(raw in "[ -~]{0,40}") {
        if let Ok(first) = CanonicalQuery::parse(Some(&raw)) {
            let second = CanonicalQuery::parse(first.as_str());
            prop_assert_eq!(second.map(|query| query.pairs().to_vec()), Ok(first.pairs().to_vec()));
        }
    }
}
