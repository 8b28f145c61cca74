//! What one request asks of the platform, each in one crossing from wasm (`platform.js`).
//!
//! Owns: the calls and the form of lists in them. Does not own: what is asked for and when.

use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, Headers, ReadableStream, Request, Response, WebSocket};
use worker::Result;

use crate::ports::{OriginFault, ReadFault};

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = facts, catch)]
    fn facts_of(request: &Request) -> std::result::Result<String, JsValue>;

    #[wasm_bindgen(js_name = read)]
    fn read_of(stream: &ReadableStream, announced: f64, bytes_max: f64, waits_ms: f64) -> Promise;

    #[expect(clippy::too_many_arguments, reason = "all in one crossing")]
    #[wasm_bindgen(js_name = send)]
    fn send_as(
        request: &Request,
        passes: bool,
        url: &str,
        method: &str,
        remove: &str,
        set: &str,
        content: Option<Uint8Array>,
        waits_ms: f64,
    ) -> Promise;

    #[wasm_bindgen(js_name = sign)]
    fn sign_by(algorithm: &Object, key: &CryptoKey, message: &[u8], waits_ms: f64) -> Promise;

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
    pub(super) url: &'a str,
    pub(super) method: &'a str,
    pub(super) remove: Lines,
    pub(super) set: Lines,
    pub(super) content: Option<&'a [u8]>,
    pub(super) waits_ms: u64,
}

/// A request as lines: method, URL, whether there is content, country, data center, TLS version, and
/// of the client's certificate whether it was shown, verified, revoked and its fingerprint; then each
/// field's name and value.
pub(super) fn facts(request: &Request) -> Result<String> {
    Ok(facts_of(request)?)
}

/// Reads content to its end; of more than `bytes_max` nothing is given.
///
/// - `announced`: how many bytes are announced, where that is known. Content of another length is
///   broken.
pub(super) async fn read(
    stream: &ReadableStream,
    announced: Option<u64>,
    bytes_max: u64,
    waits_ms: u64,
) -> std::result::Result<Vec<u8>, ReadFault> {
    let known = announced.map_or(-1.0, number);
    let read = read_of(stream, known, number(bytes_max), number(waits_ms));
    let found = JsFuture::from(read).await.map_err(|_| ReadFault::Broken)?;
    let bytes = match found.dyn_into::<Uint8Array>() {
        Ok(bytes) => bytes.to_vec(),
        Err(fault) => return Err(read_fault(&fault)),
    };
    match bytes.len() as u64 {
        length if length > bytes_max => Err(ReadFault::TooLarge),
        // The platform may end a broken upload as if it were whole.
        length if announced.is_some_and(|announced| announced != length) => Err(ReadFault::Broken),
        _ => Ok(bytes),
    }
}

/// Sends a request with the caller's fields, less some and with others; no redirect is followed.
pub(super) async fn send(
    request: &Request,
    sending: &Sending<'_>,
) -> std::result::Result<Response, OriginFault> {
    let (Some(remove), Some(set)) = (sending.remove.text(), sending.set.text()) else {
        return Err(OriginFault::Invalid);
    };
    let sent = send_as(
        request,
        sending.passes,
        sending.url,
        sending.method,
        remove,
        set,
        sending.content.map(Uint8Array::from),
        number(sending.waits_ms),
    );
    let found = JsFuture::from(sent).await.map_err(|_| OriginFault::Down)?;
    found.dyn_into().map_err(|fault| origin_fault(&fault))
}

/// Signs `message`; `None` if that failed or took longer than `waits_ms`.
pub(super) async fn sign(
    algorithm: &Object,
    key: &CryptoKey,
    message: &[u8],
    waits_ms: u64,
) -> Option<Vec<u8>> {
    let signed = sign_by(algorithm, key, message, number(waits_ms));
    let signed = JsFuture::from(signed).await.ok()?;
    signed
        .is_object()
        .then(|| Uint8Array::new(&signed).to_vec())
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
fn read_fault(fault: &JsValue) -> ReadFault {
    match fault.as_f64() {
        Some(TIMED_OUT) => ReadFault::TimedOut,
        Some(TOO_LARGE) => ReadFault::TooLarge,
        _ => ReadFault::Broken,
    }
}

fn origin_fault(fault: &JsValue) -> OriginFault {
    match fault.as_f64() {
        Some(TIMED_OUT) => OriginFault::TimedOut,
        Some(BROKEN) => OriginFault::Down,
        _ => OriginFault::Invalid,
    }
}

const TIMED_OUT: f64 = 1.0;
const BROKEN: f64 = 2.0;
const TOO_LARGE: f64 = 3.0;

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes and milliseconds, far below 2^53"
)]
fn number(value: u64) -> f64 {
    value as f64
}
