//! A token that was found good, by its signature or by its issuer's word: the one way from either
//! to a caller, and every check that is made again each time the token is shown.
//!
//! Owns: what claims say of a caller. Does not own: how they were proved (`jwt`, `introspection`).

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::credential::caller::{CallerKind, CallerObjects, KnownCaller};
use crate::credential::claims::{self, ClaimNames};
use crate::credential::jwt::TokenFault;
use crate::credential::nonce::NonceKey;
use crate::credential::own_limit::OwnLimits;
use crate::credential::possession::{Confirmation, SenderConstraint, Shown};
use crate::facts::UnixMs;
use crate::revocation::Credential;

/// What an authenticator asks of every token, however it is proved.
#[derive(Clone, Debug)]
pub struct TokenRule {
    /// The policy's name for the authenticator.
    pub name: String,
    pub audiences: Vec<String>,
    pub leeway_s: u64,
    pub sender_constraint: SenderConstraint,
    /// With it, a DPoP proof needs a nonce.
    pub nonce_key: Option<NonceKey>,
    pub claims: ClaimNames,
}

/// Between which instants a token is good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Lifetime {
    /// `None` where the issuer does not tell.
    pub(super) issued_at_s: Option<u64>,
    pub(super) not_before_s: u64,
    pub(super) expires_at_s: u64,
}

/// A token whose proof and claims were checked. Its caller comes out against what the request
/// shows, and not otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedToken {
    caller: Rc<KnownCaller>,
    confirmation: Confirmation,
    sender_constraint: SenderConstraint,
    lifetime: Lifetime,
    leeway_s: u64,
}

impl VerifiedToken {
    /// Reads what proved claims say.
    ///
    /// - `issuer`, `subject`: who the caller is, together with the authenticator.
    ///
    /// Fails on a claim of the wrong type, an audience that is not ours, a binding that is not
    /// known.
    pub(super) fn read(
        claims: &Map<String, Value>,
        rule: &TokenRule,
        issuer: &str,
        subject: String,
        lifetime: Lifetime,
    ) -> Result<Self, TokenFault> {
        if !claims::is_for(claims, &rule.audiences)? {
            return Err(TokenFault::Audience);
        }
        let names = &rule.claims;
        let mapped = |name: &Option<String>| match name {
            Some(name) => claims::text(claims, name),
            None => Ok(None),
        };
        let version = match &names.version {
            Some(name) => claims::version(claims, name)?,
            None => None,
        };
        let caller = KnownCaller {
            kind: CallerKind::Token,
            authenticator: rule.name.clone(),
            issuer: issuer.to_owned(),
            subject,
            tenant: mapped(&names.tenant)?,
            scopes: claims::scopes(claims, &names.scopes)?,
            roles: match &names.roles {
                Some(name) => claims::names(claims, name)?,
                None => Vec::new(),
            },
            plan: mapped(&names.plan)?,
            limits: OwnLimits::new(),
            good_until_ms: Some(good_until_ms(lifetime, rule.leeway_s)),
            credential: Credential::Token {
                id: claims::text(claims, "jti")?,
                issued_at_s: lifetime.issued_at_s,
                version,
            },
            claims: claims.clone(),
            objects: CallerObjects::default(),
        };
        Ok(Self {
            caller: Rc::new(caller),
            confirmation: Confirmation::read(claims)?,
            sender_constraint: rule.sender_constraint,
            lifetime,
            leeway_s: rule.leeway_s,
        })
    }

    /// The policy's name for the authenticator that proved it.
    pub fn authenticator(&self) -> &str {
        &self.caller.authenticator
    }

    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// The caller, if the token is good at `now_ms` and what is shown is what it is bound to.
    /// A token from memory passes through here too.
    pub fn admit(&self, now_ms: UnixMs, shown: &Shown<'_>) -> Result<&Rc<KnownCaller>, TokenFault> {
        self.check_time(now_ms)?;
        self.confirmation.check(self.sender_constraint, shown)?;
        Ok(&self.caller)
    }

    pub(super) fn check_time(&self, now_ms: UnixMs) -> Result<(), TokenFault> {
        let now_s = now_ms / 1_000;
        if now_s >= self.lifetime.expires_at_s.saturating_add(self.leeway_s) {
            return Err(TokenFault::Expired);
        }
        if now_s.saturating_add(self.leeway_s) < self.lifetime.not_before_s {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }

    /// When it stops being good, in Unix milliseconds.
    pub fn good_until_ms(&self) -> UnixMs {
        good_until_ms(self.lifetime, self.leeway_s)
    }
}

fn good_until_ms(lifetime: Lifetime, leeway_s: u64) -> UnixMs {
    let until_s = lifetime.expires_at_s.saturating_add(leeway_s);
    until_s.saturating_mul(1_000)
}
