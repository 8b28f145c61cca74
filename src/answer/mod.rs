//! An origin's answer as others may see it: which of its header fields leave, and what they say then.
//!
//! Owns: the rules for single fields, pure. Does not own: when they are asked (`stage::release`).

pub mod address;
pub mod keeping;
pub mod retry_after;
pub mod withheld;
