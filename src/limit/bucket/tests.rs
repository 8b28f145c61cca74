use super::*;

mod properties;

const START_MS: u64 = 1_767_225_600_000; // 2026-01-01

/// Charges with the check that comes before: the units left, or the wait.
fn charge(bucket: &mut Bucket, rule: BucketRule, now_ms: u64, units: u64) -> Result<u64, u64> {
    bucket.fit(rule, now_ms);
    if bucket.used(rule, now_ms).saturating_add(units) > rule.capacity {
        return Err(bucket.wait_ms(rule, now_ms, units));
    }
    bucket.take(rule, now_ms, units);
    Ok(rule.capacity.saturating_sub(bucket.used(rule, now_ms)))
}

fn rule(capacity: u64, interval_ns: u64) -> BucketRule {
    BucketRule {
        capacity,
        interval_ns,
    }
}

#[test]
fn a_burst_passes_and_then_the_rate() {
    let rule = BucketRule::per_second(10.0, 3).unwrap();
    let mut bucket = Bucket::default();
    let burst: Vec<_> = (0..4)
        .map(|_| charge(&mut bucket, rule, START_MS, 1))
        .collect();
    assert_eq!(burst, [Ok(2), Ok(1), Ok(0), Err(100)]);
    assert_eq!(charge(&mut bucket, rule, START_MS + 99, 1), Err(1));
    assert_eq!(charge(&mut bucket, rule, START_MS + 100, 1), Ok(0));
    assert_eq!(charge(&mut bucket, rule, START_MS + 101, 3), Err(299));
    assert_eq!(bucket.empty_at_ms(), START_MS + 400);
    assert_eq!(charge(&mut bucket, rule, START_MS + 400, 3), Ok(0));
}

#[test]
fn the_interval_is_the_shortest_that_keeps_the_rate() {
    let table = [
        (1.0, Some(1_000_000_000)),
        (3.0, Some(333_333_334)),
        (0.001, Some(1_000_000_000_000)),
        // The float a little above 0.1.
        (0.1, Some(10_000_000_000)),
        // The float a little below 1/3: three seconds would be too short.
        (1.0 / 3.0, Some(3_000_000_001)),
        (100_000.0, Some(10_000)),
        (7e8, Some(2)),
        (1e9, Some(1)),
        (1e300, Some(1)),
        (f64::INFINITY, None),
        (f64::NAN, None),
        (0.0, None),
        (-0.0, None),
        (-1.0, None),
        (f64::MIN_POSITIVE, None),
        (f64::from_bits(1), None),
        (1.2e-7, Some(8_333_333_333_333_335)),
        (1e-7, None),
    ];
    for (rate, interval_ns) in table {
        let made = BucketRule::per_second(rate, 5);
        assert_eq!(made.map(|rule| rule.interval_ns), interval_ns, "{rate:e}");
        assert!(made.is_none_or(|rule| rule.capacity == 5));
    }
}

#[test]
fn a_full_bucket_drains_in_the_time_that_is_told() {
    assert_eq!(rule(20, 100_000_000).drain_ms(), 2_000);
    assert_eq!(rule(1, 1).drain_ms(), 1);
    assert_eq!(rule(u64::MAX, u64::MAX).drain_ms(), u64::MAX);
    let third = BucketRule::per_second(3.0, 3).unwrap();
    let mut bucket = Bucket::default();
    bucket.take(third, START_MS, 3);
    assert_eq!(bucket.empty_at_ms(), START_MS + third.drain_ms());
    assert_eq!(bucket.used(third, START_MS + third.drain_ms()), 0);
    assert_eq!(bucket.used(third, START_MS + third.drain_ms() - 1), 1);
}

#[test]
fn a_refused_charge_costs_nothing() {
    let rule = rule(1, 1_000_000_000);
    let mut bucket = Bucket::default();
    assert!(charge(&mut bucket, rule, START_MS, 1).is_ok());
    let before = bucket.clone();
    for now_ms in 0..1_000 {
        assert!(charge(&mut bucket, rule, START_MS + now_ms, 1).is_err());
    }
    assert_eq!(bucket, before);
}

#[test]
fn a_debt_is_paid_off_before_anything_passes() {
    let rule = rule(2, 1_000_000_000);
    let mut bucket = Bucket::default();
    bucket.take(rule, START_MS, 5);
    assert_eq!(bucket.used(rule, START_MS), 5);
    assert_eq!(charge(&mut bucket, rule, START_MS, 1), Err(4_000));
    assert_eq!(charge(&mut bucket, rule, START_MS + 4_000, 1), Ok(0));
}

#[test]
fn units_given_back_at_once_are_free_at_once_and_only_once() {
    let rule = rule(2, 1_000_000_000);
    let mut bucket = Bucket::default();
    charge(&mut bucket, rule, START_MS, 2).unwrap();
    bucket.give_back(rule, START_MS, START_MS, 1);
    assert_eq!(bucket.used(rule, START_MS), 1);
    // Half of its time has passed: at most the other half is freed.
    bucket.give_back(rule, START_MS + 500, START_MS, 1);
    assert_eq!(bucket.empty_at_ms(), START_MS + 500);
    bucket.take(rule, START_MS + 500, 1);
    bucket.give_back(rule, START_MS + 600, START_MS, u64::MAX);
    assert_eq!(bucket.empty_at_ms(), START_MS + 600);
}

#[test]
fn what_drained_meanwhile_is_nobodys_to_give_back() {
    let rule = rule(1, 1_000_000_000);
    let mut bucket = Bucket::default();
    charge(&mut bucket, rule, START_MS, 1).unwrap();
    charge(&mut bucket, rule, START_MS + 1_000, 1).unwrap();
    bucket.give_back(rule, START_MS + 1_000, START_MS, 1);
    assert_eq!(bucket.used(rule, START_MS + 1_000), 1);
}

#[test]
fn a_changed_rule_keeps_the_units_and_drains_them_at_its_own_rate() {
    let (slow, fast) = (rule(10, 1_000_000_000), rule(10, 10_000_000));
    let mut bucket = Bucket::default();
    bucket.take(slow, START_MS, 4);
    bucket.fit(fast, START_MS + 500);
    assert_eq!(bucket.used(fast, START_MS + 500), 4);
    assert_eq!(bucket.empty_at_ms(), START_MS + 540);
    bucket.fit(slow, START_MS + 510);
    assert_eq!(bucket.used(slow, START_MS + 510), 3);
    assert_eq!(bucket.empty_at_ms(), START_MS + 3_510);
    // What was taken at another rate is not given back at this one.
    bucket.give_back(slow, START_MS + 510, START_MS, 4);
    assert_eq!(bucket.used(slow, START_MS + 510), 3);
    // A change of the capacity alone moves nothing.
    bucket.fit(rule(2, 1_000_000_000), START_MS + 600);
    assert_eq!(bucket.empty_at_ms(), START_MS + 3_510);
}

#[test]
fn a_bucket_that_was_empty_before_a_change_stays_empty() {
    let mut bucket = Bucket::default();
    bucket.take(rule(10, 1_000_000), START_MS, 4);
    bucket.fit(rule(10, 1_000_000_000), START_MS + 5);
    assert_eq!(bucket.used(rule(10, 1_000_000_000), START_MS + 5), 0);
    assert_eq!(bucket.empty_at_ms(), START_MS + 4);
}

#[test]
fn a_rule_that_nobody_fitted_to_frees_nothing() {
    let (slow, fast) = (rule(10, 1_000_000_000), rule(10, 1_000_000));
    let mut bucket = Bucket::default();
    bucket.take(slow, START_MS, 10);
    assert_eq!(bucket.used(fast, START_MS + 1_000), 9);
    assert_eq!(bucket.wait_ms(fast, START_MS + 1_000, 10), 9);
    bucket.take(fast, START_MS, 2);
    bucket.give_back(fast, START_MS, START_MS, 5_000);
    assert_eq!(bucket.used(fast, START_MS), 12);
}

#[test]
fn where_there_is_room_the_wait_is_the_shortest() {
    let rule = rule(2, 1_000_000_000);
    assert_eq!(Bucket::default().wait_ms(rule, START_MS, 2), 1);
    let mut bucket = Bucket::default();
    bucket.take(rule, START_MS, 1);
    assert_eq!(bucket.wait_ms(rule, START_MS, 1), 1);
    assert_eq!(bucket.wait_ms(rule, u64::MAX, 2), 1);
}

#[test]
fn numbers_beyond_the_range_refuse_and_never_free() {
    let huge = rule(u64::MAX, u64::MAX);
    let mut bucket = Bucket::default();
    bucket.take(huge, START_MS, u64::MAX);
    assert_eq!(bucket.used(huge, u64::MAX), u64::MAX);
    assert_eq!(bucket.wait_ms(huge, START_MS, 1), u64::MAX);
    assert_eq!(bucket.empty_at_ms(), u64::MAX);
    bucket.give_back(huge, START_MS, START_MS, u64::MAX);
    bucket.fit(rule(5, 1), u64::MAX);
    assert!(charge(&mut bucket, rule(5, 1), u64::MAX, 1).is_err());
    // Beyond the last instant that can be told, one charge passes and no other.
    let mut late = Bucket::default();
    assert!(charge(&mut late, rule(5, 1), u64::MAX, 1).is_ok());
    assert!(charge(&mut late, rule(5, 1), u64::MAX, 1).is_err());
    // An interval of nothing is no free passage.
    let mut zero = Bucket::default();
    zero.take(rule(1, 0), START_MS, 1);
    assert_eq!(zero.used(rule(1, 0), START_MS), 1);
}

#[test]
fn what_is_stored_reads_back_to_the_nanosecond() {
    let mut bucket = Bucket::default();
    bucket.take(rule(7, 333_333_334), START_MS, 7);
    let text = serde_json::to_string(&bucket).unwrap();
    assert_eq!(serde_json::from_str::<Bucket>(&text).unwrap(), bucket);
}
