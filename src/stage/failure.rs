//! What a bad credential costs the address it came from, so that guessing is bounded.
//!
//! Owns: when that is charged, and that a guess without room is told to wait and nothing else.
//! Does not own: how much (`stage::shielded`). Called by: `admit`, with every refusal.

use crate::limit::ask::{self, Objects};
use crate::stage::shielded::judge;
use crate::trail::Refused;

/// Charges a refused credential to its address; any other refusal costs nothing here.
///
/// Guesses that were sent at once and find no room left learn nothing of their credential. A
/// counter that is silent leaves the refusal as it is.
pub async fn charge<O: Objects>(objects: &O, refused: Refused) -> Refused {
    match refused.refusal.is_of_credential() {
        true => charge_as_guess(objects, refused).await,
        false => refused,
    }
}

/// Charges a refusal to its address, whatever it is for.
pub async fn charge_as_guess<O: Objects>(objects: &O, mut refused: Refused) -> Refused {
    let charge = std::mem::take(&mut refused.trail.failure);
    if charge.objects.is_empty() {
        return refused;
    }
    let charged = ask::charge(objects, charge.clone()).await;
    if let Err(refusal) = judge(&mut refused.trail, &charge, &charged)
        && refusal.is_wait()
    {
        refused.refusal = refusal;
    }
    refused
}
