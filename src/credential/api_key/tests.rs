use super::*;
use proptest::prelude::*;

const ID: &str = "3kT9aaaaBBBB";
const SECRET: &str = "0123456789abcdefghijABCDEFGHIJ01";
const NOW_MS: u64 = 1_800_000_000_000;

fn text_of(environment: &str, id: &str, secret: &str) -> String {
    let checked = format!("ew_{environment}_{id}_{secret}");
    format!("{checked}{}", check_of(&checked))
}

fn key() -> ApiKey {
    ApiKey::parse(&text_of("live", ID, SECRET), "ew").unwrap()
}

fn peppers() -> Peppers {
    let pepper = |text: &str| Pepper::new(Secret::new(text.into()));
    Peppers {
        current: pepper("new pepper"),
        previous: Some(pepper("old pepper")),
    }
}

fn record(pepper: &Pepper) -> KeyRecord {
    let hash = Base64UrlUnpadded::encode_string(&pepper.hash(&key()));
    serde_json::from_value(serde_json::json!({
        "id": ID, "hash": hash, "pepper": pepper.id(), "subject": "acme",
        "scopes": ["orders:read"], "expires_at": "never", "state": "active"
    }))
    .unwrap()
}

fn decide(record: KeyRecord, ip: &str) -> Result<KeyRecord, NotAdmitted> {
    let stored = Stored::Record(Box::new(record));
    let answer = KeyAnswer {
        id: key().id,
        stored,
    };
    admit("keys", &key(), answer, &peppers(), NOW_MS, ip.parse().ok())
}

#[test]
fn the_check_is_the_crc_of_all_before_it() {
    // CRC-32/ISO-HDLC of "123456789" is 0xCBF43926 (the catalog's check value).
    assert_eq!(CHECKSUM.checksum(b"123456789"), 0xcbf4_3926);
    assert_eq!(check_of("123456789"), "3jZRME");
    assert!(ApiKey::parse(&text_of("test", ID, SECRET), "ew").is_ok());
}

#[test]
fn a_text_of_another_form_is_no_key() {
    let good = text_of("live", ID, SECRET);
    let typo = good.replace("aaaa", "aaab");
    assert_eq!(ApiKey::parse(&typo, "ew").unwrap_err(), KeyFault::Checksum);
    for bad in [
        String::new(),
        "ew".into(),
        good.replace("ew_", "xx_"),
        good.replace("_live_", "_prod_"),
        format!("{good}_"),
        format!(" {good}"),
        format!("{good}\u{a0}"),
        good.replace("aaaa", "aa-a"),
        text_of("live", "short", SECRET),
        text_of("live", ID, "short"),
        text_of("live", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", SECRET),
        "e".repeat(KEY_BYTES_MAX + 1),
    ] {
        assert_eq!(
            ApiKey::parse(&bad, "ew").unwrap_err(),
            KeyFault::Malformed,
            "{bad}"
        );
    }
}

#[test]
fn a_key_is_admitted_under_either_pepper_and_no_other() {
    let Peppers { current, previous } = peppers();
    assert!(decide(record(&current), "192.0.2.1").is_ok());
    assert!(decide(record(&previous.unwrap()), "192.0.2.1").is_ok());
    let other = Pepper::new(Secret::new("a third pepper".into()));
    assert_eq!(
        decide(record(&other), "192.0.2.1"),
        Err(NotAdmitted::Record(RecordFault::UnknownPepper))
    );
}

#[test]
fn a_record_says_when_and_where_its_key_is_good() {
    let good = || record(&peppers().current);
    let now_s = NOW_MS / 1_000;
    let at = |at_s| KeyRecord {
        expires_at: Expiry::At(at_s),
        ..good()
    };
    let from = |from_s| KeyRecord {
        not_before: Some(from_s),
        ..good()
    };
    let home = |cidr: &str| KeyRecord {
        cidrs: vec![cidr.into()],
        ..good()
    };
    let state = |state| KeyRecord { state, ..good() };
    let fault = |record, ip: &str| match decide(record, ip) {
        Ok(_) => None,
        Err(NotAdmitted::Key(fault)) => Some(fault),
        Err(NotAdmitted::Record(fault)) => panic!("{fault:?}"),
    };
    for (record, ip, expected) in [
        (at(now_s + 1), "192.0.2.1", None),
        (at(now_s), "192.0.2.1", Some(KeyFault::Expired)),
        (from(now_s), "192.0.2.1", None),
        (from(now_s + 1), "192.0.2.1", Some(KeyFault::NotYetValid)),
        (state(KeyState::Retiring), "192.0.2.1", None),
        (
            state(KeyState::Revoked),
            "192.0.2.1",
            Some(KeyFault::Revoked),
        ),
        (home("192.0.2.0/24"), "192.0.2.255", None),
        (home("192.0.2.0/24"), "192.0.3.0", Some(KeyFault::Address)),
        (home("2001:db8::/32"), "2001:db8::1", None),
        (home("192.0.2.7"), "192.0.2.7", None),
        (home("::ffff:192.0.2.0/120"), "192.0.2.7", None),
        (home("192.0.2.0/24"), "no address", Some(KeyFault::Address)),
        (
            KeyRecord {
                hash: NO_HASH.into(),
                ..good()
            },
            "192.0.2.1",
            Some(KeyFault::Secret),
        ),
    ] {
        assert_eq!(fault(record.clone(), ip), expected, "{record:?} {ip}");
    }
}

#[test]
fn a_broken_or_foreign_record_admits_nobody_and_blames_no_caller() {
    let good = || record(&peppers().current);
    let broken = KeyRecord {
        cidrs: vec!["192.0.2.0/33".into()],
        ..good()
    };
    assert_eq!(
        decide(broken, "192.0.2.1"),
        Err(NotAdmitted::Record(RecordFault::Unreadable))
    );
    let foreign = KeyRecord {
        id: "aaaaaaaaaaaa".into(),
        ..good()
    };
    assert_eq!(
        decide(foreign, "192.0.2.1"),
        Err(NotAdmitted::Record(RecordFault::AnotherKeys))
    );
    let stored = Stored::Record(Box::new(good()));
    let answer = KeyAnswer {
        id: KeyId("aaaaaaaaaaaa".into()),
        stored,
    };
    assert_eq!(
        admit("keys", &key(), answer, &peppers(), NOW_MS, None),
        Err(NotAdmitted::Record(RecordFault::AnotherKeys))
    );
}

#[test]
fn no_secret_is_printed() {
    assert!(!format!("{:?}", key()).contains(SECRET));
    assert!(!format!("{:?}", peppers()).contains("new pepper"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(ew_)?(live_|test_)?[ -~\u{e9}]{0,60}") {
        let _ = ApiKey::parse(&text, "ew");
    }

    #[test]
    fn one_changed_character_is_noticed(at in 0..58_usize, with in "[0-9A-Za-z]") {
        let good = text_of("live", ID, SECRET);
        let mut bad = good.clone();
        bad.replace_range(at..=at, &with);
        prop_assert!(bad == good || ApiKey::parse(&bad, "ew").is_err());
    }
}
