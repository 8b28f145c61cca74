//! E0423: even the first stage is made in its own file alone.

use edgeward::stage::received::Received;

pub fn attack() -> Received {
    Received(())
}
