//! E0599: a caller that is not known is not charged.

use edgeward::stage::Exchange;
use edgeward::limit::charge::Charged;
use edgeward::stage::presented::Presenting;

pub fn attack<B>(presenting: Exchange<Presenting<'_>, B>, charged: &Charged) {
    let _ = presenting.limit(charged);
}
