//! API keys: `PREFIX_ENV_ID_SECRETCHECK`, checked offline before anything is asked.
//!
//! Owns: the form, its check, the record at rest and whether a record admits a key.
//! Does not own: the store (`Ports::key_record`). At rest there is only
//! `HMAC-SHA-256(pepper, secret)` and the pepper's id.

use std::net::IpAddr;

use base64ct::{Base64UrlUnpadded, Encoding};
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use hmac::{Hmac, Mac};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::facts::UnixMs;
use crate::secret::Secret;
pub use record::{Expiry, KeyRecord, KeyState, Never};

/// How the root admin key begins: it has the form of an API key, and is none.
pub const ROOT_PREFIX: &str = "ewadmin";
/// Characters of an id, a secret and a check.
pub const ID_CHARS: usize = 12;
pub const SECRET_CHARS: usize = 32;
pub const CHECK_CHARS: usize = 6;
/// Longest text that is looked at as a key.
pub const KEY_BYTES_MAX: usize = 128;

/// Compared with where there is no record, so that the work is the same.
const NO_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The public half of a key: what records are stored under.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct KeyId(String);

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key as presented: well-formed, not yet known.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// `live` or `test`.
    environment: String,
    id: KeyId,
    secret: Secret,
}

/// Why a text is no key, or a key is not admitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyFault {
    Malformed,
    Checksum,
    Unknown,
    Secret,
    Revoked,
    NotYetValid,
    Expired,
    Address,
}

impl ApiKey {
    /// Reads a presented key.
    ///
    /// - `prefix`: the policy's, e.g. `ew`.
    ///
    /// Fails with `Malformed` on another shape and `Checksum` on a mistyped key; neither costs a
    /// look-up.
    pub fn parse(text: &str, prefix: &str) -> Result<Self, KeyFault> {
        if text.len() > KEY_BYTES_MAX {
            return Err(KeyFault::Malformed);
        }
        let rest = text
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('_'));
        let mut parts = rest.ok_or(KeyFault::Malformed)?.split('_');
        let (environment, id, tail) = (parts.next(), parts.next(), parts.next());
        let (Some(environment @ ("live" | "test")), Some(id), Some(tail), None) =
            (environment, id, tail, parts.next())
        else {
            return Err(KeyFault::Malformed);
        };
        let sound = id.len() == ID_CHARS
            && tail.len() == SECRET_CHARS + CHECK_CHARS
            && id
                .bytes()
                .chain(tail.bytes())
                .all(|byte| byte.is_ascii_alphanumeric());
        let (secret, check) = tail
            .split_at_checked(SECRET_CHARS)
            .ok_or(KeyFault::Malformed)?;
        let checked = text.strip_suffix(check).ok_or(KeyFault::Malformed)?;
        if !sound {
            return Err(KeyFault::Malformed);
        }
        if check_of(checked) != check {
            return Err(KeyFault::Checksum);
        }
        Ok(Self {
            environment: environment.to_owned(),
            id: KeyId(id.to_owned()),
            secret: Secret::new(secret.to_owned()),
        })
    }

    pub fn id(&self) -> &KeyId {
        &self.id
    }
}

/// Bit by bit: a table would be larger than all else of an API key, for forty bytes.
const CHECKSUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Six base62 characters of the CRC-32 (ISO-HDLC) of `text`, most significant first.
pub fn check_of(text: &str) -> String {
    let mut rest = CHECKSUM.checksum(text.as_bytes());
    let mut check = [b'0'; CHECK_CHARS];
    for character in check.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        *character = BASE62.get(digit).copied().unwrap_or(b'0');
        rest /= 62;
    }
    check.iter().map(|byte| char::from(*byte)).collect()
}

/// A secret of the gateway that hashed keys depend on, so that a stolen store is of no use.
#[derive(Clone, Debug)]
pub struct Pepper {
    id: String,
    secret: Secret,
}

impl Pepper {
    /// The id follows from the secret: eight hex digits of a hash that tells nothing of it.
    pub fn new(secret: Secret) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"edgeward pepper id\0");
        hash.update(secret.expose().as_bytes());
        let digest = hash.finalize();
        let id = base16ct::lower::encode_string(digest.get(..4).unwrap_or_default());
        Self { id, secret }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// A key's hash under this pepper, as it is stored.
    pub fn hash_of(&self, key: &ApiKey) -> String {
        Base64UrlUnpadded::encode_string(&self.hash(key))
    }

    /// HMAC-SHA-256 of a key's secret under this pepper.
    fn hash(&self, key: &ApiKey) -> [u8; 32] {
        // An HMAC takes a key of any length: the error has no way to occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()) else {
            return [0; 32];
        };
        mac.update(key.secret.expose().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// The peppers in use: keys are made with the first and admitted with either.
#[derive(Clone, Debug)]
pub struct Peppers {
    pub current: Pepper,
    pub previous: Option<Pepper>,
}

impl Peppers {
    /// Whether a pepper of this id is in use.
    pub fn knows(&self, id: &str) -> bool {
        let mut known = std::iter::once(&self.current).chain(&self.previous);
        known.any(|pepper| pepper.id == id)
    }
}

/// A key's hash under the newest pepper, made when it is used after a rotation: so that the pepper
/// before can go and no key has to be made anew. `STORE` holds it as JSON under `hash/ID`, apart
/// from the record, so that writing it can not undo what was changed there meanwhile.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rehash {
    pub id: String,
    pub hash: String,
    pub pepper: String,
}

impl Rehash {
    /// - `record`: the key's, which admitted it; `None` if it is under `pepper` already.
    pub fn under(pepper: &Pepper, key: &ApiKey, record: &KeyRecord) -> Option<Self> {
        (record.pepper != pepper.id).then(|| Self {
            id: record.id.clone(),
            hash: pepper.hash_of(key),
            pepper: pepper.id.clone(),
        })
    }
}

/// What the store says of an id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stored {
    Absent,
    Record(Box<KeyRecord>),
    /// Something is stored that is no record: a fault of the store, not of the caller.
    Unreadable,
}

/// The store's answer, with the id that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyAnswer {
    pub id: KeyId,
    pub stored: Stored,
}

/// Why a key could be neither admitted nor refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordFault {
    Unreadable,
    AnotherKeys,
    UnknownPepper,
}

/// What `admit` decides: the record, or whose fault it is that there is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAdmitted {
    Key(KeyFault),
    Record(RecordFault),
}

/// Judges a presented key against the store's answer.
///
/// - `authenticator`: the one that asks; another's key is unknown to it.
/// - `ip`: the client's address; `None` is in no network.
///
/// The secret is compared in constant time and before everything else that the record says, and an
/// unknown id costs the same HMAC, so that neither the answer nor its time tells which ids exist.
pub fn admit(
    authenticator: &str,
    key: &ApiKey,
    answer: KeyAnswer,
    peppers: &Peppers,
    now_ms: UnixMs,
    ip: Option<IpAddr>,
) -> Result<KeyRecord, NotAdmitted> {
    if answer.id != key.id {
        return Err(NotAdmitted::Record(RecordFault::AnotherKeys));
    }
    let record = match answer.stored {
        Stored::Record(record) if record.is_of(authenticator) => *record,
        Stored::Unreadable => return Err(NotAdmitted::Record(RecordFault::Unreadable)),
        Stored::Absent | Stored::Record(_) => {
            std::hint::black_box(matches_hash(key, &peppers.current, NO_HASH));
            return Err(NotAdmitted::Key(KeyFault::Unknown));
        }
    };
    if record.id != key.id.0 {
        return Err(NotAdmitted::Record(RecordFault::AnotherKeys));
    }
    let mut known = std::iter::once(&peppers.current).chain(&peppers.previous);
    let Some(pepper) = known.find(|pepper| pepper.id == record.pepper) else {
        return Err(NotAdmitted::Record(RecordFault::UnknownPepper));
    };
    if !matches_hash(key, pepper, &record.hash) {
        return Err(NotAdmitted::Key(KeyFault::Secret));
    }
    // The secret is hashed alone: a key of one environment, written as one of the other, is none.
    let env = record.env.as_deref();
    if env.is_some_and(|env| env != key.environment) {
        return Err(NotAdmitted::Key(KeyFault::Secret));
    }
    let now_s = now_ms / 1_000;
    let expired = matches!(record.expires_at, Expiry::At(at_s) if now_s >= at_s);
    let early = record.not_before.is_some_and(|from_s| now_s < from_s);
    let fault = match record.state {
        KeyState::Revoked => Some(KeyFault::Revoked),
        KeyState::Active | KeyState::Retiring if expired => Some(KeyFault::Expired),
        KeyState::Active | KeyState::Retiring if early => Some(KeyFault::NotYetValid),
        KeyState::Active | KeyState::Retiring => match is_at_home(&record.cidrs, ip) {
            Some(true) => None,
            Some(false) => Some(KeyFault::Address),
            None => return Err(NotAdmitted::Record(RecordFault::Unreadable)),
        },
    };
    fault.map_or(Ok(record), |fault| Err(NotAdmitted::Key(fault)))
}

fn matches_hash(key: &ApiKey, pepper: &Pepper, stored: &str) -> bool {
    pepper
        .hash_of(key)
        .as_bytes()
        .ct_eq(stored.as_bytes())
        .into()
}

/// `None`: a network in the record does not read, and what does not read admits nobody.
fn is_at_home(cidrs: &[String], ip: Option<IpAddr>) -> Option<bool> {
    let networks: Option<Vec<IpNet>> = cidrs.iter().map(|cidr| parse_network(cidr)).collect();
    let networks = networks?;
    Some(networks.is_empty() || ip.is_some_and(|ip| networks.iter().any(|net| net.contains(&ip))))
}

/// Reads `192.0.2.0/24`, or one address.
pub fn parse_network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    match network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))? {
        // Clients have one spelling each (`address`); a network that holds none of them is a trap.
        IpNet::V6(network) => match network.addr().to_ipv4_mapped() {
            Some(address) => {
                let prefix = network.prefix_len().checked_sub(96)?;
                ipnet::Ipv4Net::new(address, prefix).ok().map(IpNet::V4)
            }
            None => Some(IpNet::V6(network)),
        },
        network => Some(network),
    }
}

mod record;

#[cfg(test)]
mod tests;
