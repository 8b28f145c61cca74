//! Bugs, put in at the seams on purpose: an audit that has never found anything proves nothing.
//!
//! Owns: what each bug does to messages, to stored rows and to clocks. Does not own: in which
//! scenario each must be found (`scenarios::controls`). Called by: `world`.

use serde_json::Value;

use crate::limit::wire::{Act, Answer, Lent, Question, Undone};
use crate::world::network::Call;

/// One bug, or none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Bug {
    #[default]
    None,
    /// An object answers without having written.
    NoWrite,
    /// A lease is forgotten when it ends, and not counted as used.
    LeaseForgotten,
    /// What was used of a lease is free as soon as it is reported.
    UsedFreed,
    /// What was reported of a lease is freed again whenever its row is read.
    SettledTwice,
    /// A holder uses a lease for three times as long.
    LateUse,
    /// A holder reckons a lease from when the answer came.
    FromReceipt,
    /// A question that came twice brings what was lent twice.
    BothAnswersUsed,
    /// What is given back is given back again when the message comes again.
    GivenBackTwice,
    /// Nothing is given back.
    NothingGivenBack,
    /// What was given up is not undone.
    NothingUndone,
    /// What was given up is undone, and granted when it arrives only afterwards.
    UndoneForgotten,
    /// A question that was let through is undone with the next.
    AdmittedUndone,
    /// Two instances of one object answer, each with rows of its own.
    Twin,
    /// An object that starts again has forgotten its leases.
    RestartForgets,
    /// A holder does not notice that its clock ran back.
    ClockRanBack,
    /// An object believes its own clock, however far it is ahead.
    AheadBelieved,
    /// What is granted at once is not charged.
    InlineFree,
    /// A holder goes on with a share of which the object was told that it is given up.
    ShareKept,
    /// Twice as many units are told to be lent as are.
    LentDoubled,
}

/// What a bug makes of a question that has arrived.
///
/// - `copy`: it came before.
pub fn alter_question(bug: Bug, question: &mut Question, copy: bool) {
    let Act::Charge(asking) = &mut question.act else {
        return;
    };
    match bug {
        Bug::UsedFreed => {
            let reports = asking.rows.iter_mut().flat_map(|row| &mut row.reports);
            reports.for_each(|report| report.used = 0);
        }
        Bug::ShareKept => {
            for row in asking.rows.iter_mut().filter(|row| !row.reports.is_empty()) {
                row.want = 0;
                for report in &mut row.reports {
                    (report.used, report.keep) = (0, 0);
                }
            }
        }
        // As if it were another's.
        Bug::GivenBackTwice if copy && asking.settling.is_some() => asking.holder ^= 1,
        Bug::NothingGivenBack => asking.settling = None,
        Bug::NothingUndone => asking.undone.clear(),
        Bug::AdmittedUndone => {
            let rows = asking.rows.iter().filter(|row| row.units > 0);
            asking.undone.extend(rows.map(|row| Undone {
                seq: asking.seq.saturating_sub(1),
                row: row.row.clone(),
                rule: row.rule.clone(),
            }));
            asking.open_seq = 0;
        }
        Bug::AheadBelieved => asking.at_ms = u64::MAX / 4,
        Bug::InlineFree => asking.rows.iter_mut().for_each(|row| row.units = 0),
        _ => {}
    }
}

/// What a bug makes of an answer that has arrived.
pub fn alter_answer(bug: Bug, answer: &mut Answer, call: &Call, now_us: u64) {
    let Answer::Granted(rows) = answer else {
        return;
    };
    for lent in rows.iter_mut().filter_map(|row| row.lent.as_mut()) {
        alter_lent(bug, lent, call, now_us);
    }
}

fn alter_lent(bug: Bug, lent: &mut Lent, call: &Call, now_us: u64) {
    match bug {
        Bug::LateUse => lent.ttl_ms *= 3,
        Bug::FromReceipt => lent.ttl_ms += (now_us - call.sent_us) / 1_000,
        Bug::BothAnswersUsed if call.is_copied.get() => lent.units *= 2,
        Bug::LentDoubled => {
            lent.units *= 2;
            lent.fair *= 2;
        }
        _ => {}
    }
}

/// Whether a bug is in what is read of storage.
fn alters_loaded(bug: Bug) -> bool {
    [Bug::LeaseForgotten, Bug::SettledTwice, Bug::UndoneForgotten].contains(&bug)
}

/// Whether what an object remembers of its storage would hide a bug until it starts again.
pub fn is_hidden_by_memory(bug: Bug) -> bool {
    bug == Bug::NoWrite || alters_loaded(bug)
}

/// What a bug makes of a row that is read; `None`: nothing.
pub fn alter_loaded(bug: Bug, text: &str, now_ms: u64) -> Option<String> {
    if !alters_loaded(bug) {
        return None;
    }
    let mut row: Value = serde_json::from_str(text).ok()?;
    match bug {
        Bug::LeaseForgotten => {
            let ends = |lease: &Value| lease["ends_at_ms"].as_u64().unwrap_or(0);
            if let Some(leases) = row["leases"].as_array_mut() {
                leases.retain(|lease| ends(lease) > now_ms);
            }
        }
        Bug::UndoneForgotten => {
            let questions = row["questions"].as_object_mut()?;
            questions.remove("undone");
        }
        _ => {
            let leases = row["leases"].as_array();
            let used = leases.into_iter().flatten().map(|one| one["used"].as_u64());
            let used: u64 = used.map(|one| one.unwrap_or(0)).sum();
            free(&mut row["meter"], used);
        }
    }
    Some(row.to_string())
}

/// Frees units of a window, the newest first.
fn free(meter: &mut Value, mut units: u64) {
    let Some(held) = meter["window"]["held"].as_array_mut() else {
        return;
    };
    for entry in held.iter_mut().rev() {
        let there = entry[1].as_u64().unwrap_or(0);
        let freed = units.min(there);
        entry[1] = Value::from(there - freed);
        units -= freed;
    }
}

/// What a bug makes of a row of an object that starts again; `None`: nothing.
pub fn restart(bug: Bug, text: &str) -> Option<String> {
    if bug != Bug::RestartForgets {
        return None;
    }
    let mut row: Value = serde_json::from_str(text).ok()?;
    row["leases"] = Value::Array(Vec::new());
    Some(row.to_string())
}
