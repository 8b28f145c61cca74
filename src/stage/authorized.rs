//! The caller may do this, as far as it can be told without the content.

use serde_json::{Map, Value, json};

use crate::credential::caller::Caller;
use crate::credential::claims;
use crate::facts::Facts;
use crate::limit::rule::Mode;
use crate::policy::expression::{Decision, Expression, Member};
use crate::policy::gate::{Gate, Require};
use crate::refusal::Refusal;
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::limited::Limited;
use crate::trail::{Refused, StageName};

/// How far the clock that tells of a login may be ahead.
const LEEWAY_S: u64 = 60;

/// Scopes, roles and the route's rule admit the caller; a rule that looks at the content is asked
/// by the next stage.
pub struct Authorized<'g> {
    limited: Limited<'g>,
}

impl<'g, B> Exchange<Limited<'g>, B> {
    /// Judges scopes, roles and the rule of the route.
    pub fn authorize(mut self) -> Result<Exchange<Authorized<'g>, B>, Refused> {
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
            ask(allow, identified, &self.trail.facts, &Value::Null)
        });
        for found in [required, fresh, allowed] {
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

/// All the scopes, held or granted by a role; and one of the roles.
fn require(gate: &Gate, require: &Require, caller: &Caller) -> Result<(), Refusal> {
    if require.scopes.is_empty() && require.roles.is_empty() {
        return Ok(());
    }
    let Some(caller) = caller.known() else {
        return Err(Refusal::NoCredential);
    };
    let holds = |scope: &&String| {
        caller.scopes.contains(scope)
            || caller
                .roles
                .iter()
                .any(|role| gate.role_grants(role, scope))
    };
    let missing: Vec<_> = require
        .scopes
        .iter()
        .filter(|scope| !holds(scope))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::MissingScopes { missing });
    }
    let has_role = require.roles.iter().any(|role| caller.roles.contains(role));
    if require.roles.is_empty() || has_role {
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
pub(super) fn ask(
    rule: &Expression,
    identified: &Identified<'_>,
    facts: &Facts,
    body: &Value,
) -> Result<(), Refusal> {
    match rule.decide(|member| view(member, identified, facts, body)) {
        Decision::True => Ok(()),
        Decision::False => Err(Refusal::NotAllowed),
        Decision::Failed { why } => Err(Refusal::AllowFailed { why }),
    }
}

/// What a rule sees under a name. Anonymous callers have empty text and lists.
fn view(member: &Member, identified: &Identified<'_>, facts: &Facts, body: &Value) -> Value {
    let routed = identified.routed();
    let known = identified.caller().known();
    match (member.root, member.name.as_str()) {
        ("request", "method") => json!(routed.method().as_str()),
        ("request", "path") => json!(routed.path().as_str()),
        ("request", "query") => object(
            routed
                .query()
                .pairs()
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str())),
        ),
        ("request", "headers") => {
            let credential = &routed.gate().credential_headers;
            object(
                facts
                    .headers
                    .iter()
                    .filter(|(name, _)| !credential.iter().any(|one| one == name)),
            )
        }
        ("request", "body") => body.clone(),
        ("request", "ip") => json!(routed.address().to_string()),
        ("request", "country") => json!(facts.connection.country),
        ("request", "time") => json!(facts.received_at_ms / 1_000),
        ("path", name) => {
            let value = routed.parameters().iter().find(|(known, _)| known == name);
            json!(value.map(|(_, value)| value))
        }
        ("caller", "kind") => json!(known.map_or("anonymous", |caller| caller.kind.as_str())),
        ("caller", "subject") => json!(known.map_or("", |caller| caller.subject.as_str())),
        ("caller", "tenant") => json!(known.and_then(|caller| caller.tenant.as_deref())),
        ("caller", "plan") => json!(known.and_then(|caller| caller.plan.as_deref())),
        ("caller", "scopes") => json!(known.map_or(&[][..], |caller| &caller.scopes)),
        ("caller", "roles") => json!(known.map_or(&[][..], |caller| &caller.roles)),
        ("caller", "claims") => known.map_or_else(|| json!({}), |caller| json!(caller.claims)),
        _ => Value::Null,
    }
}

/// An object of text. A repeated name is a list: origins differ in which of two values they take,
/// so a rule that compares with one must not be met by either (OWASP ASVS 15.3.7).
fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), json!(value));
            }
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(object)
}
