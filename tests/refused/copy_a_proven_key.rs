//! E0277: a key that was proven for one request is not kept for another.

use edgeward::credential::dpop::ProvenKey;

pub fn attack(key: &ProvenKey) -> ProvenKey {
    ProvenKey::clone(key)
}
