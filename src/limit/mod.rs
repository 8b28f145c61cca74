//! Limits: what may pass in a window, counted so that not one request too many ever does.
//!
//! `rule` says what a limit is; `window`, `bucket` and `period` are the arithmetic, `meter` their one
//! face; `row` is one counter of a Durable Object with what it lends, `ledger` several, all or none;
//! `questions` is what a row knows of what it was asked, `recent` what an object remembers of its storage.
//! On the isolate's side `charge` is what one request asks, `ask` carries it, `plan` is one object's
//! part of it, `wallet` and `purse` hold what was lent, `demand` tells how much to ask for, `errand` is what is done afterwards.
//! `standing` asks whether a credential was taken back; `memory` is what an isolate may remember;
//! `wire` is what travels; `uses` is when keys were used; `tidy` is what an object forgets;
//! `headers` is what callers are told. The protocol and its proof:
//! `docs/decisions/0016-leases.md`.

pub mod ask;
pub mod broker;
pub mod bucket;
pub mod charge;
pub mod demand;
pub mod errand;
pub mod headers;
mod held;
pub mod lease;
pub mod ledger;
pub mod memory;
pub mod meter;
pub mod period;
mod plan;
pub mod purse;
pub mod questions;
pub mod recent;
pub mod row;
pub mod rule;
pub mod settled;
mod share;
pub mod standing;
pub mod tidy;
pub mod uses;
pub mod wallet;
pub mod window;
pub mod wire;
