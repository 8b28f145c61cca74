use super::*;
use serde_json::{Value, json};

const NOW_MS: u64 = 1_800_000_000_000;

fn name(number: usize) -> SourceName {
    SourceName {
        uri: format!("https://issuer{number}.example/keys"),
        issuer: "https://issuer.example".into(),
        algorithms: vec![Algorithm::Ed25519],
    }
}

/// A set of keys by their ids.
fn keys(ids: &[&str]) -> KeySet {
    let key = |id: &&str| -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": id,
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    };
    let keys: Vec<_> = ids.iter().map(key).collect();
    KeySet::from_value(&json!({ "keys": keys }), &[Algorithm::Ed25519]).unwrap()
}

fn has(keys: &KeySet, id: &str) -> bool {
    !keys.candidates(Some(id), Algorithm::Ed25519).is_empty()
}

/// A cache that fetched the key `a` at [`NOW_MS`].
fn warm() -> KeyCache {
    let mut cache = KeyCache::default();
    let Step::Fetch(flight) = cache.decide(&name(0), Freshness::Cached, NOW_MS) else {
        panic!("an empty cache fetches");
    };
    assert!(
        cache
            .fetched(&name(0), flight, keys(&["a"]), NOW_MS)
            .is_some()
    );
    cache
}

/// The next step, told in a word; a fetch that it begins fails at once if `failing`.
fn step(cache: &mut KeyCache, freshness: Freshness, after_ms: u64, failing: bool) -> &'static str {
    let now_ms = NOW_MS + after_ms;
    match cache.decide(&name(0), freshness, now_ms) {
        Step::Serve((_, until_ms)) if until_ms > now_ms => "fresh",
        Step::Serve(_) => "stale",
        Step::Wait => "wait",
        Step::Down => "down",
        Step::Fetch(flight) if failing => match cache.failed(&name(0), flight, now_ms) {
            Some(_) => "fails, served",
            None => "fails",
        },
        Step::Fetch(_) => "fetch",
    }
}

#[test]
fn a_set_is_fetched_ahead_of_its_end_and_meanwhile_served() {
    use Freshness::Cached;
    for (after_ms, expected) in [
        (0, "fresh"),
        (FRESH_MS - AHEAD_MS - 1, "fresh"),
        (FRESH_MS - AHEAD_MS, "fetch"),
        (FRESH_MS, "fetch"),
        (STALE_MS_MAX, "fetch"),
    ] {
        assert_eq!(
            step(&mut warm(), Cached, after_ms, false),
            expected,
            "{after_ms}"
        );
    }
    let mut cache = warm();
    let ahead_ms = FRESH_MS - 1_000;
    assert_eq!(step(&mut cache, Cached, ahead_ms, false), "fetch");
    assert_eq!(step(&mut cache, Cached, ahead_ms + 1, false), "fresh");
    assert_eq!(step(&mut cache, Cached, FRESH_MS - 1, false), "fresh");
    assert_eq!(step(&mut cache, Cached, FRESH_MS, false), "wait");
}

#[test]
fn jk_08_an_unknown_key_is_sought_once_in_thirty_seconds() {
    use Freshness::{Cached, Newest};
    let mut cache = warm();
    assert_eq!(step(&mut cache, Newest, 1_000, true), "fails, served");
    for after_ms in [1_001, 2_000, 30_999] {
        assert_eq!(
            step(&mut cache, Newest, after_ms, false),
            "fresh",
            "{after_ms}"
        );
        assert_eq!(
            step(&mut cache, Cached, after_ms, false),
            "fresh",
            "{after_ms}"
        );
    }
    assert_eq!(step(&mut cache, Newest, 31_000, false), "fetch");
    // A flood, each of whose fetches goes well: still one in thirty seconds.
    let (mut cache, mut fetches) = (warm(), 0);
    for after_ms in (0..120_000).step_by(10) {
        let now_ms = NOW_MS + after_ms;
        if let Step::Fetch(flight) = cache.decide(&name(0), Newest, now_ms) {
            fetches += 1;
            cache.fetched(&name(0), flight, keys(&["a"]), now_ms);
        }
    }
    assert_eq!(fetches, 4);
}

#[test]
fn jk_09_a_set_is_served_for_a_day_while_its_issuer_is_down_and_nothing_is_remembered_by_it() {
    use Freshness::Cached;
    let mut cache = warm();
    let mut fetches = 0;
    for after_ms in (FRESH_MS..STALE_MS_MAX).step_by(1_000) {
        match step(&mut cache, Cached, after_ms, true) {
            "fails, served" => fetches += 1,
            told => assert_eq!(told, "stale", "{after_ms}"),
        }
    }
    assert_eq!(fetches, (STALE_MS_MAX - FRESH_MS) / REFETCH_MS_MIN);
    assert_eq!(
        step(&mut cache, Cached, STALE_MS_MAX + 29_999, true),
        "fails"
    );
    assert_eq!(
        step(&mut cache, Cached, STALE_MS_MAX + 30_998, true),
        "down"
    );
    assert_eq!(
        step(&mut cache, Cached, STALE_MS_MAX + 30_999, true),
        "fails"
    );
}

#[test]
fn an_issuer_that_failed_and_of_whom_nothing_is_kept_rests_for_a_second() {
    let mut cache = KeyCache::default();
    for (freshness, after_ms, expected) in [
        (Freshness::Cached, 0, "fails"),
        (Freshness::Cached, 1, "down"),
        (Freshness::Newest, 999, "down"),
        (Freshness::Cached, 1_000, "fails"),
        (Freshness::Newest, 2_000, "fails"),
    ] {
        assert_eq!(
            step(&mut cache, freshness, after_ms, true),
            expected,
            "{after_ms}"
        );
    }
}

#[test]
fn jk_11_a_fetch_that_was_given_up_holds_nobody_up() {
    use Freshness::{Cached, Newest};
    // Nothing kept: nobody waits for anybody for long, and a slow issuer is not asked by all at once.
    let mut cache = KeyCache::default();
    assert_eq!(step(&mut cache, Cached, 0, false), "fetch");
    assert_eq!(step(&mut cache, Cached, COLD_GAP_MS - 1, false), "wait");
    assert_eq!(step(&mut cache, Cached, COLD_GAP_MS, false), "fetch");
    // Past its end: the others wait as long as a fetch may take, then one of them fetches.
    let mut cache = warm();
    assert_eq!(step(&mut cache, Cached, FRESH_MS, false), "fetch");
    assert_eq!(
        step(&mut cache, Cached, FRESH_MS + FETCH_MS_MAX - 1, false),
        "wait"
    );
    assert_eq!(
        step(&mut cache, Cached, FRESH_MS + FETCH_MS_MAX, false),
        "fetch"
    );
    // An unknown key: the same, but for its thirty seconds.
    let mut cache = warm();
    assert_eq!(step(&mut cache, Newest, 0, false), "fetch");
    assert_eq!(step(&mut cache, Newest, FETCH_MS_MAX - 1, false), "wait");
    assert_eq!(step(&mut cache, Newest, FETCH_MS_MAX, false), "fresh");
    const { assert!(LOOKS_MAX * LOOK_MS >= 2 * FETCH_MS_MAX) };
}

#[test]
fn a_slow_fetch_does_not_undo_a_later_one() {
    let (mut cache, name) = (KeyCache::default(), name(0));
    let mut begin = |at_ms| match cache.decide(&name, Freshness::Cached, NOW_MS + at_ms) {
        Step::Fetch(flight) => flight,
        other => panic!("{other:?}"),
    };
    let (slow, broken) = (begin(0), begin(COLD_GAP_MS));
    let quick = begin(2 * COLD_GAP_MS);
    let now_ms = NOW_MS + 2 * COLD_GAP_MS;
    cache.fetched(&name, quick, keys(&["b"]), now_ms + 10);
    let served = cache
        .fetched(&name, slow, keys(&["a"]), now_ms + 20)
        .unwrap();
    assert!(has(&served.0, "b") && !has(&served.0, "a"));
    assert!(cache.failed(&name, broken, now_ms + 30).is_some());
    let after_ms = 2 * COLD_GAP_MS + 40;
    assert_eq!(
        step(&mut cache, Freshness::Newest, after_ms, false),
        "fetch"
    );
}

#[test]
fn jk_07_at_most_sixty_four_sets_are_kept_and_the_least_used_goes() {
    let mut cache = KeyCache::default();
    for number in 0..SETS_MAX {
        let now_ms = NOW_MS + number as u64;
        let Step::Fetch(flight) = cache.decide(&name(number), Freshness::Cached, now_ms) else {
            panic!("{number}");
        };
        cache.fetched(&name(number), flight, keys(&["a"]), now_ms);
    }
    let now_ms = NOW_MS + 1_000;
    let mut is_kept = |number| {
        let step = cache.decide(&name(number), Freshness::Cached, now_ms);
        (matches!(step, Step::Serve(_)), cache.0.len())
    };
    assert_eq!(is_kept(0), (true, SETS_MAX));
    assert_eq!(is_kept(SETS_MAX), (false, SETS_MAX));
    assert_eq!(is_kept(0), (true, SETS_MAX));
    assert_eq!(is_kept(1), (false, SETS_MAX));
}

#[test]
fn b_09_one_address_read_for_two_issuers_is_two_sets() {
    let mut cache = warm();
    let other = SourceName {
        issuer: "https://other.example".into(),
        ..name(0)
    };
    let algorithms = SourceName {
        algorithms: vec![Algorithm::Es256],
        ..name(0)
    };
    for name in [other, algorithms] {
        let step = cache.decide(&name, Freshness::Cached, NOW_MS);
        assert!(matches!(step, Step::Fetch(_)), "{name:?}");
    }
}

#[test]
fn a_clock_that_ran_backwards_makes_no_set_young() {
    let mut cache = warm();
    let before_ms = NOW_MS - FRESH_MS;
    let step = cache.decide(&name(0), Freshness::Cached, before_ms);
    assert!(matches!(step, Step::Fetch(_)), "{step:?}");
}

/// How far the clock of a [`World`] goes at a time.
const TICK_MS: u64 = 10;

/// An isolate and its issuer.
struct World {
    cache: KeyCache,
    now_ms: u64,
    published: Vec<&'static str>,
    latency_ms: u64,
    /// Fetches on their way: when they land, and what the issuer published when they began.
    flights: Vec<(u64, Flight, Vec<&'static str>)>,
    /// Requests that need a key: its id, and whether they were served without it before.
    waiting: Vec<(&'static str, Freshness)>,
    admitted: Vec<&'static str>,
    refused: Vec<&'static str>,
    /// Until when a token by the key `a` is remembered.
    remembered_until_ms: u64,
}

impl World {
    fn new(published: &[&'static str], latency_ms: u64) -> Self {
        Self {
            cache: KeyCache::default(),
            now_ms: NOW_MS,
            published: published.to_vec(),
            latency_ms,
            flights: Vec::new(),
            waiting: Vec::new(),
            admitted: Vec::new(),
            refused: Vec::new(),
            remembered_until_ms: 0,
        }
    }

    /// Lets `ms` pass; a request for each of `ids` comes in every `every_ms`.
    fn pass(&mut self, ms: u64, every_ms: u64, ids: &[&'static str]) {
        for passed_ms in (0..ms).step_by(TICK_MS as usize) {
            if passed_ms % every_ms == 0 {
                let asking = ids.iter().map(|id| (*id, Freshness::Cached));
                self.waiting.extend(asking);
            }
            for index in (0..self.flights.len()).rev() {
                if self.flights[index].0 <= self.now_ms {
                    let (_, flight, ids) = self.flights.remove(index);
                    self.cache
                        .fetched(&name(0), flight, keys(&ids), self.now_ms);
                }
            }
            for (id, freshness) in std::mem::take(&mut self.waiting) {
                self.ask(id, freshness);
            }
            self.now_ms += TICK_MS;
        }
    }

    fn ask(&mut self, id: &'static str, freshness: Freshness) {
        match self.cache.decide(&name(0), freshness, self.now_ms) {
            Step::Serve((keys, until_ms)) if has(&keys, id) => {
                self.admitted.push(id);
                if id == "a" {
                    self.remembered_until_ms = self.remembered_until_ms.max(until_ms);
                }
            }
            Step::Serve(_) if freshness == Freshness::Cached => self.ask(id, Freshness::Newest),
            Step::Serve(_) | Step::Down => self.refused.push(id),
            Step::Wait => self.waiting.push((id, freshness)),
            Step::Fetch(flight) => {
                let lands_at_ms = self.now_ms + self.latency_ms;
                let published = self.published.clone();
                self.flights.push((lands_at_ms, flight, published));
                // The one who fetches is served by what landed.
                self.waiting.push((id, freshness));
            }
        }
    }
}

#[test]
fn jk_10_a_rotation_fails_no_request_even_without_notice() {
    for latency_ms in [10, 50, 900] {
        let mut world = World::new(&["a"], latency_ms);
        world.pass(40_000, 100, &["a"]);
        // Published and used in the same instant, by several requests at once.
        world.published = vec!["a", "b"];
        world.pass(40_000, 100, &["b", "b", "a"]);
        world.published = vec!["b"];
        world.pass(400_000, 1_000, &["b"]);
        assert_eq!(world.refused, Vec::<&str>::new(), "{latency_ms}");
    }
}

#[test]
fn jk_10_a_key_that_its_issuer_removed_stops_within_the_cache_time() {
    for (latency_ms, early_ms, every_ms) in [
        (10, 1_000, 200),
        (900, 1_000, 200),
        (900, 299_000, 200),
        (2_900, 150_000, 200),
        // Removed while the set was on its way, and nobody came until its time was over.
        (2_900, 100, FRESH_MS),
    ] {
        let mut world = World::new(&["a", "b"], latency_ms);
        world.pass(early_ms, 50, &["a", "b"]);
        world.published = vec!["b"];
        let removed_at_ms = world.now_ms;
        world.pass(FRESH_MS, every_ms, &["a", "b"]);
        assert!(world.admitted.contains(&"a"));
        world.admitted.clear();
        world.pass(400_000, 1_000, &["a", "a", "b"]);
        let case = format!("{latency_ms} {early_ms}");
        assert!(!world.admitted.contains(&"a"), "{case}");
        assert!(!world.refused.contains(&"b"), "{case}");
        assert!(
            world.remembered_until_ms <= removed_at_ms + FRESH_MS,
            "{case}"
        );
    }
}
