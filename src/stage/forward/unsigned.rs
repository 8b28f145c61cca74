//! What is to be sent, before the message as a whole is signed.
//!
//! Owns: that what is sent is what was signed. The content is in here: nobody can change it between.

use crate::facts::UnixMs;
use crate::identity::IdentityKeys;
use crate::message::{Message, Outgoing};
use crate::refusal::{Port, Refusal};
use crate::stage::forward::Forward;
use crate::stage::validated::Content;

/// A request for an origin that cannot be sent yet.
pub struct Unsigned<B> {
    forward: Forward<B>,
    asked: Option<Message>,
}

impl<B> Unsigned<B> {
    pub(super) fn new(forward: Forward<B>) -> Self {
        Self {
            forward,
            asked: None,
        }
    }

    /// The message that has to be signed, if its origin asks for that.
    ///
    /// - `now_ms`: when the signature begins to be good.
    ///
    /// Fails where it cannot be made: there is no key, or content that has to be covered was not read.
    pub fn message(
        &mut self,
        keys: Option<&IdentityKeys>,
        now_ms: UnixMs,
    ) -> Result<Option<Message>, Refusal> {
        let forward = &self.forward;
        let origin = &forward.origin;
        let Some(rule) = &origin.signature else {
            return Ok(None);
        };
        let content = match &forward.content {
            Content::Nothing => Some([].as_slice()),
            Content::Bytes(bytes) => Some(bytes.as_slice()),
            Content::Unread(_) if rule.reads => return Err(Refusal::BodyBroken),
            Content::Unread(_) => None,
        };
        let header = origin.identity.as_ref().map(|one| one.header.as_str());
        let statement = forward
            .set
            .iter()
            .find(|(name, _)| Some(name.as_str()) == header);
        let message = keys.zip(statement).and_then(|(keys, (name, value))| {
            let outgoing = Outgoing {
                method: forward.method.as_str(),
                url: &forward.url,
                content,
                field: (name, value),
            };
            Message::new(keys, rule, &outgoing, now_ms)
        });
        let down = Refusal::PortDown { port: Port::Signer };
        self.asked = Some(message.ok_or(down)?);
        Ok(self.asked.clone())
    }

    /// What can be sent. `signed` answers [`Unsigned::message`]; a retry is sent with the same signature.
    ///
    /// Refuses if what was signed is not what was asked for, or nothing was and should have been.
    pub fn signed(self, signed: Option<(Message, Vec<u8>)>) -> Result<Forward<B>, Refusal> {
        let mut forward = self.forward;
        let is_needed = forward.origin.signature.is_some();
        match (self.asked, signed) {
            (None, None) if !is_needed => {}
            (Some(asked), Some((message, signature))) if asked == message => {
                forward.set.extend(message.signed(&signature));
            }
            _ => return Err(Refusal::AnswerMismatch { port: Port::Signer }),
        }
        Ok(forward)
    }
}
