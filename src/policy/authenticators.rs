//! `authenticators` as enforced: keys and secrets in place.

use std::collections::BTreeMap;

use crate::credential::api_key::{Pepper, Peppers};
use crate::credential::claims::ClaimNames;
use crate::credential::jwk::KeySet;
use crate::credential::jwt::{JwtRule, KeySource};
use crate::credential::presented::Carrier;
use crate::credential::signature::Algorithm;
use crate::policy::document::{ApiKeyEntry, AuthenticatorEntry, JwtEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{Authenticator, AuthenticatorKind, Secrets};

/// Shortest HS256 secret in production, in bytes: as long as the hash (RFC 7518 §3.2).
pub(super) const HS256_SECRET_BYTES_MIN: usize = 32;
/// Shortest pepper, in bytes.
const PEPPER_BYTES_MIN: usize = 16;

pub(super) struct Built {
    pub(super) authenticators: Vec<Authenticator>,
    pub(super) carriers: Vec<(String, Carrier)>,
}

/// Makes every authenticator; what cannot be made is a fault.
pub(super) fn build(
    entries: &BTreeMap<String, AuthenticatorEntry>,
    secrets: &impl Secrets,
    production: bool,
    faults: &mut Faults,
) -> Built {
    let mut built = Built {
        authenticators: Vec::new(),
        carriers: Vec::new(),
    };
    let mut issuers: Vec<(&str, &str)> = Vec::new();
    let mut api_keys: Vec<(&str, &ApiKeyEntry)> = Vec::new();
    for (name, entry) in entries {
        let (kind, carrier) = match entry {
            AuthenticatorEntry::Jwt(entry) => {
                if let Some((other, _)) = issuers.iter().find(|(_, known)| *known == entry.issuer) {
                    let problem = format!("`{other}` has the same issuer");
                    let fix = "Merge the two: a token's issuer chooses its authenticator";
                    faults.add(&["authenticators", name, "issuer"], problem, fix);
                }
                issuers.push((name, &entry.issuer));
                (
                    jwt(name, entry, secrets, production, faults),
                    Carrier::Bearer,
                )
            }
            AuthenticatorEntry::ApiKey(entry) => {
                check_api_key(name, entry, &mut api_keys, faults);
                let carrier = Carrier::Header {
                    name: entry.header.clone(),
                    prefix: entry.prefix.clone(),
                };
                (api_key(name, entry, secrets, faults), carrier)
            }
            // Told by `policy::unsupported`.
            AuthenticatorEntry::Introspection {} | AuthenticatorEntry::ClientCertificate {} => {
                continue;
            }
        };
        built.carriers.push((name.clone(), carrier));
        built.authenticators.extend(kind.map(|kind| Authenticator {
            name: name.clone(),
            kind,
        }));
    }
    built
}

/// Two authenticators of one header read each other's keys; two of one pepper admit each other's:
/// what is hashed is the secret alone.
fn check_api_key<'a>(
    name: &'a str,
    entry: &'a ApiKeyEntry,
    known: &mut Vec<(&'a str, &'a ApiKeyEntry)>,
    faults: &mut Faults,
) {
    let at = |field: &'static str| ["authenticators", name, field];
    if let Some((other, _)) = known.iter().find(|(_, one)| one.header == entry.header) {
        let fix = "Give each its own header, or merge the two";
        faults.add(
            &at("header"),
            format!("`{other}` reads the same header"),
            fix,
        );
    }
    if let Some((other, _)) = known
        .iter()
        .find(|(_, one)| one.pepper_binding == entry.pepper_binding)
    {
        let problem = format!("`{other}` has the same pepper: its keys would be good here");
        let fix = "Give each authenticator a pepper_binding of its own, or merge the two";
        faults.add(&at("pepper_binding"), problem, fix);
    }
    if is_reserved(&entry.header) && entry.header != "authorization" {
        let problem = "this header has a meaning of its own";
        faults.add(&at("header"), problem, "Choose another, as x-api-key");
    }
    known.push((name, entry));
}

/// Whether a header has a meaning between client, gateway and origin, so that a policy may not
/// give it another.
pub(super) fn is_reserved(header: &str) -> bool {
    const RESERVED: [&str; 16] = [
        "authorization",
        "connection",
        "cookie",
        "date",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
    ];
    const RESERVED_PREFIXES: [&str; 7] = [
        "accept",
        "access-control-",
        "cf-",
        "content-",
        "if-",
        "proxy-",
        "x-forwarded-",
    ];
    RESERVED.contains(&header)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| header.starts_with(prefix))
}

fn jwt(
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
    let claims = &entry.claims;
    Some(AuthenticatorKind::Jwt(Box::new(JwtRule {
        name: name.to_owned(),
        issuer: entry.issuer.clone(),
        audiences: entry.audiences.clone(),
        algorithms,
        keys,
        token_type: entry.token_type.clone(),
        max_lifetime_s: entry.max_lifetime_s,
        leeway_s: entry.leeway_s,
        claims: ClaimNames {
            scopes: claims.scopes.clone().unwrap_or_else(|| "scope".into()),
            roles: claims.roles.clone(),
            tenant: claims.tenant.clone(),
            plan: claims.plan.clone(),
        },
    })))
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
            let at = ["authenticators", name, "secret_binding"];
            let Some(secret) = secrets.secret(binding) else {
                faults.add(
                    &at,
                    format!("no secret is bound as {binding}"),
                    put(binding),
                );
                return None;
            };
            if production && secret.expose().len() < HS256_SECRET_BYTES_MIN {
                let problem = format!("the secret has under {HS256_SECRET_BYTES_MIN} bytes");
                faults.add(&at, problem, "Bind 32 random bytes or more (RFC 7518 §3.2)");
            }
            let previous = secrets.secret(&format!("{binding}_PREVIOUS"));
            Some(KeySource::Shared {
                current: secret,
                previous,
            })
        }
        (None, Some(keys), None) if !symmetric => match KeySet::from_value(keys, algorithms) {
            Ok(set) if !set.is_empty() => Some(KeySource::Inline(set)),
            Ok(_) => {
                let fix = "Give a public key that fits `algorithms`";
                faults.add(
                    &["authenticators", name, "jwks"],
                    "no key here may verify a token",
                    fix,
                );
                None
            }
            Err(fault) => {
                let fix = "Give public keys only, as {\"keys\": […]} (RFC 7517)";
                faults.add(
                    &["authenticators", name, "jwks"],
                    format!("not usable: {fault:?}"),
                    fix,
                );
                None
            }
        },
        (None, None, Some(uri)) if !symmetric => Some(KeySource::Uri(uri.clone())),
        _ => {
            let fix =
                "Write `jwks_uri` or `jwks`; for HS256, `secret_binding`; and only one of them";
            faults.add(&["authenticators", name], "no single source of keys", fix);
            None
        }
    }
}

fn api_key(
    name: &str,
    entry: &ApiKeyEntry,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<AuthenticatorKind> {
    let binding = &entry.pepper_binding;
    let at = ["authenticators", name, "pepper_binding"];
    let Some(secret) = secrets.secret(binding) else {
        faults.add(
            &at,
            format!("no secret is bound as {binding}"),
            put(binding),
        );
        return None;
    };
    if secret.expose().len() < PEPPER_BYTES_MIN {
        faults.add(
            &at,
            format!("the pepper has under {PEPPER_BYTES_MIN} bytes"),
            put(binding),
        );
    }
    let previous = secrets
        .secret(&format!("{binding}_PREVIOUS"))
        .map(Pepper::new);
    let peppers = Peppers {
        current: Pepper::new(secret),
        previous,
    };
    Some(AuthenticatorKind::ApiKey {
        header: entry.header.clone(),
        peppers,
    })
}

fn put(binding: &str) -> String {
    format!("Bind 32 random bytes with `npx wrangler secret put {binding}`")
}
