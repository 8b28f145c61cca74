use std::rc::Rc;

use super::*;
use crate::limit::meter::MeterRule;
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::limit::window::WindowRule;

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
