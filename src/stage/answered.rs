//! The origin has answered; what of it may leave is the release.

use crate::idempotency::Granted;
use crate::limit::errand::Errand;
use crate::policy::gate::{Gate, Route};
use crate::ports::{OriginAnswer, Ports};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::forward::HOP_BY_HOP;
use crate::stage::open::Open;
use crate::trail::{Refused, StageName, Told, Trail};

/// The origin's answer is here. Only `forward` makes one, of a request that was sent.
pub struct Answered<'g> {
    gate: &'g Gate,
    route: &'g Route,
    /// The claim whose answer this is, where it is to be kept.
    keep: Option<Granted>,
}

/// The only returnable answer of an origin, of a request that is open until it has left.
#[must_use]
pub struct Release<'p, P: Ports> {
    cleared: Cleared<P::Answer>,
    open: Open<'p, P>,
}

/// An answer that may leave, less what of it may not.
#[must_use]
pub struct Cleared<A> {
    answer: A,
    remove: Vec<String>,
    keep: Option<Granted>,
    trail: Box<Trail>,
}

/// What an origin may not say here: its software, and cross-origin and transport rules, which are
/// the policy's.
const WITHHELD: [&str; 13] = [
    "server",
    "x-powered-by",
    "x-aspnet-version",
    "strict-transport-security",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-allow-private-network",
    "edgeward-identity",
    "x-request-id",
];

impl<'g> Answered<'g> {
    pub(super) fn new(gate: &'g Gate, route: &'g Route, keep: Option<Granted>) -> Self {
        Self { gate, route, keep }
    }

    /// Whether the answer is kept for requests that repeat this one.
    pub(super) fn is_kept(&self) -> bool {
        self.keep.is_some()
    }
}

impl<A: OriginAnswer> Exchange<Answered<'_>, A> {
    /// Decides what of the answer leaves.
    pub fn release<'p, P: Ports<Answer = A>>(self, open: Open<'p, P>) -> Release<'p, P> {
        let told_in = self.stage.route.cost_told_in.clone();
        let keep = self.stage.keep.clone();
        let released = self.next(StageName::Released, |answered| answered.gate);
        let nominated = released.body.field("connection").unwrap_or_default();
        let nominated = nominated
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase());
        let fixed = HOP_BY_HOP
            .iter()
            .chain(&WITHHELD)
            .map(|name| (*name).to_owned());
        let mut remove: Vec<String> = nominated
            .filter(|name| !name.is_empty())
            .chain(fixed)
            .collect();
        // For the gateway, not for callers.
        remove.extend(told_in);
        // The origin is behind limits of its own making no more (RateLimit draft §7.2).
        if !released.trail.limits.is_empty() {
            remove.extend(
                [
                    "ratelimit",
                    "ratelimit-policy",
                    "x-ratelimit-limit",
                    "x-ratelimit-remaining",
                    "x-ratelimit-reset",
                ]
                .map(str::to_owned),
            );
        }
        let cleared = Cleared {
            answer: released.body,
            remove,
            keep,
            trail: released.trail,
        };
        Release { cleared, open }
    }
}

impl<'p, P: Ports> Release<'p, P> {
    pub fn remove(&self) -> &[String] {
        &self.cleared.remove
    }

    pub fn trail(&self) -> &Trail {
        &self.cleared.trail
    }

    /// What is to be told of a claim, once.
    pub fn take_told(&mut self) -> Option<Told> {
        self.cleared.trail.told.take()
    }

    /// What is to be done for limits, once.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.cleared.trail.errands)
    }

    /// The answer, and the open request that has to be ended when the answer has left: neither is to
    /// be had without the other.
    pub fn part(self) -> (Cleared<P::Answer>, Open<'p, P>) {
        (self.cleared, self.open)
    }
}

impl<A> Cleared<A> {
    pub fn remove(&self) -> &[String] {
        &self.remove
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    pub fn answer(&self) -> &A {
        &self.answer
    }

    /// The claim for which the answer is to be kept, before it leaves; once.
    pub fn take_keep(&mut self) -> Option<Granted> {
        self.keep.take()
    }

    /// Puts the same answer back after it was read.
    pub fn reread(&mut self, answer: A) {
        self.answer = answer;
    }

    /// Keeps the answer back after all.
    pub fn withhold(self, refusal: Refusal) -> Refused {
        Refused {
            refusal,
            trail: self.trail,
        }
    }
}
