//! E0451: an answer that may leave has private fields: only an origin's answer makes one.

use edgeward::stage::answered::Cleared;
use edgeward::trail::Trail;

pub fn attack(trail: Box<Trail>) -> Cleared<()> {
    Cleared { answer: (), remove: Vec::new(), keep: None, trail }
}
