//! The gateway: one request, from its arrival to the origin's answer, check by check.
//!
//! Owns: the order. Every step can only be taken from the one before; `ports` is the outside.

use std::rc::Rc;

use crate::credential::dpop::SignedProof;
use crate::credential::verified::VerifiedToken;
use crate::credential::verify::{check_proof, prove, verify};
use crate::facts::Facts;
use crate::idempotency::KeptAnswer;
use crate::origin::dispatch;
use crate::policy::gate::Gate;
use crate::ports::Ports;
use crate::refusal::Refusal;
use crate::release::{Leaving, release};
use crate::stage::answered::Answered;
use crate::stage::claimed::{Claiming, Leading};
use crate::stage::forward::{Forward, Unsigned};
use crate::stage::identified::{Evidence, Identified};
use crate::stage::inspected::Need;
use crate::stage::open::Open;
use crate::stage::presented::{Presenting, Question};
use crate::stage::release::Release;
use crate::stage::routed::Routing;
use crate::stage::stored::Serving;
use crate::stage::switching::Switch;
use crate::stage::validated::Content;
use crate::stage::{Exchange, failure};
use crate::trail::{Refused, Trail};

/// How a request that was not refused ends.
#[must_use]
pub enum Outcome<'p, P: Ports> {
    Released(Release<'p, P>),
    /// Both sides switch to WebSocket: a session begins.
    Switched(Box<Switch<'p, P>>),
    Preflight {
        fields: Vec<(&'static str, String)>,
        trail: Box<Trail>,
    },
    /// Carried out before: what was answered then.
    Replayed {
        answer: KeptAnswer,
        trail: Box<Trail>,
    },
}

/// Takes one request through every stage. What a bad credential or a refused object costs is charged at
/// the end, and what is to be given back is left to be done behind the answer.
pub async fn admit<'p, P: Ports>(
    gate: &Gate,
    ports: &'p P,
    facts: Facts,
    body: P::Body,
) -> Result<Outcome<'p, P>, Refused> {
    let mut ended = match through(gate, ports, facts, body).await {
        Ok(outcome) => Ok(outcome),
        Err(refused) => Err(failure::charge(ports, refused).await),
    };
    let (errands, told) = match &mut ended {
        Ok(Outcome::Released(release)) => (release.take_errands(), release.take_told()),
        Ok(Outcome::Switched(switch)) => (switch.take_errands(), switch.take_told()),
        Ok(Outcome::Preflight { trail, .. } | Outcome::Replayed { trail, .. }) => {
            (std::mem::take(&mut trail.errands), trail.told.take())
        }
        Err(refused) => {
            let trail = &mut refused.trail;
            (std::mem::take(&mut trail.errands), trail.told.take())
        }
    };
    errands.into_iter().for_each(|errand| ports.defer(errand));
    told.into_iter().for_each(|told| ports.tell(told));
    ended
}

async fn through<'p, P: Ports>(
    gate: &Gate,
    ports: &'p P,
    facts: Facts,
    body: P::Body,
) -> Result<Outcome<'p, P>, Refused> {
    let open = Open::new(ports);
    let routed = match Exchange::received(facts, body).route(gate)? {
        Routing::Route(routed) => routed,
        Routing::Preflight { fields, trail } => return Ok(Outcome::Preflight { fields, trail }),
    };
    let charged = open.charge(routed.address_charge()).await;
    let presented = routed.shield(&charged)?.present()?;
    let identified = identify(ports, presented).await?;
    let charge = match identified.charge() {
        Ok(charge) => charge,
        Err(refusal) => return Err(identified.refuse(refusal)),
    };
    let charged = open.charge(charge).await;
    let inspected = identified.limit(&charged)?.authorize()?.inspect()?;
    let validated = match inspected.need() {
        Need::Nothing | Need::Pass => inspected.validate_unread()?,
        Need::Read { max_bytes } => {
            let (waiting, body) = inspected.part();
            waiting.validate(ports.read(body, max_bytes).await)?
        }
    };
    let charged = open.charge(validated.rest()).await;
    let paid = validated.pay(&charged)?;
    let paid = paid.aim(|origin| dispatch::is_well(ports, origin));
    let answered = match recall(ports, paid.claim()).await? {
        Serving::Stored(answered) => answered,
        Serving::Ask(claiming) => match ask(gate, ports, claiming).await? {
            Asked::Answered(answered) => answered,
            Asked::Before(answer, trail) => return Ok(Outcome::Replayed { answer, trail }),
        },
    };
    Ok(match release(ports, answered, open).await? {
        Leaving::Answer(release) => Outcome::Released(release),
        Leaving::Switch(switch) => Outcome::Switched(Box::new(switch)),
    })
}

/// Looks for a kept answer to a request that was found good.
async fn recall<'g, P: Ports>(
    ports: &P,
    claiming: Exchange<Claiming<'g>, Content<P::Body>>,
) -> Result<Serving<'g, P::Body, P::Answer>, Refused> {
    let told = match claiming.stored_question() {
        None => None,
        Some((key, bytes_max)) => Some(ports.stored(&key, bytes_max).await),
    };
    claiming.serve(told, ports.now_ms(), |stored| ports.revive(stored))
}

/// What the origin's part ends in.
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and taken apart at once"
)]
enum Asked<'g, A> {
    Answered(Exchange<Answered<'g>, A>),
    /// It was carried out before.
    Before(KeptAnswer, Box<Trail>),
}

/// Asks the origin, once for a request that is carried out once.
async fn ask<'g, P: Ports>(
    gate: &Gate,
    ports: &P,
    claiming: Exchange<Claiming<'g>, Content<P::Body>>,
) -> Result<Asked<'g, P::Answer>, Refused> {
    let signed = match (claiming.statement(), gate.identity_keys.as_ref()) {
        (Some(statement), Some(keys)) => match ports.sign(keys, statement.clone()).await {
            Ok(signed) => Some(signed),
            Err(down) => return Err(claiming.refuse(down.into())),
        },
        _ => None,
    };
    let answer = match claiming.question() {
        None => None,
        Some(question) => match ports.claim(question).await {
            Ok(answer) => Some(answer),
            Err(down) => return Err(claiming.unclaimed(down)),
        },
    };
    let claimed = match claiming.claimed(answer)? {
        Leading::Run(claimed) => claimed,
        Leading::Replay { answer, trail } => return Ok(Asked::Before(answer, trail)),
    };
    let (unsigned, sent) = claimed.forward(signed)?;
    let forward = match sign(gate, ports, unsigned).await {
        Ok(forward) => forward,
        Err(refusal) => return Err(sent.unsent(refusal)),
    };
    let sent_at_ms = ports.now_ms();
    let (answer, retries) = dispatch::send(ports, forward).await;
    let sent = sent.retried(retries);
    let answered_at_ms = ports.now_ms();
    let answered = sent.answered(answer, answered_at_ms.saturating_sub(sent_at_ms))?;
    if let Some(filing) = answered.filing(answered_at_ms) {
        ports.file(answered.answer(), filing);
    }
    let answered = failure::charge_answer(ports, answered).await?;
    Ok(Asked::Answered(answered))
}

/// Has the message to the origin signed, where that is asked for.
async fn sign<P: Ports>(
    gate: &Gate,
    ports: &P,
    mut unsigned: Unsigned<P::Body>,
) -> Result<Forward<P::Body>, Refusal> {
    let keys = gate.identity_keys.as_ref();
    let message = unsigned.message(keys, ports.now_ms())?;
    let signed = match message.zip(keys) {
        Some((message, keys)) => Some(ports.sign(keys, message).await?),
        None => None,
    };
    unsigned.signed(signed)
}

/// Asks what the credential asks, and lets the stage judge the answer.
async fn identify<'g, P: Ports>(
    ports: &P,
    mut presented: Exchange<Presenting<'g>, P::Body>,
) -> Result<Exchange<Identified<'g>, P::Body>, Refused> {
    let evidence = match presented.question() {
        Question::Nothing => Ok(Evidence::Nothing),
        Question::Key { id, peppers } => match ports.key_record(id, peppers).await {
            Ok(answer) => Ok(Evidence::Key(answer)),
            Err(down) => Err(down.into()),
        },
        Question::Token { text, rules, gate } => {
            let now_ms = presented.trail().facts.received_at_ms;
            let signed = match presented.proof() {
                None => Ok(None),
                Some((proof, occasion)) => check_proof(ports, proof, &occasion).await.map(Some),
            };
            match signed {
                Err(refusal) => Err(refusal),
                Ok(signed) => match verify(ports, text, &rules, gate, now_ms).await {
                    Ok(token) => possess(ports, &mut presented, token, signed).await,
                    Err(refusal) => Err(refusal),
                },
            }
        }
    };
    match evidence {
        Ok(evidence) => presented.identify(evidence),
        Err(refusal) => Err(presented.refuse(refusal)),
    }
}

/// Asks whether the sender holds the key that its token is bound to, where it proved to hold one.
async fn possess<P: Ports>(
    ports: &P,
    presented: &mut Exchange<Presenting<'_>, P::Body>,
    token: Rc<VerifiedToken>,
    signed: Option<SignedProof>,
) -> Result<Evidence, Refusal> {
    let Some(signed) = signed else {
        return Ok(Evidence::Token { token, key: None });
    };
    let proven = prove(ports, signed, presented.has_nonce(&token), &token).await;
    if matches!(proven, Ok(_) | Err(Refusal::NonceNeeded)) {
        presented.offer_nonce(&token);
    }
    let key = Some(proven?);
    Ok(Evidence::Token { token, key })
}
