//! E0599: whether a rule asks about an answer is looked at before it is released.

use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::answered::Answered;
use edgeward::stage::open::Open;

pub fn attack<P: Ports>(answered: Exchange<Answered<'_>, P::Answer>, open: Open<'_, P>) {
    let _ = answered.release(open);
}
