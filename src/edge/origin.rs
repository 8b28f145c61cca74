//! The one place that sends a request out.

use std::cell::Cell;

use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, Request, RequestInit, RequestRedirect, Response, WorkerGlobalScope,
};

use crate::edge::ports::Unread;
use crate::edge::{bounded, clock};
use crate::origin::flow::Flow;
use crate::origin::state::{Place, SharedState};
use crate::ports::{OriginAnswer, OriginFault};
use crate::stage::forward::Forward;
use crate::stage::validated::Content;

/// An origin's response, not yet read, and what goes with it until it has left.
pub(super) struct Answer(pub(super) Response, pub(super) Care);

/// What goes with an answer.
#[derive(Default)]
pub(super) struct Care {
    /// Its place at the origin, given back when this is dropped.
    pub(super) place: Cell<Option<Place>>,
    /// Its bounds, where there are any, and who counts that they cut it off.
    pub(super) flow: Option<(Flow, SharedState)>,
}

impl OriginAnswer for Answer {
    fn status(&self) -> u16 {
        self.0.status()
    }

    fn field(&self, name: &str) -> Option<String> {
        self.0.headers().get(name).ok().flatten()
    }

    fn hold(&mut self, place: Place) {
        self.1.place.set(Some(place));
    }

    fn discard(self) {
        if let Some(body) = self.0.body() {
            // Not awaited: the origin is not waited for.
            let _ = body.cancel();
        }
    }
}

/// Sends what was checked, and waits for the head of the answer.
///
/// The caller's header fields travel natively, less those taken out, so that bytes which are no
/// UTF-8 reach the origin as they came. No redirect is followed.
pub(super) async fn send(
    request: &Request,
    forward: Forward<Unread>,
    state: SharedState,
) -> Result<Answer, OriginFault> {
    let timeout_ms = forward.timeout_ms();
    let sent_at_ms = clock::now_ms();
    let flow = forward
        .answer_bounds()
        .map(|bounds| (Flow::new(bounds, sent_at_ms), state));
    let outgoing = outgoing(request, forward).ok_or(OriginFault::Invalid)?;
    let abort = AbortController::new().map_err(|_| OriginFault::Invalid)?;
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&abort.signal()));
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let fetched = JsFuture::from(scope.fetch_with_request_and_init(&outgoing, &init));
    match bounded::within(timeout_ms, fetched).await {
        None => {
            abort.abort();
            Err(OriginFault::TimedOut)
        }
        Some(Err(_)) => Err(OriginFault::Down),
        Some(Ok(response)) => response
            .dyn_into()
            .map(|response| {
                let place = Cell::default();
                Answer(response, Care { place, flow })
            })
            .map_err(|_| OriginFault::Invalid),
    }
}

fn outgoing(request: &Request, forward: Forward<Unread>) -> Option<Request> {
    let headers = Headers::new_with_headers(&request.headers()).ok()?;
    for name in forward.remove() {
        headers.delete(name).ok()?;
    }
    for (name, value) in forward.set() {
        headers.set(name, value).ok()?;
    }
    let url = forward.url().to_owned();
    let method = forward.method().as_str();
    let init = RequestInit::new();
    init.set_method(method);
    init.set_redirect(RequestRedirect::Manual);
    match forward.into_content() {
        // The platform's own copy keeps the content native and its length known.
        Content::Unread(Unread(())) => {
            let copy = Request::new_with_str_and_init(&url, request.unchecked_ref()).ok()?;
            init.set_headers(&headers);
            Request::new_with_request_and_init(&copy, &init).ok()
        }
        Content::Nothing => {
            init.set_headers(&headers);
            Request::new_with_str_and_init(&url, &init).ok()
        }
        Content::Bytes(bytes) => {
            // The platform counts what is sent.
            headers.delete("content-length").ok()?;
            init.set_headers(&headers);
            init.set_body(&Uint8Array::from(bytes.as_slice()));
            Request::new_with_str_and_init(&url, &init).ok()
        }
    }
}
