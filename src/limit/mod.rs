//! Limits: what may pass in a window, counted so that not one request too many ever does.
//!
//! `rule` says what a limit is; `window` is the arithmetic; `ledger` applies it to the rows of one
//! Durable Object, all or nothing; `charge` is what one request asks of the objects; `ask` carries
//! it there and decides what their silence means; `standing` asks whether a credential was taken
//! back; `memory` is what an isolate may remember; `uses` is when keys were used; `tidy` is what
//! an object forgets; `headers` is what callers are told.

pub mod ask;
pub mod charge;
pub mod headers;
pub mod ledger;
pub mod memory;
pub mod rule;
pub mod standing;
pub mod tidy;
pub mod uses;
pub mod window;
pub mod wire;
