//! The edge: the only code that names `worker`. It answers the core's questions with KV, Durable
//! Objects, WebCrypto and fetch, and turns outcomes into responses and log lines.

mod admin;
mod alarm;
mod bounded;
mod broker;
mod cache;
mod clock;
mod gateway;
mod idempotency;
mod incoming;
mod introspection;
mod keep;
mod key_records;
mod key_sets;
mod limiter;
mod log;
mod marks;
mod origin;
mod platform;
mod policy;
mod ports;
mod pump;
mod replay;
mod reply;
mod session;
mod signature;
mod stored;
mod table;
mod turn;
mod watch;
mod wires;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys;
use worker::{Context, Env, event};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Answers one request.
///
/// - `settle`: called with the response; with nothing, where the platform makes none. It is not called where a
///   trap ends the instance.
#[expect(unreachable_pub, reason = "called from JavaScript")]
#[wasm_bindgen]
pub fn serve(request: web_sys::Request, env: Env, context: worker_sys::Context, settle: Function) {
    turn::spawn(async move {
        let answering = gateway::handle(request, env, Context::new(context));
        let answered = AssertUnwindSafe(answering).catch_unwind().await;
        let response = answered.ok().and_then(Result::ok);
        let response = response.map_or(JsValue::UNDEFINED, JsValue::from);
        let _ = settle.call1(&JsValue::UNDEFINED, &response);
    });
}
