//! The one log line of a request, and its chain: each line carries a MAC over itself and over the
//! line before, so that a changed, missing or reordered line is found.
//!
//! Owns: the line's shape (`schemas/decision.schema.json`). Does not own: printing it.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::body::finding::clip;
use crate::facts::Facts;
use crate::policy::gate::RefundCause;
use crate::problem::{Slug, slug_of};
use crate::refusal::{AnswerFault, Reckoned, Refusal};
use crate::secret::Secret;
use crate::stage::forward::trace_id;
use crate::stored::CacheNote;
use crate::trail::{CostNote, OriginNote, Trail};

/// How a request ended.
pub struct Ending<'a> {
    pub status: u16,
    /// Why it was refused, and as what the client was told.
    pub refusal: Option<(&'a Refusal, Slug)>,
    /// The gate's version; `None` if there is no gate.
    pub policy: Option<&'a str>,
    pub ms: u64,
}

/// Writes the line of one request, without its chain.
pub fn line(trail: &Trail, ending: &Ending<'_>) -> Map<String, Value> {
    let facts = &trail.facts;
    let observed = trail.observed.first();
    let verdict = match (ending.refusal, observed) {
        (Some(_), _) => "refused",
        (None, Some(_)) => "observed",
        (None, None) => "admitted",
    };
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            line.insert(name.to_owned(), value);
        }
    };
    put("event", json!("decision"));
    put("ts", json!(timestamp(facts.received_at_ms)));
    put("request_id", json!(facts.request_id.to_string()));
    put("trace_id", json!(trace_of(facts)));
    put("verdict", json!(verdict));
    let observed_code = observed.map(|refusal| slug_of(refusal).as_str());
    put(
        "code",
        json!(
            ending
                .refusal
                .map(|(_, slug)| slug.as_str())
                .or(observed_code)
        ),
    );
    let reason = ending
        .refusal
        .map(|(refusal, _)| refusal)
        .or(observed)
        .map(Refusal::reason);
    put("reason", json!(reason));
    put("stage", json!(trail.stage.as_str()));
    put("status", json!(ending.status));
    put("route", json!(trail.route.as_ref().map(|(id, _)| id)));
    put("method", json!(method_of(&facts.method)));
    put(
        "path_template",
        json!(trail.route.as_ref().map(|(_, template)| template)),
    );
    put("caller", caller(trail));
    put("ip", json!(facts.connection.ip.map(|ip| ip.to_string())));
    put("country", json!(facts.connection.country));
    put("colo", json!(facts.connection.colo));
    put("limits", limits(trail));
    put("cost", json!(trail.cost.as_ref().map(cost)));
    put("refund", json!(trail.refund.map(RefundCause::as_text)));
    let replayed = trail.is_replayed.then_some("replayed");
    put("idempotency", json!(replayed));
    put("cache", json!(trail.cache.map(CacheNote::as_str)));
    put("origin", json!(trail.origin.as_ref().map(origin)));
    let telling = ending.refusal.map(|(refusal, _)| refusal).or(observed);
    put("detail", json!(telling.and_then(detail)));
    put("observed", observed_reasons(trail));
    put("fields", fields(trail));
    put("ms", json!(ending.ms));
    put("policy", json!(ending.policy));
    line
}

/// The trace that the request belongs to: its caller's, or one of its own.
fn trace_of(facts: &Facts) -> String {
    let given = facts.headers.get("traceparent").and_then(trace_id);
    given.unwrap_or_else(|| facts.request_id.as_trace_id())
}

/// The method as the log shows it: a name nobody knows is the caller's own text.
fn method_of(method: &str) -> String {
    let known = method
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if known && !method.is_empty() {
        clip(method, 32)
    } else {
        "OTHER".into()
    }
}

/// Who calls, as far as the log tells; null where nobody does.
pub fn caller(trail: &Trail) -> Value {
    let Some(caller) = &trail.caller else {
        return Value::Null;
    };
    let mut told = Map::new();
    told.insert("authenticator".into(), json!(caller.authenticator));
    told.insert("subject".into(), json!(caller.subject));
    told.extend(
        caller
            .tenant
            .iter()
            .map(|tenant| ("tenant".to_owned(), json!(tenant))),
    );
    told.extend(
        caller
            .key_id()
            .iter()
            .map(|id| ("key_id".to_owned(), json!(id))),
    );
    Value::Object(told)
}

fn limits(trail: &Trail) -> Value {
    let is_silent = |name: &String| trail.silent.contains(name);
    let reported = trail.limits.iter().map(|limit| {
        let known = limit.remaining;
        limited(&limit.name, limit.charged, known, is_silent(&limit.name))
    });
    // Counted nowhere, and so not told to the caller.
    let mut uncounted: Vec<&String> = trail.silent.iter().collect();
    uncounted.retain(|name| !trail.limits.iter().any(|limit| limit.name == **name));
    uncounted.dedup();
    let uncounted = uncounted
        .into_iter()
        .map(|name| limited(name, 0, None, true));
    let limits: Vec<Value> = reported.chain(uncounted).collect();
    match limits.as_slice() {
        [] => Value::Null,
        _ => Value::Array(limits),
    }
}

fn limited(name: &str, charged: u64, remaining: Option<u64>, is_silent: bool) -> Value {
    let mut told = Map::new();
    told.insert("name".into(), json!(name));
    told.insert("charged".into(), json!(charged));
    told.extend(remaining.map(|remaining| ("remaining".to_owned(), json!(remaining))));
    told.extend(is_silent.then(|| ("counter".to_owned(), json!("silent"))));
    Value::Object(told)
}

/// Every reason for which a rule in observe mode would have refused, where there is more than one.
fn observed_reasons(trail: &Trail) -> Value {
    let mut reasons: Vec<_> = trail.observed.iter().map(Refusal::reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if trail.observed.len() > 1 {
        json!(reasons)
    } else {
        Value::Null
    }
}

/// What was taken out of the request or the answer, by the policy's own pointers.
fn fields(trail: &Trail) -> Value {
    let told = trail.fields.iter().map(|note| match &note.why {
        Some(why) => json!({ "pointer": note.pointer, "act": note.act, "why": why }),
        None => json!({ "pointer": note.pointer, "act": note.act }),
    });
    match trail.fields.as_slice() {
        [] => Value::Null,
        _ => Value::Array(told.collect()),
    }
}

fn cost(note: &CostNote) -> Value {
    match note.told {
        Some(told) => json!({ "reserved": note.reserved, "told": told }),
        None => json!({ "reserved": note.reserved }),
    }
}

fn origin(note: &OriginNote) -> Value {
    let mut told = json!({ "name": note.name, "ms": note.ms });
    if let Some(told) = told.as_object_mut() {
        told.extend(
            note.status
                .map(|status| ("status".to_owned(), json!(status))),
        );
        let retries = Some(note.retries).filter(|retries| *retries > 0);
        told.extend(retries.map(|retries| ("retries".to_owned(), json!(retries))));
    }
    told
}

/// What an operator has to know beyond the reason; never a value of the request.
fn detail(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::AllowFailed { why } => Some(format!("allow: {why}")),
        Refusal::NotReckoned { of, why } => Some(match of {
            Reckoned::Cost => format!("cost: {why}"),
            Reckoned::Counter => format!("limits: {why}"),
        }),
        Refusal::AmbiguousPath { fault } | Refusal::MalformedQuery { fault } => {
            Some(format!("{fault:?}"))
        }
        Refusal::TokenRefused { fault } => Some(format!("{fault:?}")),
        Refusal::ProofRefused { fault } => Some(format!("{fault:?}")),
        Refusal::MissingScopes { missing } => Some(missing.join(" ")),
        Refusal::MissingAnyScope { any } => Some(format!("any of {}", any.join(" "))),
        Refusal::OverLimit { limits, .. }
        | Refusal::OverEveryLimit { limits }
        | Refusal::CounterDown { limits } => Some(limits.join(" ")),
        Refusal::Invalid { findings } => findings
            .first()
            .map(|finding| format!("{} {}", finding.pointer, finding.keyword)),
        Refusal::NotJson { fault } => Some(fault.keyword().to_owned()),
        Refusal::NotForm { fault } => Some(fault.keyword().to_owned()),
        Refusal::FieldRefused { findings, why } => {
            let pointer = findings.first().map(|finding| finding.pointer.clone());
            why.clone().or(pointer)
        }
        Refusal::ObjectRefused { why, .. } => {
            why.as_ref().map(|why| format!("response.allow {why}"))
        }
        Refusal::AnswerUnfit { fault } => answer_detail(fault),
        Refusal::AnswerMismatch { port } => Some(format!("{port:?}")),
        _ => None,
    }
}

fn answer_detail(fault: &AnswerFault) -> Option<String> {
    match fault {
        AnswerFault::NotJson { fault } => Some(fault.keyword().to_owned()),
        AnswerFault::Schema { findings } => findings
            .first()
            .map(|finding| format!("{} {}", finding.pointer, finding.keyword)),
        _ => None,
    }
}

/// RFC 3339 in UTC with milliseconds.
pub fn timestamp(ms: u64) -> String {
    let instant = i64::try_from(ms)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis);
    instant
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The chain of one isolate's lines.
#[derive(Debug)]
pub struct Chain {
    id: String,
    seq: u64,
    prev: String,
    key: Option<Secret>,
}

impl Chain {
    /// - `id`: names this chain among those of other isolates.
    /// - `key`: `AUDIT_KEY`; without one, lines are not chained.
    pub fn new(id: String, key: Option<Secret>) -> Self {
        Self {
            id,
            seq: 0,
            prev: Base64UrlUnpadded::encode_string(&[0; 32]),
            key,
        }
    }

    /// Ends a line: as text, with its place in the chain.
    ///
    /// The MAC is HMAC-SHA-256 over the text of the line with `chain` but without `chain.mac`.
    pub fn seal(&mut self, mut line: Map<String, Value>) -> String {
        let Some(key) = &self.key else {
            return Value::Object(line).to_string();
        };
        let chain = json!({ "id": self.id, "seq": self.seq, "prev": self.prev });
        line.insert("chain".into(), chain);
        let mut text = Value::Object(line).to_string();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) else {
            return text;
        };
        mac.update(text.as_bytes());
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        self.seq += 1;
        self.prev = Base64UrlUnpadded::encode_string(&mac);
        // The chain is the last member, and the MAC the last of it: the line is not written twice.
        text.truncate(text.len().saturating_sub(2));
        text.push_str(&format!(r#","mac":"{}"}}}}"#, self.prev));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(chain: &mut Chain, text: &str) -> Value {
        let line = json!({ "event": "decision", "text": text });
        serde_json::from_str(&chain.seal(line.as_object().cloned().unwrap())).unwrap()
    }

    #[test]
    fn each_line_names_the_one_before_it() {
        let mut chain = Chain::new("a".into(), Some(Secret::new("key".into())));
        let (first, second) = (sealed(&mut chain, "one"), sealed(&mut chain, "two"));
        assert_eq!(first["chain"]["prev"], "A".repeat(43));
        assert_eq!(second["chain"]["prev"], first["chain"]["mac"]);
        assert_eq!(
            (&first["chain"]["seq"], &second["chain"]["seq"]),
            (&json!(0), &json!(1))
        );
        assert_ne!(first["chain"]["mac"], second["chain"]["mac"]);
    }

    #[test]
    fn another_key_or_text_makes_another_mac() {
        let mac = |key: &str, text: &str| {
            let mut chain = Chain::new("a".into(), Some(Secret::new(key.into())));
            sealed(&mut chain, text)["chain"]["mac"].clone()
        };
        assert_eq!(mac("key", "one"), mac("key", "one"));
        assert_ne!(mac("key", "one"), mac("other", "one"));
        assert_ne!(mac("key", "one"), mac("key", "two"));
    }

    #[test]
    fn a_timestamp_is_rfc_3339() {
        assert_eq!(timestamp(1_800_000_000_123), "2027-01-15T08:00:00.123Z");
    }
}
