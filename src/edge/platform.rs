//! What one request asks of the platform, each in one crossing from wasm (`platform.js`).
//!
//! Owns: the calls and the form of lists in them. Does not own: what is asked for and when.

mod answers;

use js_sys::{Function, Object};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, Headers, ReadableStream, Request, Response, WebSocket};
use worker::{Env, Result};

use crate::edge::turn::{Crossing, Found};
use crate::ports::{OriginFault, ReadFault};
pub(super) use answers::{store, stored};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = facts, catch)]
    fn facts_of(request: &Request) -> std::result::Result<String, JsValue>;

    #[wasm_bindgen(js_name = take)]
    fn take_of(request: &Request, bytes_max: f64, waits_ms: f64) -> u32;

    #[wasm_bindgen(js_name = read)]
    fn read_of(stream: &ReadableStream, bytes_max: f64, waits_ms: f64) -> u32;

    #[wasm_bindgen(js_name = head)]
    fn head_of(answer: &Response) -> String;

    #[expect(clippy::too_many_arguments, reason = "all in one crossing")]
    #[wasm_bindgen(js_name = send)]
    fn send_as(
        request: &Request,
        passes: bool,
        outlives: bool,
        url: &str,
        method: &str,
        remove: &str,
        set: &str,
        content: Option<&[u8]>,
        waits_ms: f64,
        by: &JsValue,
    ) -> u32;

    #[wasm_bindgen(js_name = sign)]
    fn sign_by(
        request: &Request,
        algorithm: &Object,
        key: &CryptoKey,
        message: &[u8],
        waits_ms: f64,
    ) -> u32;

    #[wasm_bindgen(js_name = verify)]
    fn verify_by(
        request: &Request,
        algorithm: &Object,
        key: &CryptoKey,
        signature: &[u8],
        message: &[u8],
        waits_ms: f64,
    ) -> u32;

    #[expect(clippy::too_many_arguments, reason = "all in one crossing")]
    #[wasm_bindgen(js_name = ask)]
    fn ask_by(
        owner: Option<&Request>,
        env: &JsValue,
        binding: &str,
        name: &str,
        method: &str,
        root: Option<&str>,
        question: &str,
        waits_ms: f64,
    ) -> u32;

    /// Has `enter` called with the number 0 when what runs now is over.
    pub(super) fn soon();

    /// Takes the function by which JavaScript comes back in, and the one by which it hears of a trap.
    #[wasm_bindgen(js_name = enterBy)]
    pub(super) fn enter_by(by: &Function, hear: &Function);

    /// Has both ends of a session closed where a trap ends this instance. What is given ends that.
    #[wasm_bindgen(js_name = mind)]
    pub(super) fn mind(caller: &WebSocket, origin: &WebSocket) -> Function;

    #[wasm_bindgen(js_name = respond, catch)]
    fn respond_as(
        status: u16,
        base: Option<&Headers>,
        begin: &str,
        remove: &str,
        set: &str,
        append: &str,
        content: &JsValue,
    ) -> std::result::Result<Response, JsValue>;

    #[wasm_bindgen(js_name = switching, catch)]
    fn switching_to(
        socket: &WebSocket,
        set: &str,
        append: &str,
    ) -> std::result::Result<Response, JsValue>;
}

/// Names or pairs of a name and a value, one a line.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    is_broken: bool,
}

impl Lines {
    pub(super) fn of<'a>(items: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lines = Self::default();
        items.into_iter().for_each(|item| lines.push(item));
        lines
    }

    pub(super) fn pair(&mut self, name: &str, value: &str) {
        self.push(name);
        self.push(value);
    }

    fn push(&mut self, item: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        // No name is empty, so the first line is none.
        self.is_broken |= item.contains('\n') || (self.text.is_empty() && item.is_empty());
        self.text.push_str(item);
    }

    /// The text; `None` if an item holds a line break: it would be read as two.
    fn text(&self) -> Option<&str> {
        (!self.is_broken).then_some(&self.text)
    }
}

/// The fields of an answer, beside those that it comes with.
#[derive(Default)]
pub(super) struct Edits {
    /// Added before anything is taken out or set.
    pub(super) begin: Lines,
    pub(super) remove: Lines,
    pub(super) set: Lines,
    pub(super) append: Lines,
}

/// What is sent to an origin.
pub(super) struct Sending<'a> {
    /// Whether the caller's own content goes along, unread.
    pub(super) passes: bool,
    /// Whether it goes on when its client has left.
    pub(super) outlives_client: bool,
    pub(super) url: &'a str,
    pub(super) method: &'a str,
    pub(super) remove: Lines,
    pub(super) set: Lines,
    pub(super) content: Option<&'a [u8]>,
    pub(super) waits_ms: u64,
    /// The binding it is sent by; undefined: the network.
    pub(super) by: JsValue,
}

/// A request as lines: method, URL, whether there is content, country, data center, TLS version, and
/// of the client's certificate whether it was shown, verified, revoked and its fingerprint; then each
/// field's name and value.
pub(super) fn facts(request: &Request) -> Result<String> {
    Ok(facts_of(request)?)
}

/// Reads a request's content to its end; of more than `bytes_max` nothing is given. Content of
/// another length than is announced is broken.
pub(super) async fn take(
    request: &Request,
    bytes_max: u64,
    waits_ms: u64,
) -> std::result::Result<Vec<u8>, ReadFault> {
    bytes(
        take_of(request, number(bytes_max), number(waits_ms)),
        bytes_max,
    )
    .await
}

/// Reads other content to its end; of more than `bytes_max` nothing is given.
pub(super) async fn read(
    stream: &ReadableStream,
    bytes_max: u64,
    waits_ms: u64,
) -> std::result::Result<Vec<u8>, ReadFault> {
    bytes(
        read_of(stream, number(bytes_max), number(waits_ms)),
        bytes_max,
    )
    .await
}

async fn bytes(number: u32, bytes_max: u64) -> std::result::Result<Vec<u8>, ReadFault> {
    match Crossing::new(number).await {
        Found::Bytes(bytes) if bytes.len() as u64 <= bytes_max => Ok(bytes),
        Found::Bytes(_) => Err(ReadFault::TooLarge),
        found => Err(read_fault(&found)),
    }
}

/// An answer's status and fields, a repeated one joined by `, `.
pub(super) fn head(answer: &Response) -> (u16, Vec<(String, String)>) {
    let told = head_of(answer);
    let mut lines = told.split('\n');
    let status = lines.next().and_then(|text| text.parse().ok());
    let mut fields: Vec<(String, String)> = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, first)) => {
                first.push_str(", ");
                first.push_str(value);
            }
            None => fields.push((name.to_owned(), value.to_owned())),
        }
    }
    // No status is none that may be passed on.
    (status.unwrap_or_default(), fields)
}

/// Sends a request with the caller's fields, less some and with others; no redirect is followed.
pub(super) async fn send(
    request: &Request,
    sending: &Sending<'_>,
) -> std::result::Result<Response, OriginFault> {
    let (Some(remove), Some(set)) = (sending.remove.text(), sending.set.text()) else {
        return Err(OriginFault::Invalid);
    };
    let number = send_as(
        request,
        sending.passes,
        sending.outlives_client,
        sending.url,
        sending.method,
        remove,
        set,
        sending.content,
        number(sending.waits_ms),
        &sending.by,
    );
    match Crossing::new(number).await {
        Found::Value(answer) => answer.dyn_into().map_err(|_| OriginFault::Invalid),
        found => Err(origin_fault(&found)),
    }
}

/// Signs `message`; `None` if that failed or took longer than `waits_ms`.
pub(super) async fn sign(
    request: &Request,
    algorithm: &Object,
    key: &CryptoKey,
    message: &[u8],
    waits_ms: u64,
) -> Option<Vec<u8>> {
    let signing = sign_by(request, algorithm, key, message, number(waits_ms));
    match Crossing::new(signing).await {
        Found::Bytes(signature) => Some(signature),
        _ => None,
    }
}

/// Checks the signature of `message`; `None` if that failed or took longer than `waits_ms`.
pub(super) async fn verify(
    request: &Request,
    algorithm: &Object,
    key: &CryptoKey,
    signature: &[u8],
    message: &[u8],
    waits_ms: u64,
) -> Option<bool> {
    let waits_ms = number(waits_ms);
    let checking = verify_by(request, algorithm, key, signature, message, waits_ms);
    match Crossing::new(checking).await {
        Found::Number(VALID) => Some(true),
        Found::Number(INVALID_SIGNATURE) => Some(false),
        _ => None,
    }
}

/// A question to a Durable Object, as text.
pub(super) struct Asking<'a> {
    pub(super) binding: &'a str,
    pub(super) name: &'a str,
    pub(super) method: &'a str,
    /// Said before the question, if there is one.
    pub(super) root: Option<&'a str>,
    pub(super) question: &'a str,
    pub(super) waits_ms: u64,
}

/// Asks a Durable Object, once; `None` if it does not answer in time, or not with text.
/// - `request`: that asks, if it is one.
pub(super) async fn ask(
    request: Option<&Request>,
    env: &Env,
    asking: &Asking<'_>,
) -> Option<String> {
    let env: &JsValue = env.as_ref();
    let number = ask_by(
        request,
        env,
        asking.binding,
        asking.name,
        asking.method,
        asking.root,
        asking.question,
        number(asking.waits_ms),
    );
    match Crossing::new(number).await {
        Found::Text(answer) => Some(answer),
        _ => None,
    }
}

/// Makes a response.
///
/// - `base`: the fields it begins with. - `content`: text, bytes, a stream, or undefined.
pub(super) fn respond(
    status: u16,
    base: Option<&Headers>,
    edits: &Edits,
    content: &JsValue,
) -> Result<Response> {
    let told = (
        edits.begin.text(),
        edits.remove.text(),
        edits.set.text(),
        edits.append.text(),
    );
    let (Some(begin), Some(remove), Some(set), Some(append)) = told else {
        return Err("a line break in a field".into());
    };
    Ok(respond_as(
        status, base, begin, remove, set, append, content,
    )?)
}

/// Makes the response that switches to WebSocket.
///
/// - `socket`: the caller's end. - `edits`: what is set and appended.
pub(super) fn switch(socket: &WebSocket, edits: &Edits) -> Result<Response> {
    let (Some(set), Some(append)) = (edits.set.text(), edits.append.text()) else {
        return Err("a line break in a field".into());
    };
    Ok(switching_to(socket, set, append)?)
}

/// The faults of `platform.js`, by number.
fn read_fault(found: &Found) -> ReadFault {
    match found {
        Found::Number(TIMED_OUT) => ReadFault::TimedOut,
        Found::Number(TOO_LARGE) => ReadFault::TooLarge,
        _ => ReadFault::Broken,
    }
}

fn origin_fault(found: &Found) -> OriginFault {
    match found {
        Found::Number(TIMED_OUT) => OriginFault::TimedOut,
        Found::Number(BROKEN) => OriginFault::Down,
        Found::Number(LEFT) => OriginFault::Left,
        _ => OriginFault::Invalid,
    }
}

const TIMED_OUT: u32 = 1;
const BROKEN: u32 = 2;
const TOO_LARGE: u32 = 3;
const LEFT: u32 = 5;
const VALID: u32 = 10;
const INVALID_SIGNATURE: u32 = 11;

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes and milliseconds, far below 2^53"
)]
fn number(value: u64) -> f64 {
    value as f64
}
