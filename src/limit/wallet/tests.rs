use std::rc::Rc;

use super::*;
use crate::limit::meter::MeterRule;
use crate::limit::questions::UNDO_MS_MAX;
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::limit::window::WindowRule;
use crate::limit::wire::SETTLED_MAX;

const NOW: UnixMs = 1_800_000_000_000;

fn unit() -> UnitCharge {
    UnitCharge {
        rule: Rc::new(LimitRule {
            name: "minute".to_owned(),
            by: CountBy::Service,
            meter: MeterRule::Window(WindowRule {
                limit: 1_000,
                window_ms: 60_000,
            }),
            on_error: OnError::Refuse,
            scope: Scope::Service,
            mode: Mode::Enforce,
            counts: Counts::Requests,
            brokers: 0,
        }),
        row: "minute".to_owned(),
        units: 1,
        look: false,
    }
}

fn granted(seq: u64) -> Vec<RowGranted> {
    let lent = Lent {
        seq,
        units: 10,
        ttl_ms: 2_000,
        fair: 10,
    };
    vec![RowGranted {
        row: "minute".to_owned(),
        remaining: 100,
        frees_in_ms: 1,
        at_ms: NOW,
        lent: Some(lent),
    }]
}

#[test]
fn an_answer_to_a_question_from_before_the_clock_ran_back_lends_nothing() {
    let (object, unit) = (ObjectName::of(&["service"]), unit());
    for (back_ms, expected) in [(0, 10), (1, 0), (3_600_000, 0)] {
        let mut wallet = Wallet::new(1);
        wallet.tick(NOW);
        wallet.look_up(&object, &unit);
        let sent = wallet.question(&object, [&unit].into_iter(), true);
        wallet.tick(NOW - back_ms);
        wallet.tick(NOW + 1);
        wallet.granted(&object, &sent, &granted(sent.asking.seq));
        assert_eq!(wallet.balance(&object, "minute"), expected, "{back_ms}");
        let next = wallet.question(&object, [&unit].into_iter(), true);
        wallet.granted(&object, &next, &granted(next.asking.seq));
        assert_eq!(wallet.balance(&object, "minute"), expected + 10);
    }
}

/// Asks for one unit; the question.
fn asked(wallet: &mut Wallet, object: &ObjectName) -> Sent {
    wallet.question(object, [&unit()].into_iter(), true)
}

#[test]
fn questions_that_were_given_up_are_told_by_one_question_until_the_object_heard_of_them() {
    let object = ObjectName::of(&["service"]);
    let mut wallet = Wallet::new(1);
    wallet.tick(NOW);
    wallet.look_up(&object, &unit());
    let (first, second) = (asked(&mut wallet, &object), asked(&mut wallet, &object));
    assert_eq!((first.asking.open_seq, second.asking.open_seq), (1, 1));
    for sent in [&first, &second] {
        wallet.unanswered(&object, sent, true);
        wallet.give_up(&object, sent);
    }
    // One errand for both, until it should have been done.
    let after_ms = wallet.tell_in_ms(&object);
    assert_eq!(after_ms, Some(SILENT_MS));
    wallet.tick(NOW + SILENT_MS - 1);
    assert_eq!(wallet.tell_in_ms(&object), None);
    wallet.tick(NOW + SILENT_MS);
    assert_eq!(wallet.tell_in_ms(&object), after_ms);
    let seqs = |sent: &Sent| -> Vec<u64> {
        let undone = sent.asking.undone.iter();
        undone.map(|one| one.seq).collect()
    };
    let told = wallet.tell_given_up(&object).unwrap();
    assert_eq!((seqs(&told), told.asking.open_seq), (vec![1, 2], 1));
    // It may not have been heard: the next question tells them as well.
    let next = asked(&mut wallet, &object);
    assert_eq!((seqs(&next), next.asking.open_seq), (vec![1, 2], 1));
    wallet.heard(&object, &told);
    assert!(wallet.tell_given_up(&object).is_none());
    let next = asked(&mut wallet, &object);
    assert_eq!((seqs(&next), next.asking.open_seq), (vec![], 4));
}

#[test]
fn a_question_is_open_until_it_is_answered_or_stands_or_is_nobodys_any_more() {
    let object = ObjectName::of(&["service"]);
    let mut wallet = Wallet::new(1);
    wallet.tick(NOW);
    wallet.look_up(&object, &unit());
    let sent: Vec<Sent> = (0..4).map(|_| asked(&mut wallet, &object)).collect();
    wallet.granted(&object, &sent[0], &granted(1));
    assert_eq!(asked(&mut wallet, &object).asking.open_seq, 2);
    wallet.unanswered(&object, &sent[1], true);
    assert_eq!(asked(&mut wallet, &object).asking.open_seq, 2);
    wallet.let_stand(&object, &sent[1]);
    assert_eq!(asked(&mut wallet, &object).asking.open_seq, 3);
    wallet.unanswered(&object, &sent[2], false);
    assert_eq!(asked(&mut wallet, &object).asking.open_seq, 4);
    wallet.tick(NOW + account::OPEN_MS_MAX - 1);
    assert_eq!(asked(&mut wallet, &object).asking.open_seq, 4);
    wallet.tick(NOW + account::OPEN_MS_MAX);
    let last = asked(&mut wallet, &object).asking;
    assert_eq!(last.open_seq, last.seq - 1);
}

#[test]
fn what_is_open_or_given_up_stays_bounded() {
    let object = ObjectName::of(&["service"]);
    let mut wallet = Wallet::new(1);
    wallet.tick(NOW);
    wallet.look_up(&object, &unit());
    let mut sent: Vec<Sent> = (0..account::OPEN_MAX)
        .map(|_| asked(&mut wallet, &object))
        .collect();
    assert_eq!(sent.last().unwrap().asking.open_seq, 1);
    sent.push(asked(&mut wallet, &object));
    assert_eq!(sent.last().unwrap().asking.open_seq, 0);
    let first_told = |wallet: &mut Wallet| {
        let told = wallet.tell_given_up(&object).unwrap().asking.undone;
        (told.len(), told[0].seq)
    };
    let (last, before) = sent.split_last().unwrap();
    before.iter().for_each(|one| wallet.give_up(&object, one));
    assert_eq!(first_told(&mut wallet), (SETTLED_MAX, 1));
    wallet.give_up(&object, last);
    assert_eq!(first_told(&mut wallet), (SETTLED_MAX, 2));
    wallet.tick(NOW + UNDO_MS_MAX - 1);
    assert_eq!(first_told(&mut wallet), (SETTLED_MAX, 2));
    wallet.tick(NOW + UNDO_MS_MAX);
    assert!(wallet.tell_given_up(&object).is_none());
}
