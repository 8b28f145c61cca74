//! An answer on its way to the caller, where bounds are asked for: how much may come, and how long
//! the next part is waited for.
//!
//! Owns: the arithmetic. Does not own: the stream (`edge::pump`), the clock.

use crate::facts::UnixMs;
use crate::origin::rule::AnswerBounds;

/// Why an answer was cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// More bytes than the bound.
    Size,
    /// Nothing came for too long.
    Idle,
    /// It took too long in all.
    Total,
    /// The origin broke off.
    Broken,
}

impl Cut {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Idle => "idle",
            Self::Total => "total",
            Self::Broken => "broken",
        }
    }
}

/// One answer, under way.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    bounds: AnswerBounds,
    ends_at_ms: UnixMs,
    bytes: u64,
}

impl Flow {
    /// - `sent_at_ms`: when the request went out.
    pub fn new(bounds: AnswerBounds, sent_at_ms: UnixMs) -> Self {
        Self {
            bounds,
            ends_at_ms: sent_at_ms.saturating_add(bounds.total_ms),
            bytes: 0,
        }
    }

    /// How long the next part may take, and what it is cut for if it takes longer.
    pub fn patience(&self, now_ms: UnixMs) -> (u64, Cut) {
        let left_ms = self.left_ms(now_ms);
        match left_ms < self.bounds.idle_ms {
            true => (left_ms, Cut::Total),
            false => (self.bounds.idle_ms, Cut::Idle),
        }
    }

    /// How long there is for anything.
    pub fn left_ms(&self, now_ms: UnixMs) -> u64 {
        // A clock that ran back gives no more time than there was.
        let left_ms = self.ends_at_ms.saturating_sub(now_ms);
        left_ms.min(self.bounds.total_ms)
    }

    /// Counts a part that came; it may leave if this is no error.
    pub fn take(&mut self, bytes: u64) -> Result<(), Cut> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes > self.bounds.bytes_max {
            true => Err(Cut::Size),
            false => Ok(()),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: AnswerBounds = AnswerBounds {
        bytes_max: 10,
        idle_ms: 100,
        total_ms: 1_000,
    };

    #[test]
    fn as_many_bytes_as_the_bound_pass_and_one_more_does_not() {
        let mut flow = Flow::new(BOUNDS, 0);
        assert_eq!(flow.take(4), Ok(()));
        assert_eq!(flow.take(6), Ok(()));
        assert_eq!(flow.take(0), Ok(()));
        assert_eq!(flow.take(1), Err(Cut::Size));
        assert_eq!(flow.take(u64::MAX), Err(Cut::Size));
    }

    #[test]
    fn each_part_has_its_time_and_all_of_them_theirs() {
        let flow = Flow::new(BOUNDS, 5_000);
        assert_eq!(flow.patience(5_000), (100, Cut::Idle));
        assert_eq!(flow.patience(5_900), (100, Cut::Idle));
        assert_eq!(flow.patience(5_901), (99, Cut::Total));
        assert_eq!(flow.patience(7_000), (0, Cut::Total));
        assert_eq!(flow.left_ms(0), 1_000);
    }
}
