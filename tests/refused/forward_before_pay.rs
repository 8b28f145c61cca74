//! E0599: what was not charged all that it costs is not forwarded.

use edgeward::stage::Exchange;
use edgeward::stage::validated::{Content, Validated};

pub fn attack<B>(validated: Exchange<Validated<'_>, Content<B>>) {
    let _ = validated.forward(None);
}
