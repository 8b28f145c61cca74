//! An origin's answer on its way, kept for a repeat of its request.
//!
//! Owns: reading it, within bounds, and passing the same bytes on. What cannot be kept passes all the
//! same, and its repeat is told so.

use base64ct::{Base64, Encoding};
use js_sys::{Array, Reflect};
use wasm_bindgen::JsCast;
use web_sys::{Headers, ReadableStream, Response, ResponseInit};
use worker::Env;

use crate::edge::origin::{Answer, Care};
use crate::edge::reply::Refusing;
use crate::edge::{idempotency, platform};
use crate::idempotency::{FIELD_BYTES_MAX, Granted, KeptAnswer};
use crate::ports::ReadFault;
use crate::reply;
use crate::stage::release::Cleared;

/// How long an answer is read before it passes without being kept.
const READ_TIMEOUT_MS: u64 = 30_000;

/// Fields that belong to one answer, or to how its content travels; and those that nobody is to be
/// given a second time.
const NOT_KEPT: [&str; 5] = ["age", "content-length", "date", "set-cookie", "set-cookie2"];

/// Keeps the answer of a request that is carried out once, and gives back the same answer. It is kept
/// before it leaves: a client that has it finds it again.
pub(super) async fn keep(env: &Env, mut cleared: Cleared<Answer>) -> Cleared<Answer> {
    let Some(granted) = cleared.take_keep() else {
        return cleared;
    };
    let Answer {
        response: answer,
        care,
        ..
    } = cleared.answer();
    let status = answer.status();
    let fields = fields(&answer.headers(), &cleared);
    let kept = match answer.body() {
        None => Found::Whole(Vec::new()),
        Some(_) if fields.is_none() || !is_kept(answer, granted.answer_bytes_max) => Found::TooMuch,
        Some(body) => {
            let waits_ms = care.reading_ms(READ_TIMEOUT_MS);
            read_beside(&body, granted.answer_bytes_max, waits_ms).await
        }
    };
    let told = |content: Option<&[u8]>| {
        granted.keep(KeptAnswer {
            status,
            fields: fields.clone().unwrap_or_default(),
            content: content.map(Base64::encode_string),
        })
    };
    let (act, passed) = match kept {
        Found::Whole(bytes) => (told(Some(&bytes)), with_bytes(answer, bytes)),
        Found::TooMuch => (told(None), None),
        Found::More(rest) => (told(None), with_stream(answer, &rest)),
        // The origin may have acted; what it answered nobody knows.
        Found::Broken(rest) => (granted.lose(), with_stream(answer, &rest)),
    };
    let _ = idempotency::tell(env, &granted.object, &act).await;
    if let Some(passed) = passed {
        let care = Care {
            flow: care.flow.clone(),
            ..Care::default()
        };
        cleared.reread(Answer::new(passed, care));
    }
    cleared
}

/// Keeps a refusal of a request that was carried out all the same: its repeats are told no other.
pub(super) async fn keep_refusal(env: &Env, granted: &Granted, refusing: &Refusing) {
    let answer = reply::kept(&refusing.problem, &refusing.document);
    let _ = idempotency::tell(env, &granted.object, &granted.keep(answer)).await;
}

/// What was found of an answer's content.
enum Found {
    Whole(Vec<u8>),
    /// Not read at all.
    TooMuch,
    /// Too much to keep, which showed on the way: all of it, to pass on.
    More(ReadableStream),
    /// It ended early, or came too slowly: as it comes, to pass on.
    Broken(ReadableStream),
}

/// Whether the head lets hope that it can be kept: of a bounded size, as it reads, and no stream of events.
fn is_kept(answer: &Response, bytes_max: u64) -> bool {
    let field = |name| answer.headers().get(name).ok().flatten();
    let length = field("content-length").and_then(|text| text.parse::<u64>().ok());
    let kind = field("content-type").unwrap_or_default();
    length.is_none_or(|length| length <= bytes_max)
        && field("content-encoding").is_none()
        && !kind
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/event-stream")
}

/// Reads one of two copies; the other waits meanwhile, and is dropped or passed on.
async fn read_beside(body: &ReadableStream, bytes_max: u64, waits_ms: u64) -> Found {
    let copies: Array = body.tee();
    let (Ok(read), Ok(rest)) = (
        copies.get(0).dyn_into(),
        copies.get(1).dyn_into::<ReadableStream>(),
    ) else {
        return Found::TooMuch;
    };
    match platform::read(&read, bytes_max, waits_ms).await {
        Ok(bytes) => {
            let _ = rest.cancel();
            Found::Whole(bytes)
        }
        Err(ReadFault::TooLarge) => Found::More(rest),
        Err(ReadFault::Broken | ReadFault::TimedOut) => Found::Broken(rest),
    }
}

/// The fields that are kept; `None`: too many.
fn fields(headers: &Headers, cleared: &Cleared<Answer>) -> Option<Vec<(String, String)>> {
    let set = cleared.set();
    let (removed, is_set) = (cleared.remove(), |name: &str| {
        set.iter().any(|(one, _)| *one == name)
    });
    let mut kept: Vec<_> = set
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let lengths = kept.iter().map(|(name, value)| name.len() + value.len());
    let mut bytes = lengths.sum::<usize>();
    let entries = headers.entries();
    while let Ok(step) = entries.next() {
        if step.done() {
            break;
        }
        let part = |place: u32| Reflect::get_u32(&step.value(), place).ok()?.as_string();
        let (Some(name), Some(value)) = (part(0), part(1)) else {
            continue;
        };
        if NOT_KEPT.contains(&name.as_str()) || removed.contains(&name) || is_set(&name) {
            continue;
        }
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        kept.push((name, value));
    }
    (bytes <= FIELD_BYTES_MAX).then_some(kept)
}

fn head(answer: &Response) -> ResponseInit {
    let init = ResponseInit::new();
    init.set_status(answer.status());
    init.set_headers(&answer.headers());
    init
}

fn with_bytes(answer: &Response, mut bytes: Vec<u8>) -> Option<Response> {
    answer.body()?;
    Response::new_with_opt_u8_array_and_init(Some(&mut bytes), &head(answer)).ok()
}

fn with_stream(answer: &Response, stream: &ReadableStream) -> Option<Response> {
    Response::new_with_opt_readable_stream_and_init(Some(stream), &head(answer)).ok()
}

/// The content of an answer that was kept.
pub(super) fn content(answer: &KeptAnswer) -> Option<Vec<u8>> {
    Base64::decode_vec(answer.content.as_deref()?).ok()
}
