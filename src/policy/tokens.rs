//! `authenticators` that take tokens, as enforced: those checked here, and those asked about.

use serde_json::Value;

use crate::credential::claims::ClaimNames;
use crate::credential::introspection::IntrospectionRule;
use crate::credential::jwk::KeySet;
use crate::credential::jwt::{JwtRule, KeySource};
use crate::credential::nonce::NonceKey;
use crate::credential::possession::SenderConstraint;
use crate::credential::signature::Algorithm;
use crate::credential::verified::TokenRule;
use crate::policy::authenticators::bound;
use crate::policy::document::{ClaimsEntry, IntrospectionEntry, JwtEntry, SenderConstraintEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{AuthenticatorKind, Secrets};
use crate::secret::Secret;

/// Shortest HS256 secret in production, in bytes: as long as the hash (RFC 7518 §3.2).
const HS256_SECRET_BYTES_MIN: usize = 32;
/// How far the clock of an issuer that is asked may be off: it has judged the token's times itself.
const INTROSPECTION_LEEWAY_S: u64 = 5;

/// Makes an authenticator of kind `jwt`.
pub(super) fn jwt(
    name: &str,
    entry: &JwtEntry,
    secrets: &impl Secrets,
    production: bool,
    faults: &mut Faults,
) -> Option<AuthenticatorKind> {
    let algorithms: Vec<_> = entry
        .algorithms
        .iter()
        .filter_map(|name| Algorithm::parse(name))
        .collect();
    let keys = key_source(name, entry, &algorithms, secrets, production, faults)?;
    let token = TokenRule {
        leeway_s: entry.leeway_s,
        ..token_rule(name, &entry.audiences, &entry.claims)
    };
    let binding = entry.dpop_nonce_binding.as_deref();
    Some(AuthenticatorKind::Jwt(Box::new(JwtRule {
        token: TokenRule {
            sender_constraint: sender_constraint(entry.sender_constraint),
            nonce_key: nonce_key(name, binding, secrets, faults),
            ..token
        },
        issuer: entry.issuer.clone(),
        algorithms,
        keys,
        token_type: entry.token_type.clone(),
        max_lifetime_s: entry.max_lifetime_s,
    })))
}

/// Makes an authenticator of kind `introspection`.
pub(super) fn introspection(
    name: &str,
    entry: &IntrospectionEntry,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<AuthenticatorKind> {
    let at = ["authenticators", name, "client_secret_binding"];
    let client_secret = bound(&entry.client_secret_binding, &at, secrets, faults)?;
    let binding = entry.dpop_nonce_binding.as_deref();
    Some(AuthenticatorKind::Introspection(Box::new(
        IntrospectionRule {
            token: TokenRule {
                sender_constraint: sender_constraint(entry.sender_constraint),
                nonce_key: nonce_key(name, binding, secrets, faults),
                ..token_rule(name, &entry.audiences, &entry.claims)
            },
            endpoint: entry.endpoint.clone(),
            client_id: entry.client_id.clone(),
            client_secret,
            issuer: entry.issuer.clone(),
            cache_s: entry.cache_s,
        },
    )))
}

fn token_rule(name: &str, audiences: &[String], claims: &ClaimsEntry) -> TokenRule {
    TokenRule {
        name: name.to_owned(),
        audiences: audiences.to_vec(),
        leeway_s: INTROSPECTION_LEEWAY_S,
        sender_constraint: SenderConstraint::default(),
        nonce_key: None,
        claims: ClaimNames {
            scopes: claims.scopes.clone().unwrap_or_else(|| "scope".into()),
            roles: claims.roles.clone(),
            tenant: claims.tenant.clone(),
            plan: claims.plan.clone(),
            version: claims.version.clone(),
        },
    }
}

fn sender_constraint(entry: SenderConstraintEntry) -> SenderConstraint {
    match entry {
        SenderConstraintEntry::Off => SenderConstraint::Off,
        SenderConstraintEntry::Optional => SenderConstraint::Optional,
        SenderConstraintEntry::Required => SenderConstraint::Required,
    }
}

fn nonce_key(
    name: &str,
    binding: Option<&str>,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<NonceKey> {
    let at = ["authenticators", name, "dpop_nonce_binding"];
    bound(binding?, &at, secrets, faults).map(NonceKey::new)
}

fn key_source(
    name: &str,
    entry: &JwtEntry,
    algorithms: &[Algorithm],
    secrets: &impl Secrets,
    production: bool,
    faults: &mut Faults,
) -> Option<KeySource> {
    let symmetric = algorithms.contains(&Algorithm::Hs256);
    if symmetric && algorithms.len() > 1 {
        let problem = "HS256 beside another algorithm: a public key could be taken for its secret";
        let fix = "Make it an authenticator of its own";
        faults.add(&["authenticators", name, "algorithms"], problem, fix);
        return None;
    }
    match (&entry.secret_binding, &entry.jwks, &entry.jwks_uri) {
        (Some(binding), None, None) if symmetric => {
            shared(name, binding, secrets, production, faults)
        }
        (None, Some(keys), None) if !symmetric => inline(name, keys, algorithms, faults),
        (None, None, Some(uri)) if !symmetric => Some(KeySource::Uri(uri.clone())),
        _ => {
            let fix =
                "Write `jwks_uri` or `jwks`; for HS256, `secret_binding`; and only one of them";
            faults.add(&["authenticators", name], "no single source of keys", fix);
            None
        }
    }
}

/// HS256: the secret of a binding, and the one before it.
fn shared(
    name: &str,
    binding: &str,
    secrets: &impl Secrets,
    production: bool,
    faults: &mut Faults,
) -> Option<KeySource> {
    let at = ["authenticators", name, "secret_binding"];
    let current = bound(binding, &at, secrets, faults)?;
    let previous = secrets.secret(&format!("{binding}_PREVIOUS"));
    let short = |secret: &Secret| secret.expose().len() < HS256_SECRET_BYTES_MIN;
    let fix = "Bind 32 random bytes or more (RFC 7518 §3.2)";
    if production && short(&current) {
        let problem = format!("the secret has under {HS256_SECRET_BYTES_MIN} bytes");
        faults.add(&at, problem, fix);
    }
    if production && previous.as_ref().is_some_and(short) {
        let problem = format!("{binding}_PREVIOUS has under {HS256_SECRET_BYTES_MIN} bytes");
        faults.add(&at, problem, fix);
    }
    Some(KeySource::Shared { current, previous })
}

/// The keys that stand in the policy.
fn inline(
    name: &str,
    keys: &Value,
    algorithms: &[Algorithm],
    faults: &mut Faults,
) -> Option<KeySource> {
    let at = ["authenticators", name, "jwks"];
    match KeySet::from_value(keys, algorithms) {
        Ok(set) if !set.is_empty() => Some(KeySource::Inline(set)),
        Ok(_) => {
            let fix = "Give a public key that fits `algorithms`";
            faults.add(&at, "no key here may verify a token", fix);
            None
        }
        Err(fault) => {
            let fix = "Give public keys only, as {\"keys\": […]} (RFC 7517)";
            faults.add(&at, format!("not usable: {fault:?}"), fix);
            None
        }
    }
}
