//! The request's one credential, or that there is none: found, not yet judged.

use crate::credential::api_key::{ApiKey, KeyId};
use crate::credential::jwt::{JwtRule, TokenDigest};
use crate::credential::presented::{self, Presented};
use crate::policy::gate::{Auth, AuthenticatorKind};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::stage::Exchange;
use crate::stage::shielded::Shielded;
use crate::trail::{Refused, StageName};

/// What the request presents is known, and an authenticator of the route may take it.
pub struct Presenting<'g> {
    shielded: Shielded<'g>,
    claim: Claim,
}

/// A credential that waits for its question to be answered.
pub(super) enum Claim {
    Nobody,
    Key { authenticator: String, key: ApiKey },
    Token { text: Secret },
}

/// What has to be asked before the caller can be known.
pub enum Question<'a, 'g> {
    Nothing,
    Key(&'a KeyId),
    /// A token, its name in memory, and the rules of which one may verify it.
    Token {
        text: &'a Secret,
        digest: TokenDigest,
        rules: Vec<&'g JwtRule>,
    },
}

impl<'g, B> Exchange<Shielded<'g>, B> {
    /// Finds the credential. A public route takes any authenticator's: who shows a credential and
    /// fails is refused, not taken for nobody, or a mistyped key would look like a working one.
    pub fn present(self) -> Result<Exchange<Presenting<'g>, B>, Refused> {
        let routed = self.stage.routed();
        let (gate, auth) = (routed.gate(), &routed.route().auth);
        if gate.carriers.is_empty() && *auth == Auth::Public {
            return Ok(self.claiming(Claim::Nobody));
        }
        let found = presented::find(&self.trail.facts.headers, routed.query(), &gate.carriers);
        let claim = match found {
            Err(fault) => Err(Refusal::NotSingle { fault }),
            Ok(Presented::Absent) => match auth {
                Auth::Public => Ok(Claim::Nobody),
                Auth::Required(_) => Err(Refusal::NoCredential),
            },
            Ok(Presented::Token { text }) => Ok(Claim::Token { text }),
            Ok(Presented::Key { authenticator, key }) => match key {
                _ if !takes(auth, &authenticator) => Err(Refusal::NotTaken),
                Ok(key) => Ok(Claim::Key { authenticator, key }),
                Err(fault) => Err(Refusal::KeyRefused { fault }),
            },
        };
        match claim {
            Ok(claim) => Ok(self.claiming(claim)),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    fn claiming(self, claim: Claim) -> Exchange<Presenting<'g>, B> {
        self.next(StageName::Identified, |shielded| Presenting {
            shielded,
            claim,
        })
    }
}

impl<'g, B> Exchange<Presenting<'g>, B> {
    /// What has to be asked. A token is for one of the route's issuers or for none.
    pub fn question(&self) -> Question<'_, 'g> {
        let routed = self.stage.shielded.routed();
        let (gate, auth) = (routed.gate(), &routed.route().auth);
        match &self.stage.claim {
            Claim::Nobody => Question::Nothing,
            Claim::Key { key, .. } => Question::Key(key.id()),
            Claim::Token { text } => {
                let rules = gate
                    .authenticators
                    .iter()
                    .filter(|one| takes(auth, &one.name));
                let rules = rules.filter_map(|one| match &one.kind {
                    AuthenticatorKind::Jwt(rule) => Some(rule.as_ref()),
                    AuthenticatorKind::ApiKey { .. } => None,
                });
                let digest = TokenDigest::of(text.expose(), &gate.version);
                Question::Token {
                    text,
                    digest,
                    rules: rules.collect(),
                }
            }
        }
    }
}

impl<'g> Presenting<'g> {
    pub(super) fn shielded(&self) -> &Shielded<'g> {
        &self.shielded
    }

    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(super) fn into_shielded(self) -> Shielded<'g> {
        self.shielded
    }
}

pub(super) fn takes(auth: &Auth, authenticator: &str) -> bool {
    match auth {
        Auth::Public => true,
        Auth::Required(names) => names.iter().any(|name| name == authenticator),
    }
}
