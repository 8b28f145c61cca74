//! E0451: a signature answer is made by its question alone.

use edgeward::credential::signature::{QuestionDigest, SignatureAnswer};

pub fn attack(of: QuestionDigest) -> SignatureAnswer {
    SignatureAnswer { of, valid: true }
}
