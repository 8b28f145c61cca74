//! WebSocket (RFC 6455), as far as it is arithmetic: what a handshake has to be, what a session may
//! take, how it ends.
//!
//! Owns: the decisions. Does not own: which requests may switch (`stage::switching`), what a message
//! costs (`stage::session`), the sockets themselves (`edge`).

pub mod close;
pub mod handshake;
pub mod queue;
pub mod rule;
pub mod tally;

/// One of the two that talk through the gateway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    Caller,
    Origin,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Caller, Self::Origin];

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Caller => Self::Origin,
            Self::Origin => Self::Caller,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Origin => "origin",
        }
    }
}
