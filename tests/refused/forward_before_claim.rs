//! E0599: what may have been carried out before is not forwarded.

use edgeward::stage::Exchange;
use edgeward::stage::paid::Paid;
use edgeward::stage::validated::Content;

pub fn attack<B>(paid: Exchange<Paid<'_>, Content<B>>) {
    let _ = paid.forward(None);
}
