//! `origins` as written: what is done about one that is not well.

use serde::Deserialize;

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
}

impl Default for RetryEntry {
    fn default() -> Self {
        Self {
            attempts: 1,
            methods: ["GET", "HEAD"].map(str::to_owned).to_vec(),
            on: vec!["connect".into()],
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

pub(super) fn wait_ms() -> u64 {
    100
}
