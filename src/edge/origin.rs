//! The one place that sends a request out.

use std::cell::Cell;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response, WebSocket};
use worker::Env;

use crate::edge::clock;
use crate::edge::platform::{self, Lines, Sending};
use crate::edge::ports::Unread;
use crate::edge::session::SWITCHING;
use crate::origin::flow::Flow;
use crate::origin::state::{Place, SharedState};
use crate::ports::{OriginAnswer, OriginFault};
use crate::stage::forward::Forward;
use crate::stage::validated::Content;

/// An origin's response, not yet read, and what goes with it until it has left.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) care: Care,
    /// Its head, read once.
    status: u16,
    fields: Vec<(String, String)>,
}

impl Answer {
    pub(super) fn new(response: Response, care: Care) -> Self {
        let (status, fields) = platform::head(&response);
        Self {
            response,
            care,
            status,
            fields,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }
}

/// What goes with an answer.
#[derive(Default)]
pub(super) struct Care {
    /// Its place at the origin, given back when this is dropped.
    pub(super) place: Cell<Option<Place>>,
    /// Its bounds, where there are any, and who counts that they cut it off.
    pub(super) flow: Option<(Flow, SharedState)>,
}

impl Care {
    /// How long content may take that is read here, before it leaves: `most_ms`, or what is left of its
    /// own bound.
    pub(super) fn reading_ms(&self, most_ms: u64) -> u64 {
        let bound = self.flow.as_ref();
        bound.map_or(most_ms, |(flow, _)| {
            flow.left_ms(clock::now_ms()).min(most_ms)
        })
    }
}

impl OriginAnswer for Answer {
    fn status(&self) -> u16 {
        self.status
    }

    fn field(&self, name: &str) -> Option<String> {
        let known = self.fields.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }

    fn names(&self) -> Vec<String> {
        self.fields.iter().map(|(name, _)| name.clone()).collect()
    }

    fn has_socket(&self) -> bool {
        socket(&self.response).is_some()
    }

    fn hold(&mut self, place: Place) {
        self.care.place.set(Some(place));
    }

    fn discard(self) {
        hang_up(&self.response);
        if let Some(body) = self.response.body() {
            // Not awaited: the origin is not waited for.
            let _ = body.cancel();
        }
    }
}

/// The origin's end of a socket, of an answer that switched.
pub(super) fn socket(response: &Response) -> Option<WebSocket> {
    // Asked of every answer, so only where there can be one.
    if response.status() != SWITCHING {
        return None;
    }
    let socket = Reflect::get(response, &"webSocket".into()).ok()?;
    socket.is_object().then(|| socket.unchecked_into())
}

/// Closes the socket of an answer that nobody takes.
pub(super) fn hang_up(response: &Response) {
    if let Some(socket) = socket(response) {
        // One that has not begun cannot be closed; one that has says so by an exception.
        let _ = worker::WebSocket::from(socket.clone()).accept();
        let _ = socket.close_with_code(1001);
    }
}

/// Sends what was checked, and waits for the head of the answer.
///
/// The caller's header fields travel natively, less those taken out, so that bytes which are no
/// UTF-8 reach the origin as they came. No redirect is followed. With its client the request ends, also
/// while its answer is on its way, unless it outlives it.
pub(super) async fn send(
    env: &Env,
    request: &Request,
    forward: Forward<Unread>,
    state: SharedState,
) -> Result<Answer, OriginFault> {
    let timeout_ms = forward.timeout_ms();
    let sent_at_ms = clock::now_ms();
    let flow = forward
        .answer_bounds()
        .map(|bounds| (Flow::new(bounds, sent_at_ms), state));
    let by = match &forward.origin().binding {
        None => JsValue::UNDEFINED,
        Some(binding) => fetcher(env, binding.name()).ok_or(OriginFault::Down)?,
    };
    let remove = Lines::of(forward.remove().iter().map(String::as_str));
    let mut set = Lines::default();
    for (name, value) in forward.set() {
        set.pair(name, value);
    }
    let outlives_client = forward.outlives_client();
    let (url, method) = (forward.url().to_owned(), forward.method().as_str());
    let content = forward.into_content();
    let sending = Sending {
        passes: matches!(content, Content::Unread(_)),
        outlives_client,
        url: &url,
        method,
        remove,
        set,
        content: match &content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Nothing | Content::Unread(_) => None,
        },
        waits_ms: timeout_ms,
        by,
    };
    let answer = platform::send(request, &sending).await?;
    let place = Cell::default();
    Ok(Answer::new(answer, Care { place, flow }))
}

/// A binding that requests can be sent by: another Worker, or the network with a client certificate.
/// `None` if there is none of the name, or it is of another kind.
pub(super) fn fetcher(env: &Env, name: &str) -> Option<JsValue> {
    env.service(name).ok().map(JsValue::from)
}
