//! A request has arrived. Nothing is known of it.

use crate::facts::Facts;
use crate::stage::Exchange;
use crate::trail::Trail;

/// The request was received, once.
pub struct Received(());

impl<B> Exchange<Received, B> {
    /// Starts a request on its way.
    pub fn received(facts: Facts, body: B) -> Self {
        Self {
            trail: Box::new(Trail::new(facts)),
            body,
            stage: Received(()),
        }
    }
}
