//! E0308: an origin's switch is no answer that could leave without a session.

use edgeward::ports::Ports;
use edgeward::stage::open::Open;
use edgeward::stage::release::Release;
use edgeward::stage::switching::Switching;
use edgeward::stage::Exchange;

pub fn attack<'p, P: Ports>(switching: Exchange<Switching<'_>, P::Answer>, open: Open<'p, P>) -> Release<'p, P> {
    switching.release(open, 0)
}
