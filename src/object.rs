//! The names of Durable Objects.

use sha2::{Digest, Sha256};

/// The name of one counter object: a hash, so that neither an address nor a caller's name is
/// stored, and no choice of names by a caller can meet another's.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ObjectName(String);

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
        Self(
            digest
                .iter()
                .take(20)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// The object that counts for a caller and holds the marks against its credentials.
    pub fn of_caller(authenticator: &str, issuer: &str, subject: &str) -> Self {
        Self::of(&["caller", authenticator, issuer, subject])
    }

    /// The object that holds the marks over all of an issuer's tokens.
    pub fn of_issuer(authenticator: &str, issuer: &str) -> Self {
        Self::of(&["issuer", authenticator, issuer])
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
