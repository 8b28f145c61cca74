//! stub
use crate::facts::UnixMs;
use serde::{Deserialize, Serialize};
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct BucketRule {
    pub capacity: u64,
    pub interval_ns: u64,
}
impl BucketRule {
    pub fn drain_ms(self) -> u64 {
        self.capacity.saturating_mul(self.interval_ns) / 1_000_000
    }
    pub fn per_second(rate: f64, capacity: u64) -> Option<Self> {
        Some(Self {
            capacity,
            interval_ns: (1e9 / rate).ceil() as u64,
        })
    }
}
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Bucket {
    interval_ns: u64,
    empty_at_ns: u64,
}
impl Bucket {
    pub fn fit(&mut self, rule: BucketRule, _now: UnixMs) {
        self.interval_ns = rule.interval_ns;
    }
    pub fn used(&self, rule: BucketRule, now: UnixMs) -> u64 {
        self.empty_at_ns
            .saturating_sub(now * 1_000_000)
            .div_ceil(rule.interval_ns)
    }
    pub fn take(&mut self, rule: BucketRule, at: UnixMs, units: u64) {
        self.empty_at_ns = self.empty_at_ns.max(at * 1_000_000) + units * rule.interval_ns;
    }
    pub fn give_back(&mut self, rule: BucketRule, now: UnixMs, named: UnixMs, units: u64) {
        if named > now {
            self.empty_at_ns = self
                .empty_at_ns
                .saturating_sub(units * rule.interval_ns)
                .max(now * 1_000_000);
        }
    }
    pub fn wait_ms(&self, rule: BucketRule, now: UnixMs, units: u64) -> u64 {
        let mut w = 1;
        while self.used(rule, now + w) + units > rule.capacity {
            w += 1;
        }
        w
    }
    pub fn empty_at_ms(&self) -> UnixMs {
        self.empty_at_ns.div_ceil(1_000_000)
    }
}
