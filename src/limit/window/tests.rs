use super::*;
use proptest::prelude::*;

/// Charges with the check that comes before: units left, or the wait.
fn charge(window: &mut Window, rule: WindowRule, now_ms: u64, units: u64) -> Result<u64, u64> {
    window.fit(rule);
    window.forget(now_ms);
    if window.used(now_ms) + units > rule.limit {
        return Err(window.wait_ms(rule, now_ms, units));
    }
    window.take(rule, now_ms, units);
    Ok(rule.limit - window.used(now_ms))
}

/// The most units admitted in any interval of `(t - window, t]`, by brute force.
fn worst_window(admitted: &[(u64, u64)], window_ms: u64) -> u64 {
    let in_window = |end: u64| {
        admitted
            .iter()
            .filter(|(at, _)| *at <= end && at + window_ms > end)
            .map(|(_, n)| n)
            .sum()
    };
    admitted
        .iter()
        .map(|(at, _)| in_window(*at))
        .max()
        .unwrap_or(0)
}

#[test]
fn the_limit_and_not_one_more() {
    let rule = WindowRule {
        limit: 3,
        window_ms: 1_000,
    };
    let mut window = Window::default();
    let remaining: Vec<_> = (0..3).map(|_| charge(&mut window, rule, 10, 1)).collect();
    assert_eq!(remaining, [Ok(2), Ok(1), Ok(0)]);
    assert_eq!(charge(&mut window, rule, 10, 1), Err(1_001));
    assert!(charge(&mut window, rule, 1_010, 1).is_err());
    assert!(charge(&mut window, rule, 1_011, 1).is_ok());
}

#[test]
fn a_refused_charge_costs_nothing() {
    let rule = WindowRule {
        limit: 1,
        window_ms: 1_000,
    };
    let mut window = Window::default();
    assert!(charge(&mut window, rule, 0, 1).is_ok());
    let before = window.clone();
    for now_ms in 0..1_000 {
        assert!(charge(&mut window, rule, now_ms, 1).is_err());
    }
    assert_eq!(window, before);
}

#[test]
fn units_given_back_are_free_at_once_and_only_once() {
    let rule = WindowRule {
        limit: 2,
        window_ms: 1_000,
    };
    let mut window = Window::default();
    charge(&mut window, rule, 0, 1).unwrap();
    charge(&mut window, rule, 5, 1).unwrap();
    window.give_back(rule, 5, 0, 1);
    assert_eq!(window.used(5), 1);
    window.give_back(rule, 5, u64::MAX, 1);
    window.give_back(rule, 2_000, 0, 1);
    assert_eq!(window.used(5), 1);
}

#[test]
fn what_is_given_back_never_frees_a_later_use() {
    let rule = WindowRule {
        limit: 9,
        window_ms: 1_000,
    };
    let mut window = Window::of(rule);
    window.take(rule, 100, 2);
    window.take(rule, 500, 3);
    // Used between the two, and not told of yet.
    window.give_back(rule, 600, 300, 3);
    assert_eq!((window.used(600), window.used(1_200)), (3, 3));
}

#[test]
fn a_shortened_window_holds_nobody_for_the_old_one() {
    let [long, short] = [3_600_000, 2_000].map(|window_ms| WindowRule {
        limit: 1,
        window_ms,
    });
    let mut window = Window::default();
    assert!(charge(&mut window, long, 0, 1).is_ok());
    assert!(charge(&mut window, long, 3_600_000, 1).is_err());
    assert!(charge(&mut window, short, 2_000, 1).is_err());
    assert!(charge(&mut window, short, 2_001, 1).is_ok());
    assert!(charge(&mut window, long, 3_602_002, 1).is_ok());
}

#[test]
fn the_row_stays_bounded_and_no_unit_is_freed_early() {
    // A rule that is changed under a full row keeps its entries.
    let wide = WindowRule {
        limit: 1_000_000,
        window_ms: 1_000_000,
    };
    let narrow = WindowRule {
        limit: 128,
        window_ms: 1_000_000,
    };
    let mut window = Window::default();
    let mut admitted = Vec::new();
    for now_ms in 0..600_000_u64 {
        let rule = if now_ms < 400_000 { wide } else { narrow };
        if now_ms % 997 == 0 && charge(&mut window, rule, now_ms, 1).is_ok() {
            admitted.push((now_ms, 1));
        }
        assert!(window.held.len() <= ENTRIES_MAX);
    }
    assert_eq!(window.used(600_000), admitted.len() as u64);
}

fn rules() -> impl Strategy<Value = WindowRule> {
    (
        prop_oneof![1..20_u64, 120..140_u64, 1_000..2_000_u64],
        prop_oneof![1..50_u64, 900..70_000_u64],
    )
        .prop_map(|(limit, window_ms)| WindowRule { limit, window_ms })
}

/// Steps of an adversary: waits that gather at the window's edges, and bursts.
fn steps(rule: WindowRule) -> impl Strategy<Value = Vec<(i64, u64)>> {
    let window_ms = rule.window_ms as i64;
    let wait = prop_oneof![
        4 => Just(0_i64),
        2 => 0..=window_ms / 8 + 1,
        2 => (window_ms - 2).max(0)..=(window_ms + 2),
        1 => window_ms / 2..=window_ms,
    ];
    let units = prop_oneof![6 => Just(1_u64), 2 => 1..=rule.limit, 1 => Just(rule.limit)];
    prop::collection::vec((wait, units), 1..120)
}

proptest! {
    #[test]
    fn no_window_holds_more_than_the_limit(
        (rule, steps) in rules().prop_flat_map(|rule| (Just(rule), steps(rule)))
    ) {
        let mut window = Window::default();
        let mut clock = 1_000_000_i64;
        let mut admitted = Vec::new();
        for (wait, units) in steps {
            clock += wait;
            if charge(&mut window, rule, clock as u64, units).is_ok() {
                admitted.push((clock as u64, units));
            }
        }
        prop_assert!(worst_window(&admitted, rule.window_ms) <= rule.limit);
    }

    #[test]
    fn what_is_told_late_is_held_as_long_as_if_it_were_told_at_once(
        (rule, steps) in rules().prop_flat_map(|rule| (Just(rule), steps(rule))),
        lates in prop::collection::vec(0..2_000_u64, 120),
    ) {
        // Every unit is used at one instant and told at a later one, in any order.
        let mut window = Window::default();
        let mut clock = 1_000_000_u64;
        let mut told = Vec::new();
        for ((wait, units), late_ms) in steps.into_iter().zip(lates) {
            clock += wait.max(0) as u64;
            window.take(rule, clock.saturating_sub(late_ms), units);
            told.push((clock.saturating_sub(late_ms), units));
            let counts = told.iter().filter(|(at, _)| at + rule.window_ms > clock);
            prop_assert!(window.used(clock) >= counts.map(|(_, units)| units).sum());
        }
    }

    #[test]
    fn retry_after_is_the_first_instant_that_admits(
        (rule, steps) in rules().prop_flat_map(|rule| (Just(rule), steps(rule)))
    ) {
        let mut window = Window::default();
        let mut clock = 1_000_000_u64;
        for (wait, units) in steps {
            clock += wait.max(0) as u64;
            if let Err(wait_ms) = charge(&mut window, rule, clock, units) {
                prop_assert!(wait_ms >= 1);
                prop_assert!(window.used(clock + wait_ms) + units <= rule.limit);
                prop_assert!(window.used(clock + wait_ms - 1) + units > rule.limit);
            }
        }
    }

    #[test]
    fn what_is_free_after_one_window_and_one_grain_is_everything(rule in rules(), start in 0..10_000_u64) {
        let mut window = Window::default();
        while charge(&mut window, rule, start, 1).is_ok() {}
        let grain_ms = rule.window_ms.div_ceil(GRAINS) + 1;
        prop_assert_eq!(window.used(start + rule.window_ms + grain_ms), 0);
    }
}
