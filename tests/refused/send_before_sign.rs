//! E0308: what is still to be signed is not what can be sent.

use edgeward::ports::Ports;
use edgeward::stage::forward::Unsigned;

pub async fn attack<P: Ports>(ports: &P, unsigned: Unsigned<P::Body>) {
    let _ = ports.send(unsigned).await;
}
