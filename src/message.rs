//! The signature of a whole message to an origin (RFC 9421), over a digest of its content (RFC 9530).
//!
//! Owns: the signature base and the fields. Does not own: the key and the signing (`Ports::sign`), or
//! that what was signed is what is sent (`stage::forward`).

use base64ct::{Base64, Encoding};
use sfv::{
    BareItem, Dictionary, Integer, Item, KeyRef, ListEntry, ListSerializer, Parser, StringRef,
};
use sha2::{Digest, Sha256, Sha512};

use crate::facts::UnixMs;
use crate::identity::{IdentityKeys, Signable};

/// The label of the signature: a message may carry several (RFC 9421 §4.3).
pub const LABEL: &str = "edgeward";
/// RFC 9421 §3.3.6.
pub const ALGORITHM: &str = "ed25519";
/// What a signed message has of the gateway alone: such fields of a caller do not reach the origin.
pub const FIELDS: [&str; 3] = [CONTENT_DIGEST, SIGNATURE_INPUT, SIGNATURE];

/// RFC 9530 §2.
pub const CONTENT_DIGEST: &str = "content-digest";
const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";

/// What the policy says of the signature of requests to an origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageRule {
    /// Whether each is read, so that its content is covered.
    pub reads: bool,
    pub ttl_s: u64,
    pub tag: String,
}

/// One request, as the origin sees it.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub method: &'a str,
    /// As it is sent: scheme, host, port, path and query, in their normal form.
    pub url: &'a str,
    /// The content; `None` if it was not read.
    pub content: Option<&'a [u8]>,
    /// A header field that is covered.
    pub field: (&'a str, &'a str),
}

/// A message whose signature is still to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    base: String,
    /// `Content-Digest`, if the content was read, and `Signature-Input`.
    fields: Vec<(String, String)>,
}

impl Signable for Message {
    fn signing_input(&self) -> &str {
        &self.base
    }
}

impl Message {
    /// Writes what is signed.
    ///
    /// `None` if it cannot be said: the key's id or the tag is no ASCII, or the URL is none.
    pub fn new(
        keys: &IdentityKeys,
        rule: &MessageRule,
        outgoing: &Outgoing<'_>,
        now_ms: UnixMs,
    ) -> Option<Self> {
        let created = now_ms / 1_000;
        let digest = outgoing.content.map(content_digest);
        let (authority, path, query) = target(outgoing.url)?;
        let mut components = vec![
            ("@method", outgoing.method),
            ("@authority", authority.as_str()),
            ("@path", path),
            ("@query", query.as_str()),
        ];
        components.extend(digest.as_deref().map(|digest| (CONTENT_DIGEST, digest)));
        components.push(outgoing.field);
        let parameters = Parameters {
            created,
            expires: Some(created.saturating_add(rule.ttl_s)),
            key_id: keys.key_id(),
            algorithm: Some(ALGORITHM),
            tag: Some(&rule.tag),
        };
        let input = parameters.with(&components)?;
        let base = base(&components, &input);
        let mut fields = Vec::new();
        fields.extend(digest.map(|digest| (CONTENT_DIGEST.to_owned(), digest)));
        fields.push((SIGNATURE_INPUT.to_owned(), format!("{LABEL}={input}")));
        Some(Self { base, fields })
    }

    /// The header fields, with the signature.
    pub fn signed(self, signature: &[u8]) -> Vec<(String, String)> {
        let mut fields = self.fields;
        let value = format!("{LABEL}=:{}:", Base64::encode_string(signature));
        fields.push((SIGNATURE.to_owned(), value));
        fields
    }
}

/// Whether `text` can be a key's id or a tag: a String of RFC 9651 §3.3.3.
pub fn is_sayable(text: &str) -> bool {
    StringRef::from_str(text).is_ok()
}

/// `Content-Digest` with SHA-256 (RFC 9530 §2).
pub fn content_digest(content: &[u8]) -> String {
    format!(
        "sha-256=:{}:",
        Base64::encode_string(&Sha256::digest(content))
    )
}

/// Whether content is what a caller's `Content-Digest` says; digests by other algorithms say nothing
/// (RFC 9530 §2). `None`: the field is no Dictionary of Byte Sequences.
pub fn is_digest_of(field: &str, content: &[u8]) -> Option<bool> {
    let digests = Parser::new(field).parse::<Dictionary>().ok()?;
    let mut is_right = true;
    for (name, digest) in &digests {
        let ListEntry::Item(Item {
            bare_item: BareItem::ByteSequence(digest),
            ..
        }) = digest
        else {
            return None;
        };
        is_right &= match name.as_str() {
            "sha-256" => digest[..] == Sha256::digest(content)[..],
            "sha-512" => digest[..] == Sha512::digest(content)[..],
            _ => true,
        };
    }
    Some(is_right)
}

/// What is said about a signature (RFC 9421 §2.3).
struct Parameters<'a> {
    created: u64,
    expires: Option<u64>,
    key_id: &'a str,
    algorithm: Option<&'a str>,
    tag: Option<&'a str>,
}

impl Parameters<'_> {
    /// With the names of the components: the value of `@signature-params`.
    fn with(&self, components: &[(&str, &str)]) -> Option<String> {
        let seconds = |name, value: u64| {
            let value = Integer::try_from(i64::try_from(value).ok()?).ok()?;
            Some((KeyRef::from_str(name).ok()?, value))
        };
        let text = |name, value| {
            Some((
                KeyRef::from_str(name).ok()?,
                StringRef::from_str(value).ok()?,
            ))
        };
        let mut list = ListSerializer::new();
        let mut names = list.inner_list();
        for (name, _) in components {
            let _ = names.bare_item(StringRef::from_str(name).ok()?);
        }
        let (name, value) = seconds("created", self.created)?;
        let mut parameters = names.finish().parameter(name, value);
        if let Some(expires) = self.expires {
            let (name, value) = seconds("expires", expires)?;
            parameters = parameters.parameter(name, value);
        }
        let texts = [
            ("keyid", Some(self.key_id)),
            ("alg", self.algorithm),
            ("tag", self.tag),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                let (name, value) = text(name, value)?;
                parameters = parameters.parameter(name, value);
            }
        }
        let _ = parameters.finish();
        list.finish()
    }
}

/// The signature base (RFC 9421 §2.5): a line for each component, and no line's end after the last.
fn base(components: &[(&str, &str)], parameters: &str) -> String {
    let lines = components
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}\n"));
    let mut base: String = lines.collect();
    base.push_str("\"@signature-params\": ");
    base.push_str(parameters);
    base
}

/// `@authority`, `@path` and `@query` of a URL (RFC 9421 §2.2.3, §2.2.6, §2.2.7): a host in lower
/// case, without the port that its scheme implies; a query that is not there is `?`.
fn target(url: &str) -> Option<(String, &str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find('/')?);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let implied = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        // Else the colon is one of an IPv6 address.
        Some((host, port)) if let Ok(port) = port.parse::<u16>() => (host, Some(port)),
        _ => (authority, None),
    };
    let mut authority = host.to_ascii_lowercase();
    if let Some(port) = port.filter(|port| *port != implied) {
        authority.push_str(&format!(":{port}"));
    }
    Some((authority, path, format!("?{query}")))
}

#[cfg(test)]
mod tests;
