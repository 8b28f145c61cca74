//! When an isolate asks for more of a row, and for how much.
//!
//! Owns: that decision. Called by: `limit::wallet`.

use super::{Awaited, Purse};
use crate::facts::UnixMs;
use crate::limit::row::SCARCE_PART;

/// How long before they are needed units are asked for, beyond twice the time that answers take.
const LEAD_MS: u64 = 100;
/// Where little is left: for how much longer than that.
const TIGHT_MS: u64 = 150;
/// Units a second from which a row is hot: nobody waits for its object to say no, it is asked behind
/// the answers when something may be free.
const HOT_PER_S: u64 = 10;
/// How long an answer is awaited before another question for more is sent.
const AWAITED_MS: u64 = 2_000;
/// How long one question stands for all after a refusal, and the shortest time between two that are
/// asked behind the answers.
pub(super) const PROBE_MS: u64 = 150;

impl Purse {
    /// Units to ask for: what is likely to be used until the next lease, less what is there. Of a
    /// short window, the share that is likely to be used.
    pub(in crate::limit) fn want(&self, now_ms: UnixMs) -> u64 {
        match self.awaited.until_ms > now_ms {
            true => 0,
            false => self.wanted(now_ms),
        }
    }

    /// The same, whether or not an answer is awaited.
    pub(in crate::limit) fn wanted(&self, now_ms: UnixMs) -> u64 {
        let most = self.rule.lease_units_max();
        if let Some(window) = self.rule.shared() {
            let wanted = self.demand.within(now_ms, window.window_ms);
            return wanted.saturating_add(wanted / 4).min(most);
        }
        let lasting = self.lasting(now_ms);
        if self.is_tight {
            // Enough until the next answer. The object lends a part of what it is asked for.
            let span_ms = self.lead_ms().saturating_add(TIGHT_MS);
            let wanted = self.demand.within(now_ms, span_ms);
            return wanted.saturating_sub(lasting).saturating_mul(SCARCE_PART);
        }
        let lease_ms = self.term_ms.saturating_add(self.lead_ms());
        let wanted = self.demand.within(now_ms, lease_ms).min(most);
        wanted.saturating_sub(lasting)
    }

    /// How long before they are needed more units are asked for.
    fn lead_ms(&self) -> u64 {
        self.answer_ms.saturating_mul(2).saturating_add(LEAD_MS)
    }

    /// Notes how long an answer took.
    pub(in crate::limit) fn answered_in(&mut self, ms: u64) {
        let ms = ms.min(AWAITED_MS);
        self.answer_ms = (self.answer_ms.saturating_mul(3).saturating_add(ms)) / 4;
    }

    /// In how long more should be asked for behind the answers, if at all: while there still is some
    /// left, or when something may be free again.
    pub(in crate::limit) fn ask_in_ms(&self, now_ms: UnixMs) -> Option<u64> {
        if self.awaited.until_ms > now_ms {
            return None;
        }
        if self.runs_low(now_ms) {
            return Some(0);
        }
        if !self.is_hot(now_ms) {
            return None;
        }
        let renewed_ms = self.share.as_ref().and_then(|share| {
            let half_ms = self.rule.lease_ms() / 2;
            share
                .is_open(now_ms)
                .then(|| share.expires_ms.saturating_sub(half_ms))
        });
        let probed_ms = self.refused.map(|refused| {
            let next_ms = self.asked_ms.saturating_add(PROBE_MS);
            refused.ask_at_ms.max(next_ms)
        });
        let due_ms = renewed_ms.into_iter().chain(probed_ms).min()?;
        Some(due_ms.saturating_sub(now_ms))
    }

    fn runs_low(&self, now_ms: UnixMs) -> bool {
        let half_ms = self.rule.lease_ms() / 2;
        let want = self.want(now_ms);
        match &self.share {
            Some(share) => {
                let ages = share.expires_ms <= now_ms.saturating_add(half_ms);
                let is_small =
                    want > share.size() && now_ms >= self.asked_ms.saturating_add(2 * PROBE_MS);
                want > 0 && (ages || is_small)
            }
            None if self.refused.is_some_and(|one| one.ask_at_ms > now_ms) => false,
            None => {
                let soon = self.demand.within(now_ms, self.lead_ms());
                let balance = self.balance(now_ms);
                let lasts = self.lasting(now_ms) > 0;
                want > 0 && balance > 0 && (balance < soon || !lasts)
            }
        }
    }

    /// Notes that a question that may bring more will be sent at `at_ms`.
    pub(in crate::limit) fn will_ask(&mut self, at_ms: UnixMs) {
        self.awaited = Awaited {
            seq: 0,
            until_ms: at_ms.saturating_add(AWAITED_MS),
        };
    }

    /// Notes that a question is on its way. Where a refusal has just ended it is the only one for a
    /// moment: the others would find what it left.
    pub(in crate::limit) fn asked(&mut self, asked_seq: u64, now_ms: UnixMs, may_bring_more: bool) {
        if may_bring_more {
            self.awaited = Awaited {
                seq: asked_seq,
                until_ms: now_ms.saturating_add(AWAITED_MS),
            };
            self.asked_ms = now_ms;
        }
        if let Some(refused) = &mut self.refused
            && self.rule.lease_units_max() > 0
        {
            refused.ask_at_ms = now_ms.saturating_add(PROBE_MS);
            refused.until_ms = refused.until_ms.max(refused.ask_at_ms);
        }
    }

    pub(super) fn is_hot(&self, now_ms: UnixMs) -> bool {
        self.rule.lease_units_max() > 0 && self.demand.within(now_ms, 1_000) >= HOT_PER_S
    }
}
