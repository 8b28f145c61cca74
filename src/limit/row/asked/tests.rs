use super::super::{CLOCK_ERROR_MS, Row};
use crate::facts::UnixMs;
use crate::limit::meter::MeterRule;
use crate::limit::questions::UNDO_MS_MAX;
use crate::limit::window::WindowRule;
use crate::limit::wire::Report;

const NOW: UnixMs = 1_800_000_000_000;

fn window(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Window(WindowRule { limit, window_ms })
}

fn new(rule: &MeterRule) -> Row {
    Row::new(rule).opened(rule, NOW)
}

#[test]
fn what_a_question_took_is_free_again_once_it_was_given_up_and_only_that() {
    let rule = window(1_000, 60_000);
    let mut row = new(&rule);
    let lent = row.grant(1, 5, 3, 10).lent.unwrap();
    row.grant(1, 6, 4, 0);
    row.grant(2, 5, 2, 0);
    assert_eq!(row.free(), 1_000 - lent.units - 9);
    for _ in 0..2 {
        row.undo(1, 5);
        assert_eq!(row.free(), 994);
        assert!(row.is_over(1, 5) && row.granted_before(1, 5).is_none());
    }
    row.undo(3, 5);
    assert_eq!((row.free(), row.held(NOW)), (994, 6));
}

#[test]
fn a_question_that_comes_again_after_others_is_granted_what_it_was() {
    let rule = window(1_000, 60_000);
    let mut row = new(&rule);
    let first = row.grant(1, 5, 3, 0);
    row.grant(1, 6, 4, 0);
    assert_eq!(row.granted_before(1, 5), Some(first));
    row.hear_open(1, 6);
    assert!(row.is_over(1, 5) && row.granted_before(1, 5).is_none());
    assert!(!row.is_over(1, 6) && row.granted_before(1, 6).is_some());
    // The holder is done with it: it is nobody's to undo.
    row.undo(1, 5);
    assert_eq!(row.free(), 993);
}

#[test]
fn what_was_charged_under_another_rule_or_has_passed_is_not_freed() {
    let (rule, wider) = (window(10, 30_000), window(20, 30_000));
    let mut row = new(&rule);
    row.grant(1, 5, 3, 0);
    let mut changed = row.clone().opened(&wider, NOW + 1);
    changed.undo(1, 5);
    assert_eq!(changed.free(), 17);
    let mut passed = row.clone().opened(&rule, NOW + 30_002);
    passed.grant(1, 6, 3, 0);
    passed.undo(1, 5);
    assert_eq!(passed.free(), 7);
    let long = window(10, 3_600_000);
    for (after_ms, free) in [(UNDO_MS_MAX - 1, 10), (UNDO_MS_MAX, 7)] {
        let mut row = new(&long);
        row.grant(1, 5, 3, 0);
        let mut row = row.opened(&long, NOW + after_ms);
        row.undo(1, 5);
        assert_eq!(row.free(), free, "{after_ms}");
    }
}

#[test]
fn a_row_is_kept_as_long_as_it_knows_what_was_undone() {
    let rule = window(10, 1_000);
    let mut row = new(&rule);
    assert_eq!(row.empty_at_ms(), 0);
    row.undo(1, 5);
    assert_eq!(row.empty_at_ms(), NOW + UNDO_MS_MAX);
    let known = row.clone().opened(&rule, NOW + UNDO_MS_MAX - 1);
    assert!(known.is_over(1, 5));
    assert!(!row.opened(&rule, NOW + UNDO_MS_MAX).is_over(1, 5));
}

#[test]
fn a_share_of_which_a_later_answer_told_stays() {
    let rule = window(200, 2_000);
    let mut row = new(&rule);
    let share = row.grant(1, 5, 0, 20).lent.unwrap();
    let mut unread = row.clone();
    unread.undo(1, 5);
    assert_eq!(unread.free(), 200);
    let told = row.grant(1, 6, 0, 40).lent.unwrap();
    assert_eq!((told.seq, told.units), (share.seq, 40));
    row.undo(1, 5);
    row.undo(1, 6);
    assert_eq!(row.free(), 160);
    let keeps = Report {
        seq: share.seq,
        used: 0,
        age_ms: 0,
        keep: 20,
        open: false,
    };
    row.report(1, 7, &keeps);
    assert_eq!(row.free(), 180);
    let ends_ms = NOW + share.ttl_ms + CLOCK_ERROR_MS;
    assert_eq!(row.opened(&rule, ends_ms + 2_100).free(), 200);
}
