//! E0061: no proof is judged without an answer about its signature.

use edgeward::credential::dpop::{Occasion, Proof, ProofFault, SignedProof};

pub fn attack(proof: &Proof, occasion: &Occasion<'_>) -> Result<SignedProof, ProofFault> {
    proof.check(occasion)
}
