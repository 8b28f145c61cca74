//! The policy as written: shapes only. What it means is `policy::gate`'s to say.
//!
//! `schemas/policy.schema.json` tells users the same and refuses unknown fields; what stands there
//! and not here is refused by `policy::unsupported`.

mod access;
mod fields;
mod idempotency;
mod limit;
mod origin;
mod socket;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use access::{
    NoTenancyEntry, RequireEntry, RoleEntry, RouteTenancyEntry, ScopesEntry, TenancyEntry,
};
pub use fields::{OnRefusalEntry, ReadEntry, RefusedAsEntry, ResponseEntry, WriteEntry};
pub use idempotency::{IdempotencyEntry, KeyEntry};
pub use limit::{
    AlgorithmEntry, CountsEntry, LimitEntry, OnErrorEntry, PeriodEntry, PlanEntry, ScopeEntry,
};

pub use origin::{
    AnswerEntry, BreakerEntry, CacheEntry, CacheableByEntry, ContentDigestEntry, ErrorsEntry,
    IdentityEntry, OriginEntry, RetryEntry, SignatureEntry,
};
pub use socket::SocketEntry;

#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    pub name: String,
    #[serde(default)]
    pub profile: Profile,
    pub public_url: Option<String>,
    pub origins: BTreeMap<String, OriginEntry>,
    #[serde(default)]
    pub transport: TransportEntry,
    #[serde(default)]
    pub network: NetworkEntry,
    pub cors: Option<CorsEntry>,
    #[serde(default)]
    pub authenticators: BTreeMap<String, AuthenticatorEntry>,
    #[serde(default)]
    pub roles: BTreeMap<String, RoleEntry>,
    pub tenancy: Option<TenancyEntry>,
    #[serde(default)]
    pub limits: BTreeMap<String, LimitEntry>,
    #[serde(default)]
    pub plans: BTreeMap<String, PlanEntry>,
    pub default_plan: Option<String>,
    #[serde(default = "yes")]
    pub legacy_headers: bool,
    #[serde(default)]
    pub schemas: Map<String, Value>,
    #[serde(default)]
    pub routes: Vec<RouteEntry>,
    #[serde(default)]
    pub closed_paths: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    Development,
    #[default]
    Production,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct TransportEntry {
    pub https_only: bool,
    pub min_tls: String,
    pub hsts: HstsEntry,
}

impl Default for TransportEntry {
    fn default() -> Self {
        Self {
            https_only: true,
            min_tls: "1.2".into(),
            hsts: HstsEntry::default(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct HstsEntry {
    pub max_age_s: u64,
    pub include_subdomains: bool,
}

impl Default for HstsEntry {
    fn default() -> Self {
        Self {
            max_age_s: 31_536_000,
            include_subdomains: true,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct NetworkEntry {
    pub deny_cidrs: Vec<String>,
    pub deny_countries: Vec<String>,
    pub ipv6_prefix: u8,
}

impl Default for NetworkEntry {
    fn default() -> Self {
        Self {
            deny_cidrs: Vec::new(),
            deny_countries: Vec::new(),
            ipv6_prefix: 64,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct CorsEntry {
    pub origins: Vec<String>,
    pub methods: Option<Vec<String>>,
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub credentials: bool,
    #[serde(default = "cors_max_age_s")]
    pub max_age_s: u64,
    #[serde(default)]
    pub expose: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AuthenticatorEntry {
    Jwt(Box<JwtEntry>),
    ApiKey(ApiKeyEntry),
    Introspection(Box<IntrospectionEntry>),
    ClientCertificate(CertificateEntry),
}

#[derive(Clone, Debug, Deserialize)]
pub struct JwtEntry {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub algorithms: Vec<String>,
    pub jwks_uri: Option<String>,
    pub jwks: Option<Value>,
    pub secret_binding: Option<String>,
    pub token_type: Option<String>,
    #[serde(default = "max_lifetime_s")]
    pub max_lifetime_s: u64,
    #[serde(default = "leeway_s")]
    pub leeway_s: u64,
    #[serde(default)]
    pub sender_constraint: SenderConstraintEntry,
    pub dpop_nonce_binding: Option<String>,
    #[serde(default)]
    pub claims: ClaimsEntry,
}

#[derive(Clone, Debug, Deserialize)]
pub struct IntrospectionEntry {
    pub endpoint: String,
    pub client_id: String,
    pub client_secret_binding: String,
    pub issuer: Option<String>,
    pub audiences: Vec<String>,
    #[serde(default = "cache_s")]
    pub cache_s: u64,
    #[serde(default)]
    pub sender_constraint: SenderConstraintEntry,
    pub dpop_nonce_binding: Option<String>,
    #[serde(default)]
    pub claims: ClaimsEntry,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CertificateEntry {
    pub subjects: Vec<CertificateSubjectEntry>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CertificateSubjectEntry {
    pub fingerprint_sha256: String,
    pub subject: String,
    pub tenant: Option<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default)]
    pub roles: Vec<String>,
    pub plan: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderConstraintEntry {
    Off,
    #[default]
    Optional,
    Required,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ClaimsEntry {
    pub scopes: Option<String>,
    pub roles: Option<String>,
    pub tenant: Option<String>,
    pub version: Option<String>,
    pub plan: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ApiKeyEntry {
    #[serde(default = "key_header")]
    pub header: String,
    #[serde(default = "key_prefix")]
    pub prefix: String,
    #[serde(default = "pepper_binding")]
    pub pepper_binding: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeEntry {
    #[default]
    Enforce,
    Observe,
    Off,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RouteEntry {
    pub id: String,
    #[serde(rename = "match")]
    pub matching: MatchEntry,
    pub origin: String,
    #[serde(default)]
    pub split: BTreeMap<String, u32>,
    pub auth: AuthEntry,
    #[serde(default)]
    pub require: RequireEntry,
    pub tenancy: Option<RouteTenancyEntry>,
    pub allow: Option<String>,
    #[serde(default)]
    pub limits: Vec<String>,
    pub cost: Option<CostEntry>,
    #[serde(default)]
    pub refund_on: Vec<String>,
    #[serde(default)]
    pub idempotency: IdempotencyEntry,
    #[serde(default)]
    pub request: RequestEntry,
    pub response: Option<ResponseEntry>,
    #[serde(default)]
    pub mode: ModeEntry,
    pub timeout_ms: Option<u64>,
    pub answer: Option<AnswerEntry>,
    pub errors: Option<ErrorsEntry>,
    pub cacheable_by: Option<CacheableByEntry>,
    pub cache: Option<CacheEntry>,
    pub deprecation: Option<DeprecationEntry>,
    pub websocket: Option<SocketEntry>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DeprecationEntry {
    #[serde(default)]
    pub deprecated_at: i64,
    pub sunset_at: Option<i64>,
    pub link: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum CostEntry {
    Units(UnitsEntry),
    /// Known afterwards: the origin tells it.
    Told {
        reserve: UnitsEntry,
        header: String,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum UnitsEntry {
    Number(u64),
    Expression(String),
}

#[derive(Clone, Debug, Deserialize)]
pub struct MatchEntry {
    pub methods: Vec<String>,
    pub path: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum AuthEntry {
    Public(PublicEntry),
    Authenticators(Vec<String>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicEntry {
    Public,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestEntry {
    pub content_types: Option<Vec<String>>,
    pub max_bytes: Option<u64>,
    pub body: Option<Value>,
    pub bodies: Option<Map<String, Value>>,
    pub opaque: Vec<String>,
    pub json_limits: Option<JsonLimitsEntry>,
    pub path: Option<Map<String, Value>>,
    pub query: Option<Value>,
    pub headers: Option<Value>,
    pub fields: Vec<WriteEntry>,
    pub cookies: Option<Value>,
    pub mode: ModeEntry,
    pub optional: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JsonLimitsEntry {
    pub max_depth: Option<usize>,
    pub max_names: Option<usize>,
    pub max_values: Option<usize>,
    pub max_items: Option<usize>,
    pub max_string_bytes: Option<usize>,
    pub max_digits: Option<usize>,
}

fn yes() -> bool {
    true
}
fn cors_max_age_s() -> u64 {
    600
}
fn max_lifetime_s() -> u64 {
    900
}
fn leeway_s() -> u64 {
    30
}
fn cache_s() -> u64 {
    30
}
fn key_header() -> String {
    "x-api-key".into()
}
fn key_prefix() -> String {
    "ew".into()
}
fn pepper_binding() -> String {
    "KEY_PEPPER".into()
}
