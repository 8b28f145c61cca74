//! What a limit is, as the gate enforces it.
//!
//! Owns: the enforced form of `limits` in the policy. Does not own: reading it (`policy::gate`).

use crate::limit::meter::MeterRule;

/// Whom a limit counts by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CountBy {
    /// The client's address: IPv4, or the IPv6 prefix of the policy's length.
    Ip,
    /// The caller; an anonymous one is its address.
    Caller,
    /// The caller's tenant; a caller without one is its own tenant.
    Tenant,
    /// The route, whoever calls.
    Route,
    /// The whole service.
    Service,
    /// What the route's expression for this limit gives.
    Expression,
}

/// What a limit means when its counter does not answer in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnError {
    Refuse,
    Admit,
    /// A bounded counter of this isolate.
    Local,
}

/// Which requests share a counter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// All routes that name the limit.
    Service,
    Route,
}

/// Whether a rule decides, only records what it would have decided, or is not asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    #[default]
    Enforce,
    Observe,
    Off,
}

/// What a limit charges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Counts {
    #[default]
    Requests,
    /// Requests refused for their credential, against the address they come from.
    RefusedCredentials,
    /// Requests refused for the object they asked for, or answered by the origin as if.
    RefusedObjects,
}

/// One limit of the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LimitRule {
    /// The policy's name for it; also its name in `RateLimit-Policy`.
    pub name: String,
    pub by: CountBy,
    pub meter: MeterRule,
    pub on_error: OnError,
    pub scope: Scope,
    pub mode: Mode,
    pub counts: Counts,
    /// How many brokers stand between isolates and the counter; 0: none.
    pub brokers: u16,
}

impl LimitRule {
    /// Whether a request is charged what it costs. A refusal counts once, and a request
    /// that is open is one request, whatever they cost.
    pub fn takes_cost(&self) -> bool {
        self.counts == Counts::Requests && !self.is_of_permits()
    }

    /// Whether it is charged when a request is refused, and only asked for room before.
    pub fn is_of_refusals(&self) -> bool {
        match self.counts {
            Counts::Requests => false,
            Counts::RefusedCredentials | Counts::RefusedObjects => true,
        }
    }

    /// Whether it counts requests as long as they are open.
    pub fn is_of_permits(&self) -> bool {
        matches!(self.meter, MeterRule::Permits(_))
    }
}
