//! E0451: `Claimed` has a private field: only an object's word makes one.

use edgeward::stage::claimed::{Claimed, Claiming};

pub fn attack(claiming: Claiming<'_>) -> Claimed<'_> {
    Claimed { claiming }
}
