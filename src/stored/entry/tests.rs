use super::*;
use crate::facts::Headers;
use crate::stored::key::Parts;

const AT_MS: u64 = 1_800_000_000_000;

fn key(path: &str) -> StoreKey {
    StoreKey::of(&Parts {
        policy: "p",
        route: "r",
        is_https: true,
        authority: "a",
        path,
        query: None,
        origin: ["o", "u"],
        caller: None,
        headers: &Headers::default(),
        fields: &[],
    })
}

fn filing(told_bytes: Option<u64>) -> Filing {
    let fields = [
        ("content-type", "text/plain"),
        ("etag", "W/\"a\""),
        ("age", "9"),
        ("x-ü", "ü\t\"\\"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let seen = Seen {
        status: 200,
        fields: &fields,
        at_ms: AT_MS,
        took_ms: 0,
        has_end: true,
    };
    let fresh = Fresh {
        age_ms: 9_500,
        left_ms: 5_001,
        told_bytes,
    };
    Filing::new(key("/"), &seen, fresh, 10)
}

fn entry() -> Vec<u8> {
    filing(None).entry(Ok(b"a\nb".to_vec())).unwrap()
}

#[test]
fn what_is_written_is_read_again_as_long_as_it_is_fresh() {
    let read = |now_ms| Found::read(&key("/"), &entry(), now_ms);
    let found = read(AT_MS).unwrap();
    assert_eq!((found.age_ms, found.left_ms), (9_500, 5_001));
    let found = read(AT_MS + 5_000).unwrap();
    assert_eq!((found.age_ms, found.left_ms), (14_500, 1));
    let answer = found.answer(&Look::default(), false);
    assert_eq!((answer.status, answer.content), (200, b"a\nb".to_vec()));
    assert_eq!(value(&answer.fields, "age"), Some("14"));
    assert_eq!(value(&answer.fields, "x-ü"), Some("ü\t\"\\"));
    assert_eq!(
        answer
            .fields
            .iter()
            .filter(|(name, _)| name == "age")
            .count(),
        1
    );
    assert_eq!(read(AT_MS + 5_001), None);
    assert_eq!(read(AT_MS + 600_000), None);
    assert_eq!(read(AT_MS - 1), None, "a clock behind the one that wrote");
    assert_eq!(filing(None).left_s(), 6);
}

#[test]
fn nothing_but_a_whole_answer_is_written() {
    let entry = |told, read| filing(told).entry(read).is_some();
    assert!(entry(Some(3), Ok(b"abc".to_vec())));
    assert!(!entry(Some(4), Ok(b"abc".to_vec())));
    assert!(!entry(Some(2), Ok(b"abc".to_vec())));
    assert!(entry(None, Ok(b"0123456789".to_vec())));
    assert!(!entry(None, Ok(b"0123456789x".to_vec())));
    for fault in [ReadFault::Broken, ReadFault::TimedOut, ReadFault::TooLarge] {
        assert!(!entry(None, Err(fault)), "{fault:?}");
    }
}

#[test]
fn another_s_entry_and_part_of_one_are_none() {
    assert!(Found::read(&key("/"), &entry(), AT_MS).is_some());
    assert_eq!(Found::read(&key("/other"), &entry(), AT_MS), None);
    let whole = entry();
    for end in 0..whole.len() {
        assert_eq!(Found::read(&key("/"), &whole[..end], AT_MS), None, "{end}");
    }
    let mut longer = whole;
    longer.push(b'x');
    assert_eq!(Found::read(&key("/"), &longer, AT_MS), None);
    assert_eq!(Found::read(&key("/"), b"{}\n", AT_MS), None);
}

#[test]
fn a_caller_says_how_old_and_how_fresh() {
    let found = Found::read(&key("/"), &entry(), AT_MS + 500).unwrap();
    let does = |age_s_max: Option<u64>, left_s_min: u64| {
        found.does(&Look {
            age_s_max,
            left_s_min,
            ..Look::default()
        })
    };
    assert!(does(None, 0));
    assert!(does(Some(10), 4));
    assert!(!does(Some(9), 0), "it is ten seconds old");
    assert!(!does(None, 5), "four and a half are left");
    assert!(does(Some(u64::MAX), 0));
    assert!(!does(None, u64::MAX));
}

#[test]
fn a_copy_that_a_caller_has_is_not_given_again() {
    let answer = |copies: &str, is_judged: bool| {
        let found = Found::read(&key("/"), &entry(), AT_MS).unwrap();
        let look = Look {
            copies: Some(copies.into()),
            ..Look::default()
        };
        found.answer(&look, is_judged)
    };
    for (copies, status) in [
        ("\"a\"", 304),
        ("W/\"a\"", 304),
        ("\"b\", W/\"a\"", 304),
        ("*", 304),
        ("\"b\"", 200),
        ("\"A\"", 200),
        ("a", 200),
        ("\"a", 200),
        ("", 200),
    ] {
        assert_eq!(answer(copies, false).status, status, "{copies}");
        assert_eq!(answer(copies, true).status, 200, "{copies}");
    }
    let copy = answer("\"a\"", false);
    let names: Vec<&str> = copy.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, copy.content), (vec!["etag", "age"], Vec::new()));
}

#[test]
fn head_gets_the_fields_and_content_only_to_be_judged() {
    let answer = |is_judged| {
        let found = Found::read(&key("/"), &entry(), AT_MS).unwrap();
        let look = Look {
            is_head: true,
            ..Look::default()
        };
        found.answer(&look, is_judged)
    };
    assert_eq!(
        (answer(false).status, answer(false).content.len()),
        (200, 0)
    );
    assert_eq!(answer(true).content.len(), 3);
}
