use super::*;
use crate::limit::window::WindowRule;

const NOW: UnixMs = 1_800_000_000_000;

fn window(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Window(WindowRule { limit, window_ms })
}

fn purse(rule: &MeterRule) -> Purse {
    Purse::new("row", rule)
}

const LEFT: Left = Left {
    remaining: 100,
    frees_in_ms: 1,
};

fn lent(seq: u64, units: u64, ttl_ms: u64) -> Option<Lent> {
    Some(Lent {
        seq,
        units,
        ttl_ms,
        fair: units,
    })
}

/// A purse with ten units of question 1, sent at `NOW`, for two seconds.
fn filled() -> Purse {
    let mut purse = purse(&window(1_000, 60_000));
    purse.granted(1, NOW, LEFT, (NOW, lent(1, 10, 2_000)));
    purse
}

#[test]
fn a_lease_ends_as_long_after_its_question_was_sent_as_it_was_lent_for() {
    let purse = filled();
    assert!(purse.covers(NOW + 1_999, 10));
    assert!(!purse.covers(NOW + 2_000, 1));
}

#[test]
fn an_answer_that_comes_too_late_lends_nothing() {
    let mut purse = purse(&window(1_000, 60_000));
    purse.granted(1, NOW, LEFT, (NOW, lent(1, 10, 2_000)));
    assert!(purse.spend(NOW + 2_000, 1).is_none());
}

#[test]
fn no_unit_is_spent_twice_and_one_that_is_taken_back_can_be_spent_again() {
    let mut purse = filled();
    for _ in 0..10 {
        assert!(purse.spend(NOW, 1).is_some());
    }
    assert!(purse.spend(NOW, 1).is_none());
    purse.unspend(NOW, 1, NOW, 3);
    assert!(purse.spend(NOW, 3).is_some());
    assert!(purse.spend(NOW, 1).is_none());
}

#[test]
fn what_its_object_was_told_of_is_nobodys_to_take_back() {
    let mut purse = filled();
    purse.spend(NOW, 4);
    purse.confirm(1, 4);
    let reports = purse.reports(NOW + 900, 2, 0);
    let told: Vec<_> = reports
        .iter()
        .map(|one| (one.used, one.age_ms, one.keep))
        .collect();
    assert_eq!(
        told,
        [(4, 400, 6)],
        "used 900 ms ago, less what clocks are wrong by"
    );
    assert_eq!(purse.give_back(NOW, 1, NOW, 4), 0);
    assert_eq!(purse.balance(NOW), 6);
}

#[test]
fn what_is_not_decided_yet_is_told_neither_as_used_nor_as_free() {
    let mut purse = filled();
    purse.spend(NOW, 4);
    purse.confirm(1, 3);
    let told = |purse: &mut Purse| {
        let report = purse.reports(NOW + 2_000, 2, 0)[0];
        (report.used, report.keep)
    };
    assert_eq!(told(&mut purse), (3, 1));
    let mut refused = purse.clone();
    refused.unspend(NOW, 1, NOW, 1);
    assert_eq!(told(&mut refused), (3, 0));
    purse.confirm(1, 1);
    assert_eq!(told(&mut purse), (4, 0));
}

#[test]
fn what_is_given_back_of_before_a_report_does_not_pass_for_what_was_used_since() {
    let mut purse = filled();
    purse.spend(NOW, 4);
    purse.confirm(1, 4);
    purse.reports(NOW + 100, 2, 0);
    purse.spend(NOW + 1_000, 4);
    purse.confirm(1, 4);
    assert_eq!(
        purse.give_back(NOW + 1_000, 1, NOW, 4),
        0,
        "its object frees those"
    );
    let last = purse
        .reports(NOW + 1_100, 3, 0)
        .pop()
        .map(|one| (one.used, one.age_ms));
    assert_eq!(last, Some((8, 0)));
    purse.spend(NOW + 1_200, 2);
    purse.confirm(1, 2);
    assert_eq!(purse.give_back(NOW + 1_300, 1, NOW + 1_200, 2), 2);
}

#[test]
fn what_its_object_was_told_to_be_over_is_not_spent() {
    let mut purse = filled();
    purse.spend(NOW, 4);
    purse.confirm(1, 4);
    assert!(!purse.has_ended(NOW + 1_999));
    assert!(purse.has_ended(NOW + 2_000));
    let report = purse.reports(NOW + 2_000, 2, 0)[0];
    assert_eq!((report.used, report.keep), (4, 0));
    assert!(!purse.has_ended(NOW + 2_000) && purse.spend(NOW, 1).is_none());
}

#[test]
fn a_refund_is_a_tenth_of_a_lease() {
    let mut purse = purse(&window(1_000, 60_000));
    purse.granted(1, NOW, LEFT, (NOW, lent(1, 20, 2_000)));
    purse.spend(NOW, 20);
    assert_eq!(
        [1, 5, 1].map(|units| purse.refund(1, NOW, units)),
        [1, 1, 0]
    );
}

#[test]
fn a_clock_that_ran_back_makes_every_lease_worthless() {
    let mut purse = filled();
    purse.distrust(NOW);
    assert!(purse.spend(NOW, 1).is_none());
    assert_eq!(
        purse.reports(NOW, 2, 0),
        [],
        "and nothing is said of it: it counts as used"
    );
}

#[test]
fn a_short_lease_is_not_asked_for_again_while_it_lasts() {
    let mut purse = purse(&window(60_000, 60_000));
    for tick in 0..50 {
        purse.note(NOW + tick * 20, 1);
    }
    let lent_ms = NOW + 1_000;
    let left = Left {
        remaining: 50_000,
        ..LEFT
    };
    purse.granted(1, lent_ms, left, (lent_ms, lent(1, 50, 600)));
    assert_eq!(purse.ask_in_ms(lent_ms), None);
    let whole = purse.demand.within(lent_ms + 301, 2_000);
    let wanted = purse.wanted(lent_ms + 301);
    assert!(wanted > 0 && wanted < whole, "for as long as it will last");
    assert_eq!(purse.ask_in_ms(lent_ms + 299), None);
    assert_eq!(purse.ask_in_ms(lent_ms + 301), Some(0));
}

#[test]
fn a_refusal_stands_until_it_may_pass_and_not_for_what_is_cheaper() {
    let mut purse = purse(&window(1_000, 60_000));
    purse.refused(9, NOW, 3, 700);
    assert_eq!(purse.refused_for_ms(NOW + 699, 3), Some(1));
    assert_eq!(purse.refused_for_ms(NOW, 2), None);
    assert_eq!(purse.refused_for_ms(NOW + 700, 3), None);
    purse.refused(9, NOW, 3, 50_000);
    assert_eq!(
        purse.refused_for_ms(NOW + REFUSAL_MS_MAX - 1, 3),
        Some(48_001)
    );
    assert_eq!(
        purse.refused_for_ms(NOW + REFUSAL_MS_MAX, 3),
        None,
        "asked again all the same"
    );
}

#[test]
fn a_hot_row_that_was_refused_is_asked_behind_the_answers() {
    let mut purse = purse(&window(1_000, 60_000));
    for tick in 0..100 {
        purse.note(NOW - 1_000 + tick * 10, 1);
    }
    purse.refused(9, NOW, 1, 400);
    assert_eq!(purse.ask_in_ms(NOW), Some(400));
    purse.will_ask(NOW + 400);
    assert_eq!(purse.ask_in_ms(NOW), None, "once");
    assert!(
        purse.refused_for_ms(NOW + 450, 1).is_some(),
        "nobody waits meanwhile"
    );
    let mut quiet = self::purse(&window(1_000, 60_000));
    quiet.refused(9, NOW, 1, 400);
    assert_eq!(quiet.ask_in_ms(NOW), None);
}

mod shares {
    use super::*;

    /// A share of ten units of every second, until two seconds after `NOW`.
    fn share() -> Purse {
        let mut purse = purse(&window(100, 1_000));
        purse.granted(1, NOW, LEFT, (NOW, lent(1, 10, 2_000)));
        purse
    }

    #[test]
    fn no_second_holds_more_than_the_share_whatever_clocks_are_wrong_by() {
        let mut purse = share();
        assert!(purse.spend(NOW, 10).is_some());
        let margin_ms = 1_000 / 64 + 50;
        assert!(!purse.covers(NOW + 1_000 + margin_ms, 1));
        assert!(purse.covers(NOW + 1_001 + margin_ms, 10));
        assert!(!purse.covers(NOW + 2_000, 1));
    }

    #[test]
    fn others_that_wait_are_heeded_before_the_object_is_told() {
        let mut purse = share();
        let less = Some(Lent {
            fair: 4,
            ..lent(1, 10, 2_000).unwrap()
        });
        purse.granted(2, NOW + 500, LEFT, (NOW, less));
        assert_eq!(purse.balance(NOW + 500), 4);
        let report = purse.reports(NOW + 600, 3, 10)[0];
        assert_eq!((report.keep, report.used), (4, 0));
    }

    #[test]
    fn an_answer_older_than_the_last_word_does_not_enlarge_a_share() {
        let mut purse = share();
        purse.reports(NOW, 5, 6);
        purse.granted(4, NOW, LEFT, (NOW, lent(1, 50, 2_000)));
        assert_eq!(purse.balance(NOW), 6);
        purse.granted(5, NOW + 1_000, LEFT, (NOW, lent(1, 50, 2_000)));
        assert_eq!(purse.balance(NOW + 2_500), 50);
    }

    #[test]
    fn a_share_that_ended_reports_what_its_last_window_holds() {
        let mut purse = share();
        purse.spend(NOW, 3);
        purse.spend(NOW + 900, 4);
        assert_eq!(purse.reports(NOW + 1_100, 2, 0), [], "it lasts");
        purse.spend(NOW + 1_900, 2);
        let report = purse.reports(NOW + 2_000, 3, 5)[0];
        assert_eq!((report.used, report.keep, report.age_ms), (2, 0, 0));
        assert_eq!(purse.balance(NOW + 1_950), 0);
    }

    #[test]
    fn what_was_used_of_a_share_counts_on_whatever_share_comes_next() {
        let mut handed_back = share();
        handed_back.spend(NOW + 100, 10);
        handed_back.reports(NOW + 2_000, 2, 0);
        // That report is lost: the object lends the share for longer.
        handed_back.granted(3, NOW + 2_000, LEFT, (NOW, lent(1, 10, 2_000)));
        let mut distrusted = share();
        distrusted.spend(NOW + 100, 10);
        distrusted.distrust(NOW + 90);
        distrusted.granted(3, NOW + 90, LEFT, (NOW, lent(1, 10, 2_000)));
        let mut another = share();
        another.spend(NOW + 100, 10);
        another.granted(3, NOW + 300, LEFT, (NOW, lent(3, 10, 2_000)));
        assert_eq!(
            handed_back.balance(NOW + 2_000),
            10,
            "used more than a window ago"
        );
        for purse in [distrusted, another] {
            assert_eq!(purse.balance(NOW + 1_050), 0);
            assert_eq!(purse.balance(NOW + 1_300), 10);
            assert!(!purse.is_idle(NOW + 1_000));
        }
    }

    #[test]
    fn an_answer_older_than_the_last_word_on_a_share_brings_it_not_back() {
        let mut purse = share();
        purse.reports(NOW + 2_000, 3, 0);
        purse.granted(2, NOW + 1_900, LEFT, (NOW, lent(1, 10, 2_000)));
        assert_eq!(purse.balance(NOW + 2_100), 0);
    }

    #[test]
    fn what_was_used_under_an_older_rule_counts_on() {
        let mut old = share();
        old.spend(NOW + 100, 10);
        let mut purse = Purse::new("row", &window(90, 1_000)).after(&old);
        purse.granted(3, NOW + 300, LEFT, (NOW, lent(1, 10, 2_000)));
        assert_eq!(purse.balance(NOW + 1_050), 0);
        assert_eq!(purse.balance(NOW + 1_300), 10);
    }
}
