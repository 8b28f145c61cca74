//! What a counter object does when its alarm rings: it keeps what still counts, and nothing else.
//!
//! Owns: that decision. Called by: `edge::limiter`.

use crate::facts::UnixMs;

/// What an object holds when its alarm rings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holding {
    /// When the last unit of its windows is free; 0 if none is held.
    pub empty_at_ms: UnixMs,
    /// When its last mark may go; `None` if it has none, `UnixMs::MAX` for one that stays.
    pub marks_end_at_ms: Option<UnixMs>,
    pub has_uses: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tidy {
    /// Units are held: look again then.
    Wait { until_ms: UnixMs },
    /// The windows go, and the marks if they have ended; the rest stays.
    Keep {
        drop_marks: bool,
        /// When to look again, if ever.
        look_at_ms: Option<UnixMs>,
    },
    /// Nothing counts any more: storage that is empty costs nothing.
    Clear,
}

/// Decides what becomes of what an object holds at `now_ms`.
pub fn tidy(holding: Holding, now_ms: UnixMs) -> Tidy {
    if holding.empty_at_ms > now_ms {
        return Tidy::Wait {
            until_ms: holding.empty_at_ms,
        };
    }
    let marks_end_at_ms = holding.marks_end_at_ms.filter(|end_ms| *end_ms > now_ms);
    match (marks_end_at_ms, holding.has_uses) {
        (None, false) => Tidy::Clear,
        (None, true) => Tidy::Keep {
            drop_marks: holding.marks_end_at_ms.is_some(),
            look_at_ms: None,
        },
        (Some(end_ms), _) => Tidy::Keep {
            drop_marks: false,
            look_at_ms: (end_ms < UnixMs::MAX).then_some(end_ms),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_outlive_windows_and_uses_outlive_marks() {
        let now_ms = 1_000;
        let keep = |drop_marks, look_at_ms| Tidy::Keep {
            drop_marks,
            look_at_ms,
        };
        for (empty_at_ms, marks_end_at_ms, has_uses, expected) in [
            (0, None, false, Tidy::Clear),
            (1_000, None, false, Tidy::Clear),
            (1_001, None, false, Tidy::Wait { until_ms: 1_001 }),
            (1_001, Some(5_000), true, Tidy::Wait { until_ms: 1_001 }),
            (0, Some(5_000), false, keep(false, Some(5_000))),
            (0, Some(UnixMs::MAX), false, keep(false, None)),
            (0, Some(1_000), false, Tidy::Clear),
            (0, Some(1_000), true, keep(true, None)),
            (0, Some(5_000), true, keep(false, Some(5_000))),
            (0, None, true, keep(false, None)),
        ] {
            let holding = Holding {
                empty_at_ms,
                marks_end_at_ms,
                has_uses,
            };
            assert_eq!(tidy(holding, now_ms), expected, "{holding:?}");
        }
    }
}
