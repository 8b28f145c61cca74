//! Who calls is known, or that nobody says.

use std::rc::Rc;

use serde_json::Value;

use crate::credential::api_key::{self, ApiKey, KeyAnswer, NotAdmitted, Peppers, Rehash};
use crate::credential::caller::{Caller, CallerKind, CallerObjects, KnownCaller};
use crate::credential::certificate;
use crate::credential::dpop::ProvenKey;
use crate::credential::possession::Shown;
use crate::credential::verified::VerifiedToken;
use crate::facts::{ClientCertificate, Facts};
use crate::limit::rule::CountBy;
use crate::limit::standing::StandingQuestion;
use crate::object::ObjectName;
use crate::policy::gate::{Auth, AuthenticatorKind};
use crate::refusal::{Port, Refusal};
use crate::revocation::Credential;
use crate::stage::Exchange;
use crate::stage::presented::{Claim, Presenting, ShownToken, takes};
use crate::stage::routed::Routed;
use crate::stage::shielded::Shielded;
use crate::stage::view::Seen;
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
    /// Only `credential` can make either: the token, and the key that the sender proved to hold.
    Token {
        token: Rc<VerifiedToken>,
        key: Option<ProvenKey>,
    },
}

impl<'g, B> Exchange<Presenting<'g>, B> {
    /// Judges the credential by the answer to its question; an answer to another is refused.
    pub fn identify(mut self, evidence: Evidence) -> Result<Exchange<Identified<'g>, B>, Refused> {
        let caller = match (self.stage.claim(), evidence) {
            (Claim::Nobody, Evidence::Nothing) => self.nobody(),
            (
                Claim::Key {
                    authenticator,
                    key,
                    peppers,
                },
                Evidence::Key(answer),
            ) => {
                let admitted = self.key(authenticator, key, peppers, answer);
                admitted.map(|(caller, rehash)| {
                    self.trail.rehash = rehash;
                    caller
                })
            }
            (Claim::Token(shown), Evidence::Token { token, key }) => {
                self.token(shown, &token, key.as_ref())
            }
            (Claim::Certificate(certificate), Evidence::Nothing) => {
                self.by_certificate(certificate)
            }
            (Claim::Nobody | Claim::Key { .. } | Claim::Token(_) | Claim::Certificate(_), _) => {
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

impl<'g, B> Exchange<Presenting<'g>, B> {
    fn routed(&self) -> &Routed<'g> {
        self.stage.shielded().routed()
    }

    fn nobody(&self) -> Result<Caller, Refusal> {
        match self.routed().route().auth {
            Auth::Public => Ok(Caller::Anonymous),
            Auth::Required(_) => Err(Refusal::NoCredential),
        }
    }

    fn key(
        &self,
        authenticator: &str,
        key: &ApiKey,
        peppers: &Peppers,
        answer: KeyAnswer,
    ) -> Result<(Caller, Option<Rehash>), Refusal> {
        let now_ms = self.trail.facts.received_at_ms;
        let ip = Some(self.routed().address());
        match api_key::admit(authenticator, key, answer, peppers, now_ms, ip) {
            Ok(record) => {
                let rehash = Rehash::under(&peppers.current, key, &record);
                Ok((key_caller(authenticator, record), rehash))
            }
            Err(NotAdmitted::Key(fault)) => Err(Refusal::KeyRefused { fault }),
            Err(NotAdmitted::Record(fault)) => Err(Refusal::KeyRecord { fault }),
        }
    }

    fn token(
        &self,
        shown: &ShownToken,
        token: &VerifiedToken,
        key: Option<&ProvenKey>,
    ) -> Result<Caller, Refusal> {
        if !takes(&self.routed().route().auth, token.authenticator()) {
            return Err(Refusal::NotTaken);
        }
        let facts = &self.trail.facts;
        let shown = Shown {
            scheme: shown.scheme,
            key,
            certificate: facts.connection.certificate.as_ref(),
        };
        match token.admit(facts.received_at_ms, &shown) {
            Ok(caller) => Ok(Caller::Known(Rc::clone(caller))),
            Err(fault) => Err(Refusal::TokenRefused { fault }),
        }
    }

    fn by_certificate(&self, shown: &ClientCertificate) -> Result<Caller, Refusal> {
        let routed = self.routed();
        let authenticators = routed.gate().authenticators.iter();
        let known = authenticators.filter_map(|one| match &one.kind {
            AuthenticatorKind::Certificate(subjects) if takes(&routed.route().auth, &one.name) => {
                Some((one.name.as_str(), subjects.as_slice()))
            }
            _ => None,
        });
        match certificate::admit(shown, known) {
            Ok(caller) => Ok(Caller::Known(Rc::new(caller))),
            Err(fault) => Err(Refusal::CertificateRefused { fault }),
        }
    }
}

impl<'g> Identified<'g> {
    pub fn routed(&self) -> &Routed<'g> {
        self.shielded.routed()
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What expressions see of the request.
    pub(super) fn seen<'a>(&'a self, facts: &'a Facts, body: &'a Value) -> Seen<'a> {
        Seen {
            routed: self.routed(),
            caller: &self.caller,
            facts,
            body,
        }
    }

    /// What may take back the caller's credential; `None` where there is none, or where it leaves
    /// the policy to be taken back.
    pub(super) fn standing(&self) -> Option<StandingQuestion> {
        let caller = self.caller.known()?;
        let issuer = match caller.credential {
            Credential::Configured => return None,
            Credential::Key { .. } => None,
            Credential::Token { .. } => Some(caller.issuer_object()),
        };
        Some(StandingQuestion {
            caller: caller.object(),
            issuer,
            credential: caller.credential.clone(),
        })
    }

    pub(super) fn has_tenant(&self) -> bool {
        self.caller
            .known()
            .is_some_and(|caller| caller.tenant.is_some())
    }

    /// The object that counts for this caller. Only what was verified names one.
    pub(super) fn object(&self, by: CountBy) -> ObjectName {
        match (by, self.caller.known()) {
            (CountBy::Route, _) => ObjectName::of(&["route", &self.routed().route().id]),
            (CountBy::Service, _) => ObjectName::of(&["service"]),
            (CountBy::Ip, _) | (_, None) => self.routed().address_object(),
            // Where an expression counts, it says what (`stage::charging`).
            (CountBy::Caller | CountBy::Expression, Some(caller)) => caller.object(),
            (CountBy::Tenant, Some(caller)) => match &caller.tenant {
                Some(tenant) => ObjectName::of(&["tenant", tenant]),
                None => caller.object(),
            },
        }
    }
}

fn key_caller(authenticator: &str, record: api_key::KeyRecord) -> Caller {
    Caller::Known(Rc::new(KnownCaller {
        kind: CallerKind::ApiKey,
        authenticator: authenticator.to_owned(),
        issuer: String::new(),
        subject: record.subject,
        tenant: record.tenant,
        scopes: record.scopes,
        roles: record.roles,
        plan: record.plan,
        credential: Credential::Key { id: record.id },
        good_until_ms: record.expires_at.until_ms(),
        limits: record.limits,
        claims: serde_json::Map::new(),
        objects: CallerObjects::default(),
    }))
}
