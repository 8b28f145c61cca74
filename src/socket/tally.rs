//! What a session has taken of its bounds, and when they are next to be looked at.
//!
//! Owns: the arithmetic. Does not own: the clock, what a message is charged (`stage::session`).

use crate::facts::UnixMs;
use crate::socket::Side;
use crate::socket::close::Ending;
use crate::socket::rule::SocketBounds;

/// How long after it was last asked a silent session is asked about again: whether its credential was
/// taken back. A message asks by itself (`limit::standing`).
pub const ASK_EVERY_MS: u64 = 10_000;

/// What one side has sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sent {
    pub messages: u64,
    pub bytes: u64,
}

/// One session, under way.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    bounds: SocketBounds,
    opened_at_ms: UnixMs,
    /// `None`: nobody can take the credential back.
    asked_at_ms: Option<UnixMs>,
    said_at_ms: UnixMs,
    /// When the credential stops being good; `None`: it does not.
    good_until_ms: Option<UnixMs>,
    caller: Sent,
    origin: Sent,
}

/// What is due at an instant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Due {
    Nothing,
    /// Whether the credential was taken back.
    Ask,
    End(Ending),
}

impl Tally {
    /// - `is_asked`: whether somebody could take the credential back.
    pub fn new(
        bounds: SocketBounds,
        opened_at_ms: UnixMs,
        good_until_ms: Option<UnixMs>,
        is_asked: bool,
    ) -> Self {
        Self {
            bounds,
            opened_at_ms,
            asked_at_ms: is_asked.then_some(opened_at_ms),
            said_at_ms: opened_at_ms,
            good_until_ms,
            caller: Sent::default(),
            origin: Sent::default(),
        }
    }

    /// Takes a message, if it is within every bound.
    pub fn take(&mut self, from: Side, bytes: u64, now_ms: UnixMs) -> Result<(), Ending> {
        if let Due::End(ending) = self.due(now_ms) {
            return Err(ending);
        }
        if bytes > self.bounds.message_bytes_max {
            return Err(Ending::MessageTooLarge { from });
        }
        let session_bytes_max = self.bounds.session_bytes_max;
        let sent = self.sent_mut(from);
        let total = sent.bytes.saturating_add(bytes);
        if total > session_bytes_max {
            return Err(Ending::SessionTooLarge { from });
        }
        sent.bytes = total;
        sent.messages = sent.messages.saturating_add(1);
        self.said_at_ms = now_ms;
        Ok(())
    }

    /// Notes that the credential was found good.
    pub fn asked(&mut self, now_ms: UnixMs) {
        self.asked_at_ms = self.asked_at_ms.map(|_| now_ms);
    }

    /// What is due. What ends a session goes before what is asked, and the credential before all.
    pub fn due(&self, now_ms: UnixMs) -> Due {
        let ends = [
            (self.good_until_ms, Ending::Expired),
            (Some(self.lasts_until_ms()), Ending::Lasted),
            (Some(self.idle_at_ms()), Ending::Idle),
        ];
        let ended = ends.into_iter().find(|(at_ms, _)| reached(*at_ms, now_ms));
        match ended {
            Some((_, ending)) => Due::End(ending),
            None if reached(self.ask_at_ms(), now_ms) => Due::Ask,
            None => Due::Nothing,
        }
    }

    /// How long until something is due, at least a millisecond.
    pub fn patience_ms(&self, now_ms: UnixMs) -> u64 {
        let next = [self.good_until_ms, self.ask_at_ms()].into_iter().flatten();
        let next = next.chain([self.lasts_until_ms(), self.idle_at_ms()]).min();
        next.map_or(1, |at_ms| at_ms.saturating_sub(now_ms)).max(1)
    }

    pub fn message_bytes_max(&self) -> u64 {
        self.bounds.message_bytes_max
    }

    pub fn sent(&self, by: Side) -> Sent {
        match by {
            Side::Caller => self.caller,
            Side::Origin => self.origin,
        }
    }

    pub fn lasted_ms(&self, now_ms: UnixMs) -> u64 {
        now_ms.saturating_sub(self.opened_at_ms)
    }

    fn sent_mut(&mut self, by: Side) -> &mut Sent {
        match by {
            Side::Caller => &mut self.caller,
            Side::Origin => &mut self.origin,
        }
    }

    fn lasts_until_ms(&self) -> UnixMs {
        self.opened_at_ms.saturating_add(self.bounds.session_ms)
    }

    fn idle_at_ms(&self) -> UnixMs {
        self.said_at_ms.saturating_add(self.bounds.idle_ms)
    }

    fn ask_at_ms(&self) -> Option<UnixMs> {
        self.asked_at_ms
            .map(|asked_at_ms| asked_at_ms.saturating_add(ASK_EVERY_MS))
    }
}

fn reached(at_ms: Option<UnixMs>, now_ms: UnixMs) -> bool {
    at_ms.is_some_and(|at_ms| now_ms >= at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: SocketBounds = SocketBounds {
        message_bytes_max: 10,
        session_bytes_max: 25,
        session_ms: 100_000,
        idle_ms: 30_000,
    };
    const AT: UnixMs = 1_800_000_000_000;

    fn tally(good_until_ms: Option<UnixMs>, is_asked: bool) -> Tally {
        Tally::new(BOUNDS, AT, good_until_ms, is_asked)
    }

    #[test]
    fn each_bound_holds_just_within_and_just_beyond() {
        for from in Side::BOTH {
            let mut session = tally(None, false);
            assert_eq!(session.take(from, 10, AT), Ok(()));
            let too_large = Err(Ending::MessageTooLarge { from });
            assert_eq!(session.take(from, 11, AT), too_large);
            assert_eq!(session.take(from, 10, AT), Ok(()));
            assert_eq!(session.take(from, 5, AT), Ok(()));
            let too_much = Err(Ending::SessionTooLarge { from });
            assert_eq!(session.take(from, 1, AT), too_much);
            // An empty message is one all the same.
            assert_eq!(session.take(from, 0, AT), Ok(()));
            let sent = Sent {
                messages: 4,
                bytes: 25,
            };
            assert_eq!(session.sent(from), sent);
            assert_eq!(session.sent(from.other()), Sent::default());
            assert_eq!(session.take(from.other(), 10, AT), Ok(()));
        }
    }

    #[test]
    fn every_instant_ends_a_session_when_it_is_reached_and_not_before() {
        let end = |ending| Due::End(ending);
        let cases = [
            (
                tally(Some(AT + 20_000), false),
                20_000,
                end(Ending::Expired),
            ),
            (tally(None, false), 30_000, end(Ending::Idle)),
            (tally(None, true), ASK_EVERY_MS, Due::Ask),
            // The credential goes first: whoever waits is told the truth in the log.
            (
                tally(Some(AT + 30_000), false),
                30_000,
                end(Ending::Expired),
            ),
        ];
        for (session, after_ms, due) in cases {
            assert_eq!(session.due(AT + after_ms - 1), Due::Nothing);
            assert_eq!(session.patience_ms(AT + after_ms - 1), 1);
            assert_eq!(session.due(AT + after_ms), due);
            assert_eq!(session.patience_ms(AT), after_ms);
        }
    }

    #[test]
    fn what_is_said_keeps_a_session_and_not_for_ever() {
        let mut session = tally(None, false);
        let mut now_ms = AT;
        while now_ms < AT + 80_000 {
            now_ms += 29_999;
            assert_eq!(session.take(Side::Origin, 0, now_ms), Ok(()));
            assert_eq!(session.due(now_ms), Due::Nothing);
        }
        assert_eq!(session.due(AT + 99_999), Due::Nothing);
        assert_eq!(session.due(AT + 100_000), Due::End(Ending::Lasted));
        let over = session.take(Side::Caller, 0, AT + 100_000);
        assert_eq!(over, Err(Ending::Lasted));
    }

    #[test]
    fn a_session_is_asked_about_again_some_time_after_it_was_asked_about() {
        let mut session = tally(None, true);
        session.asked(AT + 5_000);
        assert_eq!(session.due(AT + 5_000 + ASK_EVERY_MS - 1), Due::Nothing);
        assert_eq!(session.due(AT + 5_000 + ASK_EVERY_MS), Due::Ask);
        // Where nobody can take the credential back, nobody is asked.
        let mut session = tally(None, false);
        session.asked(AT);
        assert_eq!(session.due(AT + ASK_EVERY_MS), Due::Nothing);
    }

    #[test]
    fn a_clock_that_runs_backwards_ends_nothing() {
        let session = tally(Some(AT + 1), true);
        assert_eq!(session.due(AT - 1_000_000), Due::Nothing);
        assert_eq!(session.lasted_ms(AT - 1), 0);
    }
}
