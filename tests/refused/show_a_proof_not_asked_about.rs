//! E0308: a signed proof is no proven key before it is known not to have been used.

use std::rc::Rc;

use edgeward::credential::dpop::SignedProof;
use edgeward::credential::verified::VerifiedToken;
use edgeward::stage::identified::Evidence;

pub fn attack(token: Rc<VerifiedToken>, signed: SignedProof) -> Evidence {
    Evidence::Token { token, key: Some(signed) }
}
