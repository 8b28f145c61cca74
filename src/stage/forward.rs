//! The one thing that can be sent to an origin, and the request that waits for its answer.

mod fields;

use std::rc::Rc;

use crate::facts::{Facts, Method};
use crate::idempotency::Granted;
use crate::identity::Statement;
use crate::origin::rule::AnswerBounds;
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
use crate::trail::{OriginNote, Refused, StageName, Told};
pub use fields::{HOP_BY_HOP, trace_id};
use fields::{ask_whole, continues_trace, removed, told};

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
}

impl<'g, B> Exchange<Claimed<'g>, Content<B>> {
    /// Makes what is sent. `signed` answers [`Exchange::statement`].
    ///
    /// Refuses if the statement that was signed is not the one that was asked for.
    pub fn forward(
        mut self,
        signed: Option<(Statement, Vec<u8>)>,
    ) -> Result<(Forward<B>, Exchange<Sent<'g>, ()>), Refused> {
        if self.statement().as_ref() != signed.as_ref().map(|(statement, _)| statement) {
            return Err(self.refuse(Refusal::AnswerMismatch { port: Port::Signer }));
        }
        let identified = self.stage.identified();
        let routed = identified.routed();
        let (gate, route) = (routed.gate(), routed.route());
        let target = self.stage.target().clone();
        let facts = &self.trail.facts;
        let mut set = told(facts, routed);
        set.extend(signed.map(|(statement, signature)| statement.signed(&signature)));
        let own: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        let forward_url = format!("{}{}", target.origin.url, path_and_query(routed));
        let mut remove = removed(&facts.headers, &gate.credential_headers, &own);
        // W3C Trace Context §3.3: what belongs to a trace that was not continued goes with it.
        if !continues_trace(facts) {
            remove.push("tracestate".into());
        }
        switching::ask(facts, routed, &mut remove, &mut set);
        let session_ms = switching::session_ms(routed);
        let (mut method, timeout_ms) = (routed.method(), target.timeout_ms);
        if judging(route).is_some() {
            ask_whole(&mut method, &mut remove, &mut set);
        }
        let cost = identified.price(facts).units();
        let granted = self.stage.granted();
        // What is kept is kept as it reads.
        if granted.is_some() {
            set.push(("accept-encoding".into(), "identity".into()));
        }
        self.trail.origin = Some(OriginNote {
            name: target.origin.name.clone(),
            status: None,
            ms: 0,
            retries: 0,
        });
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
        };
        let sent = Exchange {
            trail: self.trail,
            body: (),
            stage: Sent {
                cost,
                granted,
                claimed: self.stage,
                answer: target.answer,
            },
        };
        Ok((forward, sent))
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
        } = self.stage;
        let route = claimed.identified().routed().route();
        settle(&mut self.trail, route, cost, &answer);
        let (keep, told) = claim_after(granted, &answer);
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
            Ok(answer) if let Some(max_bytes) = too_large(bounds, &sent.trail.facts, &answer) => {
                Err(sent.refuse(Refusal::OriginTooLarge { max_bytes }))
            }
            Ok(answer) => {
                let sent = Exchange {
                    trail: sent.trail,
                    body: answer,
                    stage: (),
                };
                Ok(sent.next(StageName::Released, |()| Answered::new(claimed, keep)))
            }
            Err(OriginFault::Down) => Err(sent.refuse(Refusal::OriginDown)),
            Err(OriginFault::TimedOut) => Err(sent.refuse(Refusal::OriginTimeout)),
            Err(OriginFault::Invalid) => Err(sent.refuse(Refusal::OriginInvalid)),
            Err(OriginFault::Open { retry_after_ms }) => {
                Err(sent.refuse(Refusal::OriginOpen { retry_after_ms }))
            }
            Err(OriginFault::Full) => Err(sent.refuse(Refusal::OriginFull)),
        }
    }
}

/// What was matched is what is sent.
fn path_and_query(routed: &Routed<'_>) -> String {
    let path = routed.path().as_str();
    match routed.query().as_str() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// What becomes of a claim: whose answer is kept, and what else is told. An origin that broke off may
/// have acted; one that refused the credential, or asked to come later, did not.
fn claim_after<A: OriginAnswer>(
    granted: Option<Granted>,
    answer: &Result<A, OriginFault>,
) -> (Option<Granted>, Option<Told>) {
    let Some(granted) = granted else {
        return (None, None);
    };
    match answer.as_ref().map(OriginAnswer::status) {
        Ok(401 | 429) => (None, Some(Told::of(&granted, Granted::free))),
        Ok(200..=599) => (Some(granted), None),
        // It was not sent.
        Err(OriginFault::Open { .. } | OriginFault::Full) => {
            (None, Some(Told::of(&granted, Granted::free)))
        }
        Ok(_) | Err(_) => (None, Some(Told::of(&granted, Granted::lose))),
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
