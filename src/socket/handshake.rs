//! The handshake of a client, read strictly (RFC 6455 §4.2.1).
//!
//! Owns: what its fields have to be. Does not own: who may switch (`stage::switching`). The platform
//! makes the answer's fields, and a handshake of its own towards the origin.

use base64ct::{Base64, Encoding};

use crate::facts::Headers;

/// The one version there is.
pub const VERSION: &str = "13";
/// Bytes of the key.
const KEY_BYTES: usize = 16;
/// Most subprotocols that may be asked for at once.
pub const PROTOCOLS_MAX: usize = 16;

/// A handshake that is well-formed. It proves nothing of its sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Handshake {
    /// The page that a browser sends it for; no page can leave it out or choose it.
    pub origin: Option<String>,
    /// Subprotocols, best first.
    pub protocols: Vec<String>,
}

/// What is wrong with a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HandshakeFault {
    /// Another version, or none.
    Version,
    /// A field that is missing, malformed, or stands twice.
    Field { name: &'static str },
}

/// Whether a request asks for a switch to WebSocket. Another protocol's name is left unheard
/// (RFC 9110 §7.8).
pub fn asks(headers: &Headers) -> bool {
    has_token(headers.get("upgrade"), "websocket")
}

/// Reads a handshake.
pub fn read(headers: &Headers) -> Result<Handshake, HandshakeFault> {
    let wrong = |name| Err(HandshakeFault::Field { name });
    let names_websocket = headers
        .get("upgrade")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("websocket"));
    if !names_websocket {
        return wrong("upgrade");
    }
    if !has_token(headers.get("connection"), "upgrade") {
        return wrong("connection");
    }
    if headers.get("sec-websocket-version").map(str::trim) != Some(VERSION) {
        return Err(HandshakeFault::Version);
    }
    let key = headers.get("sec-websocket-key").map(Base64::decode_vec);
    if !key.is_some_and(|key| key.is_ok_and(|key| key.len() == KEY_BYTES)) {
        return wrong("sec-websocket-key");
    }
    let Some(protocols) = protocols(headers.get("sec-websocket-protocol")) else {
        return wrong("sec-websocket-protocol");
    };
    Ok(Handshake {
        origin: headers.get("origin").map(str::to_owned),
        protocols,
    })
}

impl Handshake {
    /// The subprotocols that may go on: those of the policy, in the client's order.
    ///
    /// `None`: it asks for some, and for none of these. It could not end well: a client that asked
    /// has to be answered (WHATWG WebSockets). What is not listed goes nowhere, so that no secret that
    /// somebody puts there does.
    pub fn known(&self, listed: &[String]) -> Option<Vec<String>> {
        let known = self.protocols.iter().filter(|one| listed.contains(one));
        let known: Vec<String> = known.cloned().collect();
        (self.protocols.is_empty() || !known.is_empty()).then_some(known)
    }
}

/// Whether a text looks like a signed token in its compact form (RFC 7515 §3.1): a JSON object begins
/// so in base64url.
pub fn looks_like_a_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() >= 2
}

/// `None`: not a list of tokens, each once (§4.1, 10).
fn protocols(value: Option<&str>) -> Option<Vec<String>> {
    let mut protocols = Vec::new();
    let Some(value) = value else {
        return Some(protocols);
    };
    for name in value.split(',').map(str::trim) {
        let is_new = !protocols.iter().any(|known| known == name);
        if !is_token(name) || !is_new || protocols.len() >= PROTOCOLS_MAX {
            return None;
        }
        protocols.push(name.to_owned());
    }
    Some(protocols)
}

fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

fn has_token(value: Option<&str>, token: &str) -> bool {
    let mut names = value.unwrap_or_default().split(',');
    names.any(|name| name.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests;
