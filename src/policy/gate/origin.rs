//! Origins as enforced: where each is, how it is reached, and what it is told.

use std::borrow::Cow;

use crate::message::MessageRule;
use crate::origin::rule::OriginRules;

/// One service behind the gateway.
#[derive(Debug)]
pub struct Origin {
    pub name: String,
    /// Scheme, host and port, no path.
    pub url: String,
    pub timeout_ms: u64,
    /// What is done where it is not well.
    pub rules: OriginRules,
    /// The signed statement it is sent, if the gateway has a key to sign with.
    pub identity: Option<Identity>,
    /// The signature of each request to it.
    pub signature: Option<MessageRule>,
    /// By which it is reached; `None`: by the network, as nobody in particular.
    pub binding: Option<OriginBinding>,
}

impl Origin {
    /// Which origin it is to an isolate: two Workers may be given one URL.
    pub fn known_as(&self) -> Cow<'_, str> {
        match &self.binding {
            Some(OriginBinding::Service(name)) => Cow::Owned(format!("{name} {}", self.url)),
            Some(OriginBinding::Certificate(_)) | None => Cow::Borrowed(&self.url),
        }
    }
}

/// A binding of the Worker that requests are sent by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OriginBinding {
    /// Another Worker, reached without the network.
    Service(String),
    /// The network, with a client certificate.
    Certificate(String),
}

impl OriginBinding {
    pub fn name(&self) -> &str {
        match self {
            Self::Service(name) | Self::Certificate(name) => name,
        }
    }
}

#[derive(Debug)]
pub struct Identity {
    pub header: String,
    pub audience: String,
    pub ttl_s: u64,
}
