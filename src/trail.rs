//! What became known of a request on its way, kept whether it is admitted or turned away: the
//! answer's header fields and the decision line are written from it.
//!
//! Owns: the notes. They prove nothing; proofs are the stages.

mod charges;

use std::rc::Rc;

use crate::challenge::Challenge;
use crate::credential::api_key::Rehash;
use crate::credential::caller::KnownCaller;
use crate::facts::Facts;
use crate::idempotency::{Act, Granted};
use crate::limit::charge::{Charge, Taken};
use crate::limit::errand::Errand;
use crate::limit::headers::LimitReport;
use crate::object::ObjectName;
use crate::policy::gate::{Gate, RefundCause};
use crate::refusal::Refusal;
use crate::stored::CacheNote;

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
    Claimed,
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
            Self::Claimed => "claimed",
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
    /// Fields of every answer, of a route that goes out of use.
    pub deprecation: Vec<(&'static str, String)>,
    /// The credentials the route takes.
    pub challenges: Vec<Challenge>,
    /// The browser origin that may read the answer.
    pub cors_origin: Option<String>,
    pub caller: Option<Rc<KnownCaller>>,
    /// The nonce that the client's next DPoP proof is to have.
    pub dpop_nonce: Option<String>,
    /// A key's hash under the newest pepper, to be stored.
    pub rehash: Option<Rehash>,
    /// What is charged if the credential is refused.
    pub failure: Charge,
    /// What is charged if the object that is asked for is refused.
    pub probe: Charge,
    /// What the request was charged, so that it can be given back.
    pub taken: Vec<Taken>,
    /// What is to be done about it when the request has its answer.
    pub errands: Vec<Errand>,
    pub limits: Vec<LimitReport>,
    /// Limits whose counter did not answer, by their names.
    pub silent: Vec<String>,
    /// What the origin was to tell of the cost, and told.
    pub cost: Option<CostNote>,
    /// For what failure the request was refunded.
    pub refund: Option<RefundCause>,
    /// What rules in observe mode would have refused.
    pub observed: Vec<Refusal>,
    pub origin: Option<OriginNote>,
    /// What became of looking for a kept answer, on a route with a cache.
    pub cache: Option<CacheNote>,
    /// Whether the answer is one that was kept for an idempotency key.
    pub is_replayed: bool,
    /// What is to be told of a claim when the request has its answer.
    pub told: Option<Told>,
    /// The claim for which a refusal is to be kept: of a request that was carried out.
    pub keep: Option<Granted>,
    /// Fields that were taken out, at most [`FIELD_NOTES_MAX`].
    pub fields: Vec<FieldNote>,
}

/// What an object of idempotency keys is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    pub object: ObjectName,
    pub act: Act,
}

/// Most fields that one line tells of.
pub const FIELD_NOTES_MAX: usize = 20;

/// What was done to a field that its caller is relieved of.
pub const STRIPPED: &str = "stripped";

/// A field that did not go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldNote {
    /// As the policy has it.
    pub pointer: String,
    pub act: &'static str,
    /// Why its rule failed, where it did.
    pub why: Option<String>,
}

/// What the log says of the origin's part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OriginNote {
    pub name: String,
    pub status: Option<u16>,
    pub ms: u64,
    /// How often the request was sent again.
    pub retries: u32,
}

impl OriginNote {
    /// Of an origin that has not answered yet.
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: None,
            ms: 0,
            retries: 0,
        }
    }
}

/// What a request costs where its origin tells that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CostNote {
    /// Units charged before.
    pub reserved: u64,
    /// `None`: nothing that reads as units; what was reserved stands.
    pub told: Option<u64>,
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
            deprecation: Vec::new(),
            challenges: Vec::new(),
            cors_origin: None,
            caller: None,
            dpop_nonce: None,
            rehash: None,
            failure: Charge::default(),
            probe: Charge::default(),
            taken: Vec::new(),
            errands: Vec::new(),
            limits: Vec::new(),
            silent: Vec::new(),
            cost: None,
            refund: None,
            observed: Vec::new(),
            origin: None,
            cache: None,
            is_replayed: false,
            told: None,
            keep: None,
            fields: Vec::new(),
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
