//! E0308: only a `Forward` can be sent.

use edgeward::stage::Exchange;
use edgeward::ports::Ports;
use edgeward::stage::authorized::Authorized;

pub async fn attack<P: Ports>(ports: &P, authorized: Exchange<Authorized<'_>, P::Body>) {
    let _ = ports.send(authorized).await;
}
