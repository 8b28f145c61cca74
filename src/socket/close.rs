//! How a session ends, and what each side is told of it (RFC 6455 §7.4).
//!
//! Owns: codes and reasons. A bad credential has one face here too: whether it expired or was taken
//! back is the log's to know.

use crate::socket::Side;

/// What a close frame says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Close {
    /// `None`: a frame without a code.
    pub code: Option<u16>,
    pub reason: String,
}

/// Why a session is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// One side closed it.
    Closed {
        by: Side,
        close: Close,
    },
    /// One side went away without a word.
    Lost {
        by: Side,
    },
    /// A message over its bound.
    MessageTooLarge {
        from: Side,
    },
    /// More in all than a session carries.
    SessionTooLarge {
        from: Side,
    },
    /// More at once than is kept while a message waits for its checks.
    TooFast {
        from: Side,
    },
    /// The caller's messages are over a limit.
    OverLimit,
    /// A counter is silent, and its limit says to refuse then.
    CounterDown,
    /// The credential is no longer good.
    Expired,
    Revoked,
    /// Whether it was taken back cannot be told.
    RevocationDown,
    /// Neither side said anything for too long.
    Idle,
    /// It lasted as long as one may.
    Lasted,
    /// A fault of the gateway itself.
    Panicked,
}

/// Codes that stand for something that no frame says (§7.4.1), or that nobody gave a meaning.
fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

impl Close {
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            reason: reason.into(),
        }
    }

    /// What one side said, as it may be said to the other: 1005, 1006 and 1015 never stand in a frame.
    pub fn heard(code: u16, reason: String) -> Self {
        match is_sendable(code) {
            true => Self::new(code, reason),
            false => Self {
                code: None,
                reason: String::new(),
            },
        }
    }
}

impl Ending {
    /// The name of the reason in the log: a closed list.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Lost { .. } => "lost",
            Self::MessageTooLarge { .. } => "message_too_large",
            Self::SessionTooLarge { .. } => "session_too_large",
            Self::TooFast { .. } => "too_fast",
            Self::OverLimit => "over_limit",
            Self::CounterDown => "counter_down",
            Self::Expired => "credential_expired",
            Self::Revoked => "credential_revoked",
            Self::RevocationDown => "revocation_down",
            Self::Idle => "idle",
            Self::Lasted => "lasted",
            Self::Panicked => "panicked",
        }
    }

    /// Who brought it about; `None`: the gateway.
    pub fn by(&self) -> Option<Side> {
        match self {
            Self::Closed { by, .. } | Self::Lost { by } => Some(*by),
            Self::MessageTooLarge { from }
            | Self::SessionTooLarge { from }
            | Self::TooFast { from } => Some(*from),
            Self::OverLimit => Some(Side::Caller),
            Self::CounterDown
            | Self::Expired
            | Self::Revoked
            | Self::RevocationDown
            | Self::Idle
            | Self::Lasted
            | Self::Panicked => None,
        }
    }

    /// What `side` is told.
    pub fn told(&self, side: Side) -> Close {
        let over = |from: Side, code: u16, reason: &str| match (from == side, side) {
            (true, _) => Close::new(code, reason),
            (false, Side::Origin) => Close::new(1001, "the session has ended"),
            (false, Side::Caller) => Close::new(1011, "the origin sent too much"),
        };
        let caller_alone = |code: u16, reason: &str| over(Side::Caller, code, reason);
        match self {
            // To whom closed it this is the answer, and says the same (§5.5.1).
            Self::Closed { close, .. } => close.clone(),
            Self::Lost { by: Side::Caller } => Close::new(1001, "the caller is gone"),
            Self::Lost { by: Side::Origin } => Close::new(1011, "the origin is gone"),
            Self::MessageTooLarge { from } => over(*from, 1009, "message too large"),
            Self::SessionTooLarge { from } => {
                over(*from, 1008, "more than one session carries: open another")
            }
            Self::TooFast { from } => over(*from, 1008, "too much at once"),
            Self::OverLimit => caller_alone(1008, "too many messages"),
            Self::Expired | Self::Revoked => caller_alone(1008, "the credential is no longer good"),
            Self::CounterDown | Self::RevocationDown => caller_alone(1013, "try again later"),
            Self::Idle => Close::new(1001, "nothing was said for too long"),
            Self::Lasted => Close::new(1001, "a session may not last longer: open another"),
            Self::Panicked => Close::new(1011, "a fault of the gateway"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_no_frame_says_are_never_sent() {
        for (code, passed) in [
            (999, false),
            (1000, true),
            (1003, true),
            (1004, false),
            (1005, false),
            (1006, false),
            (1007, true),
            (1014, true),
            (1015, false),
            (1016, false),
            (2999, false),
            (3000, true),
            (4999, true),
            (5000, false),
        ] {
            let close = Close::heard(code, "why".into());
            assert_eq!(close.code.is_some(), passed, "{code}");
            assert_eq!(close.reason.is_empty(), !passed, "{code}");
        }
    }

    #[test]
    fn each_side_is_told_what_concerns_it() {
        let closed = |by| Ending::Closed {
            by,
            close: Close::new(4001, "bye"),
        };
        let mut table = Vec::new();
        for ending in [
            closed(Side::Caller),
            closed(Side::Origin),
            Ending::Lost { by: Side::Caller },
            Ending::Lost { by: Side::Origin },
            Ending::MessageTooLarge { from: Side::Caller },
            Ending::MessageTooLarge { from: Side::Origin },
            Ending::SessionTooLarge { from: Side::Caller },
            Ending::SessionTooLarge { from: Side::Origin },
            Ending::TooFast { from: Side::Caller },
            Ending::TooFast { from: Side::Origin },
            Ending::OverLimit,
            Ending::CounterDown,
            Ending::Expired,
            Ending::Revoked,
            Ending::RevocationDown,
            Ending::Idle,
            Ending::Lasted,
            Ending::Panicked,
        ] {
            let told = Side::BOTH.map(|side| {
                let Close { code, reason } = ending.told(side);
                assert!(reason.len() <= 123, "a control frame has 125 bytes (§5.5)");
                format!("{} {reason}", code.unwrap_or_default())
            });
            let by = ending.by().map_or("gateway", Side::as_str);
            table.push(format!("{} by {by} | {}", ending.why(), told.join(" | ")));
        }
        let golden = expect_test::expect_file!["../../tests/golden/session-endings.txt"];
        golden.assert_eq(&(table.join("\n") + "\n"));
    }
}
