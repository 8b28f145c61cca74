use super::*;
use crate::limit::window::WindowRule;

const NOW: UnixMs = 1_800_000_000_000;

fn window(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Window(WindowRule { limit, window_ms })
}

fn at(row: Row, rule: &MeterRule, now_ms: UnixMs) -> Row {
    row.opened(rule, now_ms)
}

fn report(seq: u64, used: u64, keep: u64) -> Report {
    Report {
        seq,
        used,
        age_ms: 0,
        keep,
        open: false,
    }
}

fn receipt(at_ms: UnixMs, units: u64, refund: bool) -> Receipt {
    Receipt {
        row: String::new(),
        at_ms,
        units,
        refund,
    }
}

/// A row of which ten units are lent to holder 1 by question 5.
fn lent(rule: &MeterRule) -> (Row, Lent) {
    let mut row = at(Row::new(rule), rule, NOW);
    let lent = row.grant(1, 5, 0, 10).lent.unwrap();
    (row, lent)
}

#[test]
fn what_nobody_accounts_for_counts_as_used_when_its_lease_ends() {
    let rule = window(1_000, 60_000);
    let (row, lent) = lent(&rule);
    let ends_ms = NOW + lent.ttl_ms + CLOCK_ERROR_MS;
    let last_ms = ends_ms + 60_000;
    assert_eq!(at(row.clone(), &rule, last_ms).free(), 990);
    // One grain later at most.
    assert_eq!(at(row, &rule, last_ms + 60_000 / 128 + 1).free(), 1_000);
}

#[test]
fn what_is_reported_counts_once_and_what_is_handed_back_is_free_at_once() {
    let rule = window(1_000, 60_000);
    let (mut row, lent) = lent(&rule);
    for (used, keep, free) in [
        (4, 6, 990),
        (4, 6, 990),
        (3, 7, 990),
        (7, 0, 993),
        (9, 0, 993),
    ] {
        row.report(1, 9, &report(lent.seq, used, keep));
        assert_eq!(row.free(), free, "{used} used, {keep} kept");
    }
    // Another's word, and one about a lease that is none.
    row.report(2, 9, &report(lent.seq, 0, 0));
    row.report(1, 9, &report(99, 50, 0));
    assert_eq!(row.free(), 993);
}

#[test]
fn a_holder_cannot_report_more_than_it_was_lent_nor_before_it_was() {
    let rule = window(1_000, 60_000);
    let (mut row, lent) = lent(&rule);
    let claim = Report {
        age_ms: u64::MAX,
        ..report(lent.seq, u64::MAX, 0)
    };
    row.report(1, 9, &claim);
    assert_eq!((row.held(NOW), row.free()), (10, 990));
}

#[test]
fn what_was_lent_on_counts_until_the_lease_ends() {
    let rule = window(1_000, 60_000);
    let (mut row, lent) = lent(&rule);
    let open = Report {
        age_ms: 1_000,
        open: true,
        ..report(lent.seq, 10, 0)
    };
    row.report(1, 9, &open);
    let ends_ms = NOW + lent.ttl_ms + CLOCK_ERROR_MS;
    assert_eq!(at(row, &rule, ends_ms + 60_000).free(), 990);
}

#[test]
fn a_clock_that_runs_back_frees_nothing() {
    let rule = window(10, 1_000);
    let mut row = at(Row::new(&rule), &rule, NOW);
    row.grant(1, 1, 10, 0);
    let row = at(row, &rule, NOW - 3_600_000);
    assert_eq!(row.free(), 0);
    assert_eq!(at(row, &rule, NOW + 1_001).free(), 10);
}

#[test]
fn a_charge_is_given_back_once_and_not_too_late_nor_under_another_rule() {
    let rule = window(10, 3_600_000);
    let mut row = at(Row::new(&rule), &rule, NOW);
    let first = row.grant(1, 1, 3, 0);
    for turn in [4, 4] {
        row.settle((1, turn), [receipt(first.at_ms, 3, false)].iter(), 0);
        assert_eq!(row.free(), 10);
    }
    row.grant(1, 2, 3, 0);
    let mut late = at(row.clone(), &rule, NOW + RECEIPT_MS_MAX + 1);
    late.settle((1, 5), [receipt(NOW, 3, false)].iter(), 0);
    assert_eq!(late.free(), 7, "too late");
    let wider = window(20, 3_600_000);
    let mut changed = at(row.clone(), &wider, NOW + 1);
    changed.settle((1, 5), [receipt(NOW, 3, false)].iter(), 0);
    assert_eq!(changed.free(), 17, "charged under another rule");
    row.settle((1, 5), [receipt(NOW + 1, 3, false)].iter(), 0);
    assert_eq!(row.free(), 7, "charged at an instant that is yet to come");
    row.settle((1, 6), [receipt(NOW, 3, false)].iter(), 0);
    assert_eq!(row.free(), 10);
}

#[test]
fn a_tenth_is_refunded_and_a_debt_is_charged_where_there_is_no_room() {
    let rule = window(20, 60_000);
    let mut row = at(Row::new(&rule), &rule, NOW);
    row.grant(1, 1, 20, 0);
    row.settle((1, 1), [receipt(NOW, 5, true)].iter(), 0);
    assert_eq!(row.free(), 2);
    row.settle((1, 2), [].iter(), 7);
    row.settle((1, 2), [].iter(), 7);
    assert_eq!((row.free(), row.held(NOW)), (0, 25));
    assert_eq!(at(row, &rule, NOW + 60_001).free(), 20);
}

#[test]
fn leases_are_bounded_and_a_holder_beyond_still_gets_what_it_asks_for() {
    let rule = window(1_000_000, 60_000);
    let mut row = at(Row::new(&rule), &rule, NOW);
    for holder in 0..LEASES_MAX as u64 {
        assert!(row.grant(holder, 1, 1, 1).lent.is_some());
    }
    let free = row.free();
    assert_eq!(row.grant(1_000, 1, 1, 1).lent, None);
    assert_eq!(row.free(), free - 1);
    assert_eq!(row.leases.len(), LEASES_MAX);
}

#[test]
fn no_period_lends_beyond_its_end() {
    let span = crate::limit::period::Span::Fixed { window_ms: 10_000 };
    let rule = MeterRule::Period(crate::limit::period::PeriodRule { limit: 1_000, span });
    for (left_ms, lends) in [(1_050, false), (1_099, false), (1_100, true), (5_000, true)] {
        let now_ms = NOW + 10_000 - left_ms;
        let mut row = at(Row::new(&rule), &rule, now_ms);
        let lent = row.grant(1, 1, 0, 5).lent;
        assert_eq!(lent.is_some(), lends, "{left_ms} before its end");
        let ttl_ms = lent.map_or(0, |lent| lent.ttl_ms);
        assert!(ttl_ms + 2 * CLOCK_ERROR_MS <= left_ms || !lends);
    }
}

mod shares {
    use super::*;

    const SECOND: u64 = 1_000;

    /// Two holders of a limit of 100 a second; the first has all of it.
    fn hogged() -> (MeterRule, Row, Lent) {
        let rule = window(100, SECOND);
        let mut row = at(Row::new(&rule), &rule, NOW);
        let lent = row.grant(1, 1, 0, 1_000).lent.unwrap();
        assert_eq!(lent.units, 100);
        (rule, row, lent)
    }

    #[test]
    fn all_shares_together_are_the_limit_and_no_more() {
        let rule = window(100, SECOND);
        let mut row = at(Row::new(&rule), &rule, NOW);
        let units: Vec<_> = (1..=5)
            .map(|holder| {
                row.grant(holder, 1, 0, 40)
                    .lent
                    .map_or(0, |lent| lent.units)
            })
            .collect();
        assert_eq!(units, [40, 40, 20, 0, 0]);
        assert_eq!(row.free(), 0);
    }

    #[test]
    fn a_share_counts_for_a_window_after_its_end_and_an_extended_one_lasts() {
        let (rule, row, lent) = hogged();
        let ends_ms = NOW + lent.ttl_ms + CLOCK_ERROR_MS;
        assert_eq!(at(row.clone(), &rule, ends_ms + SECOND).free(), 0);
        assert_eq!(at(row.clone(), &rule, ends_ms + SECOND + 2).free(), 100);
        let mut row = at(row, &rule, ends_ms - 1);
        let more = row.grant(1, 2, 0, 1_000).lent.unwrap();
        assert_eq!((more.seq, more.units), (lent.seq, 100));
        assert_eq!(at(row, &rule, ends_ms + SECOND + 2).free(), 0);
    }

    #[test]
    fn what_is_kept_less_frees_at_once_what_was_not_used_and_the_rest_a_window_later() {
        let (rule, mut row, lent) = hogged();
        row.report(1, 2, &report(lent.seq, 70, 50));
        assert_eq!(
            row.free(),
            30,
            "20 of the 70 used are not covered by the 50 kept"
        );
        assert_eq!(at(row, &rule, NOW + SECOND + 1).free(), 50);
    }

    #[test]
    fn an_older_word_than_the_last_changes_nothing() {
        let (_, mut row, lent) = hogged();
        row.report(1, 4, &report(lent.seq, 0, 10));
        row.grant(1, 6, 0, 90);
        assert_eq!(row.free(), 10);
        for seq in [1, 4, 5, 6] {
            row.report(1, seq, &report(lent.seq, 0, 0));
            assert_eq!(row.free(), 10, "{seq}");
        }
        row.report(1, 7, &report(lent.seq, 0, 0));
        assert_eq!(row.free(), 100);
    }

    #[test]
    fn who_waits_is_known_and_the_first_is_told_its_fair_part() {
        let (_, mut row, _) = hogged();
        assert_eq!(row.free(), 0);
        assert!(row.wait_for_share(2), "noted");
        assert!(!row.wait_for_share(2), "once");
        assert!(!row.wait_for_share(1), "has one");
        let told = row.grant(1, 2, 0, 1_000).lent.unwrap();
        assert_eq!((told.units, told.fair), (100, 50), "told, not taken");
    }
}
