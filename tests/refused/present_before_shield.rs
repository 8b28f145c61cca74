//! E0599: no credential is looked at before the address was charged.

use edgeward::stage::Exchange;
use edgeward::stage::routed::Routed;

pub fn attack<B>(routed: Exchange<Routed<'_>, B>) {
    let _ = routed.present();
}
