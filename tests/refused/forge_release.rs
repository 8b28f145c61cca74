//! E0451: a `Release` has private fields: only an origin's answer makes one.

use edgeward::stage::answered::Release;
use edgeward::trail::Trail;

pub fn attack(trail: Box<Trail>) -> Release<()> {
    Release { answer: (), remove: Vec::new(), trail }
}
