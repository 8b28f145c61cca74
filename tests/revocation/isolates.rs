//! How soon a mark is heeded by isolates that share nothing but the objects.

use edgeward::limit::standing::STANDING_MS;
use edgeward::object::ObjectName;
use edgeward::revocation::{Mark, Marks};
use proptest::prelude::*;

use crate::support::FakePorts;
use crate::support::keys::key;
use crate::{
    NOW_MS, NOW_S, ROUTES, gate, issued_up_to, issuer_object, key_owner, of_key, of_token, policy,
    ports, send, token, token_owner, write,
};

/// The credentials of the tests here, as their callers send them.
fn credentials() -> [String; 3] {
    [
        key("good"),
        token("one", NOW_S - 10, 3),
        token("two", NOW_S - 5, 3),
    ]
}

/// Each mark, where it stands, and which of [`credentials`] it takes back.
fn marks() -> [(ObjectName, Mark, &'static [usize]); 5] {
    [
        (key_owner(), of_key("good"), &[0]),
        (token_owner(), of_token("one"), &[1]),
        (token_owner(), Mark::VersionUnder { version: 4 }, &[1, 2]),
        (issuer_object(), of_token("two"), &[2]),
        (issuer_object(), issued_up_to(NOW_S - 5), &[1, 2]),
    ]
}

fn isolates() -> [FakePorts; 3] {
    let first = ports();
    let [second, third] = [first.beside(), first.beside()];
    [first, second, third]
}

#[test]
fn two_seconds_after_a_mark_every_isolate_refuses() {
    let gate = gate(&policy("refuse"));
    let credentials = credentials();
    for route in ROUTES {
        for (object, mark, taken_back) in marks() {
            let isolates = isolates();
            for isolate in &isolates {
                for credential in &credentials {
                    assert_eq!(
                        send(&gate, isolate, route, credential).status,
                        200,
                        "{route}"
                    );
                }
            }
            write(&isolates[0], &object, mark.clone());
            for after_ms in (0..=STANDING_MS + 250).step_by(250) {
                for (index, isolate) in isolates.iter().enumerate() {
                    isolate.clock_ms.set(NOW_MS + after_ms);
                    for (place, credential) in credentials.iter().enumerate() {
                        let told = send(&gate, isolate, route, credential);
                        let case = format!("{route}, {mark:?}, {after_ms} ms, isolate {index}");
                        if !taken_back.contains(&place) {
                            assert_eq!(told.status, 200, "{case}: another credential");
                        } else if after_ms >= STANDING_MS {
                            assert_eq!(told.status, 401, "{case}");
                        } else {
                            assert!(matches!(told.status, 200 | 401), "{case}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_isolate_asks_again_at_the_end_of_two_seconds_and_not_before() {
    let gate = gate(&policy("refuse"));
    for (credential, asked) in [(key("good"), 1), (token("one", NOW_S - 10, 3), 2)] {
        let ports = ports();
        for (after_ms, asked) in [
            (0, asked),
            (1, 0),
            (STANDING_MS - 1, 0),
            (STANDING_MS, asked),
            (STANDING_MS + 1, 0),
            (2 * STANDING_MS, asked),
        ] {
            ports.clock_ms.set(NOW_MS + after_ms);
            let told = send(&gate, &ports, "bare", &credential);
            assert_eq!(
                (told.status, told.asked_for("counter")),
                (200, asked),
                "{after_ms}"
            );
        }
    }
}

#[test]
fn where_the_caller_is_charged_its_mark_is_heeded_at_once() {
    let gate = gate(&policy("refuse"));
    for route in ["caller", "tenant-first", "open"] {
        let [first, second, _] = isolates();
        for isolate in [&first, &second] {
            assert_eq!(
                send(&gate, isolate, route, &key("good")).status,
                200,
                "{route}"
            );
        }
        write(&first, &key_owner(), of_key("good"));
        for isolate in [&first, &second] {
            let told = send(&gate, isolate, route, &key("good"));
            assert_eq!(told.reason, "revoked_key", "{route}");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send {
        isolate: usize,
        credential: usize,
        route: usize,
    },
    Mark(usize),
    Wait {
        ms: u64,
    },
    /// The objects are silent to one isolate from here on, or not; and so is the store.
    Outage {
        isolate: usize,
        objects: bool,
        store: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let send = (0..3_usize, 0..3_usize, 0..ROUTES.len());
    let outage = (0..3_usize, any::<bool>(), any::<bool>());
    prop_oneof![
        8 => send.prop_map(|(isolate, credential, route)| Step::Send { isolate, credential, route }),
        1 => (0..5_usize).prop_map(Step::Mark),
        3 => prop_oneof![1..700_u64, Just(STANDING_MS - 1), Just(STANDING_MS)]
            .prop_map(|ms| Step::Wait { ms }),
        1 => outage.prop_map(|(isolate, objects, store)| Step::Outage { isolate, objects, store }),
    ]
}

/// Whatever is sent where and whenever, no credential passes two seconds after its mark, and none
/// without a mark is refused as taken back. A failure prints its steps, and its seed.
#[test]
fn no_credential_outlives_its_mark() {
    let gate = gate(&policy("admit"));
    let (credentials, marks) = (credentials(), marks());
    proptest!(ProptestConfig::with_cases(100), |(steps in prop::collection::vec(step(), 1..80))| {
        let isolates = isolates();
        // The admin's own way to the objects is never out; the store is written together.
        let admin = isolates[0].beside();
        let mut stored = Marks::default();
        let mut has_store = [true; 3];
        let mut marked_at_ms: [Option<u64>; 3] = [None; 3];
        let mut now_ms = NOW_MS;
        for step in steps {
            match step {
                Step::Wait { ms } => {
                    now_ms += ms;
                    isolates.iter().for_each(|isolate| isolate.clock_ms.set(now_ms));
                    admin.clock_ms.set(now_ms);
                }
                Step::Mark(index) => {
                    let (object, mark, taken_back) = marks[index].clone();
                    stored.add(&mark, now_ms).unwrap();
                    write(&admin, &object, mark);
                    for place in taken_back {
                        marked_at_ms[*place].get_or_insert(now_ms);
                    }
                }
                Step::Outage { isolate, objects, store } => {
                    isolates[isolate].counters_down.set(objects);
                    has_store[isolate] = !store;
                }
                Step::Send { isolate: place, credential, route } => {
                    let isolate = &isolates[place];
                    *isolate.stored_marks.borrow_mut() = has_store[place].then(|| stored.clone());
                    let told = send(&gate, isolate, ROUTES[route], &credentials[credential]);
                    let is_marked = marked_at_ms[credential];
                    if told.status == 200 {
                        let late = is_marked.is_some_and(|at_ms| now_ms >= at_ms + STANDING_MS);
                        prop_assert!(!late, "passed {} ms after its mark", now_ms - is_marked.unwrap());
                    }
                    let revoked = told.reason.starts_with("revoked");
                    prop_assert!(!revoked || is_marked.is_some(), "refused without a mark");
                }
            }
        }
    });
}
