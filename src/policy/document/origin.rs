//! `origins` as written: where they are, what they are told, what is done about one that is not well.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct OriginEntry {
    pub url: String,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    pub identity: Option<IdentityEntry>,
    pub max_concurrent: Option<usize>,
    #[serde(default)]
    pub max_waiting: usize,
    #[serde(default = "wait_ms")]
    pub wait_ms: u64,
    pub circuit_breaker: Option<BreakerEntry>,
    pub retry: Option<RetryEntry>,
    pub answer: Option<AnswerEntry>,
    #[serde(default)]
    pub errors: ErrorsEntry,
    pub signature: Option<SignatureEntry>,
    pub client_certificate_binding: Option<String>,
    pub service_binding: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct IdentityEntry {
    pub header: Option<String>,
    pub audience: Option<String>,
    pub ttl_s: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct SignatureEntry {
    pub content_digest: ContentDigestEntry,
    pub ttl_s: u64,
    pub tag: String,
}

impl Default for SignatureEntry {
    fn default() -> Self {
        Self {
            content_digest: ContentDigestEntry::Required,
            ttl_s: 60,
            tag: "edgeward".into(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ContentDigestEntry {
    Required,
    WhenRead,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct BreakerEntry {
    pub failure_ratio: f64,
    pub min_requests: u32,
    pub consecutive: u32,
    pub window_s: u64,
    pub open_s: u64,
    pub probes: u32,
    pub on: Vec<String>,
}

impl Default for BreakerEntry {
    fn default() -> Self {
        Self {
            failure_ratio: 0.5,
            min_requests: 20,
            consecutive: 10,
            window_s: 10,
            open_s: 10,
            probes: 3,
            on: ["connect", "timeout", "502", "503", "504"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct RetryEntry {
    pub attempts: u32,
    pub methods: Vec<String>,
    pub on: Vec<String>,
    pub origin_knows_keys: bool,
}

impl Default for RetryEntry {
    fn default() -> Self {
        Self {
            attempts: 1,
            methods: ["GET", "HEAD"].map(str::to_owned).to_vec(),
            on: vec!["connect".into()],
            origin_knows_keys: false,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AnswerEntry {
    pub max_bytes: Option<u64>,
    pub idle_timeout_ms: Option<u64>,
    pub total_timeout_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorsEntry {
    #[default]
    Hide,
    Pass,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheableByEntry {
    Caller,
    Everyone,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CacheEntry {
    pub max_age_s: u64,
    pub max_bytes: Option<u64>,
    pub default_age_s: Option<u64>,
    #[serde(default)]
    pub vary: Vec<String>,
}

fn timeout_ms() -> u64 {
    10_000
}

fn wait_ms() -> u64 {
    100
}
