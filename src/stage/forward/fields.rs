//! What of a request's fields reaches an origin, and what the gateway says in their place.

use crate::facts::{Facts, Headers, Method};
use crate::policy::gate::Route;
use crate::spoken_for::is_spoken_for;
use crate::stage::routed::Routed;
use crate::stored::asked::Use;

/// Fields between two neighbors (RFC 9110 §7.6.1), and `Expect`, which was met here.
pub const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Fields that ask whether a copy still holds (RFC 9110 §13.1).
const CONDITIONS: [&str; 4] = [
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
];

/// Fields that say what content is, byte by byte (RFC 9530; `Digest` and `Content-MD5` before it).
pub(super) const DIGESTS: [&str; 4] = ["content-digest", "repr-digest", "digest", "content-md5"];

/// What the origin is told of the request.
pub(super) fn told(facts: &Facts, routed: &Routed<'_>) -> Vec<(String, String)> {
    let scheme = if facts.is_https { "https" } else { "http" };
    let fields = [
        ("edgeward-request-id", facts.request_id.to_string()),
        ("traceparent", traceparent(facts)),
        ("x-forwarded-for", routed.address().to_string()),
        ("x-forwarded-host", facts.authority.clone()),
        ("x-forwarded-proto", scheme.to_owned()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The caller's fields that do not reach the origin: hop-by-hop ones, credentials, names that
/// servers fold into others, and whatever could be taken for the gateway's or another proxy's word.
/// Fields that `Connection` names were taken out on arrival.
pub(super) fn removed(facts: &Facts, credentials: &[String], own: &[&str]) -> Vec<String> {
    let headers = &facts.headers;
    let gone = |name: &str| {
        HOP_BY_HOP.contains(&name)
            || name == OLD_RANGE
            || is_spoken_for(name)
            || credentials.iter().any(|credential| credential == name)
            || own.contains(&name)
    };
    let named = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| gone(name));
    let mut removed: Vec<String> = named
        .map(str::to_owned)
        .chain(headers.nominated())
        .collect();
    // W3C Trace Context §3.3: what belongs to a trace that was not continued goes with it.
    if !continues_trace(facts) {
        removed.push("tracestate".into());
    }
    if asks_for_too_many_parts(headers) {
        removed.extend(["range", "if-range"].map(str::to_owned));
    }
    removed
}

/// An older name of `Range`, which some servers still hear.
const OLD_RANGE: &str = "request-range";

/// Most parts of content that one request may ask for. An origin that makes a part of each of many
/// sends far more than it has.
const RANGES_MAX: usize = 10;

/// Whether more parts are asked for than [`RANGES_MAX`]. Without the field the answer is whole, which
/// RFC 9110 §14.2 leaves to whoever is asked.
fn asks_for_too_many_parts(headers: &Headers) -> bool {
    let told = headers.get("range").unwrap_or_default();
    told.split(',').count() > RANGES_MAX
}

/// An answer that is judged is asked for whole, as it is: not a part, not coded, not whether a copy
/// still holds, and with its content.
pub(super) fn ask_whole(
    method: &mut Method,
    remove: &mut Vec<String>,
    set: &mut Vec<(String, String)>,
) {
    remove.extend(["range", "if-range"].map(str::to_owned));
    if matches!(method, Method::Get | Method::Head) {
        remove.extend(CONDITIONS.map(str::to_owned));
    }
    set.push(("accept-encoding".into(), "identity".into()));
    if *method == Method::Head {
        *method = Method::Get;
    }
}

/// What the origin is told of its client where its answer is kept: a client has a name, and this is
/// none of a caller's.
const AGENT: &str = "edgeward";

/// An answer that is kept is asked for with those of the caller's fields that are part of its key, and
/// with no other: by what an origin does not see, its answer does not differ.
pub(super) fn ask_keyed(
    facts: &Facts,
    route: &Route,
    using: &Use,
    remove: &mut Vec<String>,
    set: &mut Vec<(String, String)>,
) {
    let Some(rule) = route.cache.as_ref().filter(|_| using.keeps()) else {
        return;
    };
    let is_keyed = |name: &str| rule.fields.iter().any(|field| field == name);
    let others = facts.headers.iter().map(|(name, _)| name);
    remove.extend(others.filter(|name| !is_keyed(name)).map(str::to_owned));
    set.push(("accept-encoding".into(), "identity".into()));
    if !is_keyed("user-agent") {
        set.push(("user-agent".into(), AGENT.into()));
    }
    if *using == Use::Refetch {
        set.push(("cache-control".into(), "no-cache".into()));
    }
}

fn continues_trace(facts: &Facts) -> bool {
    facts
        .headers
        .get("traceparent")
        .is_some_and(|value| trace_id(value).is_some())
}

/// W3C Trace Context §3.2: the caller's trace id if its field is well-formed, this gateway's span.
fn traceparent(facts: &Facts) -> String {
    let given = facts.headers.get("traceparent").and_then(trace_id);
    let trace_id = given.unwrap_or_else(|| facts.request_id.as_trace_id());
    format!("00-{trace_id}-{}-01", facts.request_id.as_span_id())
}

/// The trace id of a well-formed `traceparent` of version 00.
pub fn trace_id(value: &str) -> Option<String> {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else {
        return None;
    };
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let sound = *version == "00"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && trace.bytes().any(|byte| byte != b'0')
        && parent.bytes().any(|byte| byte != b'0');
    sound.then(|| (*trace).to_owned())
}
