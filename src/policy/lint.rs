//! What `profile: "production"` refuses on top (contract of the policy, "profile"), and where
//! either profile lets the gateway itself send.

use crate::policy::document::{AuthenticatorEntry, CountsEntry, Document, Profile};
use crate::policy::fault::Faults;
use crate::policy::fetch_url::{self, is_loopback};

/// Longest life of a token in production, in seconds.
const TOKEN_LIFETIME_S_MAX: u64 = 3_600;

/// Adds a fault for each address that the gateway may not ask and, in production, for each thing
/// that is fit only for a trial. Secrets' lengths are checked where they are bound
/// (`policy::authenticators`), TLS under 1.2 cannot be written.
pub(super) fn check(document: &Document, faults: &mut Faults) {
    let production = document.profile == Profile::Production;
    check_fetches(document, production, faults);
    if !production {
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
        // What counts failures alone bounds no one who asks for what is there.
        let counts_requests = |name: &String| match name.as_str() {
            "plan" => {
                let mut of_plans = document.plans.values().flat_map(|plan| &plan.limits);
                of_plans.any(|name| counts_requests(document, name))
            }
            name => counts_requests(document, name),
        };
        if !route.limits.iter().any(counts_requests) {
            let at = ["routes", &index.to_string(), "limits"];
            faults.add(
                &at,
                "the route has no limit on requests",
                "List the name of one that counts `requests`, or `plan`",
            );
        }
    }
}

/// Whether a limit counts requests. A name that no limit has is a fault elsewhere.
fn counts_requests(document: &Document, name: &str) -> bool {
    let limit = document.limits.get(name);
    limit.is_none_or(|limit| matches!(limit.counts, CountsEntry::Requests))
}

fn check_fetches(document: &Document, production: bool, faults: &mut Faults) {
    for (name, entry) in &document.authenticators {
        let (field, url) = match entry {
            AuthenticatorEntry::Jwt(entry) => ("jwks_uri", entry.jwks_uri.as_ref()),
            AuthenticatorEntry::Introspection(entry) => ("endpoint", Some(&entry.endpoint)),
            AuthenticatorEntry::ApiKey(_) | AuthenticatorEntry::ClientCertificate(_) => continue,
        };
        if let Some(url) = url {
            fetch_url::check(&["authenticators", name, field], url, production, faults);
        }
    }
}
