//! The origin has answered; what of it may leave is the release.

use crate::limit::errand::Errand;
use crate::policy::gate::{Gate, Route};
use crate::ports::OriginAnswer;
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::forward::HOP_BY_HOP;
use crate::trail::{Refused, StageName, Trail};

/// The origin's answer is here. Only `forward` makes one, of a request that was sent.
pub struct Answered<'g> {
    gate: &'g Gate,
    #[expect(
        dead_code,
        reason = "the way back is typed so that rules over answers have their place"
    )]
    route: &'g Route,
}

/// The only returnable answer of an origin.
#[must_use]
pub struct Release<A> {
    answer: A,
    remove: Vec<String>,
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
    pub(super) fn new(gate: &'g Gate, route: &'g Route) -> Self {
        Self { gate, route }
    }
}

impl<A: OriginAnswer> Exchange<Answered<'_>, A> {
    /// Decides what of the answer leaves.
    pub fn release(self) -> Release<A> {
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
        Release {
            answer: released.body,
            remove,
            trail: released.trail,
        }
    }
}

impl<A> Release<A> {
    pub fn remove(&self) -> &[String] {
        &self.remove
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// What is to be done for limits, once.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.trail.errands)
    }

    pub fn answer(&self) -> &A {
        &self.answer
    }

    /// Keeps the answer back after all.
    pub fn withhold(self, refusal: Refusal) -> Refused {
        Refused {
            refusal,
            trail: self.trail,
        }
    }
}
