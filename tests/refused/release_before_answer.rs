//! E0599: what no origin answered is not released.

use edgeward::ports::Ports;
use edgeward::stage::Exchange;
use edgeward::stage::forward::Sent;
use edgeward::stage::open::Open;

pub fn attack<P: Ports>(sent: Exchange<Sent<'_>, ()>, open: Open<'_, P>) {
    let _ = sent.release(open);
}
