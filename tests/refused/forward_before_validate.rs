//! E0599: content that was not judged is not forwarded.

use edgeward::stage::Exchange;
use edgeward::stage::authorized::Authorized;

pub fn attack<B>(authorized: Exchange<Authorized<'_>, B>) {
    let _ = authorized.forward(None);
}
