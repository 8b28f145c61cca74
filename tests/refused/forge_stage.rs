//! E0451: a stage has private fields: only its predecessor makes one.

use edgeward::stage::authorized::Authorized;
use edgeward::stage::limited::Limited;

pub fn attack(limited: Limited<'_>) -> Authorized<'_> {
    Authorized { limited }
}
