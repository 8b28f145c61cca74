//! The one thing that can be sent to an origin, and the request that waits for its answer.

mod claim;
mod fields;
mod unsigned;

use std::rc::Rc;

use crate::answer::retry_after;
use crate::facts::{Facts, Method};
use crate::idempotency::Granted;
use crate::identity::Statement;
use crate::message;
use crate::origin::rule::{AnswerBounds, Errors};
use crate::policy::gate::Origin;
use crate::ports::{OriginAnswer, OriginFault};
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::answered::{Answered, judging};
use crate::stage::claimed::Claimed;
use crate::stage::routed::Routed;
use crate::stage::settling::settle;
use crate::stage::switching;
use crate::stage::validated::Content;
use crate::trail::{OriginNote, Refused, STRIPPED, StageName, Told, Trail};
use claim::claim_after;
use fields::{DIGESTS, ask_keyed, ask_whole, removed, told};
pub use fields::{HOP_BY_HOP, trace_id};
pub use unsigned::Unsigned;

/// The status of an answer that switches protocols (RFC 9110 §15.2.2).
const SWITCHING: u16 = 101;

/// A request for an origin: made of what was checked, and of nothing else.
pub struct Forward<B> {
    url: String,
    method: Method,
    /// Fields of the caller's that do not reach the origin, in lower case.
    remove: Vec<String>,
    set: Vec<(String, String)>,
    content: Content<B>,
    timeout_ms: u64,
    /// How long the session may last that it asks for; 0: it asks for none.
    session_ms: u64,
    origin: Rc<Origin>,
    answer: Option<AnswerBounds>,
    /// The request's own, for jitter.
    fraction: f64,
    /// Whether its key was claimed for it: it is carried out once, and whoever repeats it is told what
    /// became of it.
    is_claimed: bool,
}

/// The request was handed to the origin.
pub struct Sent<'g> {
    claimed: Claimed<'g>,
    /// Units that each limit was charged.
    cost: u64,
    /// That it is carried out once.
    granted: Option<Granted>,
    /// What the answer may take.
    answer: Option<AnswerBounds>,
    /// What becomes of it where it is a 5xx.
    errors: Errors,
    /// Whether its caller may still be sending its content.
    is_streamed: bool,
}

impl<'g, B> Exchange<Claimed<'g>, Content<B>> {
    /// Makes what is sent. `signed` answers [`Exchange::statement`].
    ///
    /// Refuses if the statement that was signed is not the one that was asked for.
    pub fn forward(
        mut self,
        signed: Option<(Statement, Vec<u8>)>,
    ) -> Result<(Unsigned<B>, Exchange<Sent<'g>, ()>), Refused> {
        if self.statement() != signed.as_ref().map(|(statement, _)| statement) {
            return Err(self.refuse(Refusal::AnswerMismatch { port: Port::Signer }));
        }
        let identified = self.stage.identified();
        let routed = identified.routed();
        let target = self.stage.target().clone();
        let facts = &self.trail.facts;
        let query = routed
            .query()
            .as_str()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let forward_url = format!("{}{}{query}", target.origin.url, routed.path().as_str());
        let timeout_ms = target.timeout_ms;
        let Fields {
            method,
            mut remove,
            mut set,
        } = fields(&self.trail, routed, &target.origin, signed);
        if let Some(wanted) = self.stage.wanted() {
            ask_keyed(facts, routed.route(), &wanted.using, &mut remove, &mut set);
        }
        switching::ask(facts, routed, &mut remove, &mut set);
        let session_ms = switching::session_ms(routed);
        let cost = identified.price(facts).units();
        let granted = self.stage.granted();
        // What is kept is kept as it reads.
        if granted.is_some() {
            set.push(("accept-encoding".into(), "identity".into()));
        }
        self.trail.origin = Some(OriginNote::of(&target.origin.name));
        self.trail.stage = StageName::Answered;
        let content = self.body;
        let forward = Forward {
            url: forward_url,
            method,
            remove,
            set,
            content,
            timeout_ms,
            session_ms,
            origin: target.origin,
            answer: target.answer,
            fraction: self.trail.facts.request_id.fraction(),
            is_claimed: granted.is_some(),
        };
        let sent = Exchange {
            trail: self.trail,
            body: (),
            stage: Sent {
                cost,
                granted,
                claimed: self.stage,
                answer: target.answer,
                errors: target.errors,
                is_streamed: forward.is_streamed(),
            },
        };
        Ok((Unsigned::new(forward), sent))
    }
}

/// What of the head is sent: the method, and what is taken out of the caller's fields and put in.
struct Fields {
    method: Method,
    remove: Vec<String>,
    set: Vec<(String, String)>,
}

fn fields(
    trail: &Trail,
    routed: &Routed<'_>,
    origin: &Origin,
    signed: Option<(Statement, Vec<u8>)>,
) -> Fields {
    let facts = &trail.facts;
    let mut set = told(facts, routed);
    set.extend(signed.map(|(statement, signature)| statement.signed(&signature)));
    let mut own: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    if origin.signature.is_some() {
        own.extend(message::FIELDS);
    }
    let mut remove = removed(facts, &routed.gate().credential_headers, &own);
    // What a caller says of its content is of other content than what is left of it.
    if trail.fields.iter().any(|note| note.act == STRIPPED) {
        remove.extend(DIGESTS.map(str::to_owned));
    }
    let mut method = routed.method();
    if judging(routed.route()).is_some() {
        ask_whole(&mut method, &mut remove, &mut set);
    }
    Fields {
        method,
        remove,
        set,
    }
}

impl<B> Forward<B> {
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn method(&self) -> Method {
        self.method
    }

    pub fn remove(&self) -> &[String] {
        &self.remove
    }

    pub fn set(&self) -> &[(String, String)] {
        &self.set
    }

    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }

    pub fn session_ms(&self) -> u64 {
        self.session_ms
    }

    pub fn origin(&self) -> &Rc<Origin> {
        &self.origin
    }

    /// What the answer may take on its way out.
    pub fn answer_bounds(&self) -> Option<AnswerBounds> {
        self.answer
    }

    pub fn fraction(&self) -> f64 {
        self.fraction
    }

    /// Whether its `Idempotency-Key` was claimed for it.
    pub fn is_claimed(&self) -> bool {
        self.is_claimed
    }

    /// Whether its caller may still be sending its content.
    pub fn is_streamed(&self) -> bool {
        matches!(self.content, Content::Unread(_))
    }

    /// Whether it goes on without its client.
    pub fn outlives_client(&self) -> bool {
        self.is_claimed
    }

    /// The same once more, for when this one fails; `None` where the content can be sent once only.
    pub fn again(&self) -> Option<Self> {
        let content = match &self.content {
            Content::Nothing => Content::Nothing,
            Content::Bytes(bytes) => Content::Bytes(bytes.clone()),
            Content::Unread(_) => return None,
        };
        Some(Self {
            url: self.url.clone(),
            method: self.method,
            remove: self.remove.clone(),
            set: self.set.clone(),
            content,
            timeout_ms: self.timeout_ms,
            session_ms: self.session_ms,
            origin: Rc::clone(&self.origin),
            answer: self.answer,
            fraction: self.fraction,
            is_claimed: self.is_claimed,
        })
    }

    pub fn into_content(self) -> Content<B> {
        self.content
    }
}

impl<'g> Exchange<Sent<'g>, ()> {
    /// Notes how often the request was sent again.
    pub fn retried(mut self, retries: u32) -> Self {
        if let Some(note) = &mut self.trail.origin {
            note.retries = retries;
        }
        self
    }

    /// Ends a request that was not sent after all: its message was not signed.
    pub fn unsent(mut self, refusal: Refusal) -> Refused {
        self.trail.origin = None;
        let granted = self.stage.granted.as_ref();
        self.trail.told = granted.map(|granted| Told::of(granted, Granted::free));
        self.refuse(refusal)
    }

    /// Takes the origin's answer, which came after `ms`.
    pub fn answered<A: OriginAnswer>(
        mut self,
        answer: Result<A, OriginFault>,
        ms: u64,
    ) -> Result<Exchange<Answered<'g>, A>, Refused> {
        if let Some(note) = &mut self.trail.origin {
            note.ms = ms;
            note.status = answer.as_ref().ok().map(OriginAnswer::status);
        }
        let Sent {
            claimed,
            cost,
            granted,
            answer: bounds,
            errors,
            is_streamed,
        } = self.stage;
        let route = claimed.identified().routed().route();
        settle(&mut self.trail, route, (cost, is_streamed), &answer);
        let retries = self.trail.origin.as_ref().map_or(0, |note| note.retries);
        let (keep, told) = claim_after(granted, &answer, retries);
        self.trail.told = told;
        let sent = Exchange {
            trail: self.trail,
            body: (),
            stage: (),
        };
        match answer {
            Ok(answer) if answer.status() == SWITCHING => {
                // Who was not asked to may not switch.
                let Some(agreed) = switching::agreed(claimed.identified().routed(), &answer) else {
                    answer.discard();
                    return Err(sent.refuse(Refusal::OriginInvalid));
                };
                let sent = Exchange {
                    trail: sent.trail,
                    body: answer,
                    stage: (),
                };
                Ok(sent.next(StageName::Released, |()| {
                    Answered::switched(claimed, agreed)
                }))
            }
            Ok(answer) if !(200..=599).contains(&answer.status()) => {
                Err(sent.refuse(Refusal::OriginInvalid))
            }
            Ok(answer) if let Some(refusal) = held_back(errors, bounds, &sent.trail, &answer) => {
                let mut sent = sent;
                // It was carried out, and repeats are told no other.
                sent.trail.keep = keep;
                answer.discard();
                Err(sent.refuse(refusal))
            }
            Ok(answer) => {
                let sent = Exchange {
                    trail: sent.trail,
                    body: answer,
                    stage: (),
                };
                Ok(sent.next(StageName::Released, |()| Answered::new(claimed, keep)))
            }
            Err(fault) => Err(sent.refuse(refusal_of(fault))),
        }
    }
}

fn refusal_of(fault: OriginFault) -> Refusal {
    match fault {
        OriginFault::Down => Refusal::OriginDown,
        OriginFault::TimedOut => Refusal::OriginTimeout,
        OriginFault::Invalid => Refusal::OriginInvalid,
        OriginFault::Open { retry_after_ms } => Refusal::OriginOpen { retry_after_ms },
        OriginFault::Full => Refusal::OriginFull,
        OriginFault::Left => Refusal::ClientGone,
    }
}

/// What is told in the place of an answer that does not leave.
fn held_back<A: OriginAnswer>(
    errors: Errors,
    bounds: Option<AnswerBounds>,
    trail: &Trail,
    answer: &A,
) -> Option<Refusal> {
    if errors == Errors::Hide && answer.status() >= 500 {
        return Some(failed(answer, &trail.facts));
    }
    let max_bytes = too_large(bounds, &trail.facts, answer)?;
    Some(Refusal::OriginTooLarge { max_bytes })
}

/// What is told of a 5xx that is kept back: its status, and when to come again.
fn failed<A: OriginAnswer>(answer: &A, facts: &Facts) -> Refusal {
    let told = answer.field("retry-after");
    Refusal::OriginFailed {
        status: answer.status(),
        retry_after_s: told.and_then(|told| retry_after::seconds(&told, facts.received_at_ms)),
    }
}

/// The bound that an answer is over by what its head says of its content, where it has any.
fn too_large<A: OriginAnswer>(
    bounds: Option<AnswerBounds>,
    facts: &Facts,
    answer: &A,
) -> Option<u64> {
    let bytes_max = bounds?.bytes_max;
    if facts.method == "HEAD" || answer.status() == 304 {
        return None;
    }
    let length = answer.field("content-length")?;
    // What is no number is no bound, and so over it.
    let is_within = length.parse().is_ok_and(|length: u64| length <= bytes_max);
    (!is_within).then_some(bytes_max)
}
