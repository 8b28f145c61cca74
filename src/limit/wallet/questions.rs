//! The questions that an isolate puts to objects.
//!
//! Owns: what goes into one: charges, reports, settlings. Does not own: carrying it
//! (`limit::{plan, errand}`).

use super::{Sent, Wallet};
use crate::limit::charge::UnitCharge;
use crate::limit::wire::{Asking, Debt, ROWS_MAX, Receipt, RowCharge, Settling};
use crate::object::ObjectName;

/// Most settlings of one object that are kept until it heard of them; those beyond are dropped, and
/// what they would have freed counts until its time has passed.
const UNSETTLED_MAX: usize = 16;

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
            settling: None,
        }
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
        if let (Some(turn), Some(account)) = (turn, self.accounts.get_mut(object)) {
            account.unsettled.retain(|(_, one)| one.turn != turn);
        }
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn sent(&mut self, object: &ObjectName, seq: u64, rows: Vec<RowCharge>) -> Sent {
        let account = self.accounts.get(object);
        let unsettled = account.and_then(|account| account.unsettled.first().map(|(_, one)| one));
        Sent {
            asking: Asking {
                holder: self.holder,
                seq,
                at_ms: self.seen_ms,
                rows,
                settling: unsettled.cloned(),
            },
            at_ms: self.seen_ms,
        }
    }
}
