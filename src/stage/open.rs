//! A request that is open, and the permits that it holds until it is over, however it ends.
//!
//! Owns: that every permit is given back once: when the request is refused, when its answer has
//! left, when its future is dropped, when a panic unwinds. What even that does not reach, an isolate
//! that is gone, ends with the permit's lifetime (`limit::meter`).
//! Called by: `admit`, which charges through it; the edge, which ends it.

use std::cell::RefCell;

use crate::limit::ask;
use crate::limit::charge::{Charge, Charged, Taken};
use crate::limit::errand::Errand;
use crate::ports::Ports;

/// An open request. Dropped, it is over: its permits are given back.
#[must_use = "dropped, the request counts as over"]
pub struct Open<'p, P: Ports> {
    ports: &'p P,
    permits: RefCell<Vec<Taken>>,
}

impl<'p, P: Ports> Open<'p, P> {
    pub fn new(ports: &'p P) -> Self {
        Self {
            ports,
            permits: RefCell::new(Vec::new()),
        }
    }

    /// Charges limits, and holds the permits among what was taken.
    pub async fn charge(&self, charge: Charge) -> Charged {
        let charged = ask::charge(self.ports, charge).await;
        let permits = charged.taken.iter().filter(|one| one.rule.is_of_permits());
        let permits: Vec<Taken> = permits.cloned().collect();
        if !permits.is_empty() {
            // Its end has to be seen, also where its client does not wait for it.
            self.ports.stay();
            self.permits.borrow_mut().extend(permits);
        }
        charged
    }

    /// Whether somebody has to watch for the end of the answer.
    pub fn holds_permits(&self) -> bool {
        !self.permits.borrow().is_empty()
    }

    /// Hands the permits to who watches for the end: the errand to be done then.
    pub fn hand_over(self) -> Errand {
        let taken = self.permits.take();
        Errand::GiveBack { taken }
    }
}

impl<P: Ports> Drop for Open<'_, P> {
    fn drop(&mut self) {
        let taken = self.permits.take();
        if !taken.is_empty() {
            self.ports.defer(Errand::GiveBack { taken });
        }
    }
}
