//! The header fields of every answer, an origin's and the gateway's own.

use base64ct::{Base64, Encoding};

use crate::cors;
use crate::idempotency::KeptAnswer;
use crate::limit::headers;
use crate::policy::gate::Gate;
use crate::problem::Problem;
use crate::trail::Trail;

/// Fields that are set on an answer, and those that are added to what stands there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    pub set: Vec<(&'static str, String)>,
    pub append: Vec<(&'static str, String)>,
}

/// What every answer carries: the request's id, transport and reading rules, and the caller's
/// limits.
pub fn every(gate: Option<&Gate>, trail: &Trail) -> Fields {
    let mut fields = Fields::default();
    fields
        .set
        .push(("x-request-id", trail.facts.request_id.to_string()));
    fields
        .set
        .push(("x-content-type-options", "nosniff".into()));
    let Some(gate) = gate else { return fields };
    // RFC 6797 §7.2: never over plain HTTP.
    if trail.facts.is_https {
        fields
            .set
            .push(("strict-transport-security", gate.transport.hsts.clone()));
    }
    if let Some(cors) = &gate.cors {
        if let Some(origin) = &trail.cors_origin {
            fields.set.extend(cors::fields(cors, origin));
        }
        fields.append.push(("vary", "Origin".into()));
    }
    for (name, value) in &trail.deprecation {
        // An origin may say links of its own.
        match *name {
            "link" => fields.append.push((name, value.clone())),
            name => fields.set.push((name, value.clone())),
        }
    }
    // RFC 9449 §8.2.
    let nonce = trail.dpop_nonce.clone();
    fields.set.extend(nonce.map(|nonce| ("dpop-nonce", nonce)));
    fields
        .set
        .extend(headers::fields(&trail.limits, gate.legacy_headers));
    fields
}

/// Whether others may keep an answer of the gateway's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// It is for this request alone.
    Never,
    /// The same for everyone, for five minutes.
    Shortly,
}

/// What the gateway's own answers carry on top.
pub fn own(kept: Kept) -> [(&'static str, String); 3] {
    let cache = match kept {
        Kept::Never => "no-store",
        Kept::Shortly => "public, max-age=300",
    };
    [
        ("cache-control", cache.into()),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'".into(),
        ),
        ("referrer-policy", "no-referrer".into()),
    ]
}

/// A refusal as it is kept for repeats of its request: they are told the same, byte by byte.
pub fn kept(problem: &Problem, document: &str) -> KeptAnswer {
    let kind = ("content-type", "application/problem+json".to_owned());
    let fields = own(Kept::Never)
        .into_iter()
        .chain([kind])
        .chain(problem.fields.clone());
    KeptAnswer {
        status: problem.slug.status(),
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        content: Some(Base64::encode_string(document.as_bytes())),
    }
}
