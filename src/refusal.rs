//! Why a request was turned away: rich, for the log. What the client may learn is `problem`'s.
//!
//! Owns: the closed list of reasons, in the order of the stages. No variant can hold a secret.

mod answer;
mod reasons;

use crate::body::finding::Finding;
use crate::body::form::FormFault;
use crate::body::json::JsonFault;
use crate::credential::api_key::{KeyFault, RecordFault};
use crate::credential::certificate::CertificateFault;
use crate::credential::dpop::ProofFault;
use crate::credential::jwt::TokenFault;
use crate::credential::presented::PresentFault;
use crate::facts::Method;
use crate::path::TargetFault;
use crate::revocation::RevokedBy;
pub use answer::AnswerFault;
use reasons::{key_reason, proof_reason, token_reason};

/// A question to the outside that was not answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Port {
    /// The record of an API key.
    Keys,
    /// An issuer's key set.
    KeySet,
    /// A signature check.
    Signature,
    /// What an issuer says of an opaque token.
    Introspection,
    /// The memory of what may be used once.
    Replay,
    /// What is revoked.
    Revocation,
    /// What was carried out, by its key.
    Idempotency,
    /// The statement to the origin.
    Signer,
    /// The counters.
    Counter,
}

/// What the policy has reckoned for each request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reckoned {
    /// Which counter a limit charges.
    Counter,
    /// How many units a request costs.
    Cost,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    // received
    NoPolicy,
    // routed
    NotHttps,
    TlsTooOld,
    TargetTooLong,
    HeadersTooLarge,
    HeaderMalformed {
        name: &'static str,
    },
    AmbiguousPath {
        fault: TargetFault,
    },
    MalformedQuery {
        fault: TargetFault,
    },
    NoAddress,
    AddressDenied,
    CountryDenied,
    OriginNotAllowed,
    NoRoute,
    OtherMethod {
        allow: Vec<Method>,
    },
    UnexpectedBody,
    /// The request asks for WebSocket, and the route has none.
    NoSocket,
    /// The route is WebSocket alone, and the request does not ask for it.
    SocketAlone,
    /// Another version of WebSocket, or none.
    SocketVersion,
    // shielded, limited
    OverLimit {
        limits: Vec<String>,
        retry_after_ms: u64,
    },
    /// One request costs more than a limit ever allows.
    OverEveryLimit {
        limits: Vec<String>,
    },
    CounterDown {
        limits: Vec<String>,
    },
    NoPlan,
    /// An expression for limits failed, or gave what cannot be used.
    NotReckoned {
        of: Reckoned,
        why: String,
    },
    // identified
    NoCredential,
    NotSingle {
        fault: PresentFault,
    },
    NotTaken,
    KeyRefused {
        fault: KeyFault,
    },
    KeyRecord {
        fault: RecordFault,
    },
    TokenRefused {
        fault: TokenFault,
    },
    CertificateRefused {
        fault: CertificateFault,
    },
    ProofRefused {
        fault: ProofFault,
    },
    /// The proof has no nonce of ours, or an old one.
    NonceNeeded,
    /// Good by itself, and taken back.
    Revoked {
        by: RevokedBy,
    },
    // authorized
    /// A handshake that no page sent, without a credential that no page can send.
    NoOrigin,
    /// The caller logged in another way than the route asks for, or too long ago (RFC 9470).
    StepUp {
        acr: Vec<String>,
        max_auth_age_s: Option<u64>,
    },
    MissingScopes {
        missing: Vec<String>,
    },
    /// None of those of which one would do.
    MissingAnyScope {
        any: Vec<String>,
    },
    MissingRole,
    /// The caller has no tenant, and the route is for one tenant's callers alone.
    NoTenant,
    /// The request names no tenant where it has to, or more than one.
    TenantNotNamed,
    OtherTenant,
    NotAllowed,
    AllowFailed {
        why: String,
    },
    // validated
    MediaType,
    ContentEncoding,
    TooLarge {
        max_bytes: u64,
    },
    BodyBroken,
    BodyTimeout,
    /// It is not what its `Content-Digest` says.
    DigestMismatch,
    NotJson {
        fault: JsonFault,
    },
    NotForm {
        fault: FormFault,
    },
    Invalid {
        findings: Vec<Finding>,
    },
    /// The caller sets fields that it may not set.
    FieldRefused {
        findings: Vec<Finding>,
        /// Which rule failed and why, where one did.
        why: Option<String>,
    },
    NoIdempotencyKey,
    // claimed
    /// A request with this key is on its way.
    InFlight {
        retry_after_ms: u64,
    },
    /// What became of the request with this key is not known.
    OutcomeUnknown,
    /// The request with this key was carried out; its answer was too large to keep.
    AnswerNotKept {
        status: u16,
    },
    /// The key was used for another request.
    KeyReused,
    // the outside
    PortDown {
        port: Port,
    },
    AnswerMismatch {
        port: Port,
    },
    // answered
    OriginDown,
    OriginTimeout,
    OriginInvalid,
    /// It answered with a 5xx, which is kept back.
    OriginFailed {
        status: u16,
        /// When it asks to be tried again, in seconds.
        retry_after_s: Option<u64>,
    },
    /// Its answer's head tells of more than may come.
    OriginTooLarge {
        max_bytes: u64,
    },
    /// It was not asked: it failed too often.
    OriginOpen {
        retry_after_ms: u64,
    },
    /// It was not asked: too many requests are open there.
    OriginFull,
    /// Nobody waits for the answer any more.
    ClientGone,
    /// What came back is not this caller's.
    ObjectRefused {
        /// Whether the caller is told that there is nothing.
        is_hidden: bool,
        /// Why the rule failed, where it did.
        why: Option<String>,
    },
    /// There is nothing, on a route whose refusals say the same.
    ObjectMissing,
    /// An answer that has to be judged, and cannot be.
    AnswerUnfit {
        fault: AnswerFault,
    },
    /// A fault of the gateway itself, caught before it could reach another request.
    Panicked,
}

impl Refusal {
    /// Whether the caller showed a credential that is not good: what guessing looks like.
    pub fn is_of_credential(&self) -> bool {
        matches!(
            self,
            // One in the URL is compared with nothing, and a page of a stranger can make a browser
            // send it: charged, it would hold up whoever sits there.
            Self::NotSingle {
                fault: PresentFault::Repeated | PresentFault::Scheme | PresentFault::Malformed,
            } | Self::KeyRefused { .. }
                | Self::TokenRefused { .. }
                | Self::CertificateRefused { .. }
                | Self::ProofRefused { .. }
                | Self::Revoked { .. }
        )
    }

    /// Whether a good caller asked for what is not its own: what trying one object after another
    /// looks like. What an origin says is missing was charged when it said so
    /// (`failure::charge_answer`).
    pub fn is_of_object(&self) -> bool {
        matches!(
            self,
            Self::NoTenant
                | Self::OtherTenant
                | Self::NotAllowed
                | Self::AllowFailed { .. }
                | Self::ObjectRefused { .. }
        )
    }

    /// Whether the caller is told to come back later.
    pub fn is_wait(&self) -> bool {
        matches!(self, Self::OverLimit { .. })
    }

    /// The name of the reason in the log: a closed list.
    #[expect(clippy::too_many_lines, reason = "one table, a line a refusal")]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoPolicy => "no_policy",
            Self::NotHttps => "not_https",
            Self::TlsTooOld => "tls_too_old",
            Self::TargetTooLong => "target_too_long",
            Self::HeadersTooLarge => "headers_too_large",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::AmbiguousPath { .. } => "ambiguous_path",
            Self::MalformedQuery { .. } => "malformed_query",
            Self::NoAddress => "no_address",
            Self::AddressDenied => "address_denied",
            Self::CountryDenied => "country_denied",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NoRoute => "no_route",
            Self::OtherMethod { .. } => "other_method",
            Self::UnexpectedBody => "unexpected_body",
            Self::NoSocket => "no_websocket",
            Self::SocketAlone => "websocket_alone",
            Self::SocketVersion => "websocket_version",
            Self::NoOrigin => "origin_missing",
            Self::OverLimit { .. } => "over_limit",
            Self::OverEveryLimit { .. } => "over_every_limit",
            Self::CounterDown { .. } => "counter_down",
            Self::NoPlan => "no_plan",
            Self::NotReckoned { of, .. } => match of {
                Reckoned::Counter => "counter_failed",
                Reckoned::Cost => "cost_failed",
            },
            Self::NoCredential => "no_credential",
            Self::NotSingle { fault } => match fault {
                PresentFault::Repeated => "credential_repeated",
                PresentFault::Scheme => "scheme_unknown",
                PresentFault::Malformed => "authorization_malformed",
                PresentFault::InQuery => "credential_in_query",
            },
            Self::NotTaken => "credential_not_taken",
            Self::KeyRefused { fault } => key_reason(*fault),
            Self::KeyRecord { fault } => match fault {
                RecordFault::Unreadable => "key_record_unreadable",
                RecordFault::AnotherKeys => "key_record_of_another_key",
                RecordFault::UnknownPepper => "key_record_unknown_pepper",
            },
            Self::TokenRefused { fault } => token_reason(*fault),
            Self::CertificateRefused { fault } => match fault {
                CertificateFault::Unverified => "certificate_unverified",
                CertificateFault::Unknown => "certificate_unknown",
            },
            Self::ProofRefused { fault } => proof_reason(*fault),
            Self::NonceNeeded => "proof_nonce",
            Self::Revoked { by } => match by {
                RevokedBy::Key => "revoked_key",
                RevokedBy::Token => "revoked_token",
                RevokedBy::Instant => "revoked_by_instant",
                RevokedBy::Version => "revoked_by_version",
            },
            Self::StepUp { .. } => "step_up",
            Self::MissingScopes { .. } => "missing_scopes",
            Self::MissingAnyScope { .. } => "missing_any_scope",
            Self::MissingRole => "missing_role",
            Self::NoTenant => "no_tenant",
            Self::TenantNotNamed => "tenant_not_named",
            Self::OtherTenant => "other_tenant",
            Self::NotAllowed => "not_allowed",
            Self::AllowFailed { .. } => "allow_failed",
            Self::MediaType => "media_type",
            Self::ContentEncoding => "content_encoding",
            Self::TooLarge { .. } => "too_large",
            Self::BodyBroken => "body_broken",
            Self::BodyTimeout => "body_timeout",
            Self::DigestMismatch => "digest_mismatch",
            Self::NotJson { .. } => "not_json",
            Self::NotForm { .. } => "not_form",
            Self::Invalid { .. } => "invalid",
            Self::FieldRefused { why: None, .. } => "field_refused",
            Self::FieldRefused { why: Some(_), .. } => "field_rule_failed",
            Self::NoIdempotencyKey => "no_idempotency_key",
            Self::InFlight { .. } => "in_flight",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::AnswerNotKept { .. } => "answer_not_kept",
            Self::KeyReused => "idempotency_key_reused",
            Self::PortDown { port } => match port {
                Port::Idempotency => "idempotency_down",
                Port::Keys => "keys_down",
                Port::KeySet => "key_set_down",
                Port::Signature => "signature_check_down",
                Port::Introspection => "introspection_down",
                Port::Replay => "replay_down",
                Port::Revocation => "revocation_down",
                Port::Signer => "signer_down",
                Port::Counter => "counter_down",
            },
            Self::AnswerMismatch { .. } => "answer_mismatch",
            Self::OriginDown => "origin_down",
            Self::OriginTimeout => "origin_timeout",
            Self::OriginInvalid => "origin_invalid",
            Self::OriginFailed { .. } => "origin_failed",
            Self::OriginTooLarge { .. } => "origin_too_large",
            Self::OriginOpen { .. } => "origin_open",
            Self::OriginFull => "origin_full",
            Self::ClientGone => "client_gone",
            Self::ObjectRefused { why: None, .. } => "object_refused",
            Self::ObjectRefused { why: Some(_), .. } => "object_rule_failed",
            Self::ObjectMissing => "object_missing",
            Self::AnswerUnfit { fault } => fault.reason(),
            Self::Panicked => "panicked",
        }
    }
}
