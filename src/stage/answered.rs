//! The origin has answered; whether its answer has to be judged before it may leave.

use crate::body::content::is_utf_8;
use crate::idempotency::Granted;
use crate::limit::rule::Mode;
use crate::policy::field_rules::AnswerRules;
use crate::policy::gate::Route;
use crate::ports::{OriginAnswer, Reading};
use crate::refusal::{AnswerFault, Refusal};
use crate::stage::Exchange;
use crate::stage::claimed::Claimed;
use crate::stage::identified::Identified;
use crate::stage::release::Fit;
use crate::stage::switching::{Agreed, Switching};
use crate::trail::Refused;

/// The origin's answer is here. Only `forward` makes one, of a request that was sent.
pub struct Answered<'g> {
    claimed: Claimed<'g>,
    /// The claim whose answer this is, where it is to be kept.
    keep: Option<Granted>,
    /// That it is a switch, as it was asked for.
    agreed: Option<Agreed<'g>>,
}

/// An answer that a rule has to judge before it leaves.
pub struct Ruled<'g> {
    claimed: Claimed<'g>,
    plan: Plan,
}

/// Where an answer goes from here.
pub enum Sorted<'g, A> {
    /// No rule asks about it: it passes as it comes, unread.
    Free(Exchange<Fit<'g>, A>),
    Ruled(Exchange<Ruled<'g>, A>),
    /// It is a switch: there is a session, and no content.
    Switch(Exchange<Switching<'g>, A>),
}

/// What happens with the content.
pub(super) enum Plan {
    Read {
        max_bytes: u64,
        reading: Reading,
    },
    /// There is none.
    Empty,
    /// It is not judged, and does not leave.
    Drop,
    /// It cannot be judged, and a rule that only observes keeps nothing back.
    Pass,
}

impl<'g> Answered<'g> {
    pub(super) fn new(claimed: Claimed<'g>, keep: Option<Granted>) -> Self {
        Self {
            claimed,
            keep,
            agreed: None,
        }
    }

    pub(super) fn switched(claimed: Claimed<'g>, agreed: Agreed<'g>) -> Self {
        Self {
            claimed,
            keep: None,
            agreed: Some(agreed),
        }
    }

    pub(super) fn claimed(&self) -> &Claimed<'g> {
        &self.claimed
    }

    /// Whether the answer is kept for requests that repeat this one.
    pub(super) fn is_kept(&self) -> bool {
        self.keep.is_some()
    }
}

impl<'g, A: OriginAnswer> Exchange<Answered<'g>, A> {
    /// Looks at the head of the answer. Refuses one that has to be judged and cannot be.
    pub fn sort(mut self) -> Result<Sorted<'g, A>, Refused> {
        if let Some(agreed) = self.stage.agreed.take() {
            let switching = |answered: Answered<'g>| Switching::new(answered.claimed, agreed);
            return Ok(Sorted::Switch(self.map(switching)));
        }
        let route = self.stage.claimed.identified().routed().route();
        let Some((rules, mode)) = judging(route) else {
            let fit = |answered: Answered<'g>| Fit::free(answered.claimed, answered.keep);
            return Ok(Sorted::Free(self.map(fit)));
        };
        let status = self.body.status();
        if mode == Mode::Enforce && rules.is_hidden && matches!(status, 404 | 410) {
            return Err(self.refuse(Refusal::ObjectMissing));
        }
        // A redirect's content is nobody's answer, and `allow` is not asked of it.
        let is_note = rules.allow.is_some() && matches!(status, 300..=399) && status != 304;
        let plan = match (unfit(&self.body), mode) {
            _ if is_empty(&self.body) => Plan::Empty,
            (_, Mode::Enforce) if is_note => Plan::Drop,
            (None, mode) => Plan::Read {
                max_bytes: rules.max_bytes,
                reading: match mode {
                    Mode::Enforce => Reading::Taken,
                    Mode::Observe | Mode::Off => Reading::Copied,
                },
            },
            (Some(fault), mode) => {
                // An error that is not JSON says what happened by its status.
                let is_kept = is_error(status) && fault != AnswerFault::NotWhole;
                if !is_kept && let Err(refusal) = self.settle(mode, Err(unjudged(fault))) {
                    return Err(self.refuse(refusal));
                }
                match mode {
                    Mode::Enforce => Plan::Drop,
                    Mode::Observe | Mode::Off => Plan::Pass,
                }
            }
        };
        let ruled = |answered: Answered<'g>| Ruled {
            claimed: answered.claimed,
            plan,
        };
        Ok(Sorted::Ruled(self.map(ruled)))
    }
}

impl<'g> Ruled<'g> {
    pub(super) fn identified(&self) -> &Identified<'g> {
        self.claimed.identified()
    }

    pub(super) fn plan(&self) -> Plan {
        match self.plan {
            Plan::Read { max_bytes, reading } => Plan::Read { max_bytes, reading },
            Plan::Empty => Plan::Empty,
            Plan::Drop => Plan::Drop,
            Plan::Pass => Plan::Pass,
        }
    }

    pub(super) fn into_claimed(self) -> Claimed<'g> {
        self.claimed
    }
}

/// The rules that judge answers of a route, and whether they keep anything back.
///
/// `None`: there is none, or it is off.
pub(super) fn judging(route: &Route) -> Option<(&AnswerRules, Mode)> {
    let rules = route.response.as_ref()?;
    let mode = laxer(route.mode, rules.mode);
    let schema = match rules.body {
        Some(_) => laxer(mode, rules.body_mode),
        None => Mode::Off,
    };
    let mode = match rules.allow.is_some() || !rules.fields.is_empty() {
        true => mode,
        false => schema,
    };
    (mode != Mode::Off).then_some((rules, mode))
}

pub(super) fn laxer(one: Mode, other: Mode) -> Mode {
    match (one, other) {
        (Mode::Off, _) | (_, Mode::Off) => Mode::Off,
        (Mode::Observe, _) | (_, Mode::Observe) => Mode::Observe,
        (Mode::Enforce, Mode::Enforce) => Mode::Enforce,
    }
}

pub(super) fn unjudged(fault: AnswerFault) -> Refusal {
    Refusal::AnswerUnfit { fault }
}

/// Whether the answer is about the request, and not an object.
pub(super) fn is_error(status: u16) -> bool {
    !(200..=299).contains(&status)
}

/// Why the head alone says that the content cannot be judged.
fn unfit(answer: &impl OriginAnswer) -> Option<AnswerFault> {
    // Neither a part nor word of a copy was asked for (`stage::forward`).
    if matches!(answer.status(), 206 | 304) {
        return Some(AnswerFault::NotWhole);
    }
    // What the platform takes off while it is read. If it did not, what was read is no JSON.
    let coding = answer.field("content-encoding");
    let known = |coding: &str| {
        let coding = coding.trim();
        ["identity", "gzip", "br"]
            .iter()
            .any(|known| coding.eq_ignore_ascii_case(known))
    };
    if coding.is_some_and(|coding| !known(&coding)) {
        return Some(AnswerFault::Encoded);
    }
    let kind = answer.field("content-type").unwrap_or_default();
    (!is_json(&kind)).then_some(AnswerFault::Type)
}

/// One document in UTF-8: `application/json`, or a type that ends in `+json`.
fn is_json(kind: &str) -> bool {
    let Ok(kind) = kind.parse::<mime::Mime>() else {
        return false;
    };
    let named = kind.type_() == mime::APPLICATION && kind.subtype() == mime::JSON;
    (named || kind.suffix() == Some(mime::JSON)) && is_utf_8(&kind)
}

fn is_empty(answer: &impl OriginAnswer) -> bool {
    let length = answer.field("content-length");
    matches!(answer.status(), 204 | 205)
        || (length.as_deref() == Some("0") && !matches!(answer.status(), 206 | 304))
}
