//! E0616: a token gives its caller only against what the request shows.

use edgeward::credential::caller::KnownCaller;
use edgeward::credential::verified::VerifiedToken;

pub fn attack(token: &VerifiedToken) -> KnownCaller {
    token.caller.clone()
}
