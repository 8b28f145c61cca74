//! The circuit breaker of one origin: closed it counts, open it refuses, then a few probes decide.
//!
//! Owns: the counting and the three states, in one isolate. Does not own: the clock, what counts as
//! a failure (`state`), other isolates (`share`).

use crate::facts::UnixMs;
use crate::origin::rule::BreakerRule;

/// The window is counted in this many parts: what is older than the window leaves a part at a time.
const PARTS: usize = 10;
/// When a caller is to come back while probes are under way.
const PROBING_RETRY_MS: u64 = 1_000;

/// What became of a request, as far as the breaker cares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Good,
    Failed,
    /// It says nothing of the origin: it was never sent, or nobody saw its end.
    Unknown,
}

/// Leave to send one request; to be told of by `told`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pass {
    /// Counts what was decided before: a word about an older state says nothing of this one.
    turn: u64,
    ends_at_ms: UnixMs,
    pace: Pace,
}

/// Who decides how long a request takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    Origin,
    /// Its caller too, who is still sending its content.
    Caller,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Part {
    number: u64,
    good: u32,
    failed: u32,
}

#[derive(Debug)]
enum State {
    Closed {
        parts: [Part; PARTS],
        failed_in_a_row: u32,
    },
    Open {
        until_ms: UnixMs,
    },
    Probing {
        /// When each probe under way is given up, and at whose pace it goes.
        under_way: Vec<(Pace, UnixMs)>,
        good: u32,
    },
}

#[derive(Debug)]
pub struct Breaker {
    state: State,
    turn: u64,
    /// Until when another isolate's word holds that the origin fails.
    suspected_until_ms: UnixMs,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: closed(),
            turn: 0,
            suspected_until_ms: 0,
        }
    }
}

impl Breaker {
    /// Lets a request through, or says after how many milliseconds one may come again; at least 1.
    ///
    /// - `until_ms`: when a request that was let through is over at the latest.
    /// - `pace`: there are as many probes of either: a caller who takes its time with its content keeps
    ///   no other's request from trying.
    pub fn pass(
        &mut self,
        rule: &BreakerRule,
        now_ms: UnixMs,
        until_ms: UnixMs,
        pace: Pace,
    ) -> Result<Pass, u64> {
        if let State::Open { until_ms } = self.state {
            // A clock that ran back does not keep it open for longer than the rule says.
            let until_ms = until_ms.min(now_ms.saturating_add(rule.open_ms));
            if now_ms < until_ms {
                self.state = State::Open { until_ms };
                return Err(until_ms - now_ms);
            }
            self.become_state(State::Probing {
                under_way: Vec::new(),
                good: 0,
            });
        }
        if let State::Probing { under_way, good } = &mut self.state {
            under_way.retain(|(_, ends_at_ms)| *ends_at_ms > now_ms);
            if asked(under_way.iter(), *good, pace) >= rule.probes as usize {
                return Err(PROBING_RETRY_MS);
            }
            under_way.push((pace, until_ms));
        }
        Ok(Pass {
            turn: self.turn,
            ends_at_ms: until_ms,
            pace,
        })
    }

    /// Hears what became of a request. Returns whether this opened the breaker.
    pub fn told(
        &mut self,
        rule: &BreakerRule,
        now_ms: UnixMs,
        pass: Pass,
        verdict: Verdict,
    ) -> bool {
        if pass.turn != self.turn {
            return false;
        }
        let suspected = now_ms < self.suspected_until_ms;
        let opens = match &mut self.state {
            State::Open { .. } => false,
            State::Closed {
                parts,
                failed_in_a_row,
            } => {
                count(parts, rule, now_ms, verdict);
                match verdict {
                    Verdict::Good => *failed_in_a_row = 0,
                    Verdict::Failed => *failed_in_a_row = failed_in_a_row.saturating_add(1),
                    Verdict::Unknown => {}
                }
                verdict == Verdict::Failed
                    && (suspected
                        || *failed_in_a_row >= rule.failures_in_a_row
                        || is_over(parts, rule, now_ms))
            }
            State::Probing { under_way, good } => {
                let own = (pass.pace, pass.ends_at_ms);
                let probe = under_way.iter().position(|one| *one == own);
                if let Some(probe) = probe {
                    under_way.swap_remove(probe);
                }
                if verdict == Verdict::Good {
                    *good = good.saturating_add(1);
                    if *good >= rule.probes {
                        self.suspected_until_ms = 0;
                        self.become_state(closed());
                    }
                }
                verdict == Verdict::Failed
            }
        };
        if opens {
            let until_ms = now_ms.saturating_add(rule.open_ms);
            self.become_state(State::Open { until_ms });
        }
        opens
    }

    /// Another isolate's breaker is open for `left_ms` more: here, the next failure is enough.
    pub fn suspect(&mut self, rule: &BreakerRule, now_ms: UnixMs, left_ms: u64) {
        self.suspected_until_ms = now_ms.saturating_add(left_ms.min(rule.open_ms));
    }

    /// Whether a request at its origin's pace would be let through.
    pub fn is_taking(&self, rule: &BreakerRule, now_ms: UnixMs) -> bool {
        match &self.state {
            State::Open { until_ms } => *until_ms <= now_ms,
            State::Closed { .. } => true,
            State::Probing { under_way, good } => {
                let live = under_way
                    .iter()
                    .filter(|(_, ends_at_ms)| *ends_at_ms > now_ms);
                asked(live, *good, Pace::Origin) < rule.probes as usize
            }
        }
    }

    /// The state in a word.
    pub fn word(&self, now_ms: UnixMs) -> &'static str {
        match self.state {
            State::Open { until_ms } if now_ms < until_ms => "open",
            State::Open { .. } | State::Probing { .. } => "probing",
            State::Closed { .. } if now_ms < self.suspected_until_ms => "suspecting",
            State::Closed { .. } => "closed",
        }
    }

    /// For how much longer it refuses.
    pub fn open_for_ms(&self, now_ms: UnixMs) -> Option<u64> {
        match self.state {
            State::Open { until_ms } => until_ms.checked_sub(now_ms).filter(|left| *left > 0),
            State::Closed { .. } | State::Probing { .. } => None,
        }
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        self.turn = self.turn.wrapping_add(1);
    }
}

/// Probes at one pace that are under way, and those that were good.
fn asked<'a>(
    under_way: impl IntoIterator<Item = &'a (Pace, UnixMs)>,
    good: u32,
    pace: Pace,
) -> usize {
    let of_pace = under_way.into_iter().filter(|(one, _)| *one == pace);
    of_pace.count().saturating_add(good as usize)
}

fn closed() -> State {
    State::Closed {
        parts: [Part::default(); PARTS],
        failed_in_a_row: 0,
    }
}

fn part_ms(rule: &BreakerRule) -> u64 {
    (rule.window_ms / PARTS as u64).max(1)
}

fn count(parts: &mut [Part; PARTS], rule: &BreakerRule, now_ms: UnixMs, verdict: Verdict) {
    let number = now_ms / part_ms(rule);
    let place = usize::try_from(number % PARTS as u64).unwrap_or_default();
    let Some(part) = parts.get_mut(place) else {
        return;
    };
    if part.number != number {
        *part = Part {
            number,
            ..Part::default()
        };
    }
    match verdict {
        Verdict::Good => part.good = part.good.saturating_add(1),
        Verdict::Failed => part.failed = part.failed.saturating_add(1),
        Verdict::Unknown => {}
    }
}

fn is_over(parts: &[Part; PARTS], rule: &BreakerRule, now_ms: UnixMs) -> bool {
    let newest = now_ms / part_ms(rule);
    // Parts of a clock that ran ahead are as old as those that the window left.
    let within = |part: &&Part| part.number <= newest && newest - part.number < PARTS as u64;
    let (mut all, mut failed) = (0_u64, 0_u64);
    for part in parts.iter().filter(within) {
        all = all.saturating_add(u64::from(part.good) + u64::from(part.failed));
        failed = failed.saturating_add(u64::from(part.failed));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of one window are far below 2^52"
    )]
    let is_large = failed as f64 >= rule.failure_ratio * all as f64;
    all >= u64::from(rule.requests_min) && is_large
}

#[cfg(test)]
mod tests;
