//! What makes two requests the same to the cache: a hash over everything that an answer may differ by.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::credential::caller::KnownCaller;
use crate::facts::Headers;
use crate::stored::values;

/// The key of one kept answer.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct StoreKey([u8; 32]);

/// All that an answer may differ by. A GET and the HEAD beside it have one key.
pub struct Parts<'a> {
    /// The gate's version: another policy judges and cleans otherwise.
    pub policy: &'a str,
    pub route: &'a str,
    pub is_https: bool,
    /// Host and port that were asked for: an origin is told them.
    pub authority: &'a str,
    /// The canonical path.
    pub path: &'a str,
    /// As sent on; `None`: there was no `?`.
    pub query: Option<&'a str>,
    /// Where it is sent: the origin's name in the policy, and where that is.
    pub origin: [&'a str; 2],
    /// `None`: nobody in particular.
    pub caller: Option<&'a KnownCaller>,
    pub headers: &'a Headers,
    /// The names of the fields that reach the origin, in lower case.
    pub fields: &'a [String],
}

impl StoreKey {
    /// Each part goes in with its length before it, each list with its number: no two requests that
    /// differ in a part write the same octets.
    pub fn of(parts: &Parts<'_>) -> Self {
        let mut hash = Hash(Sha256::new());
        hash.text("edgeward stored answer 1");
        hash.text(parts.policy);
        hash.text(parts.route);
        hash.text("GET");
        hash.text(if parts.is_https { "https" } else { "http" });
        hash.text(parts.authority);
        hash.text(parts.path);
        hash.maybe(parts.query);
        parts.origin.iter().for_each(|part| hash.text(part));
        hash.caller(parts.caller);
        let values = values(parts.headers, parts.fields);
        hash.number(values.len());
        for (name, value) in values {
            hash.text(name);
            hash.maybe(value);
        }
        Self(hash.0.finalize().into())
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.hex())
    }
}

struct Hash(Sha256);

impl Hash {
    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.number(usize::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn list(&mut self, list: &[String]) {
        self.number(list.len());
        list.iter().for_each(|text| self.text(text));
    }

    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    /// Who calls, and all that an origin is told of it (`identity::Statement`): one subject's token
    /// with other scopes has answers of its own.
    fn caller(&mut self, caller: Option<&KnownCaller>) {
        self.number(usize::from(caller.is_some()));
        let Some(caller) = caller else { return };
        self.text(caller.kind.as_str());
        self.text(&caller.authenticator);
        self.text(&caller.issuer);
        self.text(&caller.subject);
        self.maybe(caller.key_id());
        self.maybe(caller.tenant.as_deref());
        self.list(&caller.scopes);
        self.list(&caller.roles);
        for name in ["acr", "amr"] {
            let claim = caller.claims.get(name).map(ToString::to_string);
            self.maybe(claim.as_deref());
        }
    }
}

#[cfg(test)]
mod tests;
