//! A share of a short window, as the isolate that holds it spends it: so many units in every window.
//!
//! Owns: the isolate's own count of its share. Does not own: how large it is (`limit::row`).
//! Called by: `limit::purse`.
//!
//! Windows of different holders add up: where no holder uses more than its share in any window and
//! all shares together are no more than the limit, no window holds more than the limit.
//!
//! A share that is over is kept: what was used of it counts on for the holder as long as it counts
//! at all, whatever share comes next. An answer on its way, or a report that never arrives, may have
//! the object lend the same share again.

use crate::facts::UnixMs;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::window::{Window, WindowRule};
use crate::limit::wire::{Lent, Report};

/// What an isolate's clock may be wrong by over one short window: it counts so much longer.
const SHARE_CLOCK_ERROR_MS: u64 = 50;
/// How far clocks may run apart: a part of this many.
const DRIFT_PART: u64 = 64;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Share {
    pub(super) seq: u64,
    units: u64,
    /// The part to go on with, where others wait for theirs.
    fair: u64,
    pub(super) expires_ms: UnixMs,
    rule: WindowRule,
    spent: Window,
    last_used_ms: UnixMs,
    /// The last question that told the object how much is kept.
    told_seq: u64,
}

impl Share {
    pub(super) fn new(rule: WindowRule, sent_ms: UnixMs, lent: Lent) -> Self {
        let margin_ms = rule.window_ms / DRIFT_PART + SHARE_CLOCK_ERROR_MS;
        let rule = WindowRule {
            window_ms: rule.window_ms.saturating_add(margin_ms),
            ..rule
        };
        Self {
            seq: lent.seq,
            units: lent.units,
            fair: lent.fair,
            expires_ms: sent_ms.saturating_add(lent.ttl_ms),
            rule,
            spent: Window::of(rule),
            last_used_ms: 0,
            told_seq: lent.seq,
        }
    }

    /// Goes on after an older one of the same holder: what was used of that counts on.
    pub(super) fn after(mut self, older: Option<Self>) -> Self {
        if let Some(older) = older {
            self.spent = older.spent;
            self.spent.fit(self.rule);
            self.last_used_ms = older.last_used_ms;
        }
        self
    }

    /// Ends it because the clock ran back to `now_ms`: what was used counts as used now.
    pub(super) fn distrust(&mut self, now_ms: UnixMs) {
        self.end();
        let used = self.spent.used(0);
        self.spent = Window::of(self.rule);
        self.spent.take(self.rule, now_ms, used);
        self.last_used_ms = now_ms;
    }

    pub(super) fn ended(mut self) -> Self {
        self.end();
        self
    }

    /// Ends it, as far as its holder is concerned.
    fn end(&mut self) {
        self.units = 0;
        self.expires_ms = 0;
    }

    pub(super) fn left(&self, now_ms: UnixMs) -> u64 {
        match self.is_open(now_ms) {
            true => self.size().saturating_sub(self.spent.used(now_ms)),
            false => 0,
        }
    }

    pub(super) fn is_open(&self, now_ms: UnixMs) -> bool {
        self.expires_ms > now_ms
    }

    /// Whether it has ended, and the object was not told.
    pub(super) fn has_ended(&self, now_ms: UnixMs) -> bool {
        self.expires_ms > 0 && !self.is_open(now_ms)
    }

    /// Whether nothing of it has to be remembered any more.
    pub(super) fn is_idle(&self, now_ms: UnixMs) -> bool {
        !self.is_open(now_ms) && self.spent.used(now_ms) == 0
    }

    /// Units of each window, for now.
    pub(super) fn size(&self) -> u64 {
        self.units.min(self.fair)
    }

    /// Spends units that are left.
    pub(super) fn spend(&mut self, now_ms: UnixMs, units: u64) {
        self.spent.forget(now_ms);
        self.spent.take(self.rule, now_ms, units);
        self.last_used_ms = now_ms;
    }

    pub(super) fn unspend(&mut self, now_ms: UnixMs, at_ms: UnixMs, units: u64) {
        self.spent.give_back(self.rule, now_ms, at_ms, units);
    }

    /// The wait until the share itself has room again.
    pub(super) fn wait_ms(&self, now_ms: UnixMs, units: u64) -> Option<u64> {
        let rule = WindowRule {
            limit: self.size(),
            ..self.rule
        };
        (units <= rule.limit && self.is_open(now_ms))
            .then(|| self.spent.wait_ms(rule, now_ms, units))
    }

    /// What was used in the last window, and how much is kept: from now on, no more is spent. `None`:
    /// there is nothing to say.
    ///
    /// - `asked_seq`: the question that this goes with.
    /// - `want`: the share that it asks for; nothing is kept of one that has ended.
    pub(super) fn report(&mut self, now_ms: UnixMs, asked_seq: u64, want: u64) -> Option<Report> {
        let ends = self.has_ended(now_ms);
        if !ends && (want == 0 || !self.is_open(now_ms)) {
            return None;
        }
        self.told_seq = asked_seq;
        self.units = self.size().min(want);
        if ends {
            self.end();
        }
        let age_ms = now_ms.saturating_sub(self.last_used_ms);
        Some(Report {
            seq: self.seq,
            used: self.spent.used(now_ms),
            age_ms: age_ms.saturating_sub(CLOCK_ERROR_MS),
            keep: self.units,
            open: false,
        })
    }

    /// Takes an answer that lends it for longer, or more of it.
    pub(super) fn extend(&mut self, asked_seq: u64, sent_ms: UnixMs, lent: Lent) {
        self.expires_ms = self.expires_ms.max(sent_ms.saturating_add(lent.ttl_ms));
        self.fair = lent.fair;
        // An answer to an older question than the last one that told how much is kept does not know
        // of it.
        self.units = match asked_seq >= self.told_seq {
            true => lent.units,
            false => self.units.min(lent.units),
        };
    }
}
