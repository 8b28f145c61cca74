use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Memory(RefCell<HashMap<String, Held>>);

impl Claims for Memory {
    type Fault = ();
    fn find(&self, name: &str) -> Result<Option<Held>, ()> {
        Ok(self.0.borrow().get(name).cloned())
    }
    fn put(&self, name: &str, held: &Held) -> Result<(), ()> {
        self.0.borrow_mut().insert(name.to_owned(), held.clone());
        Ok(())
    }
    fn remove(&self, name: &str) -> Result<(), ()> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }
    fn count(&self, _now_ms: UnixMs) -> Result<(u64, u64), ()> {
        let held = self.0.borrow();
        let bytes = held
            .values()
            .filter_map(|one| one.answer.as_ref()?.content.as_ref());
        Ok((held.len() as u64, bytes.map(|one| one.len() as u64).sum()))
    }
}

fn claim_of(attempt: &str, fingerprint: &str) -> Act {
    Act::Claim(Claim {
        name: "key".into(),
        fingerprint: fingerprint.into(),
        attempt: attempt.into(),
        pending_ms: 1_000,
        keep_ms: 10_000,
    })
}

fn ask(memory: &Memory, now_ms: UnixMs, attempt: &str) -> Word {
    answer(memory, now_ms, &claim_of(attempt, "same")).unwrap()
}

fn kept() -> KeptAnswer {
    KeptAnswer {
        status: 201,
        fields: vec![("location".into(), "/payments/1".into())],
        content: Some("e30=".into()),
    }
}

fn keep(memory: &Memory, attempt: &str) {
    let (name, attempt) = ("key".to_owned(), attempt.to_owned());
    let act = Act::Keep {
        name,
        attempt,
        answer: kept(),
    };
    assert_eq!(answer(memory, 0, &act), Ok(Word::Noted));
}

#[test]
fn ik_03_to_05_the_first_is_granted_and_the_others_get_its_answer() {
    let memory = Memory::default();
    assert_eq!(ask(&memory, 0, "a"), Word::Granted);
    assert_eq!(ask(&memory, 400, "b"), Word::InFlight { for_ms: 600 });
    let other = answer(&memory, 400, &claim_of("b", "other"));
    assert_eq!(other, Ok(Word::Reused));
    keep(&memory, "a");
    assert_eq!(ask(&memory, 500, "b"), Word::Kept(kept()));
    assert_eq!(
        answer(&memory, 500, &claim_of("b", "other")),
        Ok(Word::Reused)
    );
    assert_eq!(ask(&memory, 9_999, "c"), Word::Kept(kept()));
    assert_eq!(ask(&memory, 10_000, "c"), Word::Granted, "its time is over");
}

#[test]
fn ik_10_what_nobody_told_of_is_lost_and_never_carried_out_again() {
    let memory = Memory::default();
    assert_eq!(ask(&memory, 0, "a"), Word::Granted);
    assert_eq!(ask(&memory, 999, "b"), Word::InFlight { for_ms: 1 });
    assert_eq!(ask(&memory, 1_000, "b"), Word::Lost);
    assert_eq!(ask(&memory, 1_000, "a"), Word::Lost, "not even by itself");
    keep(&memory, "a");
    assert_eq!(ask(&memory, 1_001, "b"), Word::Kept(kept()), "told late");
}

#[test]
fn only_its_own_attempt_says_what_became_of_a_request_and_once() {
    let told = |attempt: &str, free: bool| {
        let (name, attempt) = ("key".to_owned(), attempt.to_owned());
        match free {
            true => Act::Free { name, attempt },
            false => Act::Lose { name, attempt },
        }
    };
    let memory = Memory::default();
    ask(&memory, 0, "a");
    for free in [true, false] {
        answer(&memory, 0, &told("b", free)).unwrap();
    }
    assert_eq!(ask(&memory, 0, "b"), Word::InFlight { for_ms: 1_000 });
    answer(&memory, 0, &told("a", false)).unwrap();
    assert_eq!(ask(&memory, 0, "b"), Word::Lost);
    keep(&memory, "a");
    answer(&memory, 0, &told("a", true)).unwrap();
    assert_eq!(
        ask(&memory, 0, "b"),
        Word::Kept(kept()),
        "an answer is not taken back"
    );
}

#[test]
fn a_request_that_may_be_on_its_way_is_not_forgotten() {
    let memory = Memory::default();
    let short = |attempt: &str| match claim_of(attempt, "same") {
        Act::Claim(claim) => Act::Claim(Claim {
            keep_ms: 10,
            ..claim
        }),
        other => other,
    };
    assert_eq!(answer(&memory, 0, &short("a")), Ok(Word::Granted));
    let again = answer(&memory, 999, &short("b"));
    assert_eq!(again, Ok(Word::InFlight { for_ms: 1 }));
    assert_eq!(answer(&memory, 1_000, &short("b")), Ok(Word::Granted));
}

#[test]
fn a_request_that_was_not_carried_out_may_be() {
    let memory = Memory::default();
    ask(&memory, 0, "a");
    let (name, attempt) = ("key".to_owned(), "a".to_owned());
    answer(&memory, 0, &Act::Free { name, attempt }).unwrap();
    assert_eq!(ask(&memory, 0, "b"), Word::Granted);
}

#[test]
fn a_key_too_many_is_refused_and_what_has_no_room_is_kept_without_its_content() {
    struct Full(Memory, (u64, u64));
    impl Claims for Full {
        type Fault = ();
        fn find(&self, name: &str) -> Result<Option<Held>, ()> {
            self.0.find(name)
        }
        fn put(&self, name: &str, held: &Held) -> Result<(), ()> {
            self.0.put(name, held)
        }
        fn remove(&self, name: &str) -> Result<(), ()> {
            self.0.remove(name)
        }
        fn count(&self, _now_ms: UnixMs) -> Result<(u64, u64), ()> {
            Ok(self.1)
        }
    }
    let claim = claim_of("a", "same");
    let full = Full(Memory::default(), (KEYS_MAX, 0));
    assert_eq!(answer(&full, 0, &claim), Ok(Word::Full));
    let full = Full(Memory::default(), (KEYS_MAX - 1, KEPT_BYTES_MAX - 3));
    assert_eq!(answer(&full, 0, &claim), Ok(Word::Granted));
    keep(&full.0, "nobody");
    let (name, attempt) = ("key".to_owned(), "a".to_owned());
    let act = Act::Keep {
        name,
        attempt,
        answer: kept(),
    };
    answer(&full, 0, &act).unwrap();
    let Word::Kept(found) = answer(&full, 0, &claim_of("b", "same")).unwrap() else {
        panic!("not kept")
    };
    assert_eq!((found.status, found.content), (201, None));
}

proptest! {
    /// Attempts, what they say and how time goes in any order: at most one is granted, unless one said
    /// that it did nothing.
    #[test]
    fn no_order_of_events_has_a_request_carried_out_twice(
        events in prop::collection::vec((0_u8..4, 0_u8..3, 0_u64..3_000), 1..60)
    ) {
        let memory = Memory::default();
        let (mut now_ms, mut granted) = (0, std::collections::HashSet::new());
        for (what, who, ms) in events {
            now_ms += ms;
            if now_ms >= 10_000 {
                break;
            }
            let attempt = format!("attempt {who}");
            let (name, own) = ("key".to_owned(), attempt.clone());
            let act = match what {
                0 => claim_of(&attempt, "same"),
                1 => Act::Keep { name, attempt: own, answer: kept() },
                2 => Act::Lose { name, attempt: own },
                // Only what was granted and not told of may be given up.
                _ if memory.find("key").unwrap().is_some_and(|held| held.attempt == attempt && held.answer.is_none()) => {
                    granted.remove(&attempt);
                    Act::Free { name, attempt: own }
                }
                _ => continue,
            };
            if answer(&memory, now_ms, &act) == Ok(Word::Granted) {
                granted.insert(attempt);
            }
            prop_assert!(granted.len() <= 1);
        }
    }
}
