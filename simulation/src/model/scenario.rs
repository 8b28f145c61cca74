//! What is explored: which limit, how time passes, and how much of each mishap there may be.
//!
//! Owns: the bounds of the model. Does not own: what a step does (`model::{isolate, object}`).

use crate::limit::bucket::BucketRule;
use crate::limit::meter::MeterRule;
use crate::limit::period::{PeriodRule, Span};
use crate::limit::window::WindowRule;
use crate::model::bugs::Bug;

/// The object's clock at the beginning: the begin of a period of any length that is used here.
pub const START_MS: u64 = 1_800_000_000_000;

/// How often each may happen from the beginning to the end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Budget {
    pub questions: u8,
    /// Questions that arrive once more.
    pub copies: u8,
    /// Isolates that die, and wake as another holder.
    pub crashes: u8,
    /// Steps of an isolate's clock.
    pub clock_steps: u8,
    /// Steps of the object's clock.
    pub object_steps: u8,
    /// Of each length in [`Scenario::passes_ms`], how often time passes so far.
    pub passes: [u8; 2],
}

/// One limit, and the bounds of what may happen to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub rule: MeterRule,
    /// How far into a period it begins.
    pub begins_ms: u64,
    pub passes_ms: [u64; 2],
    /// What the object may be asked: the units of a request, or 0, and those to have lent.
    pub asks: &'static [(u64, u64)],
    /// Units of a request that is served from what is lent.
    pub leased: u64,
    /// What an isolate's clock may show beyond the object's first one.
    pub offsets_ms: &'static [i64],
    /// Whether an isolate reads its clock just before and after a step.
    pub is_seen: bool,
    /// One step of the object's clock.
    pub object_step_ms: i64,
    /// Whether requests may be refused elsewhere after the object charged them.
    pub settles: bool,
    /// Whether questions may be given up: what they took is undone.
    pub undoes: bool,
    /// Whether messages may come later than anybody waits for them.
    pub is_late: bool,
    /// Whether it is watched that what nobody uses is free again.
    pub watches_quiet: bool,
    pub budget: Budget,
    pub bug: Option<Bug>,
}

impl Scenario {
    /// Whether the object's time only grows: then it is the same whether a row is opened at every
    /// instant or when it is asked about.
    pub fn is_steady(&self) -> bool {
        !self.is_late && self.budget.object_steps == 0 && self.bug.is_none()
    }

    /// The same with a fault sown into it.
    #[must_use]
    pub fn with(mut self, bug: Bug) -> Self {
        self.bug = Some(bug);
        bug.arm(&mut self);
        self
    }

    /// Whether it matters when it begins.
    pub fn is_of_periods(&self) -> bool {
        matches!(self.rule, MeterRule::Period(_))
    }

    /// After how long without a question nothing can be held any more.
    pub fn quiet_ms(&self) -> u64 {
        use crate::limit::row::CLOCK_ERROR_MS;
        let window_ms = self.rule.window_ms().unwrap_or(0);
        let back_ms = u64::from(self.budget.object_steps) * self.object_step_ms.unsigned_abs();
        window_ms + self.rule.lease_ms() + CLOCK_ERROR_MS + back_ms + 1
    }
}

/// Three questions that may come late and in any order.
const QUESTIONS: Budget = Budget {
    questions: 3,
    copies: 0,
    crashes: 0,
    clock_steps: 0,
    object_steps: 0,
    passes: [2, 1],
};
/// Two questions, one of which may come twice, and a clock that steps.
const MISHAPS: Budget = Budget {
    questions: 2,
    copies: 1,
    crashes: 0,
    clock_steps: 1,
    object_steps: 0,
    passes: [3, 1],
};
/// An isolate that dies, and an object whose clock runs back.
const CRASHES: Budget = Budget {
    questions: 2,
    copies: 0,
    crashes: 1,
    clock_steps: 0,
    object_steps: 1,
    passes: [2, 1],
};

/// Units lent of a sliding window. A lease holds two of a hundred units, so a request may ask for
/// the other 98 at once. Time passes by just less than a lease, and by just less than the window.
pub fn window() -> Scenario {
    Scenario {
        name: "sliding window",
        rule: MeterRule::Window(WindowRule {
            limit: 100,
            window_ms: 5_500,
        }),
        begins_ms: 0,
        passes_ms: [499, 5_499],
        asks: &[(98, 0), (1, 2)],
        leased: 1,
        offsets_ms: &[-500, 0],
        is_seen: false,
        object_step_ms: -500,
        settles: false,
        undoes: false,
        is_late: false,
        watches_quiet: false,
        budget: QUESTIONS,
        bug: None,
    }
}

/// Units lent of a bucket: two of eight.
pub fn bucket() -> Scenario {
    Scenario {
        name: "bucket",
        rule: MeterRule::Bucket(BucketRule {
            capacity: 8,
            interval_ns: 250_000_000,
        }),
        passes_ms: [499, 249],
        asks: &[(6, 0), (1, 2)],
        ..window()
    }
}

/// Units lent of a fixed window, around its end.
pub fn period() -> Scenario {
    Scenario {
        name: "fixed window",
        rule: MeterRule::Period(PeriodRule {
            limit: 100,
            span: Span::Fixed { window_ms: 10_000 },
        }),
        begins_ms: 8_400,
        passes_ms: [549, 249],
        ..window()
    }
}

/// Shares of a short window.
pub fn shares() -> Scenario {
    Scenario {
        name: "shares",
        rule: MeterRule::Window(WindowRule {
            limit: 10,
            window_ms: 1_000,
        }),
        passes_ms: [499, 999],
        asks: &[(5, 5), (0, 10)],
        leased: 5,
        offsets_ms: &[-50, 0],
        ..window()
    }
}

/// Charges that are given back because another limit refuses.
pub fn settlings() -> Scenario {
    Scenario {
        name: "settlings",
        asks: &[(50, 0)],
        settles: true,
        offsets_ms: &[0],
        budget: Budget {
            questions: 4,
            copies: 1,
            ..QUESTIONS
        },
        ..window()
    }
}

/// Questions that are given up, before or after they arrive.
pub fn undoings() -> Scenario {
    Scenario {
        name: "undoings",
        undoes: true,
        budget: Budget {
            questions: 4,
            copies: 2,
            passes: [1, 0],
            ..QUESTIONS
        },
        ..settlings()
    }
}

/// A clock that steps back by more than a lease allows for, but is seen to.
pub fn seen_steps() -> Scenario {
    Scenario {
        name: "a clock seen to run back",
        passes_ms: [1_100, 5_499],
        offsets_ms: &[-1_000, 0],
        is_seen: true,
        budget: Budget {
            clock_steps: 1,
            passes: [1, 1],
            ..QUESTIONS
        },
        ..window()
    }
}

/// That what nobody uses is free again, and then somebody is admitted.
pub fn quiet() -> Scenario {
    Scenario {
        name: "after a pause",
        watches_quiet: true,
        passes_ms: [999, 5_499],
        ..window()
    }
}

/// A short window under a clock that is seen to run back: what was used counts on.
pub fn seen_shares() -> Scenario {
    Scenario {
        name: "shares, a clock seen to run back",
        offsets_ms: &[-1_000, 0],
        ..seen_steps()
    }
    .of(&shares())
}

impl Scenario {
    /// The limit of another scenario, under this one's bounds.
    fn of(self, other: &Self) -> Self {
        Self {
            rule: other.rule.clone(),
            passes_ms: other.passes_ms,
            asks: other.asks,
            leased: other.leased,
            ..self
        }
    }

    fn under(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }
}

/// What is explored in every test run.
pub fn all() -> Vec<Scenario> {
    let steps = Budget {
        clock_steps: 1,
        ..QUESTIONS
    };
    let mut all = vec![
        settlings(),
        undoings(),
        seen_steps(),
        seen_shares(),
        quiet(),
    ];
    all.push(window().under(steps));
    // An isolate whose clock is three seconds behind the object's all the time.
    let mut behind = window().under(QUESTIONS);
    behind.offsets_ms = &[-3_000];
    all.push(behind);
    for scenario in [window(), bucket(), period(), shares()] {
        for budget in [QUESTIONS, MISHAPS, CRASHES] {
            all.push(scenario.clone().under(budget));
        }
    }
    all
}

/// What is explored when there is time: a question more of everything, a clock that steps meanwhile,
/// and messages however late.
pub fn deep() -> Vec<Scenario> {
    let mut all = Vec::new();
    for scenario in [window(), bucket(), period(), shares()] {
        for budget in [QUESTIONS, MISHAPS, CRASHES] {
            let mut late = scenario.clone().under(budget);
            late.is_late = true;
            all.push(late);
            let mut more = scenario.clone().under(budget);
            more.budget.questions += 1;
            all.push(more);
        }
        let mut steps = scenario.clone().under(QUESTIONS);
        steps.budget.clock_steps = 2;
        all.push(steps);
    }
    all
}
