//! The two sockets of a session, at the platform: what arrives is put into a bounded queue, and only a
//! message that passed is handed on.
//!
//! Owns: the listeners. Does not own: when what passes (`relay`). The platform reads from a socket as
//! fast as its sender sends, and keeps what the other side has not taken without telling how much: the
//! bound of all that is `SocketBounds::session_bytes_max`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::{ArrayBuffer, Function, JsString};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};
use worker::Result;

use crate::edge::{bounded, platform};
use crate::relay::Wires;
use crate::socket::Side;
use crate::socket::close::{Close, Ending};
use crate::socket::queue::{Event, Queue};
use crate::stage::session::Pass;

/// A message as it goes on: byte by byte what came.
pub(super) enum Message {
    Text(String),
    Binary(ArrayBuffer),
}

/// Both sockets, listened to.
pub(super) struct Pair {
    caller: Wire,
    origin: Wire,
    arrivals: Rc<Arrivals>,
    /// Ends that both sockets are closed where this instance is gone.
    unmind: Function,
}

/// What arrived on either, and who waits for it.
struct Arrivals {
    message_bytes_max: u64,
    queue: RefCell<Queue<Message>>,
    waker: RefCell<Option<Waker>>,
}

struct Wire {
    socket: WebSocket,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    on_close: Closure<dyn FnMut(CloseEvent)>,
    on_error: Closure<dyn FnMut(JsValue)>,
}

impl Pair {
    /// Listens to both sockets, and then lets them begin.
    ///
    /// - `caller`: the gateway's end of what its caller holds the other end of.
    pub(super) fn new(
        caller: WebSocket,
        origin: WebSocket,
        message_bytes_max: u64,
    ) -> Result<Self> {
        let arrivals = Rc::new(Arrivals {
            message_bytes_max,
            queue: RefCell::new(Queue::new(message_bytes_max)),
            waker: RefCell::default(),
        });
        let (caller, origin) = (
            Wire::new(caller, Side::Caller, &arrivals)?,
            Wire::new(origin, Side::Origin, &arrivals)?,
        );
        let pair = Self {
            unmind: platform::mind(&caller.socket, &origin.socket),
            caller,
            origin,
            arrivals,
        };
        accept(&pair.caller.socket)?;
        accept(&pair.origin.socket)?;
        Ok(pair)
    }

    fn socket(&self, side: Side) -> &WebSocket {
        match side {
            Side::Caller => &self.caller.socket,
            Side::Origin => &self.origin.socket,
        }
    }
}

impl Wires for Pair {
    type Message = Message;

    async fn next(&self, patience_ms: u64) -> Option<Event<Message>> {
        if let Some(event) = self.arrivals.queue.borrow_mut().take() {
            return Some(event);
        }
        let arrival = poll_fn(|context| match self.arrivals.queue.borrow_mut().take() {
            Some(event) => Poll::Ready(event),
            None => {
                self.arrivals.waker.replace(Some(context.waker().clone()));
                Poll::Pending
            }
        });
        bounded::within(patience_ms, arrival).await
    }

    fn send(&self, pass: Pass<Message>) -> std::result::Result<(), Ending> {
        let (to, message) = pass.part();
        let socket = self.socket(to);
        let sent = match &message {
            Message::Text(text) => socket.send_with_str(text),
            Message::Binary(bytes) => socket.send_with_array_buffer(bytes),
        };
        sent.map_err(|_| Ending::Lost { by: to })
    }

    fn close(&self, side: Side, close: &Close) {
        let socket = self.socket(side);
        // One that is closed already says so by an exception.
        let _ = match close.code {
            Some(code) => socket.close_with_code_and_reason(code, &close.reason),
            None => socket.close(),
        };
    }
}

impl Arrivals {
    fn take(&self, put: impl FnOnce(&mut Queue<Message>)) {
        put(&mut self.queue.borrow_mut());
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn message(&self, from: Side, data: JsValue) {
        if let Some(text) = data.dyn_ref::<JsString>() {
            let units = u64::from(text.length());
            // UTF-8 has at least as many bytes: one that is too large is not copied.
            let text = match units > self.message_bytes_max {
                true => String::new(),
                false => String::from(text),
            };
            let bytes = units.max(text.len() as u64);
            return self.take(|queue| queue.message(from, bytes, Message::Text(text)));
        }
        match data.dyn_into::<ArrayBuffer>() {
            Ok(data) => {
                let bytes = u64::from(data.byte_length());
                self.take(|queue| queue.message(from, bytes, Message::Binary(data)));
            }
            // Nothing else comes where array buffers are asked for.
            Err(_) => self.take(|queue| queue.lost(from)),
        }
    }
}

impl Wire {
    fn new(socket: WebSocket, side: Side, arrivals: &Rc<Arrivals>) -> Result<Self> {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let to = Rc::clone(arrivals);
        let on_message = listener(move |event: MessageEvent| to.message(side, event.data()));
        let to = Rc::clone(arrivals);
        let on_close = listener(move |event: CloseEvent| {
            to.take(|queue| match event.was_clean() {
                true => queue.closed(side, event.code(), event.reason()),
                false => queue.lost(side),
            });
        });
        let to = Rc::clone(arrivals);
        let on_error = listener(move |_: JsValue| to.take(|queue| queue.lost(side)));
        let wire = Self {
            socket,
            on_message,
            on_close,
            on_error,
        };
        for (name, function) in wire.listeners() {
            wire.socket
                .add_event_listener_with_callback(name, function)?;
        }
        Ok(wire)
    }

    fn listeners(&self) -> [(&'static str, &Function); 3] {
        [
            ("message", self.on_message.as_ref().unchecked_ref()),
            ("close", self.on_close.as_ref().unchecked_ref()),
            ("error", self.on_error.as_ref().unchecked_ref()),
        ]
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = self.unmind.call0(&JsValue::UNDEFINED);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // What comes later would call what is gone.
        for (name, function) in self.listeners() {
            let _ = self
                .socket
                .remove_event_listener_with_callback(name, function);
        }
    }
}

/// A panic in one ends this event; what others share is changed in one step.
fn listener<E: FromWasmAbi + 'static>(heard: impl FnMut(E) + 'static) -> Closure<dyn FnMut(E)> {
    Closure::wrap_assert_unwind_safe(Box::new(heard) as Box<dyn FnMut(E)>)
}

fn accept(socket: &WebSocket) -> Result<()> {
    worker::WebSocket::from(socket.clone()).accept()
}
