//! What became known of a request on its way, kept whether it is admitted or turned away: the
//! answer's header fields and the decision line are written from it.
//!
//! Owns: the notes. They prove nothing; proofs are the stages.

use crate::challenge::Challenge;
use crate::credential::api_key::Rehash;
use crate::credential::caller::KnownCaller;
use crate::facts::Facts;
use crate::limit::charge::{Charge, Taken};
use crate::limit::errand::Errand;
use crate::limit::headers::LimitReport;
use crate::policy::gate::Gate;
use crate::refusal::Refusal;

/// The stages, by the names the log gives them. A refusal names the stage it kept a request from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum StageName {
    Received,
    Routed,
    Shielded,
    Identified,
    Limited,
    Authorized,
    Validated,
    Paid,
    Answered,
    Released,
}

impl StageName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Routed => "routed",
            Self::Shielded => "shielded",
            Self::Identified => "identified",
            Self::Limited => "limited",
            Self::Authorized => "authorized",
            Self::Validated => "validated",
            Self::Paid => "paid",
            Self::Answered => "answered",
            Self::Released => "released",
        }
    }
}

/// The notes of one request.
#[derive(Debug)]
pub struct Trail {
    pub facts: Facts,
    /// The stage that comes next.
    pub stage: StageName,
    /// The route's id and its path template.
    pub route: Option<(String, String)>,
    /// The credentials the route takes.
    pub challenges: Vec<Challenge>,
    /// The browser origin that may read the answer.
    pub cors_origin: Option<String>,
    pub caller: Option<KnownCaller>,
    /// The nonce that the client's next DPoP proof is to have.
    pub dpop_nonce: Option<String>,
    /// A key's hash under the newest pepper, to be stored.
    pub rehash: Option<Rehash>,
    /// What is charged if the credential is refused.
    pub failure: Charge,
    /// What the request was charged, so that it can be given back.
    pub taken: Vec<Taken>,
    /// What is to be done about it when the request has its answer.
    pub errands: Vec<Errand>,
    pub limits: Vec<LimitReport>,
    /// What rules in observe mode would have refused.
    pub observed: Vec<Refusal>,
    pub origin: Option<OriginNote>,
}

/// What the log says of the origin's part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OriginNote {
    pub name: String,
    pub status: Option<u16>,
    pub ms: u64,
}

/// A request that was turned away: why, and what was known by then.
#[must_use]
#[derive(Debug)]
pub struct Refused {
    pub refusal: Refusal,
    pub trail: Box<Trail>,
}

impl Trail {
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            stage: StageName::Received,
            route: None,
            challenges: Vec::new(),
            cors_origin: None,
            caller: None,
            dpop_nonce: None,
            rehash: None,
            failure: Charge::default(),
            taken: Vec::new(),
            errands: Vec::new(),
            limits: Vec::new(),
            observed: Vec::new(),
            origin: None,
        }
    }

    /// Notes what came of one limit's charge; a second charge of the same limit adds to the first.
    pub fn report(&mut self, report: LimitReport) {
        let known = self.limits.iter_mut().find(|one| one.name == report.name);
        match known {
            Some(known) => {
                known.charged = known.charged.saturating_add(report.charged);
                known.remaining = report.remaining.or(known.remaining);
                known.frees_in_ms = report.frees_in_ms;
            }
            None => self.limits.push(report),
        }
    }

    /// Has what was taken given back, as far as `what` says so.
    pub fn give_back(&mut self, what: impl Fn(&Taken) -> bool) {
        let taken = std::mem::take(&mut self.taken).into_iter();
        let (back, kept): (Vec<_>, Vec<_>) = taken.partition(|one| what(one));
        self.taken = kept;
        for one in &back {
            let known = self
                .limits
                .iter_mut()
                .find(|known| known.name == one.rule.name);
            if let Some(known) = known {
                known.charged = known.charged.saturating_sub(one.units);
                let remaining = known.remaining;
                known.remaining = remaining.map(|left| left.saturating_add(one.units));
            }
        }
        if !back.is_empty() {
            self.errands.push(Errand::GiveBack { taken: back });
        }
    }

    /// The URL under which the gateway is reached, without a path.
    pub fn base_url(&self, gate: Option<&Gate>) -> String {
        let known = gate.and_then(|gate| gate.public_url.as_deref());
        known
            .map(|url| url.trim_end_matches('/').to_owned())
            .unwrap_or_else(|| {
                let scheme = if self.facts.is_https { "https" } else { "http" };
                format!("{scheme}://{}", self.facts.authority)
            })
    }
}
