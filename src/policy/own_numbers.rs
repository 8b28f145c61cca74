//! A limit with the numbers of a key in place of its own.
//!
//! Owns: that nothing else of the limit changes. Called by: `stage::charging`, and `admin::keys`
//! before it writes a record.

use crate::credential::own_limit::OwnLimit;
use crate::limit::bucket::BucketRule;
use crate::limit::meter::MeterRule;
use crate::limit::period::PeriodRule;
use crate::limit::window::WindowRule;

/// A limit with other numbers; `None` where they are of another algorithm's form.
pub fn with_numbers(meter: &MeterRule, own: &OwnLimit) -> Option<MeterRule> {
    match (meter.clone(), *own) {
        (MeterRule::Window(rule), OwnLimit::Amount(limit)) => {
            Some(MeterRule::Window(WindowRule { limit, ..rule }))
        }
        (MeterRule::Permits(rule), OwnLimit::Amount(limit)) => {
            Some(MeterRule::Permits(WindowRule { limit, ..rule }))
        }
        (MeterRule::Period(rule), OwnLimit::Amount(limit)) => {
            Some(MeterRule::Period(PeriodRule { limit, ..rule }))
        }
        (MeterRule::Bucket(_), OwnLimit::Burst { rate_per_s, burst }) => {
            BucketRule::per_second(rate_per_s, burst).map(MeterRule::Bucket)
        }
        // One may come at its time, and `queue` ahead of theirs.
        (MeterRule::Bucket(_), OwnLimit::Queue { rate_per_s, queue }) => {
            BucketRule::per_second(rate_per_s, queue.saturating_add(1)).map(MeterRule::Bucket)
        }
        (MeterRule::Window(_) | MeterRule::Permits(_) | MeterRule::Period(_), _)
        | (MeterRule::Bucket(_), OwnLimit::Amount(_)) => None,
    }
}
