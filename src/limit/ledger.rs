//! One object's rows: a question is answered in one synchronous step, all or nothing.
//!
//! Owns: the decision over several rows and what must be written before it is told.
//! Does not own: storage (`Rows`), the clock. Called by: `edge::limiter`.

use crate::facts::UnixMs;
use crate::limit::meter::MeterRule;
use crate::limit::row::{CLOCK_ERROR_MS, Grant, Row};
use crate::limit::wire::{
    Act, Answer, Asking, HolderId, KeyUse, Question, ROWS_MAX, RowCharge, RowGranted, RowRefused,
    SETTLED_MAX, Settling, WIRE_VERSION,
};
use crate::revocation::{Credential, Mark, Marks, MarksFull, RevokedBy};

/// Most reports of one row of a question: several of each lease.
pub const REPORTS_MAX: usize = 128;
/// How far an object's clock is believed ahead of the clock that a question shows: what clocks are
/// wrong by. A question that was longer on its way frees a little late.
pub const AHEAD_MS_MAX: u64 = CLOCK_ERROR_MS;

/// The object's clock, and how far it is believed.
#[derive(Clone, Copy)]
struct Now {
    ms: UnixMs,
    believed_ms: UnixMs,
}

/// An object's storage, synchronous: within one call nothing else touches it.
pub trait Rows {
    type Fault;
    fn load(&self, row: &str) -> Result<Option<Row>, Self::Fault>;
    fn save(&self, row: &str, state: &Row) -> Result<(), Self::Fault>;
    fn marks(&self) -> Result<Marks, Self::Fault>;
    fn save_marks(&self, marks: &Marks) -> Result<(), Self::Fault>;
    /// Counts uses of an API key; may be written later, and then a little of it lost.
    fn count_uses(&self, key_id: &str, uses: u64, now_ms: UnixMs) -> Result<(), Self::Fault>;
    fn key_use(&self, key_id: &str) -> Result<Option<KeyUse>, Self::Fault>;
}

/// Answers one question against `rows` at `now_ms`.
///
/// Every grant is saved before this returns; a refusal saves nothing but what was reported.
/// Fails only as the storage fails, and then grants nothing: the caller must not answer.
pub fn answer<R: Rows>(rows: &R, now_ms: UnixMs, question: &Question) -> Result<Answer, R::Fault> {
    if question.version != WIRE_VERSION {
        return Ok(Answer::NotUnderstood);
    }
    match &question.act {
        Act::Charge(asking) if is_sound(asking) => {
            let credential = question.credential.as_ref();
            if let Some(by) = credential.map_or(Ok(None), |one| revoked(rows, one))? {
                return Ok(Answer::Revoked(by));
            }
            let answer = charge(rows, now_ms, asking)?;
            if let (Some(Credential::Key { id }), Answer::Granted(_)) = (credential, &answer)
                && question.uses > 0
            {
                rows.count_uses(id, question.uses, now_ms)?;
            }
            Ok(answer)
        }
        Act::Charge(_) => Ok(Answer::NotUnderstood),
        Act::Mark(mark) => write_mark(rows, now_ms, mark),
        Act::Marks => Ok(Answer::Marks(rows.marks()?)),
        Act::Use { key_id } => Ok(Answer::Use(rows.key_use(key_id)?)),
    }
}

fn revoked<R: Rows>(rows: &R, credential: &Credential) -> Result<Option<RevokedBy>, R::Fault> {
    Ok(rows.marks()?.refuses(credential))
}

fn write_mark<R: Rows>(rows: &R, now_ms: UnixMs, mark: &Mark) -> Result<Answer, R::Fault> {
    let mut marks = rows.marks()?;
    match marks.add(mark, now_ms) {
        Ok(()) => rows.save_marks(&marks).map(|()| Answer::Marked),
        Err(MarksFull) => Ok(Answer::MarksFull),
    }
}

/// A row named twice would be read twice before it is written once, and so be charged once.
pub(super) fn is_sound(asking: &Asking) -> bool {
    let mut rows: Vec<_> = asking.rows.iter().map(|ask| ask.row.as_str()).collect();
    rows.sort_unstable();
    rows.dedup();
    let bounded = |ask: &RowCharge| ask.reports.len() <= REPORTS_MAX;
    let settles = asking.settling.as_ref().is_none_or(|settling| {
        settling.receipts.len() <= SETTLED_MAX && settling.debts.len() <= SETTLED_MAX
    });
    settles
        && asking.undone.len() <= SETTLED_MAX
        && rows.len() == asking.rows.len()
        && rows.len() <= ROWS_MAX
        && asking.rows.iter().all(bounded)
}

/// Sets right what was charged before, then charges all rows or none.
fn charge<R: Rows>(rows: &R, now_ms: UnixMs, asking: &Asking) -> Result<Answer, R::Fault> {
    // A clock that ran ahead frees units early: it is believed as far as the holder's is.
    let now = Now {
        ms: now_ms,
        believed_ms: asking.at_ms.saturating_add(AHEAD_MS_MAX),
    };
    if let Some(settling) = &asking.settling {
        settle(rows, now, asking.holder, settling)?;
    }
    undo(rows, now, asking)?;
    let mut states = Vec::with_capacity(asking.rows.len());
    for ask in &asking.rows {
        let mut state = opened(rows, &ask.row, &ask.rule, now)?;
        for report in &ask.reports {
            state.report(asking.holder, asking.seq, report);
        }
        states.push((ask, state));
    }
    if states
        .iter()
        .any(|(ask, state)| takes(ask) && state.is_over(asking.holder, asking.seq))
    {
        for (ask, state) in states.iter().filter(|(ask, _)| !ask.reports.is_empty()) {
            rows.save(&ask.row, state)?;
        }
        return Ok(Answer::Over);
    }
    let before = |(_, state): &(&RowCharge, Row)| state.granted_before(asking.holder, asking.seq);
    if states.iter().any(|one| before(one).is_some()) {
        let granted = states.iter().map(|one| told(one, before(one)));
        return Ok(Answer::Granted(granted.collect()));
    }
    if states.iter().any(|(ask, state)| ask.units > state.free()) {
        for (ask, state) in &mut states {
            let waits = ask.units > state.free() && state.wait_for_share(asking.holder);
            if waits || !ask.reports.is_empty() {
                rows.save(&ask.row, state)?;
            }
        }
        return Ok(Answer::Refused(states.iter().map(refused).collect()));
    }
    let mut granted = Vec::with_capacity(states.len());
    for (ask, mut state) in states {
        let grant = match ask.look {
            true => None,
            false => Some(state.grant(asking.holder, asking.seq, ask.units, ask.want)),
        };
        if takes(ask) {
            state.hear_open(asking.holder, asking.open_seq);
        }
        if takes(ask) || !ask.reports.is_empty() {
            rows.save(&ask.row, &state)?;
        }
        granted.push(told(&(ask, state), grant));
    }
    Ok(Answer::Granted(granted))
}

/// Gives back and charges what a holder says of charges before, row by row.
fn settle<R: Rows>(
    rows: &R,
    now: Now,
    holder: HolderId,
    settling: &Settling,
) -> Result<(), R::Fault> {
    let mut names: Vec<_> = settling.receipts.iter().map(|one| &one.row).collect();
    names.extend(settling.debts.iter().map(|one| &one.row));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let debts = || settling.debts.iter().filter(|debt| debt.row == *name);
        // What is gone by itself is nobody's to give back.
        let state = match (rows.load(name)?, debts().next()) {
            (Some(state), Some(debt)) => state.opened_by(&debt.rule, now.ms, now.believed_ms),
            (Some(state), None) => state.reopened(now.ms, now.believed_ms),
            (None, Some(debt)) => Row::new(&debt.rule).opened(&debt.rule, now.ms),
            (None, None) => continue,
        };
        let mut state = state;
        let receipts = settling.receipts.iter().filter(|one| one.row == *name);
        let owed = debts().fold(0, |sum: u64, debt| sum.saturating_add(debt.units));
        state.settle((holder, settling.turn), receipts, owed);
        rows.save(name, &state)?;
    }
    Ok(())
}

/// Frees what questions took that their holder has given up; such a question takes nothing any more.
fn undo<R: Rows>(rows: &R, now: Now, asking: &Asking) -> Result<(), R::Fault> {
    for undone in &asking.undone {
        let Some(state) = rows.load(&undone.row)? else {
            let mut state = Row::new(&undone.rule).opened(&undone.rule, now.ms);
            state.undo(asking.holder, undone.seq);
            // Where there is no room for another row, only a question that is late counts for longer.
            let _ = rows.save(&undone.row, &state);
            continue;
        };
        let mut state = state.reopened(now.ms, now.believed_ms);
        state.undo(asking.holder, undone.seq);
        rows.save(&undone.row, &state)?;
    }
    Ok(())
}

/// Whether a row may be charged, or lend something.
pub(super) fn takes(ask: &RowCharge) -> bool {
    !ask.look && (ask.units > 0 || ask.want > 0)
}

/// A row as it stands now, empty where there is none.
fn opened<R: Rows>(rows: &R, row: &str, rule: &MeterRule, now: Now) -> Result<Row, R::Fault> {
    let state = rows.load(row)?.unwrap_or_else(|| Row::new(rule));
    Ok(state.opened_by(rule, now.ms, now.believed_ms))
}

fn told((ask, state): &(&RowCharge, Row), grant: Option<Grant>) -> RowGranted {
    let units = if ask.look { ask.units } else { 0 };
    RowGranted {
        row: ask.row.clone(),
        remaining: state.free().saturating_sub(units),
        frees_in_ms: state.frees_in_ms(),
        at_ms: grant.map_or(0, |grant| grant.at_ms),
        lent: grant.and_then(|grant| grant.lent),
    }
}

fn refused((ask, state): &(&RowCharge, Row)) -> RowRefused {
    let free = state.free();
    RowRefused {
        row: ask.row.clone(),
        remaining: free,
        retry_after_ms: match ask.units > free {
            true => state.wait_ms(ask.units).unwrap_or(u64::MAX),
            false => 0,
        },
    }
}

#[cfg(test)]
mod tests;
