//! The way back: from the origin's answer to what of it leaves.
//!
//! Owns: the order, as `admit` does on the way in. An answer that no rule asks about is not read.

use crate::ports::Ports;
use crate::stage::Exchange;
use crate::stage::answered::{Answered, Sorted};
use crate::stage::open::Open;
use crate::stage::release::Release;
use crate::stage::switching::Switch;
use crate::trail::Refused;

/// What leaves: an answer, or a switch of protocols.
#[must_use]
pub enum Leaving<'p, P: Ports> {
    Answer(Release<'p, P>),
    Switch(Switch<'p, P>),
}

/// Takes one answer to its release, or keeps it back: then `open` ends here.
pub async fn release<'p, P: Ports>(
    ports: &'p P,
    answered: Exchange<Answered<'_>, P::Answer>,
    open: Open<'p, P>,
) -> Result<Leaving<'p, P>, Refused> {
    let fit = match answered.sort()? {
        Sorted::Free(fit) => fit,
        Sorted::Switch(switching) => {
            return Ok(Leaving::Switch(switching.release(open, ports.now_ms())));
        }
        Sorted::Ruled(ruled) => {
            let read = match ruled.question() {
                Some((max_bytes, reading)) => {
                    Some(ports.read_answer(ruled.answer(), max_bytes, reading).await)
                }
                None => None,
            };
            ruled.judge(read)?
        }
    };
    Ok(Leaving::Answer(fit.release(open)))
}
