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

    #[wasm_bindgen(js_name = take)]
    fn take_of(request: &Request, bytes_max: f64, waits_ms: f64) -> Promise;

    #[wasm_bindgen(js_name = read)]
    fn read_of(stream: &ReadableStream, bytes_max: f64, waits_ms: f64) -> Promise;

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
        content: Option<Uint8Array>,
        waits_ms: f64,
        by: &JsValue,
    ) -> Promise;

    #[wasm_bindgen(js_name = sign)]
    fn sign_by(
        request: &Request,
        algorithm: &Object,
        key: &CryptoKey,
        message: &[u8],
        waits_ms: f64,
    ) -> Promise;

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

async fn bytes(read: Promise, bytes_max: u64) -> std::result::Result<Vec<u8>, ReadFault> {
    let found = JsFuture::from(read).await.map_err(|_| ReadFault::Broken)?;
    let bytes = found.dyn_into::<Uint8Array>();
    let bytes = bytes.map_err(|fault| read_fault(&fault))?;
    match u64::from(bytes.length()) <= bytes_max {
        true => Ok(bytes.to_vec()),
        false => Err(ReadFault::TooLarge),
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
    let sent = send_as(
        request,
        sending.passes,
        sending.outlives_client,
        sending.url,
        sending.method,
        remove,
        set,
        sending.content.map(Uint8Array::from),
        number(sending.waits_ms),
        &sending.by,
    );
    let found = JsFuture::from(sent).await.map_err(|_| OriginFault::Down)?;
    found.dyn_into().map_err(|fault| origin_fault(&fault))
}

/// Signs `message`; `None` if that failed or took longer than `waits_ms`.
pub(super) async fn sign(
    request: &Request,
    algorithm: &Object,
    key: &CryptoKey,
    message: &[u8],
    waits_ms: u64,
) -> Option<Vec<u8>> {
    let signed = sign_by(request, algorithm, key, message, number(waits_ms));
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
        Some(LEFT) => OriginFault::Left,
        _ => OriginFault::Invalid,
    }
}

const TIMED_OUT: f64 = 1.0;
const BROKEN: f64 = 2.0;
const TOO_LARGE: f64 = 3.0;
const LEFT: f64 = 5.0;

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes and milliseconds, far below 2^53"
)]
fn number(value: u64) -> f64 {
    value as f64
}
