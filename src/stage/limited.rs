//! The caller's limits had room and have been charged.

use crate::limit::charge::Charged;
use crate::limit::rule::Counts;
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::shielded::judge;
use crate::trail::{Refused, StageName};

/// The caller's limits have been charged for this request.
pub struct Limited<'g> {
    identified: Identified<'g>,
}

impl<'g, B> Exchange<Identified<'g>, B> {
    /// Judges the answer to [`Exchange::charge`].
    pub fn limit(mut self, charged: &Charged) -> Result<Exchange<Limited<'g>, B>, Refused> {
        let counting = self.stage.counting(&self.trail.facts);
        let (asked, counting) = match (self.charge(), counting) {
            (Ok(asked), Ok(counting)) => (asked, counting),
            (Err(refusal), _) | (_, Err(refusal)) => return Err(self.refuse(refusal)),
        };
        self.trail.observed.extend(counting.observed);
        let probe = asked.for_refusal(Counts::RefusedObjects);
        self.trail.probe.objects.extend(probe.objects);
        let priced = self.stage.price(&self.trail.facts).fault();
        let mode = self.stage.routed().route().mode;
        let judged = judge(&mut self.trail, &asked, charged);
        match judged.and_then(|()| self.settle(mode, priced)) {
            Ok(()) => Ok(self.next(StageName::Authorized, |identified| Limited { identified })),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }
}

impl<'g> Limited<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        &self.identified
    }
}
