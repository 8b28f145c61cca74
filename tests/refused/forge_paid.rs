//! E0451: `Paid` has private fields: only a charge makes one.

use edgeward::stage::paid::Paid;
use edgeward::stage::validated::Validated;

pub fn attack(validated: Validated<'_>) -> Paid<'_> {
    Paid {
        validated,
        target: todo!(),
    }
}
