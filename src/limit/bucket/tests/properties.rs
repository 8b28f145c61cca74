//! What holds for every rule, schedule and clock.

use super::*;
use proptest::prelude::*;

fn rules() -> impl Strategy<Value = BucketRule> {
    let interval_ns = prop_oneof![
        1..5_u64,
        900_000..1_100_000_u64,
        Just(333_333_334_u64),
        1_000_000..5_000_000_000_u64,
    ];
    (1..40_u64, interval_ns).prop_map(|(capacity, interval_ns)| rule(capacity, interval_ns))
}

/// Steps of an adversary: waits that gather at the instants where a unit drains, a clock that runs
/// back, and bursts.
fn steps(rule: BucketRule) -> impl Strategy<Value = Vec<(i64, u64)>> {
    let interval_ms = (rule.interval_ns / NS_PER_MS) as i64;
    let drain_ms = rule.drain_ms() as i64;
    let wait = prop_oneof![
        4 => Just(0_i64),
        3 => interval_ms - 1..=interval_ms + 2,
        2 => 0..=drain_ms + 2,
        2 => drain_ms - 2..=drain_ms + 2,
        1 => -drain_ms - 2..=0,
    ];
    let units = prop_oneof![6 => Just(1_u64), 2 => 1..=rule.capacity, 1 => Just(rule.capacity)];
    prop::collection::vec((wait, units), 1..80)
}

fn ruled_steps() -> impl Strategy<Value = (BucketRule, Vec<(i64, u64)>)> {
    rules().prop_flat_map(|rule| (Just(rule), steps(rule)))
}

/// Whether units of every `(t1, t2]` stay within the rate and the burst, by brute force over the
/// instants at which something passed. In whole nanoseconds, without a division.
fn is_within(admitted: &[(u64, u64)], rule: BucketRule) -> bool {
    let worst = |from: u64, to: u64| -> u64 {
        let inside = admitted.iter().filter(|(at, _)| (from..=to).contains(at));
        inside.map(|(_, units)| units).sum()
    };
    let interval_ns = u128::from(rule.interval_ns);
    admitted.iter().all(|(from, _)| {
        admitted.iter().filter(|(to, _)| to >= from).all(|(to, _)| {
            // `(t1, t2]` with t1 a moment before `from`.
            let span_ns = u128::from(to - from) * u128::from(NS_PER_MS);
            u128::from(worst(*from, *to)) * interval_ns
                <= u128::from(rule.capacity) * interval_ns + span_ns
        })
    })
}

proptest! {
    #[test]
    fn no_stretch_of_time_admits_more_than_a_burst_and_the_rate((rule, steps) in ruled_steps()) {
        let mut bucket = Bucket::default();
        let mut clock = START_MS;
        let mut admitted = Vec::new();
        for (wait, units) in steps {
            clock = clock.saturating_add_signed(wait);
            if charge(&mut bucket, rule, clock, units).is_ok() {
                admitted.push((clock, units));
            }
        }
        prop_assert!(is_within(&admitted, rule));
    }

    #[test]
    fn whatever_is_told_late_or_ahead_the_bucket_holds_as_if_each_were_told_in_order(
        (rule, steps) in ruled_steps(),
        offsets in prop::collection::vec(-3_000..3_000_i64, 80),
    ) {
        let mut bucket = Bucket::default();
        let mut clock = START_MS;
        let mut told = Vec::new();
        for ((wait, units), offset) in steps.into_iter().zip(offsets) {
            clock = clock.saturating_add_signed(wait.max(0));
            let at_ms = clock.saturating_add_signed(offset);
            bucket.take(rule, at_ms, units);
            told.push((at_ms, units));
            let mut ordered = told.clone();
            ordered.sort_unstable();
            let mut oracle = Bucket::default();
            for (at_ms, units) in ordered {
                oracle.take(rule, at_ms, units);
            }
            prop_assert!(bucket.used(rule, clock) >= oracle.used(rule, clock));
        }
    }

    #[test]
    fn retry_after_is_the_first_instant_that_admits((rule, steps) in ruled_steps()) {
        let mut bucket = Bucket::default();
        let mut clock = START_MS;
        for (wait, units) in steps {
            clock = clock.saturating_add_signed(wait);
            if let Err(wait_ms) = charge(&mut bucket, rule, clock, units) {
                prop_assert!(wait_ms >= 1);
                prop_assert!(bucket.used(rule, clock + wait_ms) + units <= rule.capacity);
                prop_assert!(bucket.used(rule, clock + wait_ms - 1) + units > rule.capacity);
            }
        }
    }

    #[test]
    fn a_bucket_is_never_emptier_than_if_what_was_given_back_had_never_been_taken(
        (rule, steps) in ruled_steps(),
        backs in prop::collection::vec((0..80_usize, any::<bool>()), 80),
    ) {
        // Two buckets see the same charges but for the first one, which one of them gives back
        // at some time. Others are given back too, in both.
        let mut with = Bucket::default();
        let mut without = Bucket::default();
        let mut clock = START_MS;
        let mut taken: Vec<(u64, u64)> = Vec::new();
        let mut is_back = false;
        let first_at = backs[0].0 % steps.len();
        for (index, ((wait, units), (which, also))) in steps.iter().zip(&backs).enumerate() {
            clock = clock.saturating_add_signed((*wait).max(0));
            with.take(rule, clock, *units);
            if index == first_at {
                taken.insert(0, (clock, *units));
                continue;
            }
            without.take(rule, clock, *units);
            taken.push((clock, *units));
            if *also && which % taken.len() != 0 {
                let (at_ms, units) = taken.remove(which % taken.len());
                with.give_back(rule, clock, at_ms, units);
                without.give_back(rule, clock, at_ms, units);
            }
            if index > first_at && !is_back && which % 4 == 0 {
                let (at_ms, units) = taken[0];
                with.give_back(rule, clock, at_ms, units);
                is_back = true;
            }
            let later_ms = [0, 1, 500, rule.drain_ms()].map(|more| clock + more);
            for now_ms in later_ms {
                prop_assert!(with.used(rule, now_ms) >= without.used(rule, now_ms));
            }
        }
    }

    #[test]
    fn what_passes_and_is_not_given_back_stays_within_the_rate(
        (rule, steps) in ruled_steps(),
        backs in prop::collection::vec(prop::option::of(0..80_usize), 80),
    ) {
        let mut bucket = Bucket::default();
        let mut clock = START_MS;
        let mut admitted: Vec<(u64, u64)> = Vec::new();
        for ((wait, units), back) in steps.into_iter().zip(backs) {
            clock = clock.saturating_add_signed(wait.max(0));
            if let Some(which) = back.filter(|_| !admitted.is_empty()) {
                let (at_ms, units) = admitted.remove(which % admitted.len());
                bucket.give_back(rule, clock, at_ms, units);
            }
            if charge(&mut bucket, rule, clock, units).is_ok() {
                admitted.push((clock, units));
            }
        }
        prop_assert!(is_within(&admitted, rule));
    }

    #[test]
    fn a_changed_rule_never_forgets_a_unit_that_counts(
        (rule, steps) in ruled_steps(),
        other in rules(),
        passed_ms in 0..10_000_u64,
    ) {
        let mut bucket = Bucket::default();
        for (_, units) in steps {
            bucket.take(rule, START_MS, units);
        }
        let now_ms = START_MS + passed_ms;
        let used = bucket.used(rule, now_ms);
        bucket.fit(other, now_ms);
        prop_assert_eq!(bucket.used(other, now_ms), used);
    }

    #[test]
    fn no_input_panics_and_nothing_passes_a_full_bucket(
        capacity in any::<u64>(), interval_ns in any::<u64>(), other_ns in any::<u64>(),
        at_ms in any::<u64>(), now_ms in any::<u64>(), units in any::<u64>(),
    ) {
        let rule = rule(capacity, interval_ns);
        let mut bucket = Bucket::default();
        bucket.take(rule, at_ms, units);
        prop_assert!(bucket.used(rule, at_ms) >= units);
        let used = bucket.used(rule, now_ms);
        bucket.take(rule, now_ms, units);
        prop_assert!(bucket.used(rule, now_ms) >= used.saturating_add(units));
        let wait_ms = bucket.wait_ms(rule, now_ms, units.min(capacity));
        prop_assert!(wait_ms >= 1);
        bucket.give_back(rule, now_ms, at_ms, units);
        let _ = (bucket.empty_at_ms(), rule.drain_ms());
        let used = bucket.used(rule, now_ms);
        bucket.fit(BucketRule { interval_ns: other_ns, ..rule }, now_ms);
        prop_assert!(bucket.used(rule, now_ms) >= used);
    }

    #[test]
    fn a_rate_is_never_exceeded_by_its_interval(rate in 1e-6..1e9_f64) {
        let rule = BucketRule::per_second(rate, 1).unwrap();
        // Exactly: the fused product is rounded once, and so its sign is right.
        prop_assert!((rule.interval_ns as f64).mul_add(rate, -1e9) >= 0.0);
        prop_assert!(rule.interval_ns == 1 || ((rule.interval_ns - 1) as f64).mul_add(rate, -1e9) < 0.0);
    }
}
