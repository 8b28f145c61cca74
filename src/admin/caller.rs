//! Who asks the admin API: the holder of the root key, or of an API key that has a scope for it.
//!
//! Owns: both proofs and what each may do. A role never gives a scope of the gateway's own.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::admin::marks;
use crate::credential::api_key::{self, ApiKey, KeyFault, NotAdmitted, ROOT_PREFIX};
use crate::credential::caller::{CallerKind, CallerObjects, KnownCaller};
use crate::credential::own_limit::OwnLimits;
use crate::object::ObjectName;
use crate::policy::gate::{AuthenticatorKind, Gate};
use crate::ports::Ports;
use crate::refusal::Refusal;
use crate::revocation::Credential;
use crate::secret::Secret;
use crate::trail::Trail;

/// How scopes of the gateway's own begin.
const OWN_SCOPES: &str = "edgeward:";
/// Stands for every other scope of the gateway's own.
const EVERY_SCOPE: &str = "edgeward:admin";

/// Hashes of the root key: base64url of SHA-256 over its text. A key of 190 random bits needs no
/// slower hash.
#[derive(Clone, Debug)]
pub struct RootHashes {
    pub current: String,
    pub previous: Option<String>,
}

/// Someone who may use the admin API, as far as its scopes go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admin {
    Root,
    Key {
        authenticator: String,
        id: String,
        subject: String,
        scopes: Vec<String>,
    },
}

impl Admin {
    /// Whether it holds `scope`.
    pub fn may(&self, scope: &str) -> bool {
        match self {
            Self::Root => true,
            Self::Key { scopes, .. } => scopes.iter().any(|one| one == scope || one == EVERY_SCOPE),
        }
    }

    /// The first of `scopes` that this one may not give away: a scope of the gateway's own that it
    /// does not hold itself.
    pub fn cannot_give<'a>(&self, scopes: &'a [String]) -> Option<&'a String> {
        let mut own = scopes.iter().filter(|scope| scope.starts_with(OWN_SCOPES));
        own.find(|scope| !self.may(scope))
    }

    /// As it stands in the decision line.
    pub fn as_caller(&self) -> KnownCaller {
        let (authenticator, subject, scopes, credential) = match self {
            Self::Root => ("edgeward", "root", &[][..], Credential::Configured),
            Self::Key {
                authenticator,
                id,
                subject,
                scopes,
            } => (
                authenticator.as_str(),
                subject.as_str(),
                &scopes[..],
                Credential::Key { id: id.clone() },
            ),
        };
        KnownCaller {
            kind: CallerKind::ApiKey,
            authenticator: authenticator.to_owned(),
            issuer: String::new(),
            subject: subject.to_owned(),
            tenant: None,
            scopes: scopes.to_vec(),
            roles: Vec::new(),
            plan: None,
            credential,
            good_until_ms: None,
            limits: OwnLimits::new(),
            claims: serde_json::Map::new(),
            objects: CallerObjects::default(),
        }
    }

    /// As it stands in the audit line.
    pub fn told(&self) -> Value {
        match self {
            Self::Root => json!({ "kind": "root" }),
            Self::Key { id, subject, .. } => {
                json!({ "kind": "api_key", "key_id": id, "subject": subject })
            }
        }
    }

    /// As a key's `created_by`.
    pub fn name(&self) -> String {
        match self {
            Self::Root => "root".into(),
            Self::Key { id, .. } => format!("key:{id}"),
        }
    }
}

/// The one credential of a request, in `Authorization: Bearer`.
pub fn presented(trail: &Trail) -> Result<Secret, Refusal> {
    let value = trail.facts.headers.get("authorization");
    let value = value.ok_or(Refusal::NoCredential)?;
    let fault = KeyFault::Malformed;
    let (scheme, text) = value.split_once(' ').unwrap_or((value, ""));
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(Secret::new(text.to_owned())),
        false => Err(Refusal::KeyRefused { fault }),
    }
}

/// Finds out who holds a key.
pub async fn identify<P: Ports>(
    ports: &P,
    gate: Option<&Gate>,
    hashes: &RootHashes,
    text: &Secret,
    trail: &Trail,
) -> Result<Admin, Refusal> {
    if ApiKey::parse(text.expose(), ROOT_PREFIX).is_ok() {
        return match is_root(text, hashes) {
            true => Ok(Admin::Root),
            false => Err(refused(KeyFault::Unknown)),
        };
    }
    let mut refusal = refused(KeyFault::Malformed);
    for authenticator in gate.iter().flat_map(|gate| &gate.authenticators) {
        let AuthenticatorKind::ApiKey {
            prefix, peppers, ..
        } = &authenticator.kind
        else {
            continue;
        };
        let key = match ApiKey::parse(text.expose(), prefix) {
            Ok(key) => key,
            Err(fault) => {
                refusal = refused(fault);
                continue;
            }
        };
        let answer = ports.key_record(key.id(), peppers).await?;
        let (name, now_ms) = (&authenticator.name, trail.facts.received_at_ms);
        match api_key::admit(
            name,
            &key,
            answer,
            peppers,
            now_ms,
            trail.facts.connection.ip,
        ) {
            Ok(record) => {
                let object = ObjectName::of_caller(name, "", &record.subject);
                let id = record.id.clone();
                marks::check_standing(ports, &object, Credential::Key { id }).await?;
                return Ok(Admin::Key {
                    authenticator: name.clone(),
                    id: record.id,
                    subject: record.subject,
                    scopes: record.scopes,
                });
            }
            Err(NotAdmitted::Key(fault)) => refusal = refused(fault),
            Err(NotAdmitted::Record(fault)) => refusal = Refusal::KeyRecord { fault },
        }
    }
    Err(refusal)
}

fn refused(fault: KeyFault) -> Refusal {
    Refusal::KeyRefused { fault }
}

fn is_root(text: &Secret, hashes: &RootHashes) -> bool {
    let digest = Sha256::digest(text.expose().as_bytes());
    let hash = Base64UrlUnpadded::encode_string(&digest);
    let same = |known: &str| hash.as_bytes().ct_eq(known.as_bytes());
    let previous = hashes.previous.as_deref().map_or(0.into(), same);
    (same(&hashes.current) | previous).into()
}
