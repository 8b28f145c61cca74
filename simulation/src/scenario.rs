//! What a run is made of: limits, who calls how often, and what goes wrong.
//!
//! Owns: the shape of a scenario, and its default: five isolates at all distances, no faults.
//! Does not own: which there are (`scenarios`). Called by: `world`, `scenarios`.

use crate::limit::bucket::BucketRule;
use crate::limit::meter::MeterRule;
use crate::limit::period::{PeriodRule, Span};
use crate::limit::window::WindowRule;

/// Whose object counts a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    Caller,
    Tenant,
    Service,
}

/// One limit of a scenario, and what it is after a change of the policy.
#[derive(Clone, Debug)]
pub struct Limit {
    pub by: By,
    pub rule: MeterRule,
    pub changed: Option<MeterRule>,
    /// How many brokers stand before its object; 0: none.
    pub brokers: u16,
}

/// A part of what an isolate gets again and again.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    /// Requests at once, at its beginning.
    pub burst: u64,
    /// Requests in a thousand seconds, after that.
    pub per_ks: u64,
    pub ms: u64,
}

/// How messages travel.
#[derive(Clone, Debug)]
pub struct Net {
    /// There and back; an isolate has one of them for good.
    pub rtt_ms: Vec<u64>,
    /// In a million messages: those lost, those that come twice, those that come seconds late.
    pub lost: u64,
    pub twice: u64,
    pub late: u64,
}

/// What breaks. Rates are of a million questions; times are means, 0: never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The object restarts between its write and its answer.
    pub restart: u64,
    /// One read or write of storage fails.
    pub storage: u64,
    /// Calls a second that an object takes; 0: any number.
    pub calls_per_s: u64,
    /// Between two ends of an isolate, with all that it holds.
    pub crash_every_ms: u64,
    /// Between two times at which an isolate stands still, and how long at most.
    pub pause_every_ms: u64,
    pub pause_ms: u64,
    /// Errands, in a million, that are never done: the platform ended the request.
    pub errands_lost: u64,
}

/// How wrong clocks are: at most. The limiter bears half a second over one lease, and 50 ms over
/// one short window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clocks {
    pub offset_ms: u64,
    pub rate_ppm: u64,
    /// How long before its decision an isolate read its clock.
    pub stale_ms: u64,
    /// Between two steps of an isolate's clock, and how far.
    pub step_every_ms: u64,
    pub step_ms: u64,
    /// The same of an object's clock.
    pub object_step_every_ms: u64,
    pub object_step_ms: u64,
    pub object_offset_ms: u64,
}

/// A whole scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub limits: Vec<Limit>,
    pub isolates: usize,
    pub callers: u32,
    /// Callers of one tenant.
    pub per_tenant: u32,
    /// Each isolate's load; isolates begin at different beats unless `together`.
    pub beats: Vec<Beat>,
    pub together: bool,
    /// Most units of one request.
    pub units_max: u64,
    /// How long an origin takes, at most: then errands are done and permits given back.
    pub origin_ms: u64,
    pub net: Net,
    pub faults: Faults,
    pub clocks: Clocks,
    /// When the policy changes, in ms, and how long until the last isolate has it.
    pub change_at_ms: u64,
    pub change_takes_ms: u64,
    /// Whether at the end of the last beat, a silent one, exactly what was admitted must be held.
    pub settles: bool,
    /// Its part of all requests.
    pub weight: u64,
}

impl Scenario {
    /// Five isolates, one caller, 10 requests a second each, no faults.
    pub fn new(name: &str, limits: Vec<Limit>) -> Self {
        Self {
            name: name.to_owned(),
            limits,
            isolates: 5,
            callers: 1,
            per_tenant: 1,
            beats: vec![per_second(10)],
            together: false,
            units_max: 1,
            origin_ms: 50,
            net: Net {
                rtt_ms: vec![4, 20, 80, 150, 250],
                lost: 0,
                twice: 0,
                late: 0,
            },
            faults: Faults::default(),
            clocks: Clocks {
                offset_ms: 200,
                rate_ppm: 100,
                ..Clocks::default()
            },
            change_at_ms: 0,
            change_takes_ms: 0,
            settles: false,
            weight: 1,
        }
    }

    /// The longest window of a limit, before and after a change, in ms.
    pub fn longest_ms(&self) -> u64 {
        let rules = self.limits.iter().flat_map(|limit| {
            let changed = limit.changed.as_ref();
            std::iter::once(&limit.rule).chain(changed)
        });
        rules.filter_map(MeterRule::window_ms).max().unwrap_or(0)
    }
}

/// So many requests a second, without end.
pub fn per_second(requests: u64) -> Beat {
    per_ks(requests * 1_000)
}

/// So many requests in a thousand seconds.
pub fn per_ks(per_ks: u64) -> Beat {
    Beat {
        burst: 0,
        per_ks,
        ms: 60_000,
    }
}

/// So many requests at once, and then none for a while.
pub fn burst(requests: u64, ms: u64) -> Beat {
    Beat {
        burst: requests,
        per_ks: 0,
        ms,
    }
}

/// Nobody calls.
pub fn silence(ms: u64) -> Beat {
    Beat {
        burst: 0,
        per_ks: 0,
        ms,
    }
}

pub fn window(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Window(WindowRule { limit, window_ms })
}

/// - `per_s`: units a second that drain.
pub fn bucket(capacity: u64, per_s: u64) -> MeterRule {
    MeterRule::Bucket(BucketRule {
        capacity,
        interval_ns: 1_000_000_000 / per_s.max(1),
    })
}

pub fn period(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Period(PeriodRule {
        limit,
        span: Span::Fixed { window_ms },
    })
}

pub fn permits(limit: u64, window_ms: u64) -> MeterRule {
    MeterRule::Permits(WindowRule { limit, window_ms })
}

/// A limit of the caller that becomes another one.
pub fn changing(rule: MeterRule, changed: MeterRule) -> Limit {
    Limit {
        changed: Some(changed),
        ..limit(By::Caller, rule)
    }
}

/// A limit that does not change.
pub fn limit(by: By, rule: MeterRule) -> Limit {
    Limit {
        by,
        rule,
        changed: None,
        brokers: 0,
    }
}
