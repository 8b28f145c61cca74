//! E0599: one request is sent once: an exchange has no copy.

use edgeward::stage::Exchange;
use edgeward::stage::validated::Validated;

pub fn attack(validated: Exchange<Validated<'_>, ()>) {
    let _ = validated.clone();
}
