//! From a refusal to what the client may learn of it (RFC 9457).
//!
//! Owns: one exhaustive match from reasons to problem types; every bad credential has one face.
//! `detail` says what is wrong in words.
//! Does not own: the reasons (`refusal`), the pages that explain the types (`house`).

mod detail;

use serde_json::{Value, json};

use crate::body::finding::{Finding, Location};
use crate::challenge::{Asking, Challenge};
use crate::credential::presented::PresentFault;
use crate::facts::{Method, RequestId};
use crate::limit::headers::seconds;
use crate::refusal::{Port, Refusal};
use crate::socket::handshake;
use detail::detail_of;

macro_rules! slugs {
    ($($variant:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// The problem types this version answers with.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Slug { $($variant,)* }

        impl Slug {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The `code`, and the last part of the `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

slugs! {
    MalformedRequest = "malformed-request", 400, "Malformed Request";
    AmbiguousPath = "ambiguous-path", 400, "Ambiguous Path";
    HeaderInvalid = "header-invalid", 400, "Header Invalid";
    IdempotencyKeyRequired = "idempotency-key-required", 400, "Idempotency Key Required";
    DuplicateCredential = "duplicate-credential", 400, "Duplicate Credential";
    CredentialMissing = "credential-missing", 401, "Credential Missing";
    CredentialInvalid = "credential-invalid", 401, "Credential Invalid";
    DpopInvalid = "dpop-invalid", 401, "DPoP Proof Invalid";
    DpopNonceRequired = "dpop-nonce-required", 401, "DPoP Nonce Required";
    StepUpRequired = "step-up-required", 401, "Step-Up Required";
    UnsupportedScheme = "unsupported-auth-scheme", 401, "Unsupported Authentication Scheme";
    InsufficientScope = "insufficient-scope", 403, "Insufficient Scope";
    AccessDenied = "access-denied", 403, "Access Denied";
    OriginNotAllowed = "origin-not-allowed", 403, "Origin Not Allowed";
    RouteNotFound = "route-not-found", 404, "Route Not Found";
    MethodNotAllowed = "method-not-allowed", 405, "Method Not Allowed";
    IdempotencyConflict = "idempotency-conflict", 409, "Idempotency Conflict";
    PayloadTooLarge = "payload-too-large", 413, "Payload Too Large";
    UriTooLong = "uri-too-long", 414, "URI Too Long";
    UnsupportedMediaType = "unsupported-media-type", 415, "Unsupported Media Type";
    UnsupportedEncoding = "unsupported-encoding", 415, "Unsupported Encoding";
    IdempotencyMismatch = "idempotency-mismatch", 422, "Idempotency Mismatch";
    SchemaViolation = "schema-violation", 422, "Schema Violation";
    UpgradeRequired = "upgrade-required", 426, "Upgrade Required";
    QuotaExceeded = "quota-exceeded", 429, "Quota Exceeded";
    HeadersTooLarge = "headers-too-large", 431, "Headers Too Large";
    OriginInvalid = "origin-invalid", 502, "Origin Invalid";
    PolicyUnavailable = "policy-unavailable", 503, "Policy Unavailable";
    OriginUnavailable = "origin-unavailable", 503, "Origin Unavailable";
    Overloaded = "overloaded", 503, "Overloaded";
    ReducedCapacity = "temporary-reduced-capacity", 503, "Temporary Reduced Capacity";
    OriginTimeout = "origin-timeout", 504, "Origin Timeout";
}

/// Seconds after which a client may try again when the gateway or what it needs is down.
const RETRY_DOWN_S: u64 = 5;
/// The same where only too many requests are open at once.
const RETRY_FULL_S: u64 = 1;
/// The share of a wait that is added at random, so that callers do not come back together.
const JITTER_SHARE: f64 = 0.1;

/// A problem document and the header fields that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub slug: Slug,
    pub detail: String,
    pub errors: Vec<Finding>,
    pub violated: Vec<String>,
    /// Names in lower case; `www-authenticate` may stand several times.
    pub fields: Vec<(&'static str, String)>,
}

/// What a refusal is told with.
pub struct Telling<'a> {
    pub request_id: &'a RequestId,
    pub asking: Asking<'a>,
    /// Which credentials the route takes, best first; empty where there is no route.
    pub challenges: &'a [Challenge],
}

impl Problem {
    /// Decides what a client learns of `refusal`.
    pub fn of(refusal: &Refusal, telling: &Telling<'_>) -> Self {
        let slug = slug_of(refusal);
        let mut problem = Self {
            slug,
            detail: detail_of(refusal),
            errors: errors_of(refusal),
            violated: Vec::new(),
            fields: Vec::new(),
        };
        match refusal {
            Refusal::OverLimit {
                limits,
                retry_after_ms,
            } => {
                problem.violated.clone_from(limits);
                problem.retry_after(*retry_after_ms, telling);
            }
            Refusal::InFlight { retry_after_ms } => problem.retry_after(*retry_after_ms, telling),
            Refusal::OverEveryLimit { limits } => problem.violated.clone_from(limits),
            Refusal::OtherMethod { allow } => {
                let names: Vec<_> = allow.iter().copied().map(Method::as_str).collect();
                problem.fields.push(("allow", names.join(", ")));
            }
            Refusal::NotHttps | Refusal::TlsTooOld => {
                problem.fields.push(("upgrade", "TLS/1.3, TLS/1.2".into()));
            }
            // RFC 6455 §4.4: which version there is.
            Refusal::SocketAlone | Refusal::SocketVersion => {
                problem.fields.push(("upgrade", "websocket".into()));
                let version = handshake::VERSION.to_owned();
                problem.fields.push(("sec-websocket-version", version));
            }
            _ => {}
        }
        match slug.status() {
            401 => problem.challenge(refusal, telling, |_| true),
            403 if slug == Slug::InsufficientScope => {
                problem.challenge(refusal, telling, Challenge::is_of_token);
            }
            503 => {
                let retry_after_ms = match refusal {
                    Refusal::OriginOpen { retry_after_ms } => *retry_after_ms,
                    Refusal::OriginFull => RETRY_FULL_S * 1_000,
                    Refusal::OriginFailed {
                        retry_after_s: Some(told_s),
                        ..
                    } => told_s.saturating_mul(1_000),
                    _ => RETRY_DOWN_S * 1_000,
                };
                problem.retry_after(retry_after_ms, telling);
            }
            _ => {}
        }
        problem
    }

    /// The document; `base` is the gateway's own URL, where the types are explained.
    pub fn document(&self, base: &str, request_id: &RequestId) -> Value {
        let mut document = json!({
            "type": format!("{base}/.edgeward/problems/{}", self.slug.as_str()),
            "title": self.slug.title(),
            "status": self.slug.status(),
            "detail": self.detail,
            "instance": format!("urn:uuid:{request_id}"),
            "code": self.slug.as_str(),
        });
        if let Some(document) = document.as_object_mut() {
            if !self.errors.is_empty() {
                document.insert("errors".into(), json!(self.errors));
            }
            if !self.violated.is_empty() {
                document.insert("violated-policies".into(), json!(self.violated));
            }
        }
        document
    }

    /// RFC 9110 §10.2.3: whole seconds, never before the first instant that would pass.
    fn retry_after(&mut self, wait_ms: u64, telling: &Telling<'_>) {
        let seconds = seconds(wait_ms);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a tenth of a wait; a lost digit is jitter too"
        )]
        let jitter = (seconds as f64 * JITTER_SHARE * telling.request_id.fraction()) as u64;
        self.fields
            .push(("retry-after", seconds.saturating_add(jitter).to_string()));
    }

    /// RFC 9110 §11.6.1: each challenge on a line of its own.
    fn challenge(
        &mut self,
        refusal: &Refusal,
        telling: &Telling<'_>,
        told: fn(&Challenge) -> bool,
    ) {
        for challenge in telling.challenges.iter().filter(|one| told(one)) {
            let value = challenge.value(&telling.asking, refusal);
            self.fields.push(("www-authenticate", value));
        }
    }
}

/// The one place that decides which reasons a client can tell apart.
#[expect(clippy::too_many_lines, reason = "one table, a line a refusal")]
pub fn slug_of(refusal: &Refusal) -> Slug {
    match refusal {
        Refusal::NoPolicy | Refusal::KeyRecord { .. } | Refusal::AnswerMismatch { .. } => {
            Slug::PolicyUnavailable
        }
        Refusal::NotHttps | Refusal::TlsTooOld | Refusal::SocketAlone | Refusal::SocketVersion => {
            Slug::UpgradeRequired
        }
        Refusal::TargetTooLong => Slug::UriTooLong,
        Refusal::HeadersTooLarge => Slug::HeadersTooLarge,
        Refusal::HeaderMalformed { .. } => Slug::HeaderInvalid,
        Refusal::AmbiguousPath { .. } => Slug::AmbiguousPath,
        Refusal::MalformedQuery { .. }
        | Refusal::NoAddress
        | Refusal::UnexpectedBody
        | Refusal::NoSocket
        | Refusal::BodyBroken
        | Refusal::BodyTimeout
        | Refusal::DigestMismatch
        | Refusal::NotJson { .. }
        | Refusal::NotForm { .. } => Slug::MalformedRequest,
        Refusal::AddressDenied
        | Refusal::CountryDenied
        | Refusal::MissingRole
        | Refusal::NoTenant
        | Refusal::TenantNotNamed
        | Refusal::OtherTenant
        | Refusal::NotAllowed
        | Refusal::FieldRefused { .. }
        | Refusal::ObjectRefused {
            is_hidden: false, ..
        }
        | Refusal::NoPlan
        | Refusal::NotReckoned { .. }
        | Refusal::AllowFailed { .. } => Slug::AccessDenied,
        Refusal::OriginNotAllowed | Refusal::NoOrigin => Slug::OriginNotAllowed,
        // Hidden or not there: nobody can tell.
        Refusal::NoRoute
        | Refusal::ObjectMissing
        | Refusal::ObjectRefused {
            is_hidden: true, ..
        } => Slug::RouteNotFound,
        Refusal::OtherMethod { .. } => Slug::MethodNotAllowed,
        Refusal::OverLimit { .. } => Slug::QuotaExceeded,
        // Permanent: a client that waits and repeats it waits for ever.
        Refusal::OverEveryLimit { .. } | Refusal::TooLarge { .. } => Slug::PayloadTooLarge,
        Refusal::CounterDown { .. } => Slug::ReducedCapacity,
        Refusal::NoCredential => Slug::CredentialMissing,
        Refusal::NotSingle { fault } => match fault {
            PresentFault::Repeated => Slug::DuplicateCredential,
            PresentFault::InQuery => Slug::MalformedRequest,
            PresentFault::Scheme => Slug::UnsupportedScheme,
            PresentFault::Malformed => Slug::CredentialInvalid,
        },
        Refusal::NotTaken => Slug::UnsupportedScheme,
        // One face for every bad credential: which check failed is the log's to know.
        Refusal::KeyRefused { .. }
        | Refusal::TokenRefused { .. }
        | Refusal::CertificateRefused { .. }
        | Refusal::Revoked { .. } => Slug::CredentialInvalid,
        Refusal::ProofRefused { .. } => Slug::DpopInvalid,
        Refusal::NonceNeeded => Slug::DpopNonceRequired,
        Refusal::StepUp { .. } => Slug::StepUpRequired,
        Refusal::MissingScopes { .. } | Refusal::MissingAnyScope { .. } => Slug::InsufficientScope,
        Refusal::MediaType => Slug::UnsupportedMediaType,
        Refusal::ContentEncoding => Slug::UnsupportedEncoding,
        Refusal::Invalid { .. } => Slug::SchemaViolation,
        Refusal::NoIdempotencyKey => Slug::IdempotencyKeyRequired,
        Refusal::InFlight { .. } | Refusal::OutcomeUnknown | Refusal::AnswerNotKept { .. } => {
            Slug::IdempotencyConflict
        }
        Refusal::KeyReused => Slug::IdempotencyMismatch,
        Refusal::PortDown { port } => match port {
            Port::Keys | Port::KeySet | Port::Signature | Port::Introspection | Port::Signer => {
                Slug::PolicyUnavailable
            }
            Port::Counter | Port::Replay | Port::Revocation | Port::Idempotency => {
                Slug::ReducedCapacity
            }
        },
        Refusal::OriginDown | Refusal::OriginFailed { status: 503, .. } => Slug::OriginUnavailable,
        Refusal::OriginTimeout | Refusal::OriginFailed { status: 504, .. } => Slug::OriginTimeout,
        // RFC 9110 §15.6.3: the fault is not the gateway's, so its status is none of 500.
        Refusal::OriginFailed { .. }
        | Refusal::OriginInvalid
        | Refusal::OriginTooLarge { .. }
        | Refusal::AnswerUnfit { .. } => Slug::OriginInvalid,
        // Who is told is gone.
        Refusal::OriginOpen { .. } | Refusal::ClientGone => Slug::OriginUnavailable,
        Refusal::OriginFull | Refusal::Panicked => Slug::Overloaded,
    }
}

fn errors_of(refusal: &Refusal) -> Vec<Finding> {
    match refusal {
        Refusal::Invalid { findings } | Refusal::FieldRefused { findings, .. } => findings.clone(),
        Refusal::NotJson { fault } => {
            let (message, fix) = fault.explain();
            vec![Finding::new(
                Location::Body,
                fault.pointer(),
                fault.keyword(),
                message,
                fix,
            )]
        }
        Refusal::NotForm { fault } => {
            let (message, fix) = fault.explain();
            let keyword = fault.keyword();
            vec![Finding::new(Location::Body, "", keyword, message, fix)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
