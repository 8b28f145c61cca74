//! An answer's content on its way to the caller, counted and timed: for routes that ask for bounds.
//!
//! Owns: the loop. Does not own: the bounds (`origin::flow`). The bytes stay the platform's: what is
//! read here is how many they are. All other answers pass natively, or are watched (`watch`).

use std::panic::AssertUnwindSafe;

use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{
    ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions,
    ReadableStreamReaderMode, WritableStreamDefaultWriter,
};

use crate::edge::watch::passage;
use crate::edge::{bounded, clock, log};
use crate::origin::flow::{Cut, Flow};
use crate::origin::state::SharedState;

/// Most bytes that are read at once.
const PART_BYTES_MAX: u32 = 65_536;

/// An answer under its bounds.
pub(super) struct Under {
    pub(super) request_id: String,
    pub(super) flow: Flow,
    pub(super) state: SharedState,
}

/// Content on its way, and the promise that it has left, or that it never will.
pub(super) struct Pumped {
    pub(super) body: ReadableStream,
    pub(super) ended: Promise,
}

/// Passes content through a stream of the platform's own, part by part.
///
/// - `length`: as its head tells it: the answer keeps it.
///
/// `None`: the platform has no such stream.
pub(super) fn pump(body: &ReadableStream, length: Option<u64>, under: Under) -> Option<Pumped> {
    let (readable, writable) = passage(length)?;
    let writer = writable.get_writer().ok()?;
    let asked = ReadableStreamGetReaderOptions::new();
    asked.set_mode(ReadableStreamReaderMode::Byob);
    // Not every stream can be read so, and one that cannot says it by an exception.
    let read: Function = Reflect::get(body, &"getReader".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let reader = read.call1(body, &asked).ok()?;
    let reader: ReadableStreamByobReader = reader.dyn_into().ok()?;
    // A panic in here ends this answer; what others share is changed in one step.
    let ended = future_to_promise(AssertUnwindSafe(async move {
        pass(&reader, &writer, under).await;
        Ok(JsValue::UNDEFINED)
    }));
    Some(Pumped {
        body: readable,
        ended,
    })
}

async fn pass(
    reader: &ReadableStreamByobReader,
    writer: &WritableStreamDefaultWriter,
    under: Under,
) {
    let Under {
        request_id,
        mut flow,
        state,
    } = under;
    let end = carry(reader, writer, &mut flow).await;
    match end {
        End::Whole => {
            let _ = JsFuture::from(writer.close()).await;
        }
        // Nobody takes it any more: nobody is told.
        End::Left => {
            let _ = reader.cancel();
        }
        End::Cut(cut) => {
            // Neither side is waited for.
            let _ = reader.cancel();
            let _ = writer.abort_with_reason(&"cut off".into());
            state.borrow_mut().cut += 1;
            log::cut(&request_id, cut, flow.bytes());
        }
    }
}

/// How content ended.
enum End {
    Whole,
    /// Its reader went away.
    Left,
    Cut(Cut),
}

async fn carry(
    reader: &ReadableStreamByobReader,
    writer: &WritableStreamDefaultWriter,
    flow: &mut Flow,
) -> End {
    loop {
        let (patience_ms, cut) = flow.patience(clock::now_ms());
        // A part of its own each time: the platform takes it over.
        let room = Uint8Array::new_with_length(PART_BYTES_MAX);
        let read = JsFuture::from(reader.read_with_array_buffer_view(&room));
        let step = match bounded::within(patience_ms, read).await {
            None => return End::Cut(cut),
            Some(Err(_)) => return End::Cut(Cut::Broken),
            Some(Ok(step)) => step,
        };
        let part = |name: &str| Reflect::get(&step, &JsValue::from_str(name));
        if part("done").is_ok_and(|done| done.is_truthy()) {
            return End::Whole;
        }
        let Some(chunk) = part("value")
            .ok()
            .and_then(|one| one.dyn_into::<Uint8Array>().ok())
        else {
            return End::Cut(Cut::Broken);
        };
        if let Err(cut) = flow.take(u64::from(chunk.length())) {
            return End::Cut(cut);
        }
        let left_ms = flow.left_ms(clock::now_ms());
        let written = JsFuture::from(writer.write_with_chunk(&chunk));
        match bounded::within(left_ms, written).await {
            None => return End::Cut(Cut::Total),
            Some(Err(_)) => return End::Left,
            Some(Ok(_)) => {}
        }
    }
}
