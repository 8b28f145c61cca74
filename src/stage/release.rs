//! What of an origin's answer leaves.

use crate::answer::address::{self, Known, Told};
use crate::answer::keeping::{self, Keeping, Said};
use crate::answer::withheld;
use crate::idempotency::Granted;
use crate::limit::errand::Errand;
use crate::limit::rule::Mode;
use crate::policy::gate::{Gate, Route};
use crate::ports::{OriginAnswer, Ports};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::answered::judging;
use crate::stage::claimed::Claimed;
use crate::stage::forward::HOP_BY_HOP;
use crate::stage::open::Open;
use crate::stored::CacheNote;
use crate::trail::{self, Refused, StageName, Trail};

/// No rule keeps the answer back: it was judged, or none asks about it.
pub struct Fit<'g> {
    claimed: Claimed<'g>,
    /// The claim whose answer this is, where it is to be kept: never of one that was judged.
    keep: Option<Granted>,
    left: Left,
    /// Whether the content is other than what the origin's fields speak of.
    is_altered: bool,
}

/// What of the content leaves.
pub enum Left {
    /// All, unread.
    AsItCame,
    /// The bytes that were judged, less what the caller may not read.
    Bytes(Vec<u8>),
    Nothing,
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
    left: Left,
    remove: Vec<String>,
    set: Vec<(&'static str, String)>,
    keep: Option<Granted>,
    trail: Box<Trail>,
}

/// Fields that speak of bytes which are sent anew: the platform counts them.
const OF_BYTES: [&str; 3] = ["content-length", "content-encoding", "accept-ranges"];
/// Fields that speak of content which is not what the origin sent.
const OF_CONTENT: [&str; 6] = [
    "etag",
    "last-modified",
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
];

impl<'g> Fit<'g> {
    /// What no rule asks about.
    pub(super) fn free(claimed: Claimed<'g>, keep: Option<Granted>) -> Self {
        Self {
            claimed,
            keep,
            left: Left::AsItCame,
            is_altered: false,
        }
    }

    /// What was judged.
    pub(super) fn new(claimed: Claimed<'g>, left: Left, is_altered: bool) -> Self {
        Self {
            claimed,
            keep: None,
            left,
            is_altered,
        }
    }
}

impl<A: OriginAnswer> Exchange<Fit<'_>, A> {
    /// Decides what of the answer leaves.
    pub fn release<'p, P: Ports<Answer = A>>(self, open: Open<'p, P>) -> Release<'p, P> {
        let routed = self.stage.claimed.identified().routed();
        let (gate, route) = (routed.gate(), routed.route());
        let judging = judging(route);
        // It was asked for with its content.
        let is_bare = judging.is_some() && self.trail.facts.method == "HEAD";
        let is_private = matches!(judging, Some((rules, Mode::Enforce))
            if rules.allow.is_some() || !rules.fields.is_empty());
        let names = self.body.names();
        let mut set = kept(&self.body, &names, route, is_private);
        let addressed = addressed(&self.body, &names, gate, &self.trail);
        let is_altered = self.stage.is_altered || self.body.field("content-encoding").is_some();
        let keep = self.stage.keep.clone();
        // What an origin counted when an answer was made, it does not count now (RateLimit draft §7.3).
        let is_stored = matches!(self.trail.cache, Some(CacheNote::Hit { .. }));
        let is_limited = is_stored || !self.trail.limits.is_empty();
        let cache_status = self.trail.cache.map(CacheNote::field);
        set.extend(cache_status.map(|value| ("cache-status", value)));
        let is_callers = is_private || route.keeping == Keeping::Caller;
        let released = self.next(StageName::Released, |fit| fit.left);
        let left = match released.stage {
            _ if is_bare => Left::Nothing,
            left => left,
        };
        let spoiled: Vec<_> = spoiled(&left, is_altered, is_bare).collect();
        let nominated = nominated(&released.body, &names);
        // Where there is no content to count, the platform passes on whatever is said of it.
        let length = released.body.field("content-length");
        let has_no_length = length.is_some_and(|length| length.parse::<u64>().is_err());
        let is_gone = |name: &str| {
            let is_hop = HOP_BY_HOP.contains(&name) || nominated.iter().any(|one| one == name);
            let is_nobody_s = is_callers && keeping::is_targeted(name);
            // For the gateway, not for callers.
            let is_told = route.cost_told_in.as_deref() == Some(name);
            is_hop
                || (name == "content-length" && has_no_length)
                || withheld::is_withheld(name)
                || (is_limited && withheld::is_of_limits(name))
                || is_nobody_s
                || is_told
                || spoiled.contains(&name)
        };
        let mut remove: Vec<String> = names.into_iter().filter(|name| is_gone(name)).collect();
        for (name, told) in addressed {
            match told {
                // It is removed for another reason: only the gateway's own word stands in its place.
                Told::Instead(_) if remove.iter().any(|one| one == name) => {}
                Told::Instead(value) => set.push((name, value)),
                Told::Nothing => remove.push(name.to_owned()),
                Told::AsItCame => {}
            }
        }
        let cleared = Cleared {
            answer: released.body,
            left,
            remove,
            set,
            keep,
            trail: released.trail,
        };
        Release { cleared, open }
    }
}

/// The names that `Connection` lists (RFC 9110 §7.6.1).
pub(super) fn nominated<A: OriginAnswer>(answer: &A, names: &[String]) -> Vec<String> {
    let told = match names.iter().any(|name| name == "connection") {
        true => answer.field("connection").unwrap_or_default(),
        false => String::new(),
    };
    told.split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

/// What is said of addresses in the answer's head.
fn addressed<A: OriginAnswer>(
    answer: &A,
    names: &[String],
    gate: &Gate,
    trail: &Trail,
) -> Vec<(&'static str, Told)> {
    let there = |name: &&str| names.iter().any(|one| one == name);
    let mut told = Vec::new();
    for name in address::FIELDS.into_iter().filter(there) {
        let known = Known {
            base: &trail.base_url(Some(gate)),
            origins: &gate.origins,
        };
        told.extend(
            answer
                .field(name)
                .map(|value| (name, known.field(name, &value))),
        );
    }
    told
}

/// Who may keep the answer: `Cache-Control` and `Vary`, where they are other than as they came.
///
/// - `is_private`: it was judged for this caller.
fn kept<A: OriginAnswer>(
    answer: &A,
    names: &[String],
    route: &Route,
    is_private: bool,
) -> Vec<(&'static str, String)> {
    let field = |name: &str| {
        let is_there = names.iter().any(|one| one == name);
        is_there.then(|| answer.field(name)).flatten()
    };
    let told = field("cache-control");
    let said = Said {
        status: answer.status(),
        cache_control: told.as_deref(),
        has_expires: names.iter().any(|name| name == "expires"),
    };
    let value = match keeping::cache_control(&said, route.keeping) {
        Some(value) if value == keeping::NO_STORE => Some(value),
        _ if is_private => Some(keeping::for_one(told.as_deref())),
        value => value,
    };
    let is_kept = value.as_deref() != Some(keeping::NO_STORE);
    let varies = is_kept && route.keeping == Keeping::Caller;
    let vary = match varies {
        true => keeping::vary(field("vary").as_deref(), &route.credential_fields),
        false => None,
    };
    let set = [("cache-control", value), ("vary", vary)];
    set.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Fields that are no longer true.
fn spoiled(left: &Left, is_altered: bool, is_bare: bool) -> impl Iterator<Item = &'static str> {
    let (bytes, content, kind) = match left {
        Left::AsItCame => (false, false, false),
        Left::Bytes(_) => (true, is_altered, false),
        Left::Nothing => (true, is_altered, !is_bare),
    };
    let bytes = OF_BYTES.into_iter().filter(move |_| bytes);
    let content = OF_CONTENT.into_iter().filter(move |_| content);
    bytes.chain(content).chain(kind.then_some("content-type"))
}

impl<'p, P: Ports> Release<'p, P> {
    pub fn cleared(&self) -> &Cleared<P::Answer> {
        &self.cleared
    }

    pub fn remove(&self) -> &[String] {
        &self.cleared.remove
    }

    pub fn trail(&self) -> &Trail {
        &self.cleared.trail
    }

    /// What is to be told of a claim, once.
    pub fn take_told(&mut self) -> Option<trail::Told> {
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

    pub fn set(&self) -> &[(&'static str, String)] {
        &self.set
    }

    pub fn left(&self) -> &Left {
        &self.left
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
