//! E0308: a token that only reads as one is no evidence.

use std::rc::Rc;

use edgeward::credential::jwt::UnverifiedToken;
use edgeward::stage::identified::Evidence;

pub fn attack(token: UnverifiedToken) -> Evidence {
    Evidence::Token { token: Rc::new(token), key: None }
}
