//! E0382: permits are given back once.

use edgeward::ports::Ports;
use edgeward::stage::open::Open;

pub fn attack<P: Ports>(open: Open<'_, P>) {
    let _ = open.hand_over();
    let _ = open.hand_over();
}
