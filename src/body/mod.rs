//! Content: JSON read strictly, and judged by schemas.

pub mod finding;
pub mod json;
pub mod parameters;
pub mod schema;
