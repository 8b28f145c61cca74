use super::*;
use proptest::prelude::*;

const NOW: UnixMs = 1_800_000_000_000;

fn units(charged: Option<Charged>) -> u64 {
    charged.map_or(0, |charged| charged.units)
}

#[test]
fn what_a_question_was_charged_is_freed_once_whatever_comes_first() {
    let mut questions = Questions::default();
    questions.charge((1, 5), NOW, 3);
    questions.charge((2, 5), NOW, 4);
    assert!(!questions.is_over(1, 5));
    assert_eq!(units(questions.undo(NOW, 1, 5)), 3);
    assert_eq!(units(questions.undo(NOW, 1, 5)), 0);
    assert!(questions.is_over(1, 5));
    // Another's question of the same number, and one that did not arrive yet.
    assert!(!questions.is_over(2, 5));
    assert_eq!(units(questions.undo(NOW, 1, 7)), 0);
    assert!(questions.is_over(1, 7));
    assert!(!questions.is_over(1, 6));
}

#[test]
fn a_holder_is_done_with_the_questions_before_those_that_are_open() {
    let mut questions = Questions::default();
    for seq in 5..8 {
        questions.charge((1, seq), NOW, 1);
    }
    questions.charge((2, 1), NOW, 1);
    questions.hear_open(NOW, 1, 6);
    assert_eq!(questions.charged(1, 5), None);
    assert!(questions.charged(1, 6).is_some() && questions.charged(2, 1).is_some());
    assert!(questions.is_over(1, 5) && !questions.is_over(1, 6) && !questions.is_over(2, 1));
    // A word that comes late takes nothing back.
    questions.hear_open(NOW, 1, 3);
    assert!(questions.is_over(1, 5));
    // One that says nothing forgets nothing.
    questions.hear_open(NOW, 2, 0);
    assert!(questions.charged(2, 1).is_some());
}

#[test]
fn questions_are_known_for_a_minute() {
    let mut questions = Questions::default();
    questions.charge((1, 5), NOW, 3);
    questions.undo(NOW, 1, 6);
    questions.hear_open(NOW, 1, 2);
    assert_eq!(questions.ends_at_ms(), NOW + UNDO_MS_MAX);
    questions.forget(NOW + UNDO_MS_MAX - 1);
    assert!(questions.charged(1, 5).is_some() && questions.is_over(1, 6));
    questions.forget(NOW + UNDO_MS_MAX);
    assert!(questions.is_empty());
    assert_eq!(questions.ends_at_ms(), 0);
}

#[test]
fn of_more_than_there_is_room_for_the_oldest_are_forgotten() {
    let mut questions = Questions::default();
    for seq in 0..CHARGES_MAX as u64 {
        questions.charge((1, seq), NOW, 1);
    }
    for seq in 1_000..1_000 + UNDONE_MAX as u64 {
        questions.undo(NOW, 1, seq);
    }
    for holder in 10..10 + ASKERS_MAX as u64 {
        questions.hear_open(NOW, holder, 5);
    }
    assert!(questions.charged(1, 0).is_some());
    assert!(questions.is_over(1, 1_000) && questions.is_over(10, 4));
    questions.charge((1, 500), NOW, 1);
    questions.undo(NOW, 1, 2_000);
    questions.hear_open(NOW, 9, 5);
    assert!(questions.charged(1, 0).is_none() && questions.charged(1, 1).is_some());
    assert!(!questions.is_over(1, 1_000) && questions.is_over(1, 1_001));
    assert!(!questions.is_over(10, 4) && questions.is_over(11, 4));
}

proptest! {
    /// Questions that arrive, and are undone, in any order and any number of times: what is charged
    /// and not freed is what was charged to those that were not undone.
    #[test]
    fn what_is_undone_leaves_nothing(steps in prop::collection::vec((0..40_u64, any::<bool>()), 1..200)) {
        let mut questions = Questions::default();
        let mut held = std::collections::HashMap::new();
        let mut undone = std::collections::HashSet::new();
        for (seq, is_undo) in steps {
            if is_undo {
                undone.insert(seq);
                if let Some(charged) = questions.undo(NOW, 1, seq) {
                    *held.entry(seq).or_insert(0) -= charged.units as i64;
                }
            } else if !questions.is_over(1, seq) && questions.charged(1, seq).is_none() {
                questions.charge((1, seq), NOW, 2);
                *held.entry(seq).or_insert(0) += 2;
            }
            for (seq, held) in &held {
                prop_assert_eq!(*held, if undone.contains(seq) { 0 } else { 2 }, "{}", seq);
            }
        }
    }
}
