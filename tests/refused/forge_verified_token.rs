//! E0451: a verified token has private fields: only the verifier makes one.

use edgeward::credential::caller::KnownCaller;
use edgeward::credential::jwt::VerifiedToken;

pub fn attack(caller: KnownCaller) -> VerifiedToken {
    VerifiedToken { caller, expires_at_s: u64::MAX, not_before_s: 0, leeway_s: 0 }
}
