//! Who calls is known, or that nobody says.

use std::collections::HashSet;
use std::rc::Rc;

use crate::credential::api_key::{self, KeyAnswer, NotAdmitted};
use crate::credential::caller::{Caller, CallerKind, KnownCaller};
use crate::credential::jwt::VerifiedToken;
use crate::limit::ask::{Charge, ObjectName};
use crate::limit::rule::{CountBy, LimitRule, Mode};
use crate::policy::gate::{Auth, AuthenticatorKind};
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::presented::{Claim, Presenting, takes};
use crate::stage::routed::Routed;
use crate::stage::shielded::Shielded;
use crate::trail::{Refused, StageName};

/// The caller's credential was judged good, or the route is public and none came.
pub struct Identified<'g> {
    shielded: Shielded<'g>,
    caller: Caller,
}

/// The answer to what a credential asks.
pub enum Evidence {
    Nothing,
    Key(KeyAnswer),
    /// Only `credential::jwt` can make one.
    Token(Rc<VerifiedToken>),
}

impl<'g, B> Exchange<Presenting<'g>, B> {
    /// Judges the credential by the answer to its question; an answer to another is refused.
    pub fn identify(mut self, evidence: Evidence) -> Result<Exchange<Identified<'g>, B>, Refused> {
        let now_ms = self.trail.facts.received_at_ms;
        let routed = self.stage.shielded().routed();
        let caller = match (self.stage.claim(), evidence) {
            (Claim::Nobody, Evidence::Nothing) => match routed.route().auth {
                Auth::Public => Ok(Caller::Anonymous),
                Auth::Required(_) => Err(Refusal::NoCredential),
            },
            (Claim::Key { authenticator, key }, Evidence::Key(answer)) => {
                let known = routed.gate().authenticator(authenticator);
                match known.map(|one| &one.kind) {
                    Some(AuthenticatorKind::ApiKey { peppers, .. }) => {
                        let ip = Some(routed.address());
                        match api_key::admit(key, answer, peppers, now_ms, ip) {
                            Ok(record) => Ok(key_caller(authenticator, record)),
                            Err(NotAdmitted::Key(fault)) => Err(Refusal::KeyRefused { fault }),
                            Err(NotAdmitted::Record(fault)) => Err(Refusal::KeyRecord { fault }),
                        }
                    }
                    Some(AuthenticatorKind::Jwt(_)) | None => Err(Refusal::NotTaken),
                }
            }
            (Claim::Token { .. }, Evidence::Token(token)) => {
                match (
                    takes(&routed.route().auth, &token.caller().authenticator),
                    token.check_time(now_ms),
                ) {
                    (true, Ok(())) => Ok(Caller::Known(Box::new(token.caller().clone()))),
                    (true, Err(fault)) => Err(Refusal::TokenRefused { fault }),
                    (false, _) => Err(Refusal::NotTaken),
                }
            }
            (Claim::Nobody | Claim::Key { .. } | Claim::Token { .. }, _) => {
                Err(Refusal::AnswerMismatch { port: Port::Keys })
            }
        };
        match caller {
            Ok(caller) => {
                self.trail.caller = caller.known().cloned();
                Ok(self.next(StageName::Limited, |presenting| Identified {
                    shielded: presenting.into_shielded(),
                    caller,
                }))
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }
}

impl<'g, B> Exchange<Identified<'g>, B> {
    /// The question: the route's limits by who calls, and those of the caller's plan.
    ///
    /// Fails where the route charges the caller's plan and there is none: no plan is no limit, and
    /// no limit was not meant.
    pub fn charge(&self) -> Result<Charge, Refusal> {
        let routed = self.stage.routed();
        let route = routed.route();
        if route.mode == Mode::Off {
            return Ok(Charge::default());
        }
        let mut rules: Vec<&Rc<LimitRule>> = route.limits.iter().collect();
        if route.plan {
            let gate = routed.gate();
            let own = self
                .stage
                .caller
                .known()
                .and_then(|caller| caller.plan.as_ref());
            let plan = own
                .or(gate.default_plan.as_ref())
                .and_then(|plan| gate.plans.get(plan));
            rules.extend(plan.ok_or(Refusal::NoPlan)?);
        }
        // Address limits of the route were charged before; a plan may name them again.
        let shielded: HashSet<&str> = route.shield.iter().map(|rule| rule.name.as_str()).collect();
        let rules = rules
            .into_iter()
            .filter(|rule| !shielded.contains(rule.name.as_str()));
        Ok(routed.gather(rules.map(|rule| (self.stage.object(rule.by), rule))))
    }
}

impl<'g> Identified<'g> {
    pub fn routed(&self) -> &Routed<'g> {
        self.shielded.routed()
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The object that counts for this caller. Only what was verified names one.
    fn object(&self, by: CountBy) -> ObjectName {
        let address = || ObjectName::of(&["ip", &self.routed().address_key()]);
        let whole = |caller: &KnownCaller| {
            ObjectName::of(&[
                "caller",
                &caller.authenticator,
                &caller.issuer,
                &caller.subject,
            ])
        };
        match (by, self.caller.known()) {
            (CountBy::Ip, _) | (_, None) => address(),
            (CountBy::Caller, Some(caller)) => whole(caller),
            (CountBy::Tenant, Some(caller)) => match &caller.tenant {
                Some(tenant) => ObjectName::of(&["tenant", tenant]),
                None => whole(caller),
            },
        }
    }
}

fn key_caller(authenticator: &str, record: api_key::KeyRecord) -> Caller {
    Caller::Known(Box::new(KnownCaller {
        kind: CallerKind::ApiKey,
        authenticator: authenticator.to_owned(),
        issuer: String::new(),
        subject: record.subject,
        tenant: record.tenant,
        scopes: record.scopes,
        roles: record.roles,
        plan: record.plan,
        key_id: Some(record.id),
        claims: serde_json::Map::new(),
    }))
}
