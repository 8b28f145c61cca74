//! Outcomes as responses.

use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use web_sys::{AbortSignal, Headers, Response, ResponseInit};
use worker::Result;

use crate::challenge::Asking;
use crate::edge::keep;
use crate::edge::origin::Answer;
use crate::edge::pump::{Under, pump};
use crate::edge::watch::{or_gone, watch};
use crate::house::Page;
use crate::idempotency::KeptAnswer;
use crate::policy::gate::Gate;
use crate::problem::{Problem, Telling};
use crate::reply::{Kept, every, own};
use crate::resource::METADATA_PATH;
use crate::stage::release::{Cleared, Left};
use crate::trail::{Refused, Trail};

/// A response and what the log says of it.
pub(super) struct Reply {
    pub(super) response: Response,
    pub(super) status: u16,
}

/// An answer of up to so many bytes is over when it is passed on; the end of a larger one is watched.
const SMALL_BYTES_MAX: u64 = 65_536;

/// The origin's answer, less what may not leave, plus what every answer carries. A body that no rule
/// read stays native: it is not read here.
///
/// - `client`: aborted when the client is gone; given where the end of the answer is to be told. Then
///   it comes as a promise, if there is something to wait for.
pub(super) fn release(
    gate: &Gate,
    cleared: &Cleared<Answer>,
    client: Option<&AbortSignal>,
) -> Result<(Reply, Option<Promise>)> {
    let Answer(answer, care) = cleared.answer();
    let status = answer.status();
    let headers = Headers::new_with_headers(&answer.headers())?;
    for name in cleared.remove() {
        // A name that is none cannot be in the map.
        let _ = headers.delete(name);
    }
    dress(&headers, Some(gate), cleared.trail(), &[])?;
    for (name, value) in cleared.set() {
        headers.set(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&headers);
    let has_content = !matches!(status, 204 | 205 | 304);
    match cleared.left() {
        Left::AsItCame => {}
        // It is in memory: nobody can hold it up.
        Left::Bytes(bytes) if has_content => {
            let mut bytes = Uint8Array::from(bytes.as_slice());
            let response = Response::new_with_opt_js_u8_array_and_init(Some(&mut bytes), &init)?;
            return Ok((Reply { response, status }, None));
        }
        Left::Bytes(_) | Left::Nothing => {
            let response = Response::new_with_opt_str_and_init(None, &init)?;
            return Ok((Reply { response, status }, None));
        }
    }
    // Coded content passes as it came: the platform knows that these bytes are coded already.
    // RFC 9110 §6.4.1: these have no content, and the platform makes none with it.
    let mut body = answer.body().filter(|_| has_content);
    let mut ended = None;
    let length = plain_length(&headers);
    // A small answer has left when its head has: nobody can hold it up.
    let client = client.filter(|_| length.is_none_or(|length| length > SMALL_BYTES_MAX));
    if let (Some(native), Some((flow, state))) = (&body, &care.flow) {
        let told = Under {
            request_id: cleared.trail().facts.request_id.to_string(),
            flow: *flow,
            state: Rc::clone(state),
        };
        let pumped = pump(native, length, told).ok_or("no stream to pass it through")?;
        body = Some(pumped.body);
        ended = Some(match client {
            Some(client) => or_gone(&pumped.ended, client),
            None => pumped.ended,
        });
    } else if let (Some(native), Some(client)) = (&body, client) {
        let watched = watch(native, client, length).ok_or("no stream to watch by")?;
        body = Some(watched.body);
        ended = Some(watched.ended);
    }
    let response = Response::new_with_opt_readable_stream_and_init(body.as_ref(), &init)?;
    Ok((Reply { response, status }, ended))
}

/// An answer that was kept, once more. What it says of this request alone is this request's.
pub(super) fn replayed(gate: &Gate, trail: &Trail, answer: &KeptAnswer) -> Result<Reply> {
    let headers = Headers::new()?;
    for (name, value) in &answer.fields {
        headers.append(name, value)?;
    }
    headers.set("idempotent-replayed", "true")?;
    dress(&headers, Some(gate), trail, &[])?;
    let status = answer.status;
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&headers);
    let has_content = !matches!(status, 204 | 205 | 304);
    let mut content = keep::content(answer).filter(|_| has_content);
    let response = Response::new_with_opt_u8_array_and_init(content.as_deref_mut(), &init)?;
    Ok(Reply { response, status })
}

/// How many bytes come, where what is read is what is sent: coded content is decoded on the way.
fn plain_length(headers: &Headers) -> Option<u64> {
    let field = |name| headers.get(name).ok().flatten();
    match field("content-encoding") {
        Some(_) => None,
        None => field("content-length")?.parse().ok(),
    }
}

/// The problem document of a refusal.
pub(super) fn refuse(gate: Option<&Gate>, refused: &Refused) -> Result<(Reply, Problem)> {
    let trail = &refused.trail;
    let realm = gate.map_or("edgeward", |gate| gate.name.as_str());
    let request_id = &trail.facts.request_id;
    let base = trail.base_url(gate);
    let metadata = format!("{base}{METADATA_PATH}");
    let telling = Telling {
        request_id,
        asking: Asking {
            realm,
            metadata: &metadata,
        },
        challenges: &trail.challenges,
    };
    let problem = Problem::of(&refused.refusal, &telling);
    let document = problem.document(&base, request_id).to_string();
    let headers = Headers::new()?;
    headers.set("content-type", "application/problem+json")?;
    for (name, value) in &problem.fields {
        headers.append(name, value)?;
    }
    let making = Making {
        status: problem.slug.status(),
        kept: Kept::Never,
        text: Some(&document),
    };
    let reply = made(gate, trail, headers, &making)?;
    Ok((reply, problem))
}

/// The answer to a preflight.
pub(super) fn preflight(
    gate: &Gate,
    trail: &Trail,
    fields: &[(&'static str, String)],
) -> Result<Reply> {
    let headers = Headers::new()?;
    for (name, value) in fields {
        headers.set(name, value)?;
    }
    let making = Making {
        status: 204,
        kept: Kept::Never,
        text: None,
    };
    made(Some(gate), trail, headers, &making)
}

/// A page of the gateway's own.
pub(super) fn page(gate: Option<&Gate>, trail: &Trail, page: &Page) -> Result<Reply> {
    let headers = Headers::new()?;
    headers.set("content-type", page.content_type)?;
    let making = Making {
        status: page.status,
        kept: match page.may_be_kept {
            true => Kept::Shortly,
            false => Kept::Never,
        },
        text: Some(&page.text),
    };
    made(gate, trail, headers, &making)
}

/// A document of the admin API.
pub(super) fn document(
    gate: Option<&Gate>,
    trail: &Trail,
    status: u16,
    document: &serde_json::Value,
) -> Result<Reply> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    let making = Making {
        status,
        kept: Kept::Never,
        text: Some(&document.to_string()),
    };
    made(gate, trail, headers, &making)
}

/// What an answer that is made here has to say.
struct Making<'a> {
    status: u16,
    kept: Kept,
    text: Option<&'a str>,
}

fn made(
    gate: Option<&Gate>,
    trail: &Trail,
    headers: Headers,
    making: &Making<'_>,
) -> Result<Reply> {
    dress(&headers, gate, trail, &own(making.kept))?;
    let status = making.status;
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&headers);
    // RFC 9110 §9.3.2: an answer to HEAD has no content.
    let text = making.text.filter(|_| trail.facts.method != "HEAD");
    Ok(Reply {
        response: Response::new_with_opt_str_and_init(text, &init)?,
        status,
    })
}

fn dress(
    headers: &Headers,
    gate: Option<&Gate>,
    trail: &Trail,
    extra: &[(&'static str, String)],
) -> Result<()> {
    let fields = every(gate, trail);
    for (name, value) in fields.set.iter().chain(extra) {
        headers.set(name, value)?;
    }
    for (name, value) in &fields.append {
        headers.append(name, value)?;
    }
    Ok(())
}
