use super::*;
use proptest::prelude::*;

fn fixed(limit: u64, window_ms: u64) -> PeriodRule {
    let span = Span::Fixed { window_ms };
    PeriodRule { limit, span }
}

fn day(limit: u64, timezone: &str) -> PeriodRule {
    let timezone = timezone.to_owned();
    let span = Span::Day { timezone };
    PeriodRule { limit, span }
}

fn month(limit: u64, timezone: &str) -> PeriodRule {
    let timezone = timezone.to_owned();
    let span = Span::Month { timezone };
    PeriodRule { limit, span }
}

/// Charges with the check that comes before: the units left, or the wait.
fn charge(period: &mut Period, rule: &PeriodRule, now_ms: u64, units: u64) -> Result<u64, u64> {
    if period.used(rule, now_ms).saturating_add(units) > rule.limit {
        return Err(period.wait_ms(rule, now_ms, units));
    }
    period.take(rule, now_ms, units);
    Ok(rule.limit.saturating_sub(period.used(rule, now_ms)))
}

#[test]
fn the_limit_passes_in_a_period_and_again_in_the_next() {
    let rule = fixed(2, 1_000);
    let mut period = Period::default();
    let at = [10, 20, 30, 999, 1_000, 1_999, 1_999, 2_000]
        .map(|now_ms| charge(&mut period, &rule, now_ms, 1));
    assert_eq!(
        at,
        [Ok(1), Ok(0), Err(970), Err(1), Ok(1), Ok(0), Err(1), Ok(1)]
    );
}

#[test]
fn a_day_of_a_zone_starts_anew_at_its_midnight_and_not_before() {
    // Berlin, 2026-03-29: from 28th 23:00 UTC to 29th 22:00 UTC, 23 hours.
    let (start_ms, end_ms) = (1_774_738_800_000, 1_774_821_600_000);
    let rule = day(1, "Europe/Berlin");
    let mut period = Period::default();
    assert!(charge(&mut period, &rule, start_ms - 1, 1).is_ok());
    assert_eq!(charge(&mut period, &rule, start_ms, 1), Ok(0));
    assert_eq!(charge(&mut period, &rule, start_ms, 1), Err(82_800_000));
    assert_eq!(charge(&mut period, &rule, end_ms - 1, 1), Err(1));
    assert_eq!(period.empty_at_ms(), end_ms);
    assert_eq!(charge(&mut period, &rule, end_ms, 1), Ok(0));
}

#[test]
fn callers_are_told_the_length_of_a_window_and_of_a_day() {
    assert_eq!(fixed(1, 300_000).span.length_ms(), Some(300_000));
    assert_eq!(day(1, "UTC").span.length_ms(), Some(86_400_000));
    assert_eq!(month(1, "UTC").span.length_ms(), None);
}

#[test]
fn a_rule_travels_as_json() {
    for rule in [fixed(1, 2), day(3, "Europe/Berlin"), month(u64::MAX, "UTC")] {
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<PeriodRule>(&text).unwrap(), rule);
    }
    let text = serde_json::to_string(&day(3, "Europe/Berlin").span).unwrap();
    assert_eq!(text, r#"{"day":{"timezone":"Europe/Berlin"}}"#);
}

#[test]
fn a_refused_charge_costs_nothing() {
    let rule = fixed(1, 1_000);
    let mut period = Period::default();
    assert!(charge(&mut period, &rule, 5_000, 1).is_ok());
    let before = period.clone();
    for now_ms in 5_000..6_000 {
        assert!(charge(&mut period, &rule, now_ms, 1).is_err());
    }
    assert_eq!(period, before);
}

#[test]
fn units_told_late_count_in_their_own_period_or_not_at_all() {
    let rule = fixed(9, 1_000);
    let mut period = Period::default();
    period.take(&rule, 5_500, 2);
    period.take(&rule, 5_000, 1);
    assert_eq!(period.used(&rule, 5_999), 3);
    period.take(&rule, 4_999, 1);
    assert_eq!(period.used(&rule, 5_999), 3);
    period.take(&rule, 6_000, 1);
    period.take(&rule, 5_999, 5);
    assert_eq!(period.used(&rule, 6_000), 1);
    // None at all open no period.
    period.take(&rule, 7_000, 0);
    assert_eq!(period.used(&rule, 6_999), 1);
}

#[test]
fn a_clock_that_runs_back_frees_nothing() {
    let rule = fixed(3, 1_000);
    let mut period = Period::default();
    assert!(charge(&mut period, &rule, 5_000, 3).is_ok());
    assert!(charge(&mut period, &rule, 6_000, 1).is_ok());
    assert_eq!(period.used(&rule, 5_999), 3);
    assert_eq!(charge(&mut period, &rule, 5_000, 1), Err(1_000));
    assert_eq!(charge(&mut period, &rule, 5_999, 3), Err(1_001));
    assert_eq!(charge(&mut period, &rule, 6_000, 2), Ok(0));
    // A debt is told as it is.
    period.take(&rule, 6_000, 5);
    assert_eq!(period.used(&rule, 5_999), 8);
}

#[test]
fn units_are_given_back_in_the_period_that_they_were_taken_in() {
    let rule = fixed(5, 1_000);
    let taken = |used| {
        let mut period = Period::default();
        period.take(&rule, 5_000, used);
        period
    };
    let left = |now_ms, at_ms, units| {
        let mut period = taken(3);
        period.give_back(&rule, now_ms, at_ms, units);
        period.used(&rule, 5_999)
    };
    assert_eq!(left(5_999, 5_000, 2), 1);
    assert_eq!(left(5_999, 5_000, 4), 0);
    assert_eq!(left(5_999, 4_999, 2), 3);
    assert_eq!(left(5_999, 6_000, 2), 3);
    assert_eq!(left(6_000, 5_999, 2), 3);
    assert_eq!(left(4_999, 5_000, 2), 3);
    let mut period = taken(1);
    period.take(&rule, 6_000, 1);
    period.give_back(&rule, 6_001, 5_000, 1);
    assert_eq!(period.used(&rule, 6_001), 1);
}

#[test]
fn what_is_empty_says_so() {
    let rule = fixed(5, 1_000);
    let mut period = Period::default();
    assert_eq!((period.empty_at_ms(), period.used(&rule, 0)), (0, 0));
    assert_eq!(period.wait_ms(&rule, 7, 5), 1);
    period.take(&rule, 5_000, 3);
    assert_eq!(period.empty_at_ms(), 6_000);
    period.give_back(&rule, 5_000, 5_000, 3);
    assert_eq!(period.empty_at_ms(), 0);
}

#[test]
fn the_end_that_leases_end_at_is_the_end_of_the_period_of_now() {
    let rule = fixed(5, 1_000);
    let mut period = Period::default();
    assert_eq!(period.end_ms(&rule, 5_999), 6_000);
    period.take(&rule, 5_000, 3);
    let ends = [4_999, 5_000, 5_999, 6_000].map(|now_ms| period.end_ms(&rule, now_ms));
    assert_eq!(ends, [5_000, 6_000, 6_000, 7_000]);
}

#[test]
fn a_stored_period_is_not_looked_up_again() {
    // A zone that is unknown is UTC: if it were looked up, the end would be another.
    let mut period = Period::default();
    let berlin = day(5, "Europe/Berlin");
    period.take(&berlin, 1_774_738_800_000, 1);
    let unknown = day(5, "Mars");
    assert_eq!(
        period.end_ms(&unknown, 1_774_738_800_000),
        1_774_821_600_000
    );
    period.take(&unknown, 1_774_821_599_999, 1);
    assert_eq!(period.used(&unknown, 1_774_821_599_999), 2);
}

#[test]
fn what_a_changed_rule_shares_an_instant_with_keeps_counting() {
    let used_after = |old: &PeriodRule, at_ms, new: &PeriodRule, now_ms| {
        let mut period = Period::default();
        period.take(old, at_ms, 4);
        period.fit(new, now_ms);
        (period.used(new, now_ms), period.empty_at_ms())
    };
    let (hour, minute, long) = (fixed(9, 3_600_000), fixed(9, 60_000), fixed(9, 7_000_000));
    // From long to short, for the rest of the short one.
    assert_eq!(used_after(&hour, 10, &minute, 150_000), (4, 180_000));
    // From short to long: they were used in it, though they had stopped to count.
    assert_eq!(used_after(&minute, 10, &hour, 150_000), (4, 3_600_000));
    assert_eq!(used_after(&minute, 10, &hour, 3_600_000), (0, 60_000));
    // Periods that overlap in part.
    assert_eq!(
        used_after(&hour, 3_700_000, &long, 7_100_000),
        (4, 14_000_000)
    );
    // The clock ran back: what is later stays so.
    assert_eq!(used_after(&minute, 600_000, &minute, 10), (9, 660_000));
    // Another limit alone changes no period.
    assert_eq!(used_after(&minute, 10, &fixed(2, 60_000), 20), (4, 60_000));
    // Another zone.
    let (utc, berlin) = (day(9, "UTC"), day(9, "Europe/Berlin"));
    let now_ms = 1_774_738_800_000;
    assert_eq!(
        used_after(&utc, now_ms, &berlin, now_ms),
        (4, 1_774_821_600_000)
    );
    let mut empty = Period::default();
    empty.fit(&minute, 10);
    assert_eq!(empty, Period::default());
}

#[test]
fn numbers_beyond_the_range_refuse_and_never_free() {
    let rules = [
        fixed(5, 0),
        fixed(5, u64::MAX),
        fixed(5, 7),
        day(5, "Asia/Beirut"),
        month(5, "UTC"),
    ];
    for rule in rules {
        let mut period = Period::default();
        assert!(charge(&mut period, &rule, u64::MAX, 5).is_ok());
        assert!(charge(&mut period, &rule, u64::MAX, 1).is_err(), "{rule:?}");
        period.take(&rule, u64::MAX, u64::MAX);
        assert_eq!(period.used(&rule, u64::MAX), u64::MAX);
        assert_eq!(period.end_ms(&rule, u64::MAX), u64::MAX);
        period.fit(&fixed(5, 60_000), u64::MAX);
        assert_eq!(period.used(&rule, u64::MAX), u64::MAX);
    }
}

fn rules() -> impl Strategy<Value = PeriodRule> {
    let zones = [
        "UTC",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "America/St_Johns",
        "Pacific/Apia",
    ];
    let timezone = prop::sample::select(zones.to_vec()).prop_map(str::to_owned);
    let span = prop_oneof![
        (1..100_000_u64).prop_map(|window_ms| Span::Fixed { window_ms }),
        timezone.clone().prop_map(|timezone| Span::Day { timezone }),
        timezone.prop_map(|timezone| Span::Month { timezone }),
    ];
    (1..20_u64, span).prop_map(|(limit, span)| PeriodRule { limit, span })
}

/// Steps of an adversary: to both sides of the edges of periods, a clock that runs back, bursts.
#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(i64),
    ToEnd(i64),
    ToStart(i64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    let step = prop_oneof![
        4 => Just(Step::Wait(0)),
        2 => (0..200_000_i64).prop_map(Step::Wait),
        1 => (-200_000..100_000_000_i64).prop_map(Step::Wait),
        3 => (-2..=2_i64).prop_map(Step::ToEnd),
        1 => (-2..=2_i64).prop_map(Step::ToStart),
    ];
    prop::collection::vec((step, prop_oneof![4 => Just(1_u64), 1 => 1..20_u64]), 1..60)
}

/// Starts near changes of clocks: Apia's skipped day, Sao Paulo's lost midnight, and others.
fn starts() -> impl Strategy<Value = u64> {
    let changes = [
        1_325_239_200_000,
        1_541_300_400_000,
        1_289_097_060_000,
        1_774_746_000_000,
    ];
    prop::sample::select(changes.to_vec())
        .prop_flat_map(|at: u64| at - 200_000_000..at + 200_000_000)
}

fn next(clock: u64, step: Step, rule: &PeriodRule) -> u64 {
    let (start_ms, end_ms) = rule.span.bounds_ms(clock);
    match step {
        Step::Wait(wait_ms) => clock.saturating_add_signed(wait_ms),
        Step::ToEnd(by_ms) => end_ms.saturating_add_signed(by_ms),
        Step::ToStart(by_ms) => start_ms.saturating_add_signed(by_ms),
    }
}

proptest! {
    #[test]
    fn no_period_holds_more_than_the_limit_whatever_the_clock_does(
        rule in rules(), start in starts(), steps in steps(),
    ) {
        let mut period = Period::default();
        let mut clock = start;
        let mut admitted = std::collections::BTreeMap::<_, u64>::new();
        for (step, units) in steps {
            clock = next(clock, step, &rule);
            if charge(&mut period, &rule, clock, units).is_ok() {
                *admitted.entry(rule.span.bounds_ms(clock)).or_default() += units;
            }
        }
        prop_assert!(admitted.values().all(|units| *units <= rule.limit), "{admitted:?}");
    }

    #[test]
    fn what_is_told_late_counts_as_if_it_were_told_at_once(
        rule in rules(), start in starts(), steps in steps(),
        lates in prop::collection::vec(0..200_000_u64, 60),
    ) {
        let mut period = Period::default();
        let mut clock = start;
        let mut told = Vec::new();
        for ((step, units), late_ms) in steps.into_iter().zip(lates) {
            clock = clock.max(next(clock, step, &rule));
            let at_ms = clock - late_ms;
            period.take(&rule, at_ms, units);
            told.push((at_ms, units));
            let (start_ms, end_ms) = rule.span.bounds_ms(clock);
            let inside = told.iter().filter(|(at_ms, _)| (start_ms..end_ms).contains(at_ms));
            prop_assert_eq!(period.used(&rule, clock), inside.map(|(_, units)| units).sum::<u64>());
        }
    }

    #[test]
    fn retry_after_is_the_first_instant_that_admits(
        rule in rules(), start in starts(), steps in steps(),
    ) {
        let mut period = Period::default();
        let mut clock = start;
        for (step, units) in steps {
            let units = units.min(rule.limit);
            clock = next(clock, step, &rule);
            if let Err(wait_ms) = charge(&mut period, &rule, clock, units) {
                prop_assert!(wait_ms >= 1);
                prop_assert!(period.used(&rule, clock + wait_ms) + units <= rule.limit);
                prop_assert!(period.used(&rule, clock + wait_ms - 1) + units > rule.limit);
            }
        }
    }

    #[test]
    fn no_input_panics(
        rule in rules(), other in rules(), limit in any::<u64>(),
        at_ms in any::<u64>(), now_ms in any::<u64>(), units in any::<u64>(),
    ) {
        let rule = PeriodRule { limit, ..rule };
        let mut period = Period::default();
        period.take(&rule, at_ms, units);
        prop_assert_eq!(period.used(&rule, at_ms), units);
        period.take(&rule, now_ms, units);
        prop_assert!(period.used(&rule, now_ms) >= units.min(limit));
        prop_assert!(period.wait_ms(&rule, now_ms, units) >= 1);
        prop_assert!(period.end_ms(&rule, now_ms) > now_ms || now_ms == u64::MAX);
        period.give_back(&rule, now_ms, at_ms, units);
        period.fit(&other, now_ms);
        let _ = period.empty_at_ms();
    }
}
