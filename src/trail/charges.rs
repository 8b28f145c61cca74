//! What a request was charged so far, and how that is set right.
//!
//! Owns: that nothing is given back twice. What is to be done about it is left as errands.

use crate::limit::charge::Taken;
use crate::limit::errand::Errand;
use crate::limit::headers::LimitReport;
use crate::policy::gate::RefundCause;
use crate::trail::Trail;

impl Trail {
    /// Notes what came of one limit's charge; a second charge of the same limit adds to the first.
    pub fn report(&mut self, report: LimitReport) {
        match self.reported(&report.name) {
            Some(known) => {
                known.charged = known.charged.saturating_add(report.charged);
                known.remaining = report.remaining.or(known.remaining);
                known.frees_in_ms = report.frees_in_ms;
            }
            None => self.limits.push(report),
        }
    }

    /// Gives back what was taken, as far as `what` says so. The rows stay known: more may be charged
    /// to them later.
    pub fn give_back(&mut self, what: impl Fn(&Taken) -> bool) {
        let mut back = Vec::new();
        for one in self.taken.iter_mut().filter(|one| what(one)) {
            back.push(one.clone());
            one.units = 0;
        }
        for one in &back {
            self.charge_less(one, one.units);
        }
        self.leave(back, |taken| Errand::GiveBack { taken });
    }

    /// Gives back `units` of each row.
    pub fn give_back_units(&mut self, units: u64) {
        let mut back = Vec::new();
        for row in rows(&self.taken) {
            let mut left = units;
            let own = self.taken.iter_mut().filter(|one| is_of(one, &row));
            for one in own {
                let part = one.units.min(left);
                left = left.saturating_sub(part);
                one.units = one.units.saturating_sub(part);
                back.push(Taken {
                    units: part,
                    ..one.clone()
                });
            }
        }
        for one in &back {
            self.charge_less(one, one.units);
        }
        self.leave(back, |taken| Errand::GiveBack { taken });
    }

    /// Charges `units` more of each row, whether there is room or not.
    pub fn owe(&mut self, units: u64) {
        let taken = rows(&self.taken);
        for one in &taken {
            if let Some(known) = self.reported(&one.rule.name) {
                known.charged = known.charged.saturating_add(units);
                known.remaining = known.remaining.map(|left| left.saturating_sub(units));
            }
        }
        if !taken.is_empty() && units > 0 {
            self.errands.push(Errand::Owe { taken, units });
        }
    }

    /// Asks for a refund of all that was taken, once. How much of it is granted is told to nobody
    /// here: what was charged stands in the notes.
    pub fn refund(&mut self, cause: RefundCause) {
        let taken = std::mem::take(&mut self.taken);
        self.refund = Some(cause);
        self.leave(taken, |taken| Errand::Refund { taken });
    }

    fn charge_less(&mut self, taken: &Taken, units: u64) {
        if let Some(known) = self.reported(&taken.rule.name) {
            known.charged = known.charged.saturating_sub(units);
            known.remaining = known.remaining.map(|left| left.saturating_add(units));
        }
    }

    fn reported(&mut self, name: &str) -> Option<&mut LimitReport> {
        self.limits.iter_mut().find(|one| one.name == name)
    }

    fn leave(&mut self, mut taken: Vec<Taken>, errand: fn(Vec<Taken>) -> Errand) {
        taken.retain(|one| one.units > 0);
        if !taken.is_empty() {
            self.errands.push(errand(taken));
        }
    }
}

/// One of each row: a row may have been charged twice.
fn rows(taken: &[Taken]) -> Vec<Taken> {
    let mut rows: Vec<Taken> = Vec::new();
    for one in taken {
        if !rows.iter().any(|known| is_of(one, known)) {
            rows.push(one.clone());
        }
    }
    rows
}

fn is_of(one: &Taken, row: &Taken) -> bool {
    one.object == row.object && one.row == row.row
}
