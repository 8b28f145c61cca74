//! Revocation marks: what an object holds against credentials that are good by themselves.
//!
//! A mark stands with whom it concerns: with the caller, whose object every admission asks, or
//! with the issuer, whose marks an isolate reads anew every two seconds. Each ends when what it
//! names could not be used any more.
//!
//! Owns: what can be named, the judgment and the bound. Does not own: storage
//! (`limit::ledger::Rows`), who is asked (`limit::standing`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;

/// Most keys and tokens marked in one object; beyond, a mark over all of a subject is meant.
pub const MARKS_MAX: usize = 256;
/// Longest name of what is marked, in bytes.
pub const MARK_BYTES_MAX: usize = 256;

/// The one credential that proved a caller, as a revocation can name it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// An API key, by its public id.
    Key { id: String },
    Token {
        /// `jti`, where it has one.
        id: Option<String>,
        /// `iat`, where its issuer tells it.
        issued_at_s: Option<u64>,
        /// The subject's token version, where the policy maps it.
        version: Option<u64>,
    },
    /// A client certificate or the root key: it leaves the configuration to be revoked.
    Configured,
}

/// What was taken back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedBy {
    Key,
    Token,
    /// All tokens issued up to an instant.
    Instant,
    /// All tokens under a version.
    Version,
}

/// One revocation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// An API key, by its id.
    Key { id: String, until_ms: UnixMs },
    /// A token, by its `jti`.
    Token { id: String, until_ms: UnixMs },
    /// Tokens issued at or before `at_s`; those that do not tell when are among them.
    IssuedUpTo { at_s: u64, until_ms: UnixMs },
    /// Tokens under this version; those without one are among them.
    VersionUnder { version: u64 },
}

/// The marks of one object.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Marks {
    /// Ids, and until when they are remembered.
    #[serde(default)]
    keys: BTreeMap<String, UnixMs>,
    #[serde(default)]
    tokens: BTreeMap<String, UnixMs>,
    #[serde(default)]
    issued_up_to: Option<Instant>,
    #[serde(default)]
    version_under: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Instant {
    at_s: u64,
    until_ms: UnixMs,
}

/// There is no room for another mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MarksFull;

impl Marks {
    /// Why `credential` is refused, if it is.
    pub fn refuses(&self, credential: &Credential) -> Option<RevokedBy> {
        match credential {
            Credential::Configured => None,
            Credential::Key { id } => self.keys.contains_key(id).then_some(RevokedBy::Key),
            Credential::Token {
                id,
                issued_at_s,
                version,
            } => {
                let by_id = id.as_ref().is_some_and(|id| self.tokens.contains_key(id));
                let by_instant = self
                    .issued_up_to
                    .is_some_and(|mark| issued_at_s.is_none_or(|issued| issued <= mark.at_s));
                let by_version = self
                    .version_under
                    .is_some_and(|least| version.is_none_or(|version| version < least));
                match (by_id, by_instant, by_version) {
                    (true, _, _) => Some(RevokedBy::Token),
                    (_, true, _) => Some(RevokedBy::Instant),
                    (_, _, true) => Some(RevokedBy::Version),
                    (false, false, false) => None,
                }
            }
        }
    }

    /// Adds a mark, after dropping those that ended before `now_ms`. A wider mark stays: none is
    /// ever narrowed.
    pub fn add(&mut self, mark: &Mark, now_ms: UnixMs) -> Result<(), MarksFull> {
        self.drop_ended(now_ms);
        match mark {
            Mark::Key { id, until_ms } => put(&mut self.keys, id, *until_ms),
            Mark::Token { id, until_ms } => put(&mut self.tokens, id, *until_ms),
            Mark::IssuedUpTo { at_s, until_ms } => {
                let known = self.issued_up_to.unwrap_or(Instant {
                    at_s: 0,
                    until_ms: 0,
                });
                self.issued_up_to = Some(Instant {
                    at_s: known.at_s.max(*at_s),
                    until_ms: known.until_ms.max(*until_ms),
                });
                Ok(())
            }
            Mark::VersionUnder { version } => {
                self.version_under = self.version_under.max(Some(*version));
                Ok(())
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When the last of these marks may go; `None` if there is none.
    pub fn end_at_ms(&self) -> Option<UnixMs> {
        let ids = self.keys.values().chain(self.tokens.values()).copied();
        let instant = self.issued_up_to.map(|mark| mark.until_ms);
        let version = self.version_under.map(|_| UnixMs::MAX);
        ids.chain(instant).chain(version).max()
    }

    fn drop_ended(&mut self, now_ms: UnixMs) {
        self.keys.retain(|_, until_ms| *until_ms > now_ms);
        self.tokens.retain(|_, until_ms| *until_ms > now_ms);
        self.issued_up_to = self.issued_up_to.filter(|mark| mark.until_ms > now_ms);
    }
}

fn put(marks: &mut BTreeMap<String, UnixMs>, id: &str, until_ms: UnixMs) -> Result<(), MarksFull> {
    if id.len() > MARK_BYTES_MAX || (marks.len() >= MARKS_MAX && !marks.contains_key(id)) {
        return Err(MarksFull);
    }
    let until = marks.entry(id.to_owned()).or_default();
    *until = until_ms.max(*until);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: Option<&str>, issued_at_s: Option<u64>, version: Option<u64>) -> Credential {
        Credential::Token {
            id: id.map(str::to_owned),
            issued_at_s,
            version,
        }
    }

    fn key(id: &str) -> Credential {
        Credential::Key { id: id.to_owned() }
    }

    #[test]
    fn each_mark_refuses_what_it_names_and_nothing_else() {
        let until_ms = 10_000;
        let of_key = || Mark::Key {
            id: "a".into(),
            until_ms,
        };
        let of_token = || Mark::Token {
            id: "a".into(),
            until_ms,
        };
        let up_to = || Mark::IssuedUpTo { at_s: 5, until_ms };
        let under = || Mark::VersionUnder { version: 3 };
        let (by_key, by_token) = (Some(RevokedBy::Key), Some(RevokedBy::Token));
        let (by_instant, by_version) = (Some(RevokedBy::Instant), Some(RevokedBy::Version));
        for (mark, credential, expected) in [
            (of_key(), key("a"), by_key),
            (of_key(), key("b"), None),
            (of_key(), token(Some("a"), Some(1), None), None),
            (of_token(), token(Some("a"), Some(1), None), by_token),
            (of_token(), token(None, Some(1), None), None),
            (of_token(), key("a"), None),
            (up_to(), token(None, Some(5), None), by_instant),
            (up_to(), token(None, Some(6), None), None),
            (up_to(), token(None, None, None), by_instant),
            (up_to(), key("a"), None),
            (under(), token(None, Some(1), Some(2)), by_version),
            (under(), token(None, Some(1), Some(3)), None),
            (under(), token(None, Some(1), None), by_version),
            (under(), Credential::Configured, None),
        ] {
            let mut marks = Marks::default();
            marks.add(&mark, 0).unwrap();
            assert_eq!(
                marks.refuses(&credential),
                expected,
                "{mark:?} {credential:?}"
            );
        }
    }

    #[test]
    fn a_mark_is_never_narrowed() {
        let mut marks = Marks::default();
        for (at_s, until_ms) in [(9, 9_000), (5, 5_000)] {
            marks.add(&Mark::IssuedUpTo { at_s, until_ms }, 0).unwrap();
        }
        for version in [4, 2] {
            marks.add(&Mark::VersionUnder { version }, 0).unwrap();
        }
        assert_eq!(
            marks.refuses(&token(None, Some(9), Some(9))),
            Some(RevokedBy::Instant)
        );
        assert_eq!(
            marks.refuses(&token(None, Some(10), Some(3))),
            Some(RevokedBy::Version)
        );
        assert_eq!(marks.end_at_ms(), Some(UnixMs::MAX));
    }

    #[test]
    fn marks_are_bounded_and_make_room_when_they_end() {
        let mut marks = Marks::default();
        let mark = |name: usize, until_ms| Mark::Token {
            id: name.to_string(),
            until_ms,
        };
        for name in 0..MARKS_MAX {
            marks.add(&mark(name, 1_000), 0).unwrap();
        }
        assert_eq!(marks.add(&mark(MARKS_MAX, 2_000), 999), Err(MarksFull));
        assert_eq!(
            marks.add(&mark(0, 2_000), 999),
            Ok(()),
            "one that stands there"
        );
        assert_eq!(marks.add(&mark(MARKS_MAX, 2_000), 1_000), Ok(()));
        assert_eq!(marks.end_at_ms(), Some(2_000));
        let long = Mark::Key {
            id: "a".repeat(MARK_BYTES_MAX + 1),
            until_ms: 2_000,
        };
        assert_eq!(marks.add(&long, 0), Err(MarksFull));
    }
}
