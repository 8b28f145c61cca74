//! E0451: an answer that may leave has private fields: only an origin's answer makes one.

use edgeward::stage::release::{Cleared, Left};
use edgeward::trail::Trail;

pub fn attack(trail: Box<Trail>) -> Cleared<()> {
    Cleared { answer: (), left: Left::AsItCame, remove: Vec::new(), set: Vec::new(), keep: None, trail }
}
