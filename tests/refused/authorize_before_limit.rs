//! E0599: a caller that was not charged is not authorized.

use edgeward::stage::Exchange;
use edgeward::stage::identified::Identified;

pub fn attack<B>(identified: Exchange<Identified<'_>, B>) {
    let _ = identified.authorize();
}
