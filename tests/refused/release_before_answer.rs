//! E0599: what no origin answered is not released.

use edgeward::stage::Exchange;
use edgeward::stage::forward::Sent;

pub fn attack(sent: Exchange<Sent<'_>, ()>) {
    let _ = sent.release();
}
