//! The questions that an isolate puts to objects.
//!
//! Owns: what goes into one: charges, reports, settlings. Does not own: carrying it
//! (`limit::{plan, errand}`).

use super::{Account, SILENT_MS, Sent, Wallet};
use crate::limit::charge::UnitCharge;
use crate::limit::ledger::takes;
use crate::limit::wire::{Asking, Debt, ROWS_MAX, Receipt, RowCharge, Settling, Undone};
use crate::object::ObjectName;

/// Most settlings of one object that are kept until it heard of them; those beyond are dropped, and
/// what they would have freed counts until its time has passed.
const UNSETTLED_MAX: usize = 16;

/// How long an object that was silent is left alone before it is told of what was given up: much of
/// that goes with one question, or with another that comes before.
pub(super) const UNDO_AFTER_MS: u64 = SILENT_MS;

impl Wallet {
    /// Makes the question for `units`, with what there is to report of their rows.
    ///
    /// - `charged`: whether the units are charged with it; otherwise it only asks for more.
    pub fn question<'u>(
        &mut self,
        object: &ObjectName,
        units: impl Iterator<Item = &'u UnitCharge>,
        charged: bool,
    ) -> Sent {
        let now_ms = self.seen_ms;
        let asked_seq = self.next_seq();
        let rows = units.map(|unit| {
            let mut row = RowCharge {
                row: unit.row.clone(),
                rule: unit.rule.meter.clone(),
                units: if charged { unit.units } else { 0 },
                want: 0,
                reports: Vec::new(),
                look: unit.look,
            };
            if let (false, Some(purse)) = (unit.look, self.find(object, unit)) {
                // A question for more was announced as awaited: it is this one.
                row.want = if charged {
                    purse.want(now_ms)
                } else {
                    purse.wanted(now_ms)
                };
                row.reports = purse.reports(now_ms, asked_seq, row.want);
                purse.asked(asked_seq, now_ms, row.want > 0);
            }
            row
        });
        let rows = rows.collect();
        self.sent(object, asked_seq, rows)
    }

    /// Makes the question about one row of which nothing is ever lent here.
    pub fn row_question(&mut self, row: RowCharge) -> Asking {
        let seq = self.next_seq();
        Asking {
            holder: self.holder,
            seq,
            at_ms: self.seen_ms,
            rows: vec![row],
            ..Asking::default()
        }
    }

    /// Gives up a question that brought nothing: what it took, or takes when it arrives, is undone. No
    /// answer to it may be taken from here on. The next question to the object tells it.
    pub fn give_up(&mut self, object: &ObjectName, sent: &Sent) {
        let now_ms = self.seen_ms;
        let seq = sent.asking.seq;
        let rows = sent.asking.rows.iter().filter(|row| takes(row));
        let rows = rows.map(|row| Undone {
            seq,
            row: row.row.clone(),
            rule: row.rule.clone(),
        });
        if let Some(account) = self.account(object) {
            account.closed(seq);
            account.give_up(now_ms, rows);
        }
    }

    /// In how long an object is to be told of what was given up, if nobody is to do so yet.
    pub fn tell_in_ms(&mut self, object: &ObjectName) -> Option<u64> {
        let now_ms = self.seen_ms;
        let account = self.accounts.get_mut(object)?;
        let needs = account.needs_telling(now_ms, UNDO_AFTER_MS);
        needs.then_some(UNDO_AFTER_MS)
    }

    /// Notes that what a question took stands, although no answer came: the request was let through.
    pub fn let_stand(&mut self, object: &ObjectName, sent: &Sent) {
        if let Some(account) = self.accounts.get_mut(object) {
            account.closed(sent.asking.seq);
        }
    }

    /// Makes the question that tells an object of questions that were given up, if it was not told
    /// yet.
    pub fn tell_given_up(&mut self, object: &ObjectName) -> Option<Sent> {
        let now_ms = self.seen_ms;
        let account = self.accounts.get_mut(object)?;
        account.forget(now_ms);
        if account.undone().is_empty() {
            return None;
        }
        let asked_seq = self.next_seq();
        Some(self.sent(object, asked_seq, Vec::new()))
    }

    /// Makes the question that tells an object what became of leases that have ended: what was not
    /// used of them is free before the object gives up waiting for word.
    pub fn hand_back(&mut self, object: &ObjectName) -> Option<Sent> {
        let now_ms = self.seen_ms;
        let asked_seq = self.next_seq();
        let account = self.accounts.get_mut(object)?;
        let ended = account.purses.iter_mut();
        let ended = ended.filter(|purse| purse.has_ended(now_ms));
        let rows = ended.map(|purse| RowCharge {
            row: purse.row.clone(),
            rule: purse.rule.clone(),
            units: 0,
            want: 0,
            reports: purse.reports(now_ms, asked_seq, 0),
            look: false,
        });
        let rows: Vec<_> = rows.take(ROWS_MAX).collect();
        (!rows.is_empty()).then(|| self.sent(object, asked_seq, rows))
    }

    /// Makes the question that sets right what an object charged at once. What it does not hear goes
    /// with the next question to it.
    pub fn settle(
        &mut self,
        object: &ObjectName,
        receipts: Vec<Receipt>,
        debts: Vec<Debt>,
    ) -> Option<Sent> {
        let now_ms = self.seen_ms;
        let account = self.account(object)?;
        account.turn += 1;
        let settling = Settling {
            turn: account.turn,
            receipts,
            debts,
        };
        account.forget(now_ms);
        if account.unsettled.len() >= UNSETTLED_MAX {
            account.unsettled.remove(0);
        }
        account.unsettled.push((now_ms, settling.clone()));
        let asked_seq = self.next_seq();
        let mut sent = self.sent(object, asked_seq, Vec::new());
        sent.asking.settling = Some(settling);
        Some(sent)
    }

    /// Notes that an object heard a question, whatever it answered.
    pub fn heard(&mut self, object: &ObjectName, sent: &Sent) {
        let turn = sent.asking.settling.as_ref().map(|settling| settling.turn);
        let Some(account) = self.accounts.get_mut(object) else {
            return;
        };
        account.closed(sent.asking.seq);
        account.heard_undone(&sent.asking.undone);
        account.unsettled.retain(|(_, one)| Some(one.turn) != turn);
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn sent(&mut self, object: &ObjectName, seq: u64, rows: Vec<RowCharge>) -> Sent {
        let now_ms = self.seen_ms;
        let account = self.accounts.get_mut(object).map(|account| {
            account.forget(now_ms);
            if rows.iter().any(takes) {
                account.opened(now_ms, seq);
            }
            &*account
        });
        let unsettled = account.and_then(|account| account.unsettled.first().map(|(_, one)| one));
        Sent {
            asking: Asking {
                holder: self.holder,
                seq,
                at_ms: self.seen_ms,
                rows,
                settling: unsettled.cloned(),
                open_seq: account.map_or(0, |account| account.open_seq(seq)),
                undone: account.map_or_else(Vec::new, Account::undone),
            },
            at_ms: self.seen_ms,
        }
    }
}
