//! Rules about fields and answers, as written.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::ModeEntry;

#[derive(Clone, Debug, Deserialize)]
pub struct WriteEntry {
    pub pointer: String,
    pub write: String,
    #[serde(default)]
    pub on_refusal: OnRefusalEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefusalEntry {
    #[default]
    Refuse,
    Strip,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ReadEntry {
    pub pointer: String,
    pub read: String,
    /// `null` is a mask too.
    #[serde(default, deserialize_with = "present")]
    pub mask: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponseEntry {
    pub allow: Option<String>,
    pub refused_as: RefusedAsEntry,
    pub fields: Vec<ReadEntry>,
    pub max_bytes: Option<u64>,
    pub body: Option<Value>,
    pub body_mode: Option<ModeEntry>,
    pub mode: ModeEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedAsEntry {
    #[default]
    AccessDenied,
    NotFound,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
