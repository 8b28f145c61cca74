//! The names of Durable Objects.

use sha2::{Digest, Sha256};

/// The name of one counter object: a hash, so that neither an address nor a caller's name is
/// stored, and no choice of names by a caller can meet another's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectName([u8; 20]);

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
        let mut name = [0; 20];
        for (to, from) in name.iter_mut().zip(digest) {
            *to = from;
        }
        Self(name)
    }

    /// The object that counts for a caller and holds the marks against its credentials.
    pub fn of_caller(authenticator: &str, issuer: &str, subject: &str) -> Self {
        Self::of(&["caller", authenticator, issuer, subject])
    }

    /// The object that holds the marks over all of an issuer's tokens.
    pub fn of_issuer(authenticator: &str, issuer: &str) -> Self {
        Self::of(&["issuer", authenticator, issuer])
    }

    /// As the runtime and the store spell it: 40 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
