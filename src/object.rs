//! The names of Durable Objects.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

/// The name of one counter object: a hash, so that neither an address nor a caller's name is
/// stored, and no choice of names by a caller can meet another's.
///
/// Addresses are many, and whoever has a network has all of its addresses: the counters of a
/// network's addresses live in one object, so that no flood of addresses makes a flood of objects.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ObjectName {
    object: Name,
    /// Whose rows are meant, in an object that counts for many.
    member: Option<Name>,
    /// The object that counts, where this is a broker of it.
    root: Option<Name>,
}

type Name = [u8; 20];

/// Objects over which the values of one limit are spread: as many as a byte has values.
pub const VALUE_OBJECTS: usize = 256;

/// Names are hashes, so a part of one tells it from others as well as the whole does, in a map that is
/// looked into several times a request.
impl Hash for ObjectName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let part = |name: &Name| {
            name.first_chunk()
                .map_or(0, |part| u64::from_le_bytes(*part))
        };
        state.write_u64(part(&self.object));
        state.write_u64(self.member.as_ref().map_or(0, part));
    }
}

impl ObjectName {
    /// Names the object of `parts`, e.g. `["ip", "192.0.2.1"]`. Each part is hashed with its
    /// length before it: `["a:b", "c"]` and `["a", "b:c"]` are two objects.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut object = [0; 20];
        for (to, from) in object.iter_mut().zip(digest) {
            *to = from;
        }
        Self {
            object,
            member: None,
            root: None,
        }
    }

    /// The counters of one client address, in the object of its network.
    ///
    /// - `key`: the address as limits count it (`address::limit_key`).
    /// - `network`: `address::network`.
    pub fn of_address(key: &str, network: &str) -> Self {
        Self {
            object: Self::of(&["network", network]).object,
            member: Some(Self::of(&["ip", key]).object),
            root: None,
        }
    }

    /// The counters of one value of a limit's expression, in one of [`VALUE_OBJECTS`] objects of
    /// that limit: callers who choose values make rows, which end by themselves, and no objects.
    pub fn of_value(limit: &str, value: &str) -> Self {
        let member = Self::of(&["value", limit, value]).object;
        let place = member.first().map(u8::to_string).unwrap_or_default();
        Self {
            object: Self::of(&["values", limit, &place]).object,
            member: Some(member),
            root: None,
        }
    }

    /// The object that counts for a caller and holds the marks against its credentials.
    pub fn of_caller(authenticator: &str, issuer: &str, subject: &str) -> Self {
        Self::of(&["caller", authenticator, issuer, subject])
    }

    /// The object that holds the marks over all of an issuer's tokens.
    pub fn of_issuer(authenticator: &str, issuer: &str) -> Self {
        Self::of(&["issuer", authenticator, issuer])
    }

    /// One of `parts` equal parts that names fall into; the same part always.
    pub fn part(&self, parts: u32) -> u32 {
        let [a, b, c, d, ..] = self.object;
        u32::from_be_bytes([a, b, c, d]) % parts.max(1)
    }

    /// The broker of this object that serves the isolates of a place; one of `brokers`.
    #[must_use]
    pub fn brokered(self, place: &str, brokers: u16) -> Self {
        let place = Self::of(&["place", place]).object;
        let number = place.iter().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add((*byte).into())
        });
        let number = number % u32::from(brokers.max(1));
        let broker = Self::of(&["broker", &self.hex(), &number.to_string()]);
        Self {
            object: broker.object,
            member: self.member,
            root: Some(self.object),
        }
    }

    /// The object that counts, as [`ObjectName::hex`] spells it, where this is a broker of it.
    pub fn root_hex(&self) -> Option<String> {
        self.root.as_ref().map(hex)
    }

    /// Reads what [`ObjectName::hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut object = [0; 20];
        if text.len() != 2 * object.len() || !text.bytes().all(|one| one.is_ascii_hexdigit()) {
            return None;
        }
        for (place, byte) in object.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self {
            object,
            member: None,
            root: None,
        })
    }

    /// As the runtime and the store spell it: 40 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.object)
    }

    /// The name of a row there, e.g. of the limit `minute`.
    pub fn row(&self, name: &str) -> String {
        match &self.member {
            None => name.to_owned(),
            Some(member) => format!("{name}#{}", hex(member)),
        }
    }
}

fn hex(name: &Name) -> String {
    base16ct::lower::encode_string(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_are_rows_in_a_fixed_number_of_objects() {
        let names: Vec<_> = (0..20_000)
            .map(|value| ObjectName::of_value("minute", &format!("text:{value}")))
            .collect();
        let objects: HashSet<_> = names.iter().map(ObjectName::hex).collect();
        assert_eq!(objects.len(), VALUE_OBJECTS);
        let rows: HashSet<_> = names.iter().map(|name| name.row("minute")).collect();
        assert_eq!(rows.len(), names.len());
        let other = ObjectName::of_value("hour", "text:1");
        assert!(!objects.contains(&other.hex()), "two limits share objects");
    }
}
