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
mod table;
mod watch;
mod wires;

use worker::{Context, Env, Result, event};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    gateway::handle(request, env, context).await
}
