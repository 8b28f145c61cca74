//! E0451: a switch that may leave has private fields: only an origin that was asked to switch makes one.

use edgeward::stage::switching::Switched;
use edgeward::trail::Trail;

pub fn attack(trail: Box<Trail>) -> Switched<()> {
    Switched { answer: (), protocol: None, trail }
}
