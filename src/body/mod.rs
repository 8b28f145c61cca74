//! Content: JSON read strictly, and judged by schemas.

pub mod edit;
pub mod finding;
pub mod json;
mod keywords;
pub mod parameters;
pub mod pointer;
mod reach;
pub mod schema;
