//! E0382: a proof is spent by the step it allows.

use edgeward::stage::Exchange;
use edgeward::stage::inspected::Inspected;

pub fn attack<B>(inspected: Exchange<Inspected<'_>, B>) {
    let _first = inspected.validate_unread();
    let _second = inspected.validate_unread();
}
