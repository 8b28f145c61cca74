//! Protected-resource metadata (RFC 9728): what a client has to know to get a token for this API.
//!
//! Owns: the document. Does not own: where it is served (`house`).

use serde_json::{Map, Value, json};

use crate::credential::dpop::ALGORITHMS;
use crate::credential::possession::SenderConstraint;
use crate::policy::gate::{AuthenticatorKind, Gate};

/// RFC 9728 §3. Below it lie the documents of other resources: here are none.
pub const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// The document; `None` if no authenticator takes tokens.
///
/// - `base`: the URL of this API, which is its identifier: it has no path.
pub fn metadata(gate: &Gate, base: &str) -> Option<Value> {
    let kinds = || gate.authenticators.iter().map(|one| &one.kind);
    let constraints = kinds().filter_map(AuthenticatorKind::token_rule);
    let constraints: Vec<_> = constraints.map(|rule| rule.sender_constraint).collect();
    if constraints.is_empty() {
        return None;
    }
    let mut document = Map::new();
    document.insert("resource".into(), json!(base));
    let issuers: Vec<&str> = kinds().filter_map(issuer).collect();
    if !issuers.is_empty() {
        document.insert("authorization_servers".into(), json!(issuers));
    }
    document.insert("bearer_methods_supported".into(), json!(["header"]));
    let mut scopes: Vec<&str> = gate
        .routes
        .iter()
        .flat_map(|route| route.require.scopes.iter().chain(&route.require.any_scopes))
        .map(String::as_str)
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    if !scopes.is_empty() {
        document.insert("scopes_supported".into(), json!(scopes));
    }
    if constraints.iter().any(|one| *one != SenderConstraint::Off) {
        let names: Vec<_> = ALGORITHMS.iter().map(|one| one.as_str()).collect();
        document.insert("dpop_signing_alg_values_supported".into(), json!(names));
        let by_certificate = "tls_client_certificate_bound_access_tokens";
        document.insert(by_certificate.into(), json!(true));
    }
    document.insert("resource_name".into(), json!(gate.name));
    Some(Value::Object(document))
}

fn issuer(kind: &AuthenticatorKind) -> Option<&str> {
    match kind {
        AuthenticatorKind::Jwt(rule) => Some(&rule.issuer),
        AuthenticatorKind::Introspection(rule) => rule.issuer.as_deref(),
        AuthenticatorKind::ApiKey { .. } | AuthenticatorKind::Certificate(_) => None,
    }
}
