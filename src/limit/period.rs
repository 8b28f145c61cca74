//! stub
use crate::facts::UnixMs;
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Span {
    Fixed { window_ms: u64 },
    Day { timezone: String },
    Month { timezone: String },
}
impl Span {
    pub fn length_ms(&self) -> Option<u64> {
        match self {
            Self::Fixed { window_ms } => Some(*window_ms),
            Self::Day { .. } => Some(86_400_000),
            Self::Month { .. } => None,
        }
    }
}
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PeriodRule {
    pub limit: u64,
    pub span: Span,
}
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Period {
    start_ms: u64,
    end_ms: u64,
    used: u64,
}
fn w(rule: &PeriodRule) -> u64 {
    match rule.span {
        Span::Fixed { window_ms } => window_ms,
        _ => 86_400_000,
    }
}
pub fn is_timezone(_name: &str) -> bool {
    true
}
impl Period {
    pub fn fit(&mut self, _rule: &PeriodRule, _now: UnixMs) {}
    pub fn used(&self, _rule: &PeriodRule, now: UnixMs) -> u64 {
        if now >= self.end_ms { 0 } else { self.used }
    }
    pub fn take(&mut self, rule: &PeriodRule, at: UnixMs, units: u64) {
        if at >= self.end_ms {
            self.start_ms = at / w(rule) * w(rule);
            self.end_ms = self.start_ms + w(rule);
            self.used = 0;
        }
        if at >= self.start_ms {
            self.used += units;
        }
    }
    pub fn give_back(&mut self, _rule: &PeriodRule, now: UnixMs, named: UnixMs, units: u64) {
        if named > now {
            self.used = self.used.saturating_sub(units);
        }
    }
    pub fn wait_ms(&self, _rule: &PeriodRule, now: UnixMs, _units: u64) -> u64 {
        self.end_ms.saturating_sub(now).max(1)
    }
    pub fn empty_at_ms(&self) -> UnixMs {
        self.end_ms
    }
    pub fn end_ms(&self, rule: &PeriodRule, now: UnixMs) -> UnixMs {
        (now / w(rule) + 1) * w(rule)
    }
}
