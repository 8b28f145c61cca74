//! `websocket` of a route as written.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct SocketEntry {
    #[serde(default)]
    pub origins: Vec<String>,
    #[serde(default)]
    pub protocols: Vec<String>,
    pub messages: String,
    pub max_message_bytes: Option<u64>,
    pub max_session_bytes: Option<u64>,
    pub max_session_s: Option<u64>,
    pub idle_timeout_ms: Option<u64>,
}
