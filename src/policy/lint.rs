//! What `profile: "production"` refuses on top (contract of the policy, "profile").

use crate::policy::document::{AuthenticatorEntry, Document, Profile};
use crate::policy::fault::Faults;

/// Longest life of a token in production, in seconds.
const TOKEN_LIFETIME_S_MAX: u64 = 3_600;

/// Adds a fault for each thing that is fit only for a trial. Secrets' lengths are checked where
/// they are bound (`policy::authenticators`), TLS under 1.2 cannot be written.
pub(super) fn check(document: &Document, faults: &mut Faults) {
    if document.profile != Profile::Production {
        return;
    }
    let origins = document
        .cors
        .iter()
        .flat_map(|cors| &cors.origins)
        .enumerate();
    for (index, _) in origins.filter(|(_, origin)| *origin == "*") {
        let at = ["cors", "origins", &index.to_string()];
        faults.add(
            &at,
            "any origin may read answers",
            "List the origins, as https://app.example.com",
        );
    }
    for (name, origin) in &document.origins {
        if origin.url.starts_with("http:") && !is_loopback(&origin.url) {
            let fix = "Write an https: URL, or set profile to development";
            faults.add(
                &["origins", name, "url"],
                "requests would travel in the clear",
                fix,
            );
        }
    }
    for (name, entry) in &document.authenticators {
        if let AuthenticatorEntry::Jwt(entry) = entry
            && entry.max_lifetime_s > TOKEN_LIFETIME_S_MAX
        {
            let problem = "a stolen token would be good for over an hour";
            let fix = format!("Write {TOKEN_LIFETIME_S_MAX} or less; 300 to 900 is usual");
            faults.add(&["authenticators", name, "max_lifetime_s"], problem, fix);
        }
    }
    for (index, route) in document.routes.iter().enumerate() {
        if route.limits.is_empty() {
            let at = ["routes", &index.to_string(), "limits"];
            faults.add(
                &at,
                "the route has no limit",
                "List the name of a limit, or `plan`",
            );
        }
    }
}

/// Whether a URL leads to this machine alone.
fn is_loopback(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("http://localhost:8787", true),
            ("http://127.0.0.1", true),
            ("http://127.8.9.1:1/x", true),
            ("http://[::1]:80", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://example.com/127.0.0.1", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }
}
