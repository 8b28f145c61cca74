//! A session from its first message to its end, over sockets of the test's own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use edgeward::limit::ask::Objects;
use edgeward::limit::errand::{self, Errand};
use edgeward::limit::wire::{Act, Answer, Question};
use edgeward::object::ObjectName;
use edgeward::relay::{Ended, Wires, line, relay};
use edgeward::revocation::Mark;
use edgeward::socket::Side;
use edgeward::socket::close::{Close, Ending};
use edgeward::socket::queue::Event;
use edgeward::socket::tally::ASK_EVERY_MS;
use edgeward::stage::session::Pass;
use serde_json::json;

use crate::support::keys::id;
use crate::support::{FakePorts, NOW_MS, gate, run};
use crate::{LEEWAY_MS, by_key, handshake, policy, ports, switched, token, told};

/// Two sockets, over which what is written down arrives at its time.
struct FakeWires<'p> {
    ports: &'p FakePorts,
    /// How long after the one before, and what.
    arrivals: RefCell<VecDeque<(u64, Event<String>)>>,
    sent: RefCell<Vec<(Side, String)>>,
    closed: RefCell<Vec<(Side, Close)>>,
    /// Called at each look, with how many there were.
    looks: Cell<u32>,
    gone: Cell<Option<Side>>,
}

impl Wires for FakeWires<'_> {
    type Message = String;

    async fn next(&self, patience_ms: u64) -> Option<Event<String>> {
        self.looks.set(self.looks.get() + 1);
        assert!(self.looks.get() < 100_000, "it never ends");
        let now_ms = self.ports.clock_ms.get();
        let mut arrivals = self.arrivals.borrow_mut();
        match arrivals.front_mut() {
            Some((after_ms, _)) if *after_ms <= patience_ms => {
                self.ports.clock_ms.set(now_ms + *after_ms);
                arrivals.pop_front().map(|(_, event)| event)
            }
            next => {
                if let Some((after_ms, _)) = next {
                    *after_ms -= patience_ms;
                }
                self.ports.clock_ms.set(now_ms + patience_ms);
                None
            }
        }
    }

    fn send(&self, pass: Pass<String>) -> Result<(), Ending> {
        let (to, message) = pass.part();
        if self.gone.get() == Some(to) {
            return Err(Ending::Lost { by: to });
        }
        self.sent.borrow_mut().push((to, message));
        Ok(())
    }

    fn close(&self, side: Side, close: &Close) {
        self.closed.borrow_mut().push((side, close.clone()));
    }
}

fn says(from: Side, after_ms: u64, text: &str) -> (u64, Event<String>) {
    let bytes = text.len() as u64;
    let message = text.to_owned();
    let event = Event::Message {
        from,
        bytes,
        message,
    };
    (after_ms, event)
}

/// Runs a session of a handshake; what ended it, what passed, and when.
fn session(
    ports: &FakePorts,
    change: serde_json::Value,
    facts: edgeward::facts::Facts,
    arrivals: Vec<(u64, Event<String>)>,
) -> (Ended, Vec<(Side, String)>, u64) {
    let gate = gate(&policy(change));
    let (switched, session, open) = switched(&gate, ports, facts).part();
    let wires = FakeWires {
        ports,
        arrivals: RefCell::new(arrivals.into()),
        sent: RefCell::default(),
        closed: RefCell::default(),
        looks: Cell::default(),
        gone: Cell::default(),
    };
    let ended = run(relay(ports, &wires, session));
    let sides: Vec<Side> = wires
        .closed
        .borrow()
        .iter()
        .map(|(side, _)| *side)
        .collect();
    assert_eq!(sides, Side::BOTH, "both sides are told");
    let told = line(switched.trail(), &ended, "v", ports.clock_ms.get());
    assert_eq!(told["event"], "session");
    let after_ms = ports.clock_ms.get() - NOW_MS;
    run(errand::run(ports, open.hand_over()));
    (ended, wires.sent.into_inner(), after_ms)
}

fn mark(ports: &FakePorts, name: &str) {
    let object = ObjectName::of_caller("keys", "", name);
    let question = Question::of(Act::Mark(Mark::Key {
        id: id(name),
        until_ms: u64::MAX,
    }));
    assert_eq!(run(ports.ask(&object, &question)), Ok(Answer::Marked));
}

#[test]
fn what_is_said_passes_in_its_order_until_one_side_closes() {
    let ports = ports();
    let close = Close::new(4001, "bye");
    let by = Side::Origin;
    let closed = Ending::Closed {
        by,
        close: close.clone(),
    };
    let arrivals = vec![
        says(Side::Caller, 5, "one"),
        says(Side::Origin, 0, "two"),
        says(Side::Caller, 1, ""),
        says(Side::Origin, 0, "three"),
        (10, Event::Over(closed.clone())),
        says(Side::Caller, 0, "too late"),
    ];
    let (ended, sent, _) = session(&ports, json!({}), by_key("good"), arrivals);
    let expected = [
        (Side::Origin, "one"),
        (Side::Caller, "two"),
        (Side::Origin, ""),
        (Side::Caller, "three"),
    ];
    assert_eq!(sent, expected.map(|(side, text)| (side, text.to_owned())));
    let expected = Ended {
        ending: closed,
        lasted_ms: 16,
        caller: (2, 3),
        origin: (2, 8),
    };
    assert_eq!(ended, expected);
}

#[test]
fn each_message_of_a_caller_costs_a_unit_and_none_of_the_origin_does() {
    let ports = ports();
    let mut arrivals: Vec<_> = (0..5).map(|_| says(Side::Caller, 1, "x")).collect();
    arrivals.extend((0..50).map(|_| says(Side::Origin, 1, "x")));
    arrivals.push(says(Side::Caller, 1, "over"));
    let (ended, sent, _) = session(&ports, json!({}), by_key("good"), arrivals);
    assert_eq!(ended.ending, Ending::OverLimit);
    assert_eq!(sent.len(), 55);
    // Another session of the same caller finds no room either; another caller's does.
    let again = vec![says(Side::Caller, 0, "x")];
    let (ended, ..) = session(&ports, json!({}), by_key("good"), again.clone());
    assert_eq!(ended.ending, Ending::OverLimit);
    let (ended, ..) = session(&ports, json!({}), by_key("short"), again);
    assert_eq!(ended.ending, Ending::Expired);
    assert_eq!(ended.caller, (1, 1));
}

#[test]
fn a_session_ends_with_its_credential_whether_something_is_said_or_not() {
    let keyed = || (by_key("short"), 60_000);
    let shown = || {
        let facts = handshake("/keys", &[("authorization", &token())]);
        (facts, 60_000 + LEEWAY_MS)
    };
    for (facts, good_ms) in [keyed(), shown()] {
        let ports = ports();
        let change = json!({ "idle_timeout_ms": 300_000 });
        let (ended, _, after_ms) = session(&ports, change, facts, vec![]);
        assert_eq!((ended.ending, after_ms), (Ending::Expired, good_ms));
    }
    for (facts, good_ms) in [keyed(), shown()] {
        let ports = ports();
        let change = json!({ "idle_timeout_ms": 300_000 });
        let arrivals = vec![
            says(Side::Caller, good_ms - 1, "before"),
            says(Side::Origin, 0, "before"),
            says(Side::Caller, 1, "after"),
        ];
        let (ended, sent, _) = session(&ports, change, facts, arrivals);
        assert_eq!(ended.ending, Ending::Expired);
        assert_eq!(sent.len(), 2);
    }
}

#[test]
fn a_session_ends_when_its_credential_is_taken_back() {
    // Of whoever says nothing, within the interval.
    let ports = ports();
    let gate = gate(&policy(json!({})));
    let (_, session_, open) = switched(&gate, &ports, by_key("good")).part();
    mark(&ports, "good");
    let wires = FakeWires {
        ports: &ports,
        arrivals: RefCell::default(),
        sent: RefCell::default(),
        closed: RefCell::default(),
        looks: Cell::default(),
        gone: Cell::default(),
    };
    let ended = run(relay(&ports, &wires, session_));
    drop(open);
    assert_eq!(ended.ending, Ending::Revoked);
    assert_eq!(ports.clock_ms.get() - NOW_MS, ASK_EVERY_MS);
    // Of either side's messages, as soon as what was known is two seconds old: a mark that stood at
    // the handshake's end refuses those.
    for from in Side::BOTH {
        let ports = crate::ports();
        let (_, session_, open) = switched(&gate, &ports, by_key("good")).part();
        mark(&ports, "good");
        let wires = FakeWires {
            ports: &ports,
            arrivals: RefCell::new(vec![says(from, 2_000, "late")].into()),
            sent: RefCell::default(),
            closed: RefCell::default(),
            looks: Cell::default(),
            gone: Cell::default(),
        };
        let ended = run(relay(&ports, &wires, session_));
        drop(open);
        assert_eq!(ended.ending, Ending::Revoked, "{from:?}");
        assert_eq!(wires.sent.into_inner(), []);
    }
}

#[test]
fn silence_of_what_counts_and_of_what_revokes_means_what_it_means_for_requests() {
    let silent = |messages: &str, stored: bool| {
        let ports = ports();
        let gate = gate(&policy(json!({ "messages": messages })));
        let (_, session_, open) = switched(&gate, &ports, by_key("good")).part();
        ports.counters_down.set(true);
        if !stored {
            *ports.stored_marks.borrow_mut() = None;
        }
        let wires = FakeWires {
            ports: &ports,
            arrivals: RefCell::new(vec![says(Side::Caller, 2_000, "x")].into()),
            sent: RefCell::default(),
            closed: RefCell::default(),
            looks: Cell::default(),
            gone: Cell::default(),
        };
        let ended = run(relay(&ports, &wires, session_));
        drop(open);
        (ended.ending, wires.sent.into_inner().len())
    };
    assert_eq!(silent("said", true), (Ending::CounterDown, 0));
    // Where the limit admits then, and the store knows of no mark, the session goes on until it idles.
    assert_eq!(silent("leniently", true), (Ending::Idle, 1));
    assert_eq!(silent("leniently", false), (Ending::RevocationDown, 0));
}

#[test]
fn bounds_of_bytes_and_time_end_a_session() {
    let large = "x".repeat(101);
    let fit = "x".repeat(100);
    for from in Side::BOTH {
        let run = |arrivals| session(&ports(), json!({}), by_key("good"), arrivals);
        let (ended, sent, _) = run(vec![says(from, 0, &fit), says(from, 0, &large)]);
        let too_large = Ending::MessageTooLarge { from };
        assert_eq!((ended.ending, sent.len()), (too_large, 1));
        let (ended, sent, _) = run(vec![
            says(from, 0, &fit),
            says(from, 0, &fit),
            says(from, 0, &fit),
        ]);
        let too_much = Ending::SessionTooLarge { from };
        assert_eq!((ended.ending, sent.len()), (too_much, 2));
    }
    let (ended, _, after_ms) = session(&ports(), json!({}), by_key("good"), vec![]);
    assert_eq!((ended.ending, after_ms), (Ending::Idle, 60_000));
    let chatty = (0..1_000).map(|_| says(Side::Origin, 50_000, "")).collect();
    let (ended, _, after_ms) = session(&ports(), json!({}), by_key("good"), chatty);
    assert_eq!((ended.ending, after_ms), (Ending::Lasted, 500_000));
}

#[test]
fn whoever_is_gone_ends_the_session_and_gives_its_permit_back() {
    let ports = ports();
    let gate = gate(&policy(json!({})));
    let full = "429 quota-exceeded over_limit";
    for by in Side::BOTH {
        let (_, session_, open) = switched(&gate, &ports, by_key("good")).part();
        assert_eq!(told(&gate, &ports, by_key("good")), full, "it is open");
        let wires = FakeWires {
            ports: &ports,
            arrivals: RefCell::new(vec![says(by.other(), 0, "x")].into()),
            sent: RefCell::default(),
            closed: RefCell::default(),
            looks: Cell::default(),
            gone: Cell::new(Some(by)),
        };
        let ended = run(relay(&ports, &wires, session_));
        assert_eq!(ended.ending, Ending::Lost { by });
        assert_eq!(
            told(&gate, &ports, by_key("good")),
            full,
            "its end is not the session's"
        );
        let Errand::GiveBack { taken } = open.hand_over() else {
            panic!("another errand");
        };
        run(errand::run(&ports, Errand::GiveBack { taken }));
        // Whoever was refused looks again shortly.
        ports.clock_ms.set(ports.clock_ms.get() + 101);
    }
    assert_eq!(told(&gate, &ports, by_key("good")), "101");
}

#[test]
fn nobody_is_asked_about_a_caller_without_a_credential() {
    let ports = ports();
    let facts = handshake("/open", &[("origin", crate::PAGE)]);
    let arrivals = vec![
        says(Side::Origin, 30_000, "x"),
        says(Side::Origin, 30_000, "x"),
    ];
    let gate = gate(&policy(json!({})));
    let (_, session_, open) = switched(&gate, &ports, facts).part();
    ports.asked.borrow_mut().clear();
    let wires = FakeWires {
        ports: &ports,
        arrivals: RefCell::new(arrivals.into()),
        sent: RefCell::default(),
        closed: RefCell::default(),
        looks: Cell::default(),
        gone: Cell::default(),
    };
    let ended = run(relay(&ports, &wires, session_));
    drop(open);
    assert_eq!(ended.ending, Ending::Idle);
    assert_eq!(wires.sent.into_inner().len(), 2);
    assert_eq!(*ports.asked.borrow(), Vec::<&str>::new());
}
