//! E0599: the rest is not charged for content that was not judged.

use edgeward::limit::charge::Charged;
use edgeward::stage::Exchange;
use edgeward::stage::inspected::Inspected;

pub fn attack<B>(inspected: Exchange<Inspected<'_>, B>, charged: &Charged) {
    let _ = inspected.pay(charged);
}
