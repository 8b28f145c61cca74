//! The content too has the form that the route asks for, and the rule that looks at it admits.

use serde_json::Value;

use crate::body::content::{ContentFault, ContentRules};
use crate::idempotency::key::IdempotencyKey;
use crate::limit::rule::Mode;
use crate::message;
use crate::policy::expression::Expression;
use crate::policy::gate::Route;
use crate::ports::ReadFault;
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::authorized::ask;
use crate::stage::charging::Price;
use crate::stage::identified::Identified;
use crate::stage::inspected::{Inspected, Need, Reading, mode_of, rule_reads};
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
        if let Err(refusal) = self.check_digest(&bytes) {
            return Err(self.refuse(refusal));
        }
        let judged = match self.stage.reading() {
            Reading::By(rules) => self.judge(bytes, rules),
            Reading::Nobody | Reading::Unknown => {
                ask_rules(&mut self, &Value::Null).map(|price| (price, bytes))
            }
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

    /// Whether content that was read is what its caller says it is (RFC 9530 §2).
    fn check_digest(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let name = message::CONTENT_DIGEST;
        let field = self.trail.facts.headers.get(name);
        let found = match field.map(|field| message::is_digest_of(field, bytes)) {
            None | Some(Some(true)) => Ok(()),
            Some(Some(false)) => Err(Refusal::DigestMismatch),
            Some(None) => Err(Refusal::HeaderMalformed { name }),
        };
        let mode = mode_of(self.stage.identified().routed().route());
        self.settle(mode, found)
    }

    /// Judges what a rule reads; what the request costs, where that depends on it, and what is sent.
    fn judge(
        &mut self,
        bytes: Vec<u8>,
        rules: &ContentRules,
    ) -> Result<(Option<u64>, Vec<u8>), Refusal> {
        let route = self.stage.identified().routed().route();
        let mode = mode_of(route);
        if bytes.is_empty() && (route.request.optional || sets_only_fields(route)) {
            // Nothing is set.
            return ask_rules(self, &Value::Null).map(|price| (price, bytes));
        }
        let content_type = self.trail.facts.headers.get("content-type");
        let content = match rules.read(&bytes, content_type.unwrap_or_default()) {
            Ok(content) => content,
            Err(fault) => {
                let refusal = refusal_of(fault);
                // To a rule that decides, content that cannot be read is not the same as none: it
                // would be asked of null, and the origin would read something.
                let decides = rule_reads(route) && !bytes.is_empty();
                let mode = if decides { route.mode } else { mode };
                self.settle(mode, Err(refusal))?;
                return ask_rules(self, &Value::Null).map(|price| (price, bytes));
            }
        };
        let (content, bytes) = self.written(mode, (content, bytes), rules)?;
        let findings = match mode {
            Mode::Off => Vec::new(),
            Mode::Enforce | Mode::Observe => rules.judge(&content),
        };
        let formed = if findings.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid { findings })
        };
        self.settle(mode, formed)?;
        ask_rules(self, &content).map(|price| (price, bytes))
    }

    /// The content, less the fields that the caller may not set and is relieved of.
    fn written(
        &mut self,
        mode: Mode,
        (content, bytes): (Value, Vec<u8>),
        rules: &ContentRules,
    ) -> Result<(Value, Vec<u8>), Refusal> {
        let identified = self.stage.identified();
        let fields = &identified.routed().route().request.fields;
        if fields.is_empty() || mode == Mode::Off {
            return Ok((content, bytes));
        }
        let seen = identified.seen(&self.trail.facts, &content);
        match (writing::judge(fields, &bytes, &seen), mode) {
            (Ok(None), _) => Ok((content, bytes)),
            (Ok(Some((stripped, notes))), Mode::Enforce) => {
                self.trail.fields.extend(notes);
                let content_type = self.trail.facts.headers.get("content-type");
                let read = rules.read(&stripped, content_type.unwrap_or_default());
                read.map(|content| (content, stripped)).map_err(refusal_of)
            }
            (Ok(Some((_, notes))), _) => {
                let observed = |note| FieldNote {
                    act: "observed",
                    ..note
                };
                self.trail.fields.extend(notes.into_iter().map(observed));
                Ok((content, bytes))
            }
            (Err(refusal), mode) => self.settle(mode, Err(refusal)).map(|()| (content, bytes)),
        }
    }
}

fn refusal_of(fault: ContentFault) -> Refusal {
    match fault {
        ContentFault::Json(fault) => Refusal::NotJson { fault },
        ContentFault::Form(fault) => Refusal::NotForm { fault },
        ContentFault::Fields(findings) => Refusal::Invalid { findings },
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
    !route.request.has_schema && !reads
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
