//! E0382: a signed proof is spent by the answer whether it was used.

use edgeward::credential::dpop::{ProofFault, ProvenKey, SignedProof};
use edgeward::replay::ReplayAnswer;

pub fn attack(signed: SignedProof, answer: &ReplayAnswer) -> [Option<Result<ProvenKey, ProofFault>>; 2] {
    [signed.used_once(answer), signed.used_once(answer)]
}
