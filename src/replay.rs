//! What was used once and may not be used again: the questions to a `Replay` object, and its rule.
//!
//! Owns: the pairing of answer and question, and the bound of an object's memory.
//! Does not own: storage and the call (`edge::replay`). Called by: `credential::dpop`.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::object::ObjectName;

/// Most uses that one object remembers: those of one key within a proof's life.
/// A thousand a second is what one object answers.
pub const USES_MAX: u64 = 100_000;

/// Whether something was used before: asked of the object of its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplayQuestion {
    pub object: ObjectName,
    pub take: Take,
}

/// As it travels to the object: a hash of what is used, and until when it could be used again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Take {
    pub name: String,
    pub until_ms: UnixMs,
}

/// What the object found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Not used before, and written down before this was said.
    Fresh,
    Seen,
    /// No room to write it down: it can be neither admitted nor refused.
    Full,
}

/// The answer, with the name that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplayAnswer {
    pub name: String,
    pub taken: Taken,
}

impl ReplayQuestion {
    /// - `owner`: the thumbprint of the key that made it; each has its own object.
    /// - `parts`: what makes a use the same use, in one spelling.
    pub fn new(owner: &str, parts: &[&str], until_ms: UnixMs) -> Self {
        Self {
            object: ObjectName::of(&["replay", owner]),
            take: Take {
                name: ObjectName::of(parts).hex(),
                until_ms,
            },
        }
    }
}

impl ReplayAnswer {
    /// Whether this says that `question`'s use is the first; `None` if it does not answer it.
    pub fn to(&self, question: &ReplayQuestion) -> Option<bool> {
        match (self.name == question.take.name, &self.taken) {
            (true, Taken::Fresh) => Some(true),
            (true, Taken::Seen) => Some(false),
            (true, Taken::Full) | (false, _) => None,
        }
    }
}

/// An object's storage, synchronous.
pub trait Uses {
    type Fault;
    fn is_used(&self, name: &str) -> Result<bool, Self::Fault>;
    /// How many are remembered, after those that ended before `now_ms` were dropped.
    fn count(&self, now_ms: UnixMs) -> Result<u64, Self::Fault>;
    fn write(&self, take: &Take) -> Result<(), Self::Fault>;
}

/// Answers one question: what is fresh is written before this returns.
pub fn take<U: Uses>(uses: &U, now_ms: UnixMs, take: &Take) -> Result<Taken, U::Fault> {
    if uses.is_used(&take.name)? {
        return Ok(Taken::Seen);
    }
    if uses.count(now_ms)? >= USES_MAX {
        return Ok(Taken::Full);
    }
    uses.write(take)?;
    Ok(Taken::Fresh)
}
