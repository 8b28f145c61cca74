//! E0451: what a token is bound to is read of its claims alone.

use edgeward::credential::possession::Confirmation;

pub fn attack() -> Confirmation {
    Confirmation { certificate: None, key: None }
}
