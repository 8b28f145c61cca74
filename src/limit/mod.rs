//! Limits: what may pass in a window, counted so that not one request too many ever does.
//!
//! `rule` says what a limit is; `window` is the arithmetic; `ledger` applies it to the rows of one
//! Durable Object, all or nothing; `ask` carries one request's charges to the objects and decides
//! what their silence means; `memory` is what an isolate may remember; `headers` is what callers
//! are told.

pub mod ask;
pub mod headers;
pub mod ledger;
pub mod memory;
pub mod rule;
pub mod window;
pub mod wire;
