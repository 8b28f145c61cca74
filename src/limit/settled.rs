//! What a row heard of holders that set charges right, so that each settling counts once.
//!
//! Owns: that memory and its bounds. Called by: `limit::row`.
//!
//! A settling is told from its copies as packets are (the anti-replay window of RFC 4303 §3.4.3):
//! by the greatest turn that was heard of a holder, and a bit for each of those just before it.
//! What is forgotten after [`RECEIPT_MS_MAX`] cannot come again: by then its receipts are too old.

use serde::{Deserialize, Serialize};

use crate::facts::UnixMs;
use crate::limit::wire::HolderId;

/// How long after a charge it can be set right: as long as the longest permit.
pub const RECEIPT_MS_MAX: u64 = 600_000;
/// Most holders of one row that may set charges right at the same time.
pub const HEARD_MAX: usize = 1_024;
/// How far behind the newest a settling may come.
const TURNS: u64 = 64;

/// What was heard, holder by holder.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Heard(Vec<HeardOf>);

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct HeardOf {
    holder: HolderId,
    turn: u64,
    /// Bit `n`: the settling `n` turns before `turn` was heard.
    before: u64,
    at_ms: UnixMs,
}

impl Heard {
    /// Whether a settling is heard for the first time; if so, that is noted. One that comes too late
    /// to tell, or from one holder too many, counts as heard.
    pub fn is_first(&mut self, now_ms: UnixMs, holder: HolderId, turn: u64) -> bool {
        self.0
            .retain(|one| one.at_ms.saturating_add(RECEIPT_MS_MAX) >= now_ms);
        let Some(known) = self.0.iter_mut().find(|one| one.holder == holder) else {
            let has_room = self.0.len() < HEARD_MAX;
            if has_room {
                self.0.push(HeardOf {
                    holder,
                    turn,
                    before: 1,
                    at_ms: now_ms,
                });
            }
            return has_room;
        };
        let is_first = match turn.checked_sub(known.turn) {
            Some(ahead @ 1..) => {
                known.before = u32::try_from(ahead)
                    .ok()
                    .and_then(|ahead| known.before.checked_shl(ahead))
                    .unwrap_or(0)
                    | 1;
                known.turn = turn;
                true
            }
            _ => {
                let behind = known.turn.saturating_sub(turn);
                let bit = 1_u64 << (behind % TURNS);
                let is_new = behind < TURNS && known.before & bit == 0;
                if is_new {
                    known.before |= bit;
                }
                is_new
            }
        };
        if is_first {
            known.at_ms = now_ms;
        }
        is_first
    }

    /// When nothing needs to be remembered any more; 0 if nothing is.
    pub fn ends_at_ms(&self) -> UnixMs {
        let ends = self
            .0
            .iter()
            .map(|one| one.at_ms.saturating_add(RECEIPT_MS_MAX));
        ends.max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How much of a limit was refunded lately.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Refunded {
    since_ms: UnixMs,
    units: u64,
}

/// Of a limit, a part of this many may be refunded in a window.
pub const REFUND_PART: u64 = 10;

impl Refunded {
    /// How many of `units` may be refunded at `now_ms`, which counts them: a tenth of the limit, at
    /// least 1, in each window.
    pub fn allow(&mut self, now_ms: UnixMs, window_ms: u64, capacity: u64, units: u64) -> u64 {
        if now_ms.saturating_sub(self.since_ms) >= window_ms {
            *self = Self {
                since_ms: now_ms,
                units: 0,
            };
        }
        let most = (capacity / REFUND_PART).max(1);
        let allowed = units.min(most.saturating_sub(self.units));
        self.units = self.units.saturating_add(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn turns_count_once_in_any_order_and_not_when_too_late_to_tell() {
        let mut heard = Heard::default();
        for (turn, first) in [
            (5, true),
            (5, false),
            (7, true),
            (6, true),
            (6, false),
            (5, false),
            (71, true),
            (7, false),
            (8, true),
            (1_000_000, true),
            (999_936, false),
            (999_937, true),
            (u64::MAX, true),
            (0, false),
        ] {
            assert_eq!(heard.is_first(0, 1, turn), first, "{turn}");
        }
        assert!(heard.is_first(0, 2, 5));
    }

    #[test]
    fn one_holder_too_many_is_not_heard_until_another_is_forgotten() {
        let mut heard = Heard::default();
        for holder in 0..HEARD_MAX as u64 {
            assert!(heard.is_first(0, holder, 1));
        }
        assert!(!heard.is_first(RECEIPT_MS_MAX, 1_000, 1));
        assert!(heard.is_first(RECEIPT_MS_MAX + 1, 1_000, 1));
    }

    #[test]
    fn a_tenth_is_refunded_in_a_window_and_no_more() {
        let mut refunded = Refunded::default();
        let allowed: Vec<_> = (0..3)
            .map(|_| refunded.allow(1_000_000, 60_000, 100, 4))
            .collect();
        assert_eq!(allowed, [4, 4, 2]);
        assert_eq!(refunded.allow(1_059_999, 60_000, 100, 1), 0);
        assert_eq!(refunded.allow(1_060_000, 60_000, 100, 1), 1);
        assert_eq!(Refunded::default().allow(60_000, 60_000, 3, 2), 1);
    }

    proptest! {
        #[test]
        fn no_turn_counts_twice(turns in prop::collection::vec(0..200_u64, 1..400)) {
            let mut heard = Heard::default();
            let mut first = std::collections::HashSet::new();
            for turn in turns {
                if heard.is_first(0, 1, turn) {
                    prop_assert!(first.insert(turn));
                }
            }
        }
    }
}
