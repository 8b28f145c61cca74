use proptest::prelude::*;

use super::*;
use crate::policy::gate::RefundCause;

fn rule() -> BreakerRule {
    BreakerRule {
        failure_ratio: 0.5,
        requests_min: 20,
        failures_in_a_row: 15,
        window_ms: 10_000,
        open_ms: 10_000,
        probes: 3,
        on: vec![RefundCause::Connect],
    }
}

const LASTS_MS: u64 = 5_000;

fn one(breaker: &mut Breaker, now_ms: UnixMs, verdict: Verdict) -> bool {
    let pass = breaker
        .pass(&rule(), now_ms, now_ms + LASTS_MS, Pace::Origin)
        .unwrap();
    breaker.told(&rule(), now_ms, pass, verdict)
}

fn opened(now_ms: UnixMs) -> Breaker {
    let mut breaker = Breaker::default();
    while !one(&mut breaker, now_ms, Verdict::Failed) {}
    breaker
}

#[test]
fn the_ratio_counts_from_the_least_volume_on_and_not_before() {
    let mut breaker = Breaker::default();
    for _ in 0..10 {
        assert!(!one(&mut breaker, 0, Verdict::Good));
    }
    for _ in 0..9 {
        assert!(
            !one(&mut breaker, 0, Verdict::Failed),
            "before there were 20"
        );
    }
    assert!(
        one(&mut breaker, 0, Verdict::Failed),
        "the twentieth: 10 of 20"
    );
}

#[test]
fn a_share_just_below_the_ratio_stays_closed() {
    let mut breaker = Breaker::default();
    for _ in 0..11 {
        one(&mut breaker, 0, Verdict::Good);
    }
    for _ in 0..10 {
        assert!(!one(&mut breaker, 0, Verdict::Failed));
    }
    assert_eq!(breaker.word(0), "closed");
    assert!(one(&mut breaker, 0, Verdict::Failed), "11 of 22");
}

#[test]
fn failures_in_a_row_open_it_however_few_requests_there_are() {
    let mut breaker = Breaker::default();
    for second in 0..14 {
        assert!(!one(&mut breaker, second * 60_000, Verdict::Failed));
    }
    assert!(one(&mut breaker, 14 * 60_000, Verdict::Failed));
    let mut breaker = Breaker::default();
    for second in 0..14 {
        one(&mut breaker, second * 60_000, Verdict::Failed);
    }
    one(&mut breaker, 15 * 60_000, Verdict::Good);
    assert!(!one(&mut breaker, 16 * 60_000, Verdict::Failed));
}

#[test]
fn what_is_older_than_the_window_counts_no_more() {
    let mut breaker = Breaker::default();
    for _ in 0..10 {
        one(&mut breaker, 0, Verdict::Good);
    }
    for _ in 0..9 {
        one(&mut breaker, 0, Verdict::Failed);
    }
    assert!(!one(&mut breaker, 10_000, Verdict::Failed));
}

#[test]
fn an_open_breaker_refuses_until_its_time_and_says_how_long() {
    let mut breaker = opened(1_000);
    assert_eq!(breaker.word(1_000), "open");
    assert_eq!(
        breaker.pass(&rule(), 1_000, 9_000, Pace::Origin),
        Err(10_000)
    );
    assert_eq!(breaker.pass(&rule(), 10_999, 19_000, Pace::Origin), Err(1));
    assert!(breaker.pass(&rule(), 11_000, 19_000, Pace::Origin).is_ok());
}

#[test]
fn a_clock_that_runs_back_keeps_it_open_no_longer_than_the_rule_says() {
    let mut breaker = opened(1_000_000);
    assert_eq!(breaker.pass(&rule(), 0, 1, Pace::Origin), Err(10_000));
    assert!(breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).is_ok());
}

#[test]
fn only_so_many_probes_are_under_way_and_all_have_to_be_good() {
    let mut breaker = opened(0);
    let passes: Vec<_> = (0..3)
        .map(|_| breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap())
        .collect();
    assert_eq!(
        breaker.pass(&rule(), 10_000, 15_000, Pace::Origin),
        Err(PROBING_RETRY_MS)
    );
    for pass in passes {
        assert_eq!(breaker.word(10_001), "probing");
        breaker.told(&rule(), 10_001, pass, Verdict::Good);
    }
    assert_eq!(breaker.word(10_001), "closed");
}

#[test]
fn one_failed_probe_opens_it_again_and_the_others_say_nothing_any_more() {
    let mut breaker = opened(0);
    let passes: Vec<_> = (0..3)
        .map(|_| breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap())
        .collect();
    assert!(breaker.told(&rule(), 10_000, passes[0], Verdict::Failed));
    for pass in &passes[1..] {
        assert!(!breaker.told(&rule(), 10_000, *pass, Verdict::Good));
    }
    assert_eq!(breaker.open_for_ms(10_000), Some(10_000));
}

#[test]
fn a_probe_that_nobody_hears_of_gives_its_turn_back_at_its_end() {
    let mut breaker = opened(0);
    for _ in 0..3 {
        breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap();
    }
    assert!(breaker.pass(&rule(), 14_999, 19_999, Pace::Origin).is_err());
    assert!(breaker.pass(&rule(), 15_000, 20_000, Pace::Origin).is_ok());
}

#[test]
fn what_was_sent_before_it_opened_says_nothing_of_the_probes() {
    let mut breaker = Breaker::default();
    let early = breaker.pass(&rule(), 0, 60_000, Pace::Origin).unwrap();
    while !one(&mut breaker, 0, Verdict::Failed) {}
    breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap();
    assert!(!breaker.told(&rule(), 10_001, early, Verdict::Failed));
    assert_eq!(breaker.word(10_001), "probing");
}

#[test]
fn anothers_word_opens_nothing_and_makes_one_failure_enough() {
    let mut breaker = Breaker::default();
    breaker.suspect(&rule(), 0, 8_000);
    assert_eq!(breaker.word(0), "suspecting");
    assert!(!one(&mut breaker, 0, Verdict::Good));
    assert!(one(&mut breaker, 7_999, Verdict::Failed));
    let mut breaker = Breaker::default();
    breaker.suspect(&rule(), 0, 8_000);
    assert!(!one(&mut breaker, 8_000, Verdict::Failed));
}

#[test]
fn anothers_word_holds_no_longer_than_a_breaker_is_open() {
    let mut breaker = Breaker::default();
    breaker.suspect(&rule(), 0, u64::MAX);
    assert!(!one(&mut breaker, 10_000, Verdict::Failed));
}

proptest! {
    #[test]
    fn it_always_lets_something_through_again(
        steps in prop::collection::vec((0_u64..5_000, 0_u8..3, any::<bool>()), 1..300),
    ) {
        let mut breaker = Breaker::default();
        let mut now_ms = 1_000;
        for (later_ms, verdict, is_told) in steps {
            now_ms += later_ms;
            let Ok(pass) = breaker.pass(&rule(), now_ms, now_ms + LASTS_MS, Pace::Origin) else {
                continue;
            };
            if is_told {
                let verdict = [Verdict::Good, Verdict::Failed, Verdict::Unknown][verdict as usize];
                breaker.told(&rule(), now_ms, pass, verdict);
            }
        }
        let later_ms = now_ms + rule().open_ms.max(LASTS_MS);
        prop_assert!(breaker.pass(&rule(), later_ms, later_ms + 1, Pace::Origin).is_ok());
    }

    #[test]
    fn without_failures_it_never_refuses(steps in prop::collection::vec(0_u64..50, 1..300)) {
        let mut breaker = Breaker::default();
        let mut now_ms = 0;
        for later_ms in steps {
            now_ms += later_ms;
            prop_assert!(!one(&mut breaker, now_ms, Verdict::Good));
        }
    }
}

#[test]
fn a_probe_of_which_nothing_is_learned_gives_its_turn_back_at_once() {
    let mut breaker = opened(0);
    for _ in 0..10 {
        let pass = breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap();
        assert!(!breaker.told(&rule(), 10_000, pass, Verdict::Unknown));
    }
    assert_eq!(breaker.word(10_000), "probing", "nothing was good");
}

#[test]
fn callers_who_take_their_time_keep_no_other_from_trying() {
    let mut breaker = opened(0);
    let until_ms = 10_000 + LASTS_MS;
    let mut pass = |pace| breaker.pass(&rule(), 10_000, until_ms, pace);
    for _ in 0..3 {
        pass(Pace::Caller).unwrap();
    }
    assert_eq!(pass(Pace::Caller), Err(PROBING_RETRY_MS));
    let probes: Vec<_> = (0..3).map(|_| pass(Pace::Origin).unwrap()).collect();
    assert_eq!(pass(Pace::Origin), Err(PROBING_RETRY_MS));
    for probe in probes {
        breaker.told(&rule(), 10_000, probe, Verdict::Good);
    }
    assert_eq!(breaker.word(10_000), "closed");
}

#[test]
fn what_it_would_let_through_is_told_without_letting_it() {
    let mut breaker = opened(0);
    assert!(!breaker.is_taking(&rule(), 9_999));
    assert!(breaker.is_taking(&rule(), 10_000));
    for _ in 0..3 {
        assert!(breaker.is_taking(&rule(), 10_000));
        breaker.pass(&rule(), 10_000, 15_000, Pace::Origin).unwrap();
    }
    assert!(!breaker.is_taking(&rule(), 14_999));
    assert!(breaker.is_taking(&rule(), 15_000));
}
