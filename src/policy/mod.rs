//! Policies.

pub mod expression;
pub mod route_table;
