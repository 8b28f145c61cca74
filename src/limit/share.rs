//! A share of a short window, as the isolate that holds it spends it: so many units in every window.
//!
//! Owns: the isolate's own count of its share. Does not own: how large it is (`limit::row`).
//! Called by: `limit::purse`.
//!
//! Windows of different holders add up: where no holder uses more than its share in any window and
//! all shares together are no more than the limit, no window holds more than the limit.

use crate::facts::UnixMs;
use crate::limit::meter::SHARED_MS_MAX;
use crate::limit::row::CLOCK_ERROR_MS;
use crate::limit::window::{Window, WindowRule};
use crate::limit::wire::{Lent, Report};

/// What an isolate's clock may be wrong by over one short window: it counts so much longer.
const SHARE_CLOCK_ERROR_MS: u64 = 50;
/// How long one that is never used again is remembered after its end: no window lasts so long.
const VOID_MS: u64 = 2 * SHARED_MS_MAX;
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
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum State {
    Open,
    /// The object was told that it is given up. It may not have heard, and lend it for longer: so
    /// what was spent of it is not forgotten before another share is there.
    Closed,
    /// The clock ran back: nobody knows what was spent when. It is given up, and never used again.
    Void,
}

impl Share {
    pub(super) fn new(rule: WindowRule, sent_ms: UnixMs, lent: Lent) -> Self {
        let margin_ms = rule.window_ms / DRIFT_PART + SHARE_CLOCK_ERROR_MS;
        Self {
            seq: lent.seq,
            units: lent.units,
            fair: lent.fair,
            expires_ms: sent_ms.saturating_add(lent.ttl_ms),
            rule: WindowRule {
                window_ms: rule.window_ms.saturating_add(margin_ms),
                ..rule
            },
            spent: Window::default(),
            last_used_ms: 0,
            told_seq: lent.seq,
            state: State::Open,
        }
    }

    pub(super) fn left(&self, now_ms: UnixMs) -> u64 {
        match self.is_open(now_ms) {
            true => self.size().saturating_sub(self.spent.used(now_ms)),
            false => 0,
        }
    }

    pub(super) fn is_open(&self, now_ms: UnixMs) -> bool {
        self.state == State::Open && self.expires_ms > now_ms
    }

    /// Whether it has ended, and the object was not told.
    pub(super) fn has_ended(&self, now_ms: UnixMs) -> bool {
        match self.state {
            State::Open => self.expires_ms <= now_ms,
            State::Closed => false,
            State::Void => true,
        }
    }

    /// Whether nothing of it needs to be remembered.
    pub(super) fn is_idle(&self, now_ms: UnixMs) -> bool {
        match self.state {
            State::Open => false,
            State::Closed => self.spent.used(now_ms) == 0,
            State::Void => self.expires_ms.saturating_add(VOID_MS) <= now_ms,
        }
    }

    /// Never uses it again.
    pub(super) fn distrust(&mut self) {
        self.state = State::Void;
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
        if !ends && (want == 0 || self.state == State::Closed) {
            return None;
        }
        self.told_seq = asked_seq;
        if self.state == State::Void {
            // All of it, just now: nobody can say less.
            return Some(Report {
                seq: self.seq,
                used: self.units,
                age_ms: 0,
                keep: 0,
                open: false,
            });
        }
        if ends {
            self.state = State::Closed;
        }
        self.units = if ends { 0 } else { self.size().min(want) };
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
        if self.state == State::Closed && asked_seq >= self.told_seq {
            self.state = State::Open;
        }
        // An answer to an older question than the last one that told how much is kept does not know
        // of it.
        self.units = match asked_seq >= self.told_seq {
            true => lent.units,
            false => self.units.min(lent.units),
        };
    }
}
