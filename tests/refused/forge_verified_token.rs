//! E0451: a verified token has private fields: only the verifier makes one.

use edgeward::credential::verified::VerifiedToken;

pub fn attack(token: &VerifiedToken) -> VerifiedToken {
    VerifiedToken { leeway_s: u64::MAX, ..token.clone() }
}
