//! E0451: a key counts as proven only by a proof that was checked and not used before.

use edgeward::credential::dpop::ProvenKey;

pub fn attack(thumbprint: String) -> ProvenKey {
    ProvenKey { thumbprint }
}
