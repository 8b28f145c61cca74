//! A verifier of RFC 9421 that shares nothing with the gateway: it reads a request, and the public key.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::answer::Arrived;

/// What a signature that verified says.
pub(crate) struct Said {
    pub(crate) components: Vec<String>,
    pub(crate) about: String,
}

/// What somebody between gateway and origin may do to a request.
type Spoil = (&'static str, fn(&mut Arrived));
pub(crate) const SPOILS: [Spoil; 8] = [
    ("another method", |one| one.method = "DELETE"),
    ("another host", |one| {
        one.url = one.url.replace("origin.", "other.")
    }),
    ("another path", |one| one.url = one.url.replace("/7", "/8")),
    ("another query", |one| {
        one.url = one.url.replace("b=2", "b=3")
    }),
    ("no query", |one| {
        one.url = one.url.split('?').next().unwrap().into()
    }),
    ("other content", |one| one.content = Some(b"other".to_vec())),
    ("another caller", |one| {
        set(one, "edgeward-identity", "a.b.c")
    }),
    ("another time", |one| {
        let input = header(one, "signature-input").unwrap();
        set(
            one,
            "signature-input",
            &input.replace("expires=1", "expires=2"),
        );
    }),
];

fn set(arrived: &mut Arrived, name: &str, value: &str) {
    let field = arrived.set.iter_mut().find(|(set, _)| set == name);
    field.unwrap().1 = value.to_owned();
}

pub(crate) fn header(arrived: &Arrived, name: &str) -> Option<String> {
    let field = arrived.set.iter().find(|(set, _)| set == name);
    field.map(|(_, value)| value.clone())
}

/// What the signature of a request says; `None` if it or a digest does not verify.
pub(crate) fn verify(arrived: &Arrived, key: &str) -> Option<Said> {
    let input = header(arrived, "signature-input")?;
    let input = input.strip_prefix("edgeward=")?;
    let (names, about) = input.strip_prefix('(')?.split_once(");")?;
    let components: Vec<String> = names.split(' ').map(|name| name.replace('"', "")).collect();
    let mut base = String::new();
    for name in &components {
        base += &format!("\"{name}\": {}\n", component(arrived, name)?);
    }
    base += &format!("\"@signature-params\": {input}");
    let signature = header(arrived, "signature")?;
    let signature = signature
        .strip_prefix("edgeward=:")?
        .strip_suffix(':')?
        .to_owned();
    let signature = Signature::from_slice(&Base64::decode_vec(&signature).ok()?).ok()?;
    let key: Value = serde_json::from_str(key).ok()?;
    let point = Base64UrlUnpadded::decode_vec(key["x"].as_str()?).ok()?;
    let key = VerifyingKey::from_bytes(&point.try_into().ok()?).ok()?;
    key.verify_strict(base.as_bytes(), &signature).ok()?;
    if let Some(digest) = header(arrived, "content-digest") {
        let content = arrived.content.clone().unwrap_or_default();
        let expected = Base64::encode_string(&Sha256::digest(content));
        (digest == format!("sha-256=:{expected}:")).then_some(())?;
    }
    Some(Said {
        components,
        about: about.to_owned(),
    })
}

fn component(arrived: &Arrived, name: &str) -> Option<String> {
    let rest = arrived.url.strip_prefix("https://")?;
    let (authority, target) = rest.split_at(rest.find('/')?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match name {
        "@method" => Some(arrived.method.to_owned()),
        "@authority" => Some(authority.to_owned()),
        "@path" => Some(path.to_owned()),
        "@query" => Some(format!("?{query}")),
        name => header(arrived, name),
    }
}
