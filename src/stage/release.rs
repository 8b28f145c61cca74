//! What of an origin's answer leaves.

use crate::idempotency::Granted;
use crate::limit::errand::Errand;
use crate::limit::rule::Mode;
use crate::ports::{OriginAnswer, Ports};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::answered::judging;
use crate::stage::claimed::Claimed;
use crate::stage::forward::HOP_BY_HOP;
use crate::stage::open::Open;

use crate::trail::{Refused, StageName, Told, Trail};

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
    set: Vec<(&'static str, &'static str)>,
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

/// Fields by which shared caches keep an answer whatever `Cache-Control` says (RFC 9213 §2.2, and what
/// was there before it).
const OF_SHARED_CACHES: [&str; 9] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "akamai-cache-control",
    "fastly-cache-control",
    "netlify-cdn-cache-control",
    "vercel-cdn-cache-control",
    "edge-control",
    "surrogate-control",
    "x-accel-expires",
];

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
        let route = self.stage.claimed.identified().routed().route();
        let told_in = route.cost_told_in.clone();
        let judging = judging(route);
        // It was asked for with its content.
        let is_bare = judging.is_some() && self.trail.facts.method == "HEAD";
        let is_own = judging.is_some_and(|(rules, mode)| {
            mode == Mode::Enforce && (rules.allow.is_some() || !rules.fields.is_empty())
        });
        let set = match is_own {
            true => kept_by_nobody_else(self.body.field("cache-control")),
            false => Vec::new(),
        };
        let is_altered = self.stage.is_altered || self.body.field("content-encoding").is_some();
        let keep = self.stage.keep.clone();
        let released = self.next(StageName::Released, |fit| fit.left);
        let left = match released.stage {
            _ if is_bare => Left::Nothing,
            left => left,
        };
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
        if is_own {
            remove.extend(OF_SHARED_CACHES.map(str::to_owned));
        }
        // For the gateway, not for callers.
        remove.extend(told_in);
        remove.extend(spoiled(&left, is_altered, is_bare).map(str::to_owned));
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
            left,
            remove,
            set,
            keep,
            trail: released.trail,
        };
        Release { cleared, open }
    }
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

/// What one caller may see is kept for no other, and asked for anew when rights have changed.
fn kept_by_nobody_else(told: Option<String>) -> Vec<(&'static str, &'static str)> {
    let told = told.unwrap_or_default().to_ascii_lowercase();
    let is_kept = !told.split(',').any(|one| one.trim() == "no-store");
    is_kept
        .then_some(("cache-control", "private, no-cache"))
        .into_iter()
        .collect()
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

    pub fn set(&self) -> &[(&'static str, &'static str)] {
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
