//! Credentials: what a caller presents, and what makes it true.
//!
//! `presented` finds the one credential of a request; `api_key`, `jwt`, `introspection` and
//! `certificate` judge it; `verified` is a token found good; `possession` and `dpop` hold it to its
//! caller; `jws` reads the form that tokens are signed in, `jwk` the keys they are signed with, and
//! `key_cache` knows when keys are fetched; `signature` carries a signature check to where it is
//! cheap; `caller` is who it turned out to be.

pub mod api_key;
pub mod caller;
pub mod certificate;
mod checked_elsewhere;
pub mod claims;
pub mod dpop;
pub mod introspection;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod key_cache;
pub mod nonce;
pub mod own_limit;
pub mod possession;
pub mod presented;
pub mod signature;
pub mod verified;
pub mod verify;
