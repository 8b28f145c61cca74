//! The caller may do this, as far as it can be told without the content.

use serde_json::{Map, Value};

use crate::credential::caller::Caller;
use crate::credential::claims;
use crate::limit::rule::Mode;
use crate::policy::expression::{Decision, Expression};
use crate::policy::gate::{Gate, Require};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::limited::Limited;
use crate::stage::switching;
use crate::stage::tenant;
use crate::stage::view::Seen;
use crate::trail::{Refused, StageName};

/// How far the clock that tells of a login may be ahead.
const LEEWAY_S: u64 = 60;

/// Scopes, roles, tenant and the route's rule admit the caller; a rule that looks at the content is asked
/// by the next stage.
pub struct Authorized<'g> {
    limited: Limited<'g>,
}

impl<'g, B> Exchange<Limited<'g>, B> {
    /// Judges scopes, roles, login, tenant and the rule of the route.
    pub fn authorize(mut self) -> Result<Exchange<Authorized<'g>, B>, Refused> {
        // No mode lifts it: it tells one client from another, not one caller.
        if let Err(refusal) = switching::judge_sender(self.stage.identified()) {
            return Err(self.refuse(refusal));
        }
        let identified = self.stage.identified();
        let route = identified.routed().route();
        let mode = route.mode;
        let required = match mode {
            Mode::Off => Ok(()),
            Mode::Enforce | Mode::Observe => require(
                identified.routed().gate(),
                &route.require,
                identified.caller(),
            ),
        };
        let fresh = match mode {
            Mode::Off => Ok(()),
            Mode::Enforce | Mode::Observe => {
                let now_s = self.trail.facts.received_at_ms / 1_000;
                step_up(&route.require, identified.caller(), now_s)
            }
        };
        let early = route
            .allow
            .as_ref()
            .filter(|allow| !allow.needs_body() && mode != Mode::Off);
        let allowed = early.map_or(Ok(()), |allow| {
            ask(allow, &identified.seen(&self.trail.facts, &Value::Null))
        });
        let tenancy = route.tenancy.as_ref().filter(|_| mode != Mode::Off);
        let own = tenancy.map_or(Ok(()), |tenancy| {
            let routed = identified.routed();
            tenant::judge(tenancy, routed, identified.caller(), &self.trail.facts)
        });
        for found in [required, fresh, own, allowed] {
            if let Err(refusal) = self.settle(mode, found) {
                return Err(self.refuse(refusal));
            }
        }
        Ok(self.next(StageName::Validated, |limited| Authorized { limited }))
    }
}

impl<'g> Authorized<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        self.limited.identified()
    }
}

/// All the scopes and one of those of which any will do, held or granted by a role; and one of the
/// roles, had or inherited.
fn require(gate: &Gate, require: &Require, caller: &Caller) -> Result<(), Refusal> {
    if require.scopes.is_empty() && require.any_scopes.is_empty() && require.roles.is_empty() {
        return Ok(());
    }
    let Some(caller) = caller.known() else {
        return Err(Refusal::NoCredential);
    };
    let holds =
        |scope: &String| caller.scopes.contains(scope) || gate.roles.grant(&caller.roles, scope);
    let missing = require.scopes.iter().filter(|scope| !holds(scope));
    let missing: Vec<_> = missing.cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::MissingScopes { missing });
    }
    if !require.any_scopes.is_empty() && !require.any_scopes.iter().any(holds) {
        let any = require.any_scopes.clone();
        return Err(Refusal::MissingAnyScope { any });
    }
    let has = |role: &String| gate.roles.include(&caller.roles, role);
    if require.roles.is_empty() || require.roles.iter().any(has) {
        Ok(())
    } else {
        Err(Refusal::MissingRole)
    }
}

/// How and when the caller logged in (RFC 9470 §3): what its token does not tell, it has to prove
/// anew.
fn step_up(require: &Require, caller: &Caller, now_s: u64) -> Result<(), Refusal> {
    let none = Map::new();
    let claims = caller.known().map_or(&none, |caller| &caller.claims);
    let acr = claims.get("acr").and_then(Value::as_str);
    let fits =
        require.acr.is_empty() || acr.is_some_and(|acr| require.acr.iter().any(|one| one == acr));
    let fresh = require.max_auth_age_s.is_none_or(|age_s| {
        let logged_in_s = claims::date_s(claims, "auth_time").ok().flatten();
        logged_in_s.is_some_and(|at_s| {
            // A login to come is none: told in milliseconds, it would stay fresh for ever.
            at_s <= now_s.saturating_add(LEEWAY_S) && now_s <= at_s.saturating_add(age_s)
        })
    });
    match fits && fresh {
        true => Ok(()),
        false => Err(Refusal::StepUp {
            acr: require.acr.clone(),
            max_auth_age_s: require.max_auth_age_s,
        }),
    }
}

/// Asks a rule. Only `true` admits.
pub(super) fn ask(rule: &Expression, seen: &Seen<'_>) -> Result<(), Refusal> {
    match rule.decide(|member| seen.under(member)) {
        Decision::True => Ok(()),
        Decision::False => Err(Refusal::NotAllowed),
        Decision::Failed { why } => Err(Refusal::AllowFailed { why }),
    }
}
