//! When a request is over: its answer has left, or its client is gone.
//!
//! Owns: what the platform is asked for that. Only routes with permits ask: all other answers pass
//! natively, and end with their client.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStream, StreamPipeOptions, WritableStream};
use worker::Context;

/// Keeps the platform at a request until this is dropped, also when its client went away: what was
/// counted for it has to be given back.
#[derive(Default)]
pub(super) struct Stay {
    over: RefCell<Option<Function>>,
}

impl Stay {
    /// From now on; asked twice, it is kept once.
    pub(super) fn begin(&self, context: &Context) {
        let mut over = self.over.borrow_mut();
        if over.is_some() {
            return;
        }
        // The platform calls back at once, and nothing in between can panic.
        let slot = AssertUnwindSafe(RefCell::new(None));
        let promise = Promise::new(&mut |resolve, _| {
            slot.replace(Some(resolve));
        });
        *over = slot.0.into_inner();
        context.wait_until(async move {
            let _ = JsFuture::from(promise).await;
        });
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(over) = self.over.take() {
            let _ = over.call0(&JsValue::UNDEFINED);
        }
    }
}

/// A body on its way through, and the promise that it has left, or that it never will.
pub(super) struct Watched {
    pub(super) body: ReadableStream,
    pub(super) ended: Promise,
}

/// Passes a body through a stream of the platform's own, so that its end shows.
///
/// - `client`: aborted when the client is gone. A stream that the platform has not begun to read by
///   then is never read, and what is written to it waits for ever: its end alone does not show that.
/// - `length`: of the body, where its head tells it: the answer keeps it.
///
/// `None`: the platform has no such stream.
pub(super) fn watch(
    body: &ReadableStream,
    client: &AbortSignal,
    length: Option<u64>,
) -> Option<Watched> {
    let (readable, writable) = passage(length)?;
    // Who counts no more shall cost the origin nothing more: an abort also cancels the body.
    let options = StreamPipeOptions::new();
    options.set_signal(client);
    let left = body.pipe_to_with_options(&writable, &options);
    // The pipe may wait for the write that nobody reads before it tells of the abort.
    Some(Watched {
        ended: or_gone(&left, client),
        body: readable,
    })
}

/// A stream of the platform's own: what is written to the one end comes out of the other.
///
/// - `length`: of what will pass, where it is known: the answer's head tells it.
///
/// `None`: the platform has no such stream.
pub(super) fn passage(length: Option<u64>) -> Option<(ReadableStream, WritableStream)> {
    let (class, arguments) = match length {
        Some(length) => ("FixedLengthStream", Array::of1(&JsValue::from(length))),
        None => ("IdentityTransformStream", Array::new()),
    };
    let class = Reflect::get(&js_sys::global(), &class.into()).ok()?;
    let stream = Reflect::construct(&class.dyn_into::<Function>().ok()?, &arguments).ok()?;
    let end = |name: &str| Reflect::get(&stream, &name.into()).ok();
    let readable = end("readable")?.dyn_into().ok()?;
    let writable = end("writable")?.dyn_into().ok()?;
    Some((readable, writable))
}

/// Settles with `ended`, or when the client is gone.
pub(super) fn or_gone(ended: &Promise, client: &AbortSignal) -> Promise {
    Promise::race(&Array::of2(ended, &gone(client)))
}

/// Settles when the client is gone; never, if it stays.
fn gone(client: &AbortSignal) -> Promise {
    Promise::new(&mut |resolve, _| {
        // Without a listener the end of the body still shows, and the permit's lifetime is the bound.
        let _ = client.add_event_listener_with_callback("abort", &resolve);
        if client.aborted() {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    })
}
