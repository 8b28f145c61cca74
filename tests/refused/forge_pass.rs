//! E0451: a message that may be passed on has private fields: only a session makes one, of what it weighed.

use edgeward::socket::Side;
use edgeward::stage::session::Pass;

pub fn attack() -> Pass<String> {
    Pass { to: Side::Origin, message: "unmetered".into() }
}
