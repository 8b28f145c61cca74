//! E0599: a kept answer does not leave before its route's rules are asked.

use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::claimed::Claiming;
use edgeward::stage::open::Open;
use edgeward::stage::stored::Serving;
use edgeward::stage::validated::Content;

pub fn attack<'p, P: Ports>(ports: &'p P, claiming: Exchange<Claiming<'_>, Content<P::Body>>, open: Open<'p, P>) {
    let served = claiming.serve(None, 0, |stored| ports.revive(stored));
    let Ok(Serving::Stored(answered)) = served else { return };
    let _ = answered.release(open);
}
