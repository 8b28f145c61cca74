//! Sends a request to its origin, where the origin is well enough: the breaker, a place, and again
//! where that is allowed.
//!
//! Owns: the order of these. Nothing of an answer has left while it is here: it has a head at most.
//! Called by: the driver, with the only thing that can be sent.

use std::rc::Rc;

use crate::facts::UnixMs;
use crate::origin::breaker::{Pace, Pass, Verdict};
use crate::origin::bulkhead::Entry;
use crate::origin::retry::pause_ms;
use crate::origin::rule::BreakerRule;
use crate::origin::state::{LOOK_MS_MIN, Place, SharedState};
use crate::policy::gate::{Origin, RefundCause};
use crate::ports::{OriginAnswer, OriginFault, Ports};
use crate::stage::forward::Forward;

/// How long is waited before a place is asked for again.
const WAIT_STEP_MS: u64 = 10;
/// A place that nobody gave back is free this long after its answer had to be there.
const PLACE_SLACK_MS: u64 = 60_000;

/// Sends; the answer is the last one. Also says how often it was sent again.
pub async fn send<P: Ports>(
    ports: &P,
    forward: Forward<P::Body>,
) -> (Result<P::Answer, OriginFault>, u32) {
    let origin = Rc::clone(forward.origin());
    if origin.rules.is_plain() {
        return (ports.send(forward).await, 0);
    }
    let state = ports.origin_state(&origin);
    let fraction = forward.fraction();
    let mut forward = forward;
    let mut sent = 0_u32;
    loop {
        let again = match sent < origin.rules.attempts() {
            true => forward.again(),
            false => None,
        };
        let (method, is_claimed) = (forward.method(), forward.is_claimed());
        let answer = once(ports, &origin, &state, forward).await;
        // What reached nobody pays for no retry.
        if sent == 0 && !is_unsent(&answer) {
            state.borrow_mut().budget.save();
        }
        let answer = match answer {
            // An earlier try may have acted: that this one was not sent is not the whole of it.
            answer if sent > 0 && is_unsent(&answer) => Err(OriginFault::Down),
            answer => answer,
        };
        sent = sent.saturating_add(1);
        let retry = origin.rules.retry.as_ref();
        let is_allowed = failure(&answer).is_some_and(|failure| {
            retry.is_some_and(|rule| rule.allows(method, is_claimed, failure, sent))
        });
        let Some(next) = again.filter(|_| is_allowed && spend(&state)) else {
            return (answer, sent.saturating_sub(1));
        };
        if let Ok(answer) = answer {
            answer.discard();
        }
        ports.pause(pause_ms(sent, fraction)).await;
        forward = next;
    }
}

/// Whether an origin is sent to as far as this isolate knows.
pub fn is_well<P: Ports>(ports: &P, origin: &Origin) -> bool {
    let Some(rule) = &origin.rules.breaker else {
        return true;
    };
    let state = ports.origin_state(origin);
    state.borrow().breaker.is_taking(rule, ports.now_ms())
}

/// Whether a request stayed here.
fn is_unsent<A>(answer: &Result<A, OriginFault>) -> bool {
    matches!(answer, Err(OriginFault::Open { .. } | OriginFault::Full))
}

async fn once<P: Ports>(
    ports: &P,
    origin: &Rc<Origin>,
    state: &SharedState,
    forward: Forward<P::Body>,
) -> Result<P::Answer, OriginFault> {
    let answer_ms = forward.timeout_ms();
    let bounds = forward.answer_bounds();
    let content_ms = bounds.map_or(0, |bounds| bounds.total_ms);
    let lasts_ms = answer_ms
        .max(content_ms)
        .saturating_add(forward.session_ms());
    let place = place(ports, origin, state, lasts_ms).await?;
    let pace = match forward.is_streamed() {
        true => Pace::Caller,
        false => Pace::Origin,
    };
    let pass = match pass(origin, state, ports.now_ms(), (answer_ms, pace)) {
        Ok(pass) => pass,
        Err(retry_after_ms) => {
            state.borrow_mut().refused_open += 1;
            share_if_due(ports, origin, state);
            return Err(OriginFault::Open { retry_after_ms });
        }
    };
    let answer = ports.send(forward).await;
    if let (Some(pass), Some(rule)) = (pass, &origin.rules.breaker) {
        let verdict = verdict(rule, &answer, pace);
        let mut state = state.borrow_mut();
        let opened = state.breaker.told(rule, ports.now_ms(), pass, verdict);
        state.is_to_be_told |= opened;
    }
    share_if_due(ports, origin, state);
    answer.map(|mut answer| {
        if let Some(place) = place {
            answer.hold(place);
        }
        answer
    })
}

/// Waits for a place at the origin; none is needed where nothing bounds them.
///
/// - `lasts_ms`: how long the request may be open there, its session included.
async fn place<P: Ports>(
    ports: &P,
    origin: &Origin,
    state: &SharedState,
    lasts_ms: u64,
) -> Result<Option<Place>, OriginFault> {
    let Some(rule) = &origin.rules.bulkhead else {
        return Ok(None);
    };
    let lasts_ms = lasts_ms.saturating_add(PLACE_SLACK_MS);
    let until_ms = |now_ms: UnixMs| now_ms.saturating_add(lasts_ms);
    let now_ms = ports.now_ms();
    let entered = state
        .borrow_mut()
        .bulkhead
        .enter(rule, now_ms, until_ms(now_ms));
    let (mut entry, ticket) = match entered {
        Entry::Place(ticket) | Entry::Wait(ticket) => (entered, ticket),
        Entry::Full => return full(state),
    };
    // A turn in line, and then a place: dropped, it is given back.
    let place = Place::new(Rc::clone(state), ticket);
    while let Entry::Wait(_) = entry {
        ports.pause(WAIT_STEP_MS).await;
        let now_ms = ports.now_ms();
        entry = state
            .borrow_mut()
            .bulkhead
            .again(rule, now_ms, ticket, until_ms(now_ms));
    }
    match entry {
        Entry::Place(_) => Ok(Some(place)),
        Entry::Wait(_) | Entry::Full => full(state),
    }
}

fn full(state: &SharedState) -> Result<Option<Place>, OriginFault> {
    state.borrow_mut().refused_full += 1;
    Err(OriginFault::Full)
}

/// What a request says of its origin. Where no answer came, and its caller was still sending its content,
/// it may have been the caller who stopped: else one who does so would close the origin to all.
fn verdict<A: OriginAnswer>(
    rule: &BreakerRule,
    answer: &Result<A, OriginFault>,
    pace: Pace,
) -> Verdict {
    match answer {
        Err(OriginFault::Left) => Verdict::Unknown,
        Err(_) if pace == Pace::Caller => Verdict::Unknown,
        answer if failure(answer).is_some_and(|failure| rule.on.contains(&failure)) => {
            Verdict::Failed
        }
        _ => Verdict::Good,
    }
}

fn pass(
    origin: &Origin,
    state: &SharedState,
    now_ms: UnixMs,
    (answer_ms, pace): (u64, Pace),
) -> Result<Option<Pass>, u64> {
    let Some(rule) = &origin.rules.breaker else {
        return Ok(None);
    };
    let until_ms = now_ms.saturating_add(answer_ms);
    let mut state = state.borrow_mut();
    state.breaker.pass(rule, now_ms, until_ms, pace).map(Some)
}

fn share_if_due<P: Ports>(ports: &P, origin: &Rc<Origin>, state: &SharedState) {
    if origin.rules.breaker.is_none() {
        return;
    }
    let now_ms = ports.now_ms();
    let due = {
        let mut state = state.borrow_mut();
        let is_open = state.breaker.open_for_ms(now_ms).is_some();
        let is_long_ago =
            now_ms.saturating_sub(state.looked_at_ms) >= LOOK_MS_MIN || now_ms < state.looked_at_ms;
        let due = state.is_to_be_told || (is_long_ago && !is_open);
        if due {
            state.looked_at_ms = now_ms;
        }
        due
    };
    if due {
        ports.share(Rc::clone(origin));
    }
}

fn spend(state: &SharedState) -> bool {
    let mut state = state.borrow_mut();
    let paid = state.budget.spend();
    state.retries += u64::from(paid);
    paid
}

/// The failure that an answer is, if it is one.
fn failure<A: OriginAnswer>(answer: &Result<A, OriginFault>) -> Option<RefundCause> {
    match answer {
        Ok(answer) if answer.has_socket() => None,
        Ok(answer) => match answer.status() {
            // What is no status is no answer.
            status @ 200..=599 => Some(RefundCause::Status(status)).filter(|_| status >= 500),
            _ => Some(RefundCause::Connect),
        },
        Err(OriginFault::Down | OriginFault::Invalid) => Some(RefundCause::Connect),
        Err(OriginFault::TimedOut) => Some(RefundCause::Timeout),
        // It was not sent, so nothing was learned of it.
        Err(OriginFault::Open { .. } | OriginFault::Full) => None,
        // It was not waited for.
        Err(OriginFault::Left) => None,
    }
}
