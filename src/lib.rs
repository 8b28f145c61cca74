//! Edgeward.

pub mod body;
pub mod credential;
pub mod facts;
pub mod limit;
pub mod path;
pub mod policy;
pub mod secret;
#[cfg(target_arch = "wasm32")]
mod edge;
