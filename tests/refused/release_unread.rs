//! E0599: an answer that a rule has to judge is not released unread.

use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::answered::Ruled;
use edgeward::stage::open::Open;

pub fn attack<P: Ports>(ruled: Exchange<Ruled<'_>, P::Answer>, open: Open<'_, P>) {
    let _ = ruled.release(open);
}
