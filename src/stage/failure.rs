//! What a refusal costs afterwards, so that guessing credentials and trying objects are bounded.
//!
//! Owns: when that is charged, and that one without room is told to wait and nothing else. Does not
//! own: how much (`stage::{shielded, limited}`). Called by: `admit`, with every refusal and every
//! answer of an origin.

use crate::limit::ask::{self, Objects};
use crate::limit::charge::Charge;
use crate::ports::OriginAnswer;
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::answered::Answered;
use crate::stage::shielded::judge;
use crate::trail::{Refused, Trail};

/// What an origin answers about an object that is not there, or not the caller's.
pub const OBJECT_STATUSES: [u16; 3] = [403, 404, 410];

/// Charges a refused credential to its address, and a refused object to its caller; any other
/// refusal costs nothing here.
///
/// Those that were sent at once and find no room left learn nothing of what they asked for. A
/// counter that is silent leaves the refusal as it is.
pub async fn charge<O: Objects>(objects: &O, refused: Refused) -> Refused {
    match &refused.refusal {
        refusal if refusal.is_of_credential() => charge_as_guess(objects, refused).await,
        refusal if refusal.is_of_object() => charge_as_probe(objects, refused).await,
        _ => refused,
    }
}

/// Charges a refusal to its address, whatever it is for.
pub async fn charge_as_guess<O: Objects>(objects: &O, mut refused: Refused) -> Refused {
    let charge = std::mem::take(&mut refused.trail.failure);
    afterwards(objects, charge, refused).await
}

async fn charge_as_probe<O: Objects>(objects: &O, mut refused: Refused) -> Refused {
    let charge = std::mem::take(&mut refused.trail.probe);
    afterwards(objects, charge, refused).await
}

/// Charges an answer of [`OBJECT_STATUSES`] as a refused object; without room it is kept back, unless
/// it stands for its idempotency key from now on: then it is what repeats are told as well.
pub async fn charge_answer<'g, O: Objects, A: OriginAnswer>(
    objects: &O,
    mut answered: Exchange<Answered<'g>, A>,
) -> Result<Exchange<Answered<'g>, A>, Refused> {
    if !OBJECT_STATUSES.contains(&answered.body.status()) {
        return Ok(answered);
    }
    let charge = std::mem::take(&mut answered.trail.probe);
    match wait(objects, charge, &mut answered.trail).await {
        Some(refusal) if !answered.stage.is_kept() => Err(answered.refuse(refusal)),
        _ => Ok(answered),
    }
}

async fn afterwards<O: Objects>(objects: &O, charge: Charge, mut refused: Refused) -> Refused {
    if let Some(refusal) = wait(objects, charge, &mut refused.trail).await {
        refused.refusal = refusal;
    }
    refused
}

/// Charges; the refusal to wait, if there was no room.
async fn wait<O: Objects>(objects: &O, charge: Charge, trail: &mut Trail) -> Option<Refusal> {
    if charge.objects.is_empty() {
        return None;
    }
    let charged = ask::charge(objects, charge.clone()).await;
    let refusal = judge(trail, &charge, &charged).err();
    refusal.filter(Refusal::is_wait)
}
