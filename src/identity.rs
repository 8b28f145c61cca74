//! The statement to origins: who called, signed, so that a service can check again
//! (`edgeward-identity`, a JWT of type `edgeward+jwt`).
//!
//! Owns: what it says and which keys sign it. Does not own: the signature itself
//! (`Ports::sign`, WebCrypto at the edge).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::credential::caller::Caller;
use crate::facts::{RequestId, UnixMs};
use crate::policy::gate::{Identity, Secrets};
use crate::secret::Secret;

/// The binding whose key signs; with `_PREVIOUS`, the one that signed before.
pub const IDENTITY_BINDING: &str = "IDENTITY_KEY";

/// The key that signs, and the public halves that are published at `/.edgeward/jwks.json`.
#[derive(Clone, Debug)]
pub struct IdentityKeys {
    key_id: String,
    private: Secret,
    published: Vec<Value>,
    fingerprint: String,
}

impl IdentityKeys {
    /// Reads the keys from their bindings; `None` if there is no key.
    ///
    /// Fails with the name of the binding that holds no private Ed25519 JWK with a `kid`.
    pub fn from_secrets(secrets: &impl Secrets) -> Result<Option<Self>, String> {
        let Some(private) = secrets.secret(IDENTITY_BINDING) else {
            return Ok(None);
        };
        let public = public_half(&private).ok_or_else(|| IDENTITY_BINDING.to_owned())?;
        let key_id = public
            .get("kid")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let fingerprint = public.to_string();
        let mut published = vec![public];
        let previous = format!("{IDENTITY_BINDING}_PREVIOUS");
        if let Some(secret) = secrets.secret(&previous) {
            published.push(public_half(&secret).ok_or(previous)?);
        }
        Ok(Some(Self {
            key_id,
            private,
            published,
            fingerprint,
        }))
    }

    /// The id of the key that signs (`kid`).
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The private key as a JWK, for the signer.
    pub fn private(&self) -> &Secret {
        &self.private
    }

    /// Names the signing key in memory: its public half, so that another key under the same id is
    /// another key.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The public keys, as a JWK set (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.published })
    }
}

fn public_half(secret: &Secret) -> Option<Value> {
    let key: Map<String, Value> = serde_json::from_str(secret.expose()).ok()?;
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let octets = |name: &str| Base64UrlUnpadded::decode_vec(text(name)?).ok();
    let sound = text("kty") == Some("OKP")
        && text("crv") == Some("Ed25519")
        && octets("d")?.len() == 32
        && octets("x")?.len() == 32
        && !text("kid")?.is_empty();
    sound.then(|| {
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": text("x"), "kid": text("kid"),
            "use": "sig", "alg": "EdDSA"
        })
    })
}

/// What the identity key signs. No text is both kinds: a JWS begins with a letter, a signature base
/// with a quote.
pub trait Signable {
    /// The octets that are signed.
    fn signing_input(&self) -> &str;
}

/// A statement without its signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    pub header: String,
    /// The JWS signing input (RFC 7515 §5.1).
    pub signing_input: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// A statement's claims, in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iat: u64,
    exp: u64,
    rid: String,
    route: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<&'a Value>,
}

/// A part of a JWS. What is written here always can be: strings and numbers.
fn part(said: &impl Serialize) -> String {
    Base64UrlUnpadded::encode_string(&serde_json::to_vec(said).unwrap_or_default())
}

/// What is said of one request.
pub struct Said<'a> {
    pub caller: &'a Caller,
    pub request_id: &'a RequestId,
    pub route: &'a str,
    /// The policy's `public_url`; a request's own host is the caller's to choose.
    pub issuer: Option<&'a str>,
    pub now_ms: UnixMs,
}

impl Signable for Statement {
    fn signing_input(&self) -> &str {
        &self.signing_input
    }
}

impl Statement {
    /// Writes the statement for an origin. An anonymous caller has no `sub`.
    pub fn new(keys: &IdentityKeys, identity: &Identity, said: &Said<'_>) -> Self {
        let now_s = said.now_ms / 1_000;
        let caller = said.caller.known();
        let claim = |name: &str| caller.and_then(|caller| caller.claims.get(name));
        let claims = Claims {
            aud: &identity.audience,
            iat: now_s,
            exp: now_s + identity.ttl_s,
            rid: said.request_id.to_string(),
            route: said.route,
            iss: said.issuer,
            sub: caller.map(|caller| caller.subject.as_str()),
            auth: caller.map(|caller| caller.authenticator.as_str()),
            scopes: caller.map(|caller| caller.scopes.as_slice()),
            roles: caller.map(|caller| caller.roles.as_slice()),
            tenant: caller.and_then(|caller| caller.tenant.as_deref()),
            acr: claim("acr"),
            amr: claim("amr"),
        };
        let header = Header {
            alg: "EdDSA",
            kid: &keys.key_id,
            typ: "edgeward+jwt",
        };
        let signing_input = format!("{}.{}", part(&header), part(&claims));
        Self {
            header: identity.header.clone(),
            signing_input,
        }
    }

    /// The statement with its signature, as a header field.
    pub fn signed(self, signature: &[u8]) -> (String, String) {
        let signature = Base64UrlUnpadded::encode_string(signature);
        (self.header, format!("{}.{signature}", self.signing_input))
    }
}
