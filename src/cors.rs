//! Cross-origin reading by pages (Fetch standard, "CORS protocol"). It lets browsers read answers;
//! it never stands in for authentication.

use crate::facts::{Facts, Method};
use crate::policy::gate::Cors;
use crate::refusal::Refusal;

/// Response fields of the gateway that a page may read.
const EXPOSED: &str = "RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, \
                       X-RateLimit-Reset, Retry-After, WWW-Authenticate, DPoP-Nonce, X-Request-Id, \
                       Traceparent";

/// The request's browser origin, if it may read the answer. Compared whole: neither a suffix nor
/// `null` is ever taken for a listed origin.
pub fn allowed_origin(cors: &Cors, facts: &Facts) -> Option<String> {
    let origin = facts.headers.get("origin")?;
    let listed = cors.origins.iter().any(|known| known == origin);
    (listed || cors.any_origin).then(|| origin.to_owned())
}

/// The answer to a preflight, or `None` if the request is none: `OPTIONS` with `Origin` and
/// `Access-Control-Request-Method`.
pub fn preflight(
    cors: &Cors,
    facts: &Facts,
) -> Option<Result<Vec<(&'static str, String)>, Refusal>> {
    let asks = facts.method == Method::Options.as_str()
        && facts.headers.get("origin").is_some()
        && facts.headers.get("access-control-request-method").is_some();
    if !asks {
        return None;
    }
    if allowed_origin(cors, facts).is_none() {
        return Some(Err(Refusal::OriginNotAllowed));
    }
    let methods: Vec<_> = cors.methods.iter().copied().map(Method::as_str).collect();
    let mut fields = vec![
        ("access-control-allow-methods", methods.join(", ")),
        ("access-control-max-age", cors.max_age_s.to_string()),
    ];
    if !cors.headers.is_empty() {
        fields.push(("access-control-allow-headers", cors.headers.join(", ")));
    }
    Some(Ok(fields))
}

/// The fields that let `origin` read an answer.
pub fn fields(cors: &Cors, origin: &str) -> Vec<(&'static str, String)> {
    let allowed = if cors.any_origin { "*" } else { origin };
    let mut exposed = EXPOSED.to_owned();
    for name in &cors.expose {
        exposed.push_str(", ");
        exposed.push_str(name);
    }
    let mut fields = vec![
        ("access-control-allow-origin", allowed.to_owned()),
        ("access-control-expose-headers", exposed),
    ];
    // Any origin together with credentials does not load (`policy.schema.json`).
    if cors.credentials && !cors.any_origin {
        fields.push(("access-control-allow-credentials", "true".into()));
    }
    fields
}
