//! Policies: from what was written (`document`) to what is enforced (`gate`), refusing on the way
//! whatever cannot be enforced, with every fault told at once.

mod authenticators;
mod caching;
mod charging;
mod contents;
mod deprecation;
pub mod document;
pub mod expression;
pub mod fault;
pub(crate) mod fetch_url;
pub mod field_rules;
pub mod gate;
mod keeping;
mod limits;
mod lint;
pub mod load;
mod nearest;
pub mod notices;
mod once;
pub mod openapi;
mod origins;
pub mod own_numbers;
pub mod roles;
pub mod route_table;
mod routes;
mod rules;
mod sockets;
pub mod tenancy;
mod tokens;
mod unsupported;
