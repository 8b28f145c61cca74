//! Content: JSON read strictly, and judged by schemas.

pub mod finding;
pub mod json;
mod keywords;
pub mod parameters;
mod reach;
pub mod schema;
mod styles;
