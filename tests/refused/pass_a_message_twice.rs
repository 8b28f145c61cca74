//! E0382: one weighing passes one message.

use edgeward::limit::charge::Charged;
use edgeward::stage::session::{Pass, Session, Weighed};

pub fn attack(session: &mut Session, weighed: Weighed, charged: &Charged) -> [Option<Pass<&'static str>>; 2] {
    [session.pass(weighed, "one", charged, 0).ok(), session.pass(weighed, "two", charged, 0).ok()]
}
