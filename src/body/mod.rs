//! Content: JSON read strictly, and judged by schemas.

pub mod finding;
mod graph;
pub mod json;
mod keywords;
pub mod parameters;
pub mod reach;
pub mod schema;
