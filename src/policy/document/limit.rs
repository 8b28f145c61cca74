//! `limits` and `plans` of the policy, as written.

use serde::Deserialize;
use serde_json::Value;

use super::ModeEntry;

#[derive(Clone, Debug, Deserialize)]
pub struct LimitEntry {
    /// `ip`, `caller`, `tenant`, `route`, `service`, or an object with an expression.
    pub by: Value,
    pub algorithm: AlgorithmEntry,
    pub limit: Option<u64>,
    pub window_s: Option<u64>,
    pub rate_per_s: Option<f64>,
    pub burst: Option<u64>,
    pub queue: Option<u64>,
    pub period: Option<PeriodEntry>,
    #[serde(default)]
    pub brokers: u16,
    #[serde(default = "utc")]
    pub timezone: String,
    #[serde(default = "lifetime_s")]
    pub lifetime_s: u64,
    pub on_error: OnErrorEntry,
    #[serde(default)]
    pub scope: ScopeEntry,
    #[serde(default)]
    pub mode: ModeEntry,
    #[serde(default)]
    pub counts: CountsEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsEntry {
    #[default]
    Requests,
    RefusedCredentials,
    RefusedObjects,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlgorithmEntry {
    SlidingWindow,
    FixedWindow,
    TokenBucket,
    LeakyBucket,
    Calendar,
    Concurrency,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodEntry {
    Day,
    Month,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnErrorEntry {
    Refuse,
    Admit,
    Local,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeEntry {
    #[default]
    Service,
    Route,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PlanEntry {
    pub limits: Vec<String>,
}

fn utc() -> String {
    "UTC".into()
}
fn lifetime_s() -> u64 {
    300
}
