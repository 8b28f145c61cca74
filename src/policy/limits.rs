//! `limits` and `plans` as enforced.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::limit::bucket::BucketRule;
use crate::limit::meter::MeterRule;
use crate::limit::period::{self, PeriodRule, Span};
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::limit::window::WindowRule;
use crate::policy::document::{
    AlgorithmEntry, CountsEntry, Document, LimitEntry, ModeEntry, OnErrorEntry, PeriodEntry,
    ScopeEntry,
};
use crate::policy::fault::Faults;

/// Makes the limits.
pub(super) fn limits(
    entries: &BTreeMap<String, LimitEntry>,
    faults: &mut Faults,
) -> HashMap<String, Rc<LimitRule>> {
    for (name, entry) in entries {
        if !period::is_timezone(&entry.timezone) {
            let problem = "there is no such time zone";
            let fix = "Write an IANA name, such as Europe/Berlin, or UTC";
            faults.add(&["limits", name, "timezone"], problem, fix);
        }
        let guesses = matches!(entry.counts, CountsEntry::RefusedCredentials);
        if entry.brokers > 0 && !matches!(entry.by.as_str(), Some("tenant" | "route" | "service")) {
            let problem = "only a counter that many callers share has brokers";
            let fix = "Leave it out, or count by tenant, route or service";
            faults.add(&["limits", name, "brokers"], problem, fix);
        }
        if guesses && entry.by.as_str() != Some("ip") {
            let problem = "a refused credential names nobody who could be charged";
            faults.add(&["limits", name, "by"], problem, "Write ip");
        }
        let probes = matches!(entry.counts, CountsEntry::RefusedObjects);
        if probes && !matches!(entry.by.as_str(), Some("caller" | "ip")) {
            let problem = "one who tries objects that are not its own would hold up others";
            faults.add(&["limits", name, "by"], problem, "Write caller or ip");
        }
    }
    let rule = |(name, entry): (&String, &LimitEntry)| {
        let by = match entry.by.as_str() {
            Some("ip") => CountBy::Ip,
            Some("caller") => CountBy::Caller,
            Some("tenant") => CountBy::Tenant,
            Some("route") => CountBy::Route,
            Some("service") => CountBy::Service,
            // Compiled by each route that is charged by it: only that knows its parameters.
            _ => CountBy::Expression,
        };
        let rule = LimitRule {
            name: name.clone(),
            by,
            meter: meter(entry)?,
            on_error: match entry.on_error {
                OnErrorEntry::Refuse => OnError::Refuse,
                OnErrorEntry::Admit => OnError::Admit,
                OnErrorEntry::Local => OnError::Local,
            },
            scope: match entry.scope {
                ScopeEntry::Service => Scope::Service,
                ScopeEntry::Route => Scope::Route,
            },
            mode: mode(entry.mode),
            counts: match entry.counts {
                CountsEntry::RefusedCredentials => Counts::RefusedCredentials,
                CountsEntry::RefusedObjects => Counts::RefusedObjects,
                CountsEntry::Requests => Counts::Requests,
            },
            brokers: entry.brokers,
        };
        Some((name.clone(), Rc::new(rule)))
    };
    entries.iter().filter_map(rule).collect()
}

/// How a limit counts. What the schema demands is there.
fn meter(entry: &LimitEntry) -> Option<MeterRule> {
    let seconds_ms = |seconds: u64| seconds.saturating_mul(1_000);
    let period = |limit, span| MeterRule::Period(PeriodRule { limit, span });
    let bucket = |capacity| BucketRule::per_second(entry.rate_per_s?, capacity);
    Some(match entry.algorithm {
        AlgorithmEntry::SlidingWindow => MeterRule::Window(WindowRule {
            limit: entry.limit?,
            window_ms: seconds_ms(entry.window_s?),
        }),
        AlgorithmEntry::FixedWindow => {
            let window_ms = seconds_ms(entry.window_s?);
            period(entry.limit?, Span::Fixed { window_ms })
        }
        AlgorithmEntry::TokenBucket => MeterRule::Bucket(bucket(entry.burst?)?),
        // One may come at its time, and `queue` ahead of theirs.
        AlgorithmEntry::LeakyBucket => MeterRule::Bucket(bucket(entry.queue?.saturating_add(1))?),
        AlgorithmEntry::Calendar => {
            let timezone = entry.timezone.clone();
            let span = match entry.period? {
                PeriodEntry::Day => Span::Day { timezone },
                PeriodEntry::Month => Span::Month { timezone },
            };
            period(entry.limit?, span)
        }
        AlgorithmEntry::Concurrency => MeterRule::Permits(WindowRule {
            limit: entry.limit?,
            window_ms: seconds_ms(entry.lifetime_s),
        }),
    })
}

/// Makes the plans.
pub(super) fn plans(
    document: &Document,
    limits: &HashMap<String, Rc<LimitRule>>,
    faults: &mut Faults,
) -> HashMap<String, Vec<Rc<LimitRule>>> {
    let mut plans = HashMap::new();
    for (name, entry) in &document.plans {
        let at = |index: usize| {
            [
                "plans".to_owned(),
                name.clone(),
                "limits".into(),
                index.to_string(),
            ]
        };
        let rules = entry
            .limits
            .iter()
            .enumerate()
            .filter_map(|(index, limit)| {
                let rule = limits.get(limit).cloned();
                let guesses = rule.as_ref().map(|rule| rule.counts);
                if guesses == Some(Counts::RefusedCredentials) {
                    let path = at(index);
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    let problem = "a refused credential has no plan";
                    faults.add(&path, problem, "Name this limit on routes");
                }
                if rule.is_none() && !document.limits.contains_key(limit) {
                    faults.unknown(&at(index), "limit", limit, document.limits.keys());
                }
                rule
            });
        plans.insert(name.clone(), rules.collect());
    }
    if let Some(plan) = &document.default_plan
        && !document.plans.contains_key(plan)
    {
        faults.unknown(
            &["default_plan".into()],
            "plan",
            plan,
            document.plans.keys(),
        );
    }
    plans
}

pub(super) fn mode(entry: ModeEntry) -> Mode {
    match entry {
        ModeEntry::Enforce => Mode::Enforce,
        ModeEntry::Observe => Mode::Observe,
        ModeEntry::Off => Mode::Off,
    }
}
