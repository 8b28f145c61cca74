//! Requests that are carried out once, by their `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header-06): what is asked of an `Idempotency` object.
//!
//! Owns: what makes two requests the same, what travels, and the pairing of answer and question.
//! Does not own: what an object decides (`idempotency::claims`), storage and the call
//! (`edge::idempotency`), whether a route asks for keys (`policy::gate`).

pub mod claims;
pub mod key;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::facts::UnixMs;
use crate::object::ObjectName;

/// Most content of an answer that can be kept, in bytes: it stands in one row.
pub const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Most header fields of an answer that are kept, in bytes of names and values.
pub const FIELD_BYTES_MAX: usize = 16_384;

/// The right to carry a request out, asked for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claim {
    /// A hash of what the key is one for: tenant, route, method and the key itself.
    pub name: String,
    /// A hash of all that is asked for: another one under the same key is another request.
    pub fingerprint: String,
    /// The request's id: who may say what became of it.
    pub attempt: String,
    /// How long it may be on its way.
    pub pending_ms: u64,
    /// How long the key stands for this request.
    pub keep_ms: u64,
}

/// The question for a claim, and the object that is asked: each caller has one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimQuestion {
    pub object: ObjectName,
    pub claim: Claim,
}

/// The answer, with the names that were asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimAnswer {
    pub name: String,
    pub attempt: String,
    pub word: Word,
}

/// A claim that was granted: what became of the request is still to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    pub object: ObjectName,
    pub name: String,
    pub attempt: String,
    /// Most content of the answer that is kept, in bytes.
    pub answer_bytes_max: u64,
}

/// What an object is told or asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Claim(Claim),
    /// The request was carried out, and this was its answer.
    Keep {
        name: String,
        attempt: String,
        answer: KeptAnswer,
    },
    /// The request was not carried out: its key is free.
    Free {
        name: String,
        attempt: String,
    },
    /// Nobody knows whether it was carried out.
    Lose {
        name: String,
        attempt: String,
    },
}

/// What an object says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Nobody carried it out before, and nobody else will.
    Granted,
    /// Somebody is at it, for so long at most.
    InFlight {
        for_ms: u64,
    },
    /// Somebody was at it, and what became of it is not known.
    Lost,
    /// The key was used for another request.
    Reused,
    /// It was carried out.
    Kept(KeptAnswer),
    /// No room for another key.
    Full,
    Noted,
}

/// An origin's answer, as it is given again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeptAnswer {
    pub status: u16,
    /// In lower case; a name may stand several times.
    pub fields: Vec<(String, String)>,
    /// In Base64. `None`: there was more than is kept.
    pub content: Option<String>,
}

/// What makes two requests of one caller the same.
pub struct Asked<'a> {
    pub tenant: Option<&'a str>,
    pub route: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub content: &'a [u8],
}

impl Asked<'_> {
    /// The name of a key, and what it stands for.
    pub fn named(&self, key: &key::IdempotencyKey) -> (String, String) {
        let tenant = [self.tenant.map_or("0", |_| "1"), self.tenant.unwrap_or("")];
        let [has_tenant, tenant] = tenant;
        let name = ObjectName::of(&[has_tenant, tenant, self.route, self.method, key.as_str()]);
        let content = base16ct::lower::encode_string(&Sha256::digest(self.content));
        let fingerprint = ObjectName::of(&[
            self.path,
            if self.query.is_some() { "?" } else { "" },
            self.query.unwrap_or(""),
            self.content_type.unwrap_or(""),
            &content,
        ]);
        (name.hex(), fingerprint.hex())
    }
}

impl ClaimAnswer {
    /// What was said of `question`; `None` if this does not answer it.
    pub fn to(self, question: &ClaimQuestion) -> Option<Word> {
        let is_of = self.name == question.claim.name && self.attempt == question.claim.attempt;
        is_of.then_some(self.word)
    }
}

impl Granted {
    /// Says that nobody knows what became of the request.
    pub fn lose(&self) -> Act {
        Act::Lose {
            name: self.name.clone(),
            attempt: self.attempt.clone(),
        }
    }

    /// Says that the request was not carried out.
    pub fn free(&self) -> Act {
        Act::Free {
            name: self.name.clone(),
            attempt: self.attempt.clone(),
        }
    }

    /// Says what was answered.
    pub fn keep(&self, answer: KeptAnswer) -> Act {
        Act::Keep {
            name: self.name.clone(),
            attempt: self.attempt.clone(),
            answer,
        }
    }
}

/// The end of a span that starts at `now_ms`.
fn after(now_ms: UnixMs, ms: u64) -> UnixMs {
    now_ms.saturating_add(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked<'static> {
        Asked {
            tenant: Some("acme"),
            route: "pay",
            method: "POST",
            path: "/payments",
            query: None,
            content_type: Some("application/json"),
            content: b"{}",
        }
    }

    #[test]
    fn a_key_is_one_of_its_tenant_route_and_method_and_stands_for_all_that_is_asked() {
        let key = key::IdempotencyKey::parse("\"k\"").unwrap();
        let (name, print) = asked().named(&key);
        let changed = |change: fn(&mut Asked<'static>)| {
            let mut other = asked();
            change(&mut other);
            other
        };
        let others = [
            (changed(|one| one.tenant = None), false),
            (changed(|one| one.tenant = Some("")), false),
            (changed(|one| one.route = "refund"), false),
            (changed(|one| one.method = "PATCH"), false),
            (changed(|one| one.path = "/payments/1"), true),
            (changed(|one| one.query = Some("")), true),
            (changed(|one| one.content_type = None), true),
            (changed(|one| one.content = b"{ }"), true),
        ];
        for (place, (other, is_same_name)) in others.iter().enumerate() {
            let (other_name, other_print) = other.named(&key);
            assert_eq!(other_name == name, *is_same_name, "{place}");
            assert_eq!(other_print != print, *is_same_name, "{place}");
        }
        assert_eq!(asked().named(&key), (name, print));
    }
}
