//! What a run came to, in numbers.
//!
//! Called by: `world`, `main`.

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub requests: u64,
    pub admitted: u64,
    pub oracle_admitted: u64,
    /// Requests that waited for at least one object.
    pub waited: u64,
    /// Questions sent, for requests and errands.
    pub calls: u64,
    pub lent: u64,
    pub refused: u64,
    pub refused_locally: u64,
    /// Requests that ended with their isolate.
    pub killed: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub overloaded: u64,
    pub crashes: u64,
    pub steps: u64,
    /// The most that counted in any window, less the limit.
    pub over: i64,
    pub ends_ms: u64,
}

impl Figures {
    pub fn ratio(&self) -> f64 {
        part(self.admitted, self.oracle_admitted)
    }

    pub fn waited_part(&self) -> f64 {
        part(self.waited, self.requests)
    }

    pub fn calls_part(&self) -> f64 {
        part(self.calls, self.requests)
    }

    pub fn lent_per_call(&self) -> f64 {
        part(self.lent, self.calls)
    }

    pub fn local_refusals(&self) -> f64 {
        part(self.refused_locally, self.refused)
    }
}

fn part(some: u64, all: u64) -> f64 {
    some as f64 / all.max(1) as f64
}
