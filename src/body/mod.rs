//! Content: JSON and forms read strictly, and judged by schemas.

pub mod content;
pub mod cookies;
pub mod edit;
pub mod finding;
pub mod form;
mod graph;
pub mod json;
mod keywords;
mod multipart;
pub mod parameters;
pub mod pointer;
pub mod reach;
pub mod schema;
mod styles;
