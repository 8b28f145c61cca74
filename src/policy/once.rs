//! `idempotency` of a route, as enforced.
//!
//! Owns: defaults, and that keys are somebody's. Called by: `policy::routes`.

use crate::facts::Method;
use crate::policy::document::{IdempotencyEntry, KeyEntry, RouteEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{Auth, Idempotency};
use crate::policy::routes::Place;

/// How long a key stands for its request unless said: a day.
const KEEP_S: u64 = 86_400;
/// Content of an answer that is kept unless said, in bytes.
const ANSWER_BYTES: u64 = 65_536;

/// What `Idempotency-Key` does on a route; `None`: nothing.
pub(super) fn idempotency(
    entry: &RouteEntry,
    auth: &Auth,
    at: &Place,
    faults: &mut Faults,
) -> Option<Idempotency> {
    let (key, keep_s, answer_bytes_max) = match entry.idempotency {
        IdempotencyEntry::Key(key) => (key, None, None),
        IdempotencyEntry::Rules {
            key,
            keep_s,
            answer_bytes_max,
        } => (key, keep_s, answer_bytes_max),
    };
    if key == KeyEntry::Off {
        return None;
    }
    let place = ["idempotency"];
    if *auth == Auth::Public {
        let problem = "a key is its caller's, and a public route has none";
        at.add(
            faults,
            &place,
            problem,
            "List authenticators in `auth`, or remove it",
        );
    }
    let methods = entry.matching.methods.iter();
    let mut acting = methods
        .filter_map(|name| Method::parse(name))
        .filter(|one| !one.is_safe());
    if acting.next().is_none() {
        let problem = "no method of this route changes anything: repeating it is safe";
        at.add(faults, &place, problem, "Remove it");
    }
    Some(Idempotency {
        is_required: key == KeyEntry::Required,
        keep_s: keep_s.unwrap_or(KEEP_S),
        answer_bytes_max: answer_bytes_max.unwrap_or(ANSWER_BYTES),
    })
}
