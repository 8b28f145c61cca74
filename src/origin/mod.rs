//! The gateway and an origin that is not well: how many requests wait for it, when it is left alone,
//! when a request is sent again, and how long its answers may take.
//!
//! `bulkhead`, `breaker` and `retry` are machines without a clock; `choice` is between several origins; `state` is what an isolate knows
//! of one origin; `dispatch` sends through them; `share` tells other isolates; `flow` bounds an
//! answer on its way out.

pub mod breaker;
pub mod bulkhead;
pub mod choice;
pub mod dispatch;
pub mod flow;
pub mod retry;
pub mod rule;
pub mod share;
pub mod state;
