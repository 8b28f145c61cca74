//! The request's one credential, or that there is none: found, not yet judged.

use crate::credential::api_key::{ApiKey, KeyId, Peppers};
use crate::credential::dpop::{self, Occasion, Proof, ProofFault};
use crate::credential::nonce::NonceKey;
use crate::credential::possession::Scheme;
use crate::credential::presented::{self, PresentFault, Presented};
use crate::credential::verified::VerifiedToken;
use crate::credential::verify::TokenRules;
use crate::facts::ClientCertificate;
use crate::policy::gate::{Auth, AuthenticatorKind, Gate};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::stage::Exchange;
use crate::stage::shielded::Shielded;
use crate::trail::{Refused, StageName};

/// What the request presents is known, and an authenticator of the route may take it.
pub struct Presenting<'g> {
    shielded: Shielded<'g>,
    claim: Claim<'g>,
}

/// A credential that waits for its question to be answered.
pub(super) enum Claim<'g> {
    Nobody,
    Key {
        authenticator: String,
        key: ApiKey,
        peppers: &'g Peppers,
    },
    Token(Box<ShownToken>),
    Certificate(ClientCertificate),
}

/// A token, and what came with it.
pub(super) struct ShownToken {
    pub(super) text: Secret,
    pub(super) scheme: Scheme,
    /// The proof under `DPoP`, and the URL it has to be made for.
    proof: Option<(Proof, String)>,
}

/// What has to be asked before the caller can be known.
pub enum Question<'a, 'g> {
    Nothing,
    Key {
        id: &'a KeyId,
        peppers: &'g Peppers,
    },
    /// A token, and the authenticators of which one may verify it.
    Token {
        text: &'a Secret,
        rules: TokenRules<'g>,
        /// The version of the gate that judges.
        gate: &'g str,
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
            Ok(Presented::Absent) => match (auth, self.certificate()) {
                (Auth::Public, _) => Ok(Claim::Nobody),
                (Auth::Required(_), Some(certificate)) => Ok(Claim::Certificate(certificate)),
                (Auth::Required(_), None) => Err(Refusal::NoCredential),
            },
            Ok(Presented::Token { text, scheme }) => self
                .token(text, scheme)
                .map(|shown| Claim::Token(Box::new(shown))),
            Ok(Presented::Key { authenticator, key }) => match key {
                _ if !takes(auth, &authenticator) => Err(Refusal::NotTaken),
                Ok(key) => key_claim(gate, authenticator, key),
                Err(fault) => Err(Refusal::KeyRefused { fault }),
            },
        };
        match claim {
            Ok(claim) => Ok(self.claiming(claim)),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    /// The client's certificate, if the route has an authenticator that takes one. It stands on the
    /// connection, not in the request: beside another credential it is none.
    fn certificate(&self) -> Option<ClientCertificate> {
        let routed = self.stage.routed();
        let taken = routed.gate().authenticators.iter().any(|one| {
            let takes = takes(&routed.route().auth, &one.name);
            takes && matches!(one.kind, AuthenticatorKind::Certificate(_))
        });
        let shown = self.trail.facts.connection.certificate.clone();
        shown.filter(|_| taken)
    }

    /// Reads a token's proof, where its scheme says that there is one.
    fn token(&self, text: Secret, scheme: Scheme) -> Result<ShownToken, Refusal> {
        let proof = match scheme {
            Scheme::Bearer => None,
            Scheme::Dpop => Some(self.proof()?),
        };
        Ok(ShownToken {
            text,
            scheme,
            proof,
        })
    }

    fn proof(&self) -> Result<(Proof, String), Refusal> {
        let unproven = |fault| Refusal::ProofRefused { fault };
        let facts = &self.trail.facts;
        let text = facts.headers.get("dpop");
        let text = text.ok_or_else(|| unproven(ProofFault::Missing))?;
        // A proof has no comma: a repeated header arrives joined by one.
        if text.contains(',') {
            let fault = PresentFault::Repeated;
            return Err(Refusal::NotSingle { fault });
        }
        let routed = self.stage.routed();
        let base = self.trail.base_url(Some(routed.gate()));
        let target = dpop::target(&format!("{base}{}", routed.path().as_str()));
        let target = target.ok_or_else(|| unproven(ProofFault::Target))?;
        let proof = Proof::parse(text).map_err(unproven)?;
        Ok((proof, target))
    }

    fn claiming(self, claim: Claim<'g>) -> Exchange<Presenting<'g>, B> {
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
            Claim::Key { key, peppers, .. } => Question::Key {
                id: key.id(),
                peppers,
            },
            Claim::Token(token) => {
                let kinds = gate.authenticators.iter();
                let kinds = kinds
                    .filter(|one| takes(auth, &one.name))
                    .map(|one| &one.kind);
                let (mut signed, mut opaque) = (Vec::new(), Vec::new());
                for kind in kinds {
                    match kind {
                        AuthenticatorKind::Jwt(rule) => signed.push(&**rule),
                        AuthenticatorKind::Introspection(rule) => opaque.push(&**rule),
                        AuthenticatorKind::ApiKey { .. } | AuthenticatorKind::Certificate(_) => {}
                    }
                }
                // A public route takes every authenticator's. An opaque token does not say whose
                // it is, and of two issuers neither may learn the other's.
                let opaque = match opaque.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                };
                Question::Token {
                    text: &token.text,
                    rules: TokenRules {
                        signed,
                        opaque,
                        known: issuers(gate),
                    },
                    gate: &gate.version,
                }
            }
            Claim::Certificate(_) => Question::Nothing,
        }
    }

    /// The proof that came with the token, and the request it has to be made for.
    pub fn proof(&self) -> Option<(&Proof, Occasion<'_>)> {
        let Claim::Token(token) = &self.stage.claim else {
            return None;
        };
        let (proof, target) = token.proof.as_ref()?;
        let facts = &self.trail.facts;
        let occasion = Occasion {
            method: &facts.method,
            target,
            token: token.text.expose(),
            now_ms: facts.received_at_ms,
        };
        Some((proof, occasion))
    }

    /// Whether the proof has the nonce that `token`'s authenticator asks for, if it asks for one.
    pub fn has_nonce(&self, token: &VerifiedToken) -> bool {
        let nonce = self.proof().and_then(|(proof, _)| proof.nonce());
        let now_ms = self.trail.facts.received_at_ms;
        let key = self.nonce_key(token);
        key.is_none_or(|key| nonce.is_some_and(|nonce| key.takes(nonce, now_ms)))
    }

    /// Notes the nonce for the client's next proof, where its own is not the newest: only for who
    /// proved to hold the token's key.
    pub fn offer_nonce(&mut self, token: &VerifiedToken) {
        let Some(key) = self.nonce_key(token) else {
            return;
        };
        let current = key.current(self.trail.facts.received_at_ms);
        let known = self.proof().and_then(|(proof, _)| proof.nonce()) == Some(current.as_str());
        self.trail.dpop_nonce = (!known).then_some(current);
    }

    fn nonce_key(&self, token: &VerifiedToken) -> Option<&'g NonceKey> {
        let gate = self.stage.shielded.routed().gate();
        let authenticator = gate.authenticator(token.authenticator())?;
        authenticator.kind.token_rule()?.nonce_key.as_ref()
    }
}

impl<'g> Presenting<'g> {
    pub(super) fn shielded(&self) -> &Shielded<'g> {
        &self.shielded
    }

    pub(super) fn claim(&self) -> &Claim<'g> {
        &self.claim
    }

    pub(super) fn into_shielded(self) -> Shielded<'g> {
        self.shielded
    }
}

/// The issuers of every `jwt` authenticator.
fn issuers(gate: &Gate) -> Vec<&str> {
    let kinds = gate.authenticators.iter().map(|one| &one.kind);
    let issuers = kinds.filter_map(|kind| match kind {
        AuthenticatorKind::Jwt(rule) => Some(rule.issuer.as_str()),
        _ => None,
    });
    issuers.collect()
}

fn key_claim(gate: &Gate, authenticator: String, key: ApiKey) -> Result<Claim<'_>, Refusal> {
    match gate.authenticator(&authenticator).map(|one| &one.kind) {
        Some(AuthenticatorKind::ApiKey { peppers, .. }) => Ok(Claim::Key {
            authenticator,
            key,
            peppers,
        }),
        _ => Err(Refusal::NotTaken),
    }
}

pub(super) fn takes(auth: &Auth, authenticator: &str) -> bool {
    match auth {
        Auth::Public => true,
        Auth::Required(names) => names.iter().any(|name| name == authenticator),
    }
}
