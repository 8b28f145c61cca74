//! Evidence that no limit is ever exceeded: the gateway's own code for limits, run by adversaries.
//!
//! The modules below are the gateway's files, compiled here without the rest of it, so that a
//! hundred million requests are simulated at full speed after a build of seconds.

#[allow(
    dead_code,
    reason = "the gateway's file; what is not needed here is used there"
)]
#[path = "../../src/facts.rs"]
pub mod facts;
#[allow(
    dead_code,
    clippy::large_enum_variant,
    reason = "the gateway's files; what is not needed here is used there"
)]
#[path = "../../src/limit/mod.rs"]
pub mod limit;
pub mod model;
#[path = "../../src/object.rs"]
pub mod object;
#[path = "../../src/revocation.rs"]
pub mod revocation;

pub mod audit;
pub mod bugs;
pub mod exact;
pub mod figures;
pub mod scenario;
pub mod scenarios;
pub mod world;
