//! The session after a switch: no message passes that was not weighed, charged, and sent with a
//! credential that is still good.
//!
//! Owns: what each message asks, and what the answer means. Does not own: the bounds' arithmetic
//! (`socket::tally`), the order (`relay`).

use crate::facts::{Facts, UnixMs};
use crate::limit::charge::{Charge, Charged, ObjectCharge};
use crate::limit::standing::StandingQuestion;
use crate::refusal::Refusal;
use crate::socket::Side;
use crate::socket::close::Ending;
use crate::socket::rule::SocketRule;
use crate::socket::tally::{Due, Sent, Tally};
use crate::stage::identified::Identified;
use crate::stage::shielded::judge_alone;

/// A session under way.
pub struct Session {
    tally: Tally,
    /// What each message of the caller is charged.
    message: Vec<ObjectCharge>,
    /// Whether the credential was taken back, asked for messages of both sides.
    standing: Option<StandingQuestion>,
}

/// A message that is within every bound, and what is to be asked before it passes.
#[must_use]
pub struct Weighed {
    from: Side,
    charge: Charge,
}

/// A message that may be passed on: the only one that can be.
#[must_use]
pub struct Pass<M> {
    to: Side,
    message: M,
}

impl Session {
    /// - `now_ms`: when it begins.
    pub(super) fn new(
        identified: &Identified<'_>,
        rule: &SocketRule,
        facts: &Facts,
        now_ms: UnixMs,
    ) -> Self {
        let caller = identified.caller().known();
        let good_until_ms = caller.and_then(|caller| caller.good_until_ms);
        let standing = identified.standing();
        Self {
            tally: Tally::new(rule.bounds, now_ms, good_until_ms, standing.is_some()),
            message: identified.message_charge(&rule.messages, facts),
            standing,
        }
    }

    /// Weighs a message; the question to be asked for it comes with it.
    pub fn weigh(&mut self, from: Side, bytes: u64, now_ms: UnixMs) -> Result<Weighed, Ending> {
        self.tally.take(from, bytes, now_ms)?;
        let objects = match from {
            Side::Caller => self.message.clone(),
            // Nobody asked for these one by one.
            Side::Origin => Vec::new(),
        };
        let standing = self.standing.clone();
        let charge = Charge { objects, standing };
        Ok(Weighed { from, charge })
    }

    /// Judges the answer to [`Weighed::charge`].
    pub fn pass<M>(
        &mut self,
        weighed: Weighed,
        message: M,
        charged: &Charged,
        now_ms: UnixMs,
    ) -> Result<Pass<M>, Ending> {
        judge_alone(&weighed.charge, charged).map_err(|refusal| ending_of(&refusal))?;
        self.tally.asked(now_ms);
        // Asking takes time.
        match self.tally.due(now_ms) {
            Due::End(ending) => Err(ending),
            Due::Nothing | Due::Ask => Ok(Pass {
                to: weighed.from.other(),
                message,
            }),
        }
    }

    /// The question whether the credential was taken back, for when nothing is said.
    pub fn standing_charge(&self) -> Charge {
        Charge {
            objects: Vec::new(),
            standing: self.standing.clone(),
        }
    }

    /// Judges the answer to [`Session::standing_charge`].
    pub fn stand(&mut self, charged: &Charged, now_ms: UnixMs) -> Result<(), Ending> {
        let judged = judge_alone(&self.standing_charge(), charged);
        judged.map_err(|refusal| ending_of(&refusal))?;
        self.tally.asked(now_ms);
        Ok(())
    }

    /// Most bytes of one message.
    pub fn message_bytes_max(&self) -> u64 {
        self.tally.message_bytes_max()
    }

    pub fn due(&self, now_ms: UnixMs) -> Due {
        self.tally.due(now_ms)
    }

    /// How long until something is due, in milliseconds.
    pub fn patience_ms(&self, now_ms: UnixMs) -> u64 {
        self.tally.patience_ms(now_ms)
    }

    /// What a side has sent.
    pub fn sent(&self, by: Side) -> Sent {
        self.tally.sent(by)
    }

    pub fn lasted_ms(&self, now_ms: UnixMs) -> u64 {
        self.tally.lasted_ms(now_ms)
    }
}

impl Weighed {
    pub fn charge(&self) -> &Charge {
        &self.charge
    }
}

impl<M> Pass<M> {
    /// To whom it goes, and what.
    pub fn part(self) -> (Side, M) {
        (self.to, self.message)
    }
}

/// What ends a session for the reason that would refuse a request.
fn ending_of(refusal: &Refusal) -> Ending {
    match refusal {
        Refusal::Revoked { .. } => Ending::Revoked,
        Refusal::OverLimit { .. } | Refusal::OverEveryLimit { .. } => Ending::OverLimit,
        Refusal::CounterDown { .. } => Ending::CounterDown,
        // Whatever else keeps a request back: that the credential stands is not known.
        _ => Ending::RevocationDown,
    }
}
