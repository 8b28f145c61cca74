//! Credentials: what a caller presents, and what makes it true.
//!
//! `presented` finds the one credential of a request; `api_key` and `jwt` judge it; `jwk` reads
//! the keys that tokens are signed with; `signature` carries a signature check to where it is
//! cheap; `caller` is who it turned out to be.

pub mod api_key;
pub mod caller;
mod checked_elsewhere;
pub mod claims;
pub mod jwk;
pub mod jwt;
pub mod presented;
pub mod signature;
pub mod verify;
