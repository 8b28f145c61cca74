//! Header fields that an origin may not say here.
//!
//! Owns: the lists. What they leave out passes.

/// What the policy says, or the gateway itself; and what tells of the origin's software or of the
/// way behind the gateway.
const NAMES: [&str; 37] = [
    // The gateway's own word.
    "dpop-nonce",
    "idempotent-replayed",
    "strict-transport-security",
    "x-request-id",
    // Where else a client would find the origin: past the gateway (RFC 7838 §2.2).
    "alt-svc",
    // The way behind the gateway (RFC 9110 §7.6.3).
    "via",
    "x-served-by",
    "x-real-server",
    "x-hostname",
    "x-host",
    "x-node",
    "x-pod",
    "x-instance",
    "x-instance-id",
    "host-header",
    // Where content lies behind it, for a server in between to fetch.
    "x-accel-redirect",
    "x-lighttpd-send-file",
    "x-reproxy-url",
    "x-sendfile",
    // Software.
    "server",
    "powered-by",
    "product",
    "liferay-portal",
    "x-server",
    "x-server-name",
    "x-runtime",
    "x-generator",
    "x-generated-by",
    "x-cms",
    "x-framework",
    "x-php-version",
    "x-rack-cache",
    "x-redirect-by",
    "x-cf-powered-by",
    "x-mod-pagespeed",
    "x-page-speed",
    "x-turbo-charged-by",
];

/// Whole families of the same.
const PREFIXES: [&str; 13] = [
    // Cross-origin rules are the policy's.
    "access-control-",
    "edgeward-",
    "x-aspnet",
    "x-backend",
    "x-debug",
    "x-envoy-",
    "x-kong-",
    "x-litespeed",
    "x-powered-",
    "x-traefik-",
    "x-upstream",
    "x-varnish",
    "x-internal-",
];

/// Fields by which an origin counts its callers: no word of its own where the gateway counts them
/// (RateLimit draft §7.2).
const LIMITS: [&str; 5] = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// Whether a field stays behind.
///
/// - `name`: in lower case.
pub fn is_withheld(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a field tells how many requests an origin still takes.
pub fn is_of_limits(name: &str) -> bool {
    LIMITS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_the_inside_stays_and_what_an_api_says_passes() {
        for name in [
            "server",
            "via",
            "alt-svc",
            "x-powered-by",
            "x-aspnet-version",
            "x-aspnetmvc-version",
            "x-runtime",
            "x-debug-token-link",
            "x-backend-server",
            "x-upstream-address",
            "x-served-by",
            "x-accel-redirect",
            "x-sendfile",
            "access-control-allow-origin",
            "access-control-allow-private-network",
            "access-control-anything-new",
            "edgeward-identity",
            "strict-transport-security",
            "x-request-id",
        ] {
            assert!(is_withheld(name), "{name}");
        }
        for name in [
            "content-type",
            "content-security-policy",
            "set-cookie",
            "etag",
            "cache-control",
            "link",
            "retry-after",
            "www-authenticate",
            "x-frame-options",
            "x-total-count",
            "x-correlation-id",
            "x-debt",
            "x-server-time",
            "servers",
        ] {
            assert!(!is_withheld(name), "{name}");
        }
    }

    #[test]
    fn no_name_is_listed_twice_or_in_capitals() {
        for (place, name) in NAMES.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!NAMES.iter().skip(place + 1).any(|other| other == name));
            assert!(!PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        }
    }
}
