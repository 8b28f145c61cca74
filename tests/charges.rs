//! One request's limits that live in several objects: all or nothing, whatever fails.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

mod support;

use std::rc::Rc;

use edgeward::limit::ask::{Objects, charge};
use edgeward::limit::charge::{Charge, Charged, ObjectCharge, UnitCharge, Verdict};
use edgeward::limit::ledger::Rows;
use edgeward::limit::meter::MeterRule;
use edgeward::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use edgeward::limit::window::WindowRule;
use edgeward::object::ObjectName;
use proptest::prelude::*;
use support::{FakePorts, NOW_MS, run};

fn rule(name: &str, limit: u64, on_error: OnError) -> Rc<LimitRule> {
    Rc::new(LimitRule {
        name: name.into(),
        by: CountBy::Caller,
        meter: MeterRule::Window(WindowRule {
            limit,
            window_ms: 1_000,
        }),
        on_error,
        scope: Scope::Service,
        mode: Mode::Enforce,
        counts: Counts::Requests,
        brokers: 0,
    })
}

/// A charge on two objects: the caller's with two limits, the tenant's with one.
fn request(limits: [u64; 3], units: u64, on_error: OnError) -> Charge {
    let unit = |name: &str, limit| UnitCharge {
        rule: rule(name, limit, on_error),
        row: name.into(),
        units,
        look: false,
    };
    Charge::of(vec![
        ObjectCharge {
            object: ObjectName::of(&["caller", "alice"]),
            observed: false,
            units: vec![unit("burst", limits[0]), unit("minute", limits[1])],
        },
        ObjectCharge {
            object: ObjectName::of(&["tenant", "acme"]),
            observed: false,
            units: vec![unit("tenant", limits[2])],
        },
    ])
}

fn admitted(charged: &Charged) -> bool {
    charged
        .units
        .iter()
        .all(|one| matches!(one.verdict, Verdict::Granted { .. } | Verdict::Unmetered))
}

/// Units held now by each of the three rows.
fn used(ports: &FakePorts) -> [u64; 3] {
    let of = |object: &ObjectName, row: &str| {
        let objects = ports.objects.borrow();
        let rows = objects.get(&object.hex());
        let row = rows.and_then(|rows| rows.load(row).unwrap());
        row.map_or(0, |row| row.held(ports.clock_ms.get()))
    };
    let (caller, tenant) = (
        ObjectName::of(&["caller", "alice"]),
        ObjectName::of(&["tenant", "acme"]),
    );
    [
        of(&caller, "burst"),
        of(&caller, "minute"),
        of(&tenant, "tenant"),
    ]
}

#[test]
fn what_one_object_granted_is_given_back_when_the_next_refuses() {
    let ports = FakePorts::new();
    let ask = || run(charge(&ports, request([9, 9, 2], 1, OnError::Refuse)));
    assert!(admitted(&ask()) && admitted(&ask()));
    for _ in 0..5 {
        assert!(!admitted(&ask()));
        assert_eq!(
            used(&ports),
            [2, 2, 2],
            "a refused request left a charge behind"
        );
    }
}

#[test]
fn a_refusal_is_remembered_until_it_may_pass_and_asks_nothing_meanwhile() {
    let ports = FakePorts::new();
    let ask = || {
        ports.asked.borrow_mut().clear();
        let charged = run(charge(&ports, request([1, 9, 9], 1, OnError::Refuse)));
        (admitted(&charged), ports.asked.borrow().len())
    };
    assert_eq!(ask(), (true, 2));
    // Both objects are asked at once, and one gives back.
    assert_eq!(ask(), (false, 3));
    assert_eq!(ask(), (false, 0));
    ports.clock_ms.set(NOW_MS + 1_000);
    assert_eq!(ask(), (false, 0));
    ports.clock_ms.set(NOW_MS + 1_001);
    assert_eq!(ask(), (true, 2));
}

#[test]
fn a_charge_that_can_never_pass_says_so_each_time() {
    let ports = FakePorts::new();
    for _ in 0..3 {
        let charged = run(charge(&ports, request([9, 2, 9], 3, OnError::Refuse)));
        let never = charged.units.iter().any(|one| {
            one.verdict
                == Verdict::Exhausted {
                    retry_after_ms: u64::MAX,
                }
        });
        assert!(never, "{charged:?}");
    }
}

#[test]
fn names_that_meet_by_a_delimiter_are_two_objects() {
    let names = [
        ObjectName::of(&["caller", "a:b", "c"]),
        ObjectName::of(&["caller", "a", "b:c"]),
        ObjectName::of(&["caller", "a", "b", "c"]),
        ObjectName::of(&["caller", "", "a:bc"]),
        ObjectName::of(&["caller", "a:bc", ""]),
    ];
    let distinct: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn silence_means_what_the_limit_says() {
    for (on_error, admitted_of_five) in [
        (OnError::Refuse, 0),
        (OnError::Admit, 5),
        (OnError::Local, 2),
    ] {
        let ports = FakePorts::new();
        ports.counters_down.set(true);
        let admitted = (0..5)
            .filter(|_| admitted(&run(charge(&ports, request([2, 9, 9], 1, on_error)))))
            .count();
        assert_eq!(admitted, admitted_of_five, "{on_error:?}");
        assert!(
            ports.limit_memory().borrow().silences() >= 5,
            "{on_error:?}: counted"
        );
    }
}

proptest! {
    /// An adversary chooses waits, sizes and when the counters are away; limits say `refuse`.
    #[test]
    fn no_limit_is_ever_exceeded_and_no_refusal_costs(
        limits in prop::array::uniform3(1..6_u64),
        steps in prop::collection::vec((prop_oneof![3 => Just(0_u64), 1 => 1..600_u64, 1 => 999..1_003_u64], 1..3_u64, prop::bool::weighted(0.1)), 1..80),
    ) {
        let ports = FakePorts::new();
        let mut passed: Vec<(u64, u64)> = Vec::new();
        for (wait_ms, units, down) in steps {
            ports.clock_ms.set(ports.clock_ms.get() + wait_ms);
            ports.counters_down.set(down);
            let before = used(&ports);
            let charged = run(charge(&ports, request(limits, units, OnError::Refuse)));
            if admitted(&charged) {
                passed.push((ports.clock_ms.get(), units));
            } else if !down {
                prop_assert_eq!(used(&ports), before);
            }
            let now_ms = ports.clock_ms.get();
            let in_window: u64 = passed.iter().filter(|(at, _)| at + 1_000 > now_ms).map(|(_, units)| units).sum();
            prop_assert!(in_window <= *limits.iter().min().unwrap());
        }
    }
}
