//! Outcomes as responses.

use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, Response};
use worker::Result;

use crate::challenge::Asking;
use crate::edge::keep;
use crate::edge::origin::Answer;
use crate::edge::platform::{self, Edits, Lines};
use crate::edge::pump::{Under, pump};
use crate::edge::watch::{or_gone, watch};
use crate::house::Page;
use crate::idempotency::KeptAnswer;
use crate::policy::gate::Gate;
use crate::ports::OriginAnswer;
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
    let answer = cleared.answer();
    let (status, care) = (answer.status(), &answer.care);
    let response = &answer.response;
    let fields = response.headers();
    let mut edits = dress(Some(gate), cleared.trail(), &[]);
    // What is not there need not be taken out.
    let names = cleared.remove().iter().map(String::as_str);
    edits.remove = Lines::of(names.filter(|name| answer.has(name)));
    for (name, value) in cleared.set() {
        edits.set.pair(name, value);
    }
    let has_content = !matches!(status, 204 | 205 | 304);
    let made = |content: &JsValue| platform::respond(status, Some(&fields), &edits, content);
    match cleared.left() {
        Left::AsItCame => {}
        // It is in memory: nobody can hold it up.
        Left::Bytes(bytes) if has_content => {
            let response = made(&Uint8Array::from(bytes.as_slice()))?;
            return Ok((Reply { response, status }, None));
        }
        Left::Bytes(_) | Left::Nothing => {
            let response = made(&JsValue::NULL)?;
            return Ok((Reply { response, status }, None));
        }
    }
    // Coded content passes as it came: the platform knows that these bytes are coded already.
    // RFC 9110 §6.4.1: these have no content, and the platform makes none with it.
    let mut body = response.body().filter(|_| has_content);
    let mut ended = None;
    let is_minded = client.is_some() || care.flow.is_some();
    let length = match is_minded {
        true => plain_length(answer, cleared.remove()),
        false => None,
    };
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
    let response = made(&body.map_or(JsValue::NULL, JsValue::from))?;
    Ok((Reply { response, status }, ended))
}

/// An answer that was kept, once more. What it says of this request alone is this request's.
pub(super) fn replayed(gate: &Gate, trail: &Trail, answer: &KeptAnswer) -> Result<Reply> {
    let mut edits = dress(Some(gate), trail, &[]);
    edits.set.pair("idempotent-replayed", "true");
    for (name, value) in &answer.fields {
        edits.begin.pair(name, value);
    }
    let status = answer.status;
    let has_content = !matches!(status, 204 | 205 | 304);
    let content = keep::content(answer).filter(|_| has_content);
    let content = content.map(|bytes| Uint8Array::from(bytes.as_slice()));
    let content = content.map_or(JsValue::NULL, JsValue::from);
    let response = platform::respond(status, None, &edits, &content)?;
    Ok(Reply { response, status })
}

/// How many bytes come, where what is read is what is sent: coded content is decoded on the way.
///
/// - `remove`: fields that do not leave.
fn plain_length(answer: &Answer, remove: &[String]) -> Option<u64> {
    let field = |name: &str| {
        let leaves = !remove.iter().any(|one| one == name);
        answer.field(name).filter(|_| leaves)
    };
    match field("content-encoding") {
        Some(_) => None,
        None => field("content-length")?.parse().ok(),
    }
}

/// A refusal as it is answered.
pub(super) struct Refusing {
    pub(super) reply: Reply,
    pub(super) problem: Problem,
    pub(super) document: String,
}

/// The problem document of a refusal.
pub(super) fn refuse(gate: Option<&Gate>, refused: &Refused) -> Result<Refusing> {
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
    let mut begin = Lines::default();
    begin.pair("content-type", "application/problem+json");
    for (name, value) in &problem.fields {
        begin.pair(name, value);
    }
    let making = Making {
        status: problem.slug.status(),
        kept: Kept::Never,
        text: Some(&document),
    };
    let reply = made(gate, trail, begin, &making)?;
    Ok(Refusing {
        reply,
        problem,
        document,
    })
}

/// The answer to a preflight.
pub(super) fn preflight(
    gate: &Gate,
    trail: &Trail,
    fields: &[(&'static str, String)],
) -> Result<Reply> {
    let mut begin = Lines::default();
    for (name, value) in fields {
        begin.pair(name, value);
    }
    let making = Making {
        status: 204,
        kept: Kept::Never,
        text: None,
    };
    made(Some(gate), trail, begin, &making)
}

/// A page of the gateway's own.
pub(super) fn page(gate: Option<&Gate>, trail: &Trail, page: &Page) -> Result<Reply> {
    let begin = Lines::of(["content-type", page.content_type]);
    let making = Making {
        status: page.status,
        kept: match page.may_be_kept {
            true => Kept::Shortly,
            false => Kept::Never,
        },
        text: Some(&page.text),
    };
    made(gate, trail, begin, &making)
}

/// A document of the admin API.
pub(super) fn document(
    gate: Option<&Gate>,
    trail: &Trail,
    status: u16,
    document: &serde_json::Value,
) -> Result<Reply> {
    let begin = Lines::of(["content-type", "application/json"]);
    let making = Making {
        status,
        kept: Kept::Never,
        text: Some(&document.to_string()),
    };
    made(gate, trail, begin, &making)
}

/// What an answer that is made here has to say.
struct Making<'a> {
    status: u16,
    kept: Kept,
    text: Option<&'a str>,
}

/// - `begin`: fields of this answer alone; what every answer carries is written over them.
fn made(gate: Option<&Gate>, trail: &Trail, begin: Lines, making: &Making<'_>) -> Result<Reply> {
    let mut edits = dress(gate, trail, &own(making.kept));
    edits.begin = begin;
    let status = making.status;
    // RFC 9110 §9.3.2: an answer to HEAD has no content.
    let text = making.text.filter(|_| trail.facts.method != "HEAD");
    let content = text.map_or(JsValue::NULL, JsValue::from_str);
    let response = platform::respond(status, None, &edits, &content)?;
    Ok(Reply { response, status })
}

/// What every answer carries, and `extra`.
pub(super) fn dress(gate: Option<&Gate>, trail: &Trail, extra: &[(&'static str, String)]) -> Edits {
    let fields = every(gate, trail);
    let mut edits = Edits::default();
    for (name, value) in fields.set.iter().chain(extra) {
        edits.set.pair(name, value);
    }
    for (name, value) in &fields.append {
        edits.append.pair(name, value);
    }
    edits
}
