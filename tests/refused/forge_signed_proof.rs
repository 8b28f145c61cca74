//! E0451: a proof counts as signed only by the answer to its own signature's question.

use edgeward::credential::dpop::SignedProof;
use edgeward::replay::ReplayQuestion;

pub fn attack(thumbprint: String, question: ReplayQuestion) -> SignedProof {
    SignedProof { thumbprint, question }
}
