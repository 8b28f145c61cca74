//! The content too has the form that the route asks for, and the rule that looks at it admits.

use serde_json::Value;

use crate::body::finding::Location;
use crate::body::json::{BODY_LIMITS, parse};
use crate::idempotency::key::IdempotencyKey;
use crate::limit::rule::Mode;
use crate::policy::expression::Expression;
use crate::policy::gate::Route;
use crate::ports::ReadFault;
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::authorized::ask;
use crate::stage::charging::Price;
use crate::stage::identified::Identified;
use crate::stage::inspected::{Inspected, Need, mode_of, needs_bytes};
use crate::stage::writing;
use crate::trail::{FieldNote, Refused, StageName};

/// Every check of the way in was passed.
pub struct Validated<'g> {
    inspected: Inspected<'g>,
    /// What the request costs, where that was not known before.
    price: Option<u64>,
}

/// Content to send.
pub enum Content<B> {
    Nothing,
    /// Not read: no rule looks at it.
    Unread(B),
    /// The bytes that were judged.
    Bytes(Vec<u8>),
}

impl<'g, B> Exchange<Inspected<'g>, B> {
    pub fn need(&self) -> Need {
        self.stage.need()
    }

    /// Takes the content out for reading.
    pub fn part(self) -> (Exchange<Inspected<'g>, ()>, B) {
        (
            Exchange {
                trail: self.trail,
                body: (),
                stage: self.stage,
            },
            self.body,
        )
    }

    /// Goes on without reading; refused if a rule has to read.
    pub fn validate_unread(mut self) -> Result<Exchange<Validated<'g>, Content<B>>, Refused> {
        let price = match ask_rules(&mut self, &Value::Null) {
            Ok(price) => price,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        let content = |body| match self.stage.need() {
            Need::Nothing => Some(Content::Nothing),
            Need::Pass => Some(Content::Unread(body)),
            Need::Read { .. } => None,
        };
        match content(self.body) {
            Some(content) => Ok(validated(self.trail, (self.stage, price), content)),
            None => Err(Refused {
                refusal: Refusal::BodyBroken,
                trail: self.trail,
            }),
        }
    }
}

impl<'g> Exchange<Inspected<'g>, ()> {
    /// Judges the content that was read.
    pub fn validate<B>(
        mut self,
        read: Result<Vec<u8>, ReadFault>,
    ) -> Result<Exchange<Validated<'g>, Content<B>>, Refused> {
        let Need::Read { max_bytes } = self.stage.need() else {
            return Err(self.refuse(Refusal::BodyBroken));
        };
        let bytes = match read {
            Ok(bytes) if bytes.len() as u64 <= max_bytes => bytes,
            Ok(_) | Err(ReadFault::TooLarge) => {
                return Err(self.refuse(Refusal::TooLarge { max_bytes }));
            }
            Err(ReadFault::Broken) => return Err(self.refuse(Refusal::BodyBroken)),
            Err(ReadFault::TimedOut) => return Err(self.refuse(Refusal::BodyTimeout)),
        };
        let judged = match needs_bytes(self.stage.identified().routed().route()) {
            true => self.judge(bytes),
            false => ask_rules(&mut self, &Value::Null).map(|price| (price, bytes)),
        };
        let (price, bytes) = match judged {
            Ok(judged) => judged,
            Err(refusal) => return Err(self.refuse(refusal)),
        };
        let content = if self.trail.facts.has_body {
            Content::Bytes(bytes)
        } else {
            Content::Nothing
        };
        Ok(validated(self.trail, (self.stage, price), content))
    }

    /// Judges what a rule reads; what the request costs, where that depends on it, and what is sent.
    fn judge(&mut self, bytes: Vec<u8>) -> Result<(Option<u64>, Vec<u8>), Refusal> {
        let route = self.stage.identified().routed().route();
        let mode = mode_of(route);
        if bytes.is_empty() && sets_only_fields(route) {
            // Nothing is set.
            return ask_rules(self, &Value::Null).map(|price| (price, bytes));
        }
        let body = match parse(&bytes, BODY_LIMITS) {
            Ok(body) => body,
            Err(fault) => {
                self.settle(mode, Err(Refusal::NotJson { fault }))?;
                // Observed or not: the rule is asked, and of nothing it cannot say yes.
                return ask_rules(self, &Value::Null).map(|price| (price, bytes));
            }
        };
        let (body, bytes) = self.written(mode, body, bytes)?;
        let schema = route.request.body.as_ref().filter(|_| mode != Mode::Off);
        let findings = schema.map_or_else(Vec::new, |schema| schema.judge(&body, Location::Body));
        let formed = if findings.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid { findings })
        };
        self.settle(mode, formed)?;
        ask_rules(self, &body).map(|price| (price, bytes))
    }

    /// The content, less the fields that the caller may not set and is relieved of.
    fn written(
        &mut self,
        mode: Mode,
        body: Value,
        bytes: Vec<u8>,
    ) -> Result<(Value, Vec<u8>), Refusal> {
        let identified = self.stage.identified();
        let rules = &identified.routed().route().request.fields;
        if rules.is_empty() || mode == Mode::Off {
            return Ok((body, bytes));
        }
        let judged = writing::judge(rules, &bytes, &identified.seen(&self.trail.facts, &body));
        match (judged, mode) {
            (Ok(None), _) => Ok((body, bytes)),
            (Ok(Some((stripped, notes))), Mode::Enforce) => {
                self.trail.fields.extend(notes);
                match parse(&stripped, BODY_LIMITS) {
                    Ok(body) => Ok((body, stripped)),
                    Err(fault) => Err(Refusal::NotJson { fault }),
                }
            }
            (Ok(Some((_, notes))), _) => {
                let observed = |note| FieldNote {
                    act: "observed",
                    ..note
                };
                self.trail.fields.extend(notes.into_iter().map(observed));
                Ok((body, bytes))
            }
            (Err(refusal), mode) => self.settle(mode, Err(refusal)).map(|()| (body, bytes)),
        }
    }
}

/// Asks the route's rule, if it is one that looks at the content, and what the request costs, if
/// that was not known before.
fn ask_rules<B>(
    exchange: &mut Exchange<Inspected<'_>, B>,
    body: &Value,
) -> Result<Option<u64>, Refusal> {
    let identified = exchange.stage.identified();
    let route = identified.routed().route();
    let seen = identified.seen(&exchange.trail.facts, body);
    let rule = route.allow.as_ref().filter(|allow| allow.needs_body());
    let allowed = match rule {
        Some(rule) if route.mode != Mode::Off => ask(rule, &seen),
        _ => Ok(()),
    };
    let price = route.cost.needs_caller().then(|| route.price(&seen));
    let units = price.as_ref().map(Price::units);
    let mode = route.mode;
    exchange.settle(mode, allowed)?;
    exchange.settle(mode, price.map_or(Ok(()), Price::fault))?;
    Ok(units)
}

/// Whether nothing but rules about fields looks at the content.
fn sets_only_fields(route: &Route) -> bool {
    let allow = route.allow.as_ref();
    let reads = allow.is_some_and(Expression::needs_body) || route.cost.needs_body();
    route.request.body.is_none() && !reads
}

impl<'g> Validated<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        self.inspected.identified()
    }

    /// By which the request is carried out once.
    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        self.inspected.key()
    }

    /// What the request costs, where that was not known when it was charged.
    pub(super) fn price(&self) -> Option<u64> {
        self.price
    }
}

fn validated<'g, B>(
    trail: Box<crate::trail::Trail>,
    (inspected, price): (Inspected<'g>, Option<u64>),
    content: Content<B>,
) -> Exchange<Validated<'g>, Content<B>> {
    Exchange {
        trail,
        body: content,
        stage: inspected,
    }
    .next(StageName::Paid, |inspected| Validated { inspected, price })
}
