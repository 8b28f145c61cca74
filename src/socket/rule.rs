//! What a policy says about WebSocket on a route, as enforced.
//!
//! Owns: the shapes and their defaults. Does not own: making them (`policy::sockets`).

use std::rc::Rc;

use crate::limit::rule::LimitRule;

/// Most bytes of one message unless said.
pub const MESSAGE_BYTES_DEFAULT: u64 = 65_536;
/// Most bytes that one side may send in a session unless said.
pub const SESSION_BYTES_DEFAULT: u64 = 16_777_216;
/// How long a session lasts at most unless said, in seconds.
pub const SESSION_S_DEFAULT: u64 = 3_600;
/// How long nothing may be said unless said, in milliseconds.
pub const IDLE_MS_DEFAULT: u64 = 60_000;

/// The rules of a route whose requests are handshakes.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketRule {
    /// Browser origins whose pages may open a socket; empty for none.
    pub origins: Vec<String>,
    /// Subprotocols that may be asked for; empty for none.
    pub protocols: Vec<String>,
    /// What each message of a caller is charged to.
    pub messages: Rc<LimitRule>,
    pub bounds: SocketBounds,
}

/// What one session may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SocketBounds {
    /// Of one message, in bytes; text as UTF-8.
    pub message_bytes_max: u64,
    /// Of all messages of one side, in bytes. The platform keeps what a slow side has not taken and
    /// does not tell how much that is, so this is also the most that it can keep.
    pub session_bytes_max: u64,
    pub session_ms: u64,
    /// How long neither side may say anything.
    pub idle_ms: u64,
}
