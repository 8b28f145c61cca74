//! `authenticators` as enforced: keys and secrets in place.

use std::collections::BTreeMap;

use crate::credential::api_key::{Pepper, Peppers};
use crate::credential::certificate::{CertificateSubject, parse_fingerprint};
use crate::credential::presented::Carrier;
use crate::policy::document::{ApiKeyEntry, AuthenticatorEntry, CertificateEntry};
use crate::policy::fault::Faults;
use crate::policy::gate::{Authenticator, AuthenticatorKind, Secrets};
use crate::policy::tokens;
use crate::secret::Secret;

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
                let kind = tokens::jwt(name, entry, secrets, production, faults);
                (kind, Some(Carrier::Token))
            }
            AuthenticatorEntry::ApiKey(entry) => {
                check_api_key(name, entry, &mut api_keys, faults);
                let carrier = Carrier::Header {
                    name: entry.header.clone(),
                    prefix: entry.prefix.clone(),
                };
                (api_key(name, entry, secrets, faults), Some(carrier))
            }
            AuthenticatorEntry::Introspection(entry) => {
                let kind = tokens::introspection(name, entry, secrets, faults);
                (kind, Some(Carrier::Token))
            }
            AuthenticatorEntry::ClientCertificate(entry) => {
                (Some(certificates(name, entry, faults)), None)
            }
        };
        built
            .carriers
            .extend(carrier.map(|carrier| (name.clone(), carrier)));
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

fn api_key(
    name: &str,
    entry: &ApiKeyEntry,
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<AuthenticatorKind> {
    let binding = &entry.pepper_binding;
    let at = ["authenticators", name, "pepper_binding"];
    let secret = bound(binding, &at, secrets, faults)?;
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
        prefix: entry.prefix.clone(),
        peppers,
    })
}

fn certificates(name: &str, entry: &CertificateEntry, faults: &mut Faults) -> AuthenticatorKind {
    let mut subjects: Vec<CertificateSubject> = Vec::new();
    for (index, one) in entry.subjects.iter().enumerate() {
        // The schema has told of any other text.
        let Some(fingerprint) = parse_fingerprint(&one.fingerprint_sha256) else {
            continue;
        };
        if subjects
            .iter()
            .any(|known| known.fingerprint == fingerprint)
        {
            let index = index.to_string();
            let at = [
                "authenticators",
                name,
                "subjects",
                &index,
                "fingerprint_sha256",
            ];
            let problem = "this certificate stands here already: it has one caller";
            faults.add(&at, problem, "Remove one of the two");
        }
        subjects.push(CertificateSubject {
            fingerprint,
            subject: one.subject.clone(),
            tenant: one.tenant.clone(),
            scopes: one.scopes.clone(),
            roles: one.roles.clone(),
            plan: one.plan.clone(),
        });
    }
    AuthenticatorKind::Certificate(subjects)
}

/// The secret of a binding that the field `at` names; a fault if there is none.
pub(super) fn bound(
    binding: &str,
    at: &[&str],
    secrets: &impl Secrets,
    faults: &mut Faults,
) -> Option<Secret> {
    let secret = secrets.secret(binding);
    if secret.is_none() {
        faults.add(at, format!("no secret is bound as {binding}"), put(binding));
    }
    secret
}

fn put(binding: &str) -> String {
    format!(
        "Bind it with `npx wrangler secret put {binding}`, locally in the file of --vars: what the \
         issuer gave you, or 32 random bytes where it is the gateway's own"
    )
}
