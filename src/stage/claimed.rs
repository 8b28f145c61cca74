//! The request may be carried out: under its key nobody did so before, and nobody else will.
//!
//! Owns: the question for that, and what each answer means. Does not own: the rule by which claims are
//! granted (`idempotency::claims`).

use crate::idempotency::{
    Act, Asked, Claim, ClaimAnswer, ClaimQuestion, Granted, KeptAnswer, Word,
};
use crate::identity::{Said, Statement};
use crate::limit::rule::CountBy;
use crate::object::ObjectName;
use crate::policy::gate::Target;
use crate::ports::PortDown;
use crate::refusal::{Port, Refusal};
use crate::stage::Exchange;
use crate::stage::identified::Identified;
use crate::stage::paid::Paid;
use crate::stage::stored;
use crate::stage::validated::Content;
use crate::stored::Wanted;
use crate::trail::{Refused, StageName, Told, Trail};

/// How much longer than its origin is waited for a request may be on its way: its answer is read and
/// kept meanwhile.
const PENDING_MARGIN_MS: u64 = 60_000;
/// How long a client is told to wait for an answer that is on its way, at most.
const IN_FLIGHT_RETRY_MS_MAX: u64 = 2_000;

/// A request that was paid for, and the question whether it was carried out before.
pub struct Claiming<'g> {
    paid: Paid<'g>,
    question: Option<ClaimQuestion>,
    /// The statement to the origin that has to be signed, if the origin gets one.
    statement: Option<Statement>,
    /// What is looked for in the cache, or kept there.
    wanted: Option<Wanted>,
}

/// The request may go to its origin.
pub struct Claimed<'g> {
    claiming: Claiming<'g>,
}

/// What an answer leads to.
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and taken apart at once"
)]
pub enum Leading<'g, B> {
    Run(Exchange<Claimed<'g>, Content<B>>),
    /// It was carried out before, and this was answered.
    Replay {
        answer: KeptAnswer,
        trail: Box<Trail>,
    },
}

impl<'g, B> Exchange<Paid<'g>, Content<B>> {
    /// Makes the question, if the request is one that is carried out once.
    pub fn claim(self) -> Exchange<Claiming<'g>, Content<B>> {
        let question = question(&self);
        let (identified, target) = (self.stage.identified(), self.stage.target());
        let statement = statement(identified, target, &self.trail);
        let wanted = stored::wanted(&self);
        self.next(StageName::Claimed, |paid| Claiming {
            paid,
            question,
            statement,
            wanted,
        })
    }
}

fn question<B>(paid: &Exchange<Paid<'_>, Content<B>>) -> Option<ClaimQuestion> {
    let key = paid.stage.key()?;
    let identified = paid.stage.identified();
    let (routed, caller) = (identified.routed(), identified.caller().known()?);
    let route = routed.route();
    let rule = route.idempotency.as_ref()?;
    let asked = Asked {
        tenant: caller.tenant.as_deref(),
        route: &route.id,
        method: routed.method().as_str(),
        path: routed.path().as_str(),
        query: routed.query().as_str(),
        content_type: paid.trail.facts.headers.get("content-type"),
        content: match &paid.body {
            Content::Bytes(bytes) => bytes,
            Content::Nothing | Content::Unread(_) => &[],
        },
    };
    let (name, fingerprint) = asked.named(key);
    let (authenticator, issuer) = (&caller.authenticator, &caller.issuer);
    Some(ClaimQuestion {
        object: ObjectName::of(&["idempotency", authenticator, issuer, &caller.subject]),
        claim: Claim {
            name,
            fingerprint,
            attempt: paid.trail.facts.request_id.to_string(),
            pending_ms: paid
                .stage
                .target()
                .longest_ms()
                .saturating_add(PENDING_MARGIN_MS),
            keep_ms: rule.keep_s.saturating_mul(1_000),
        },
    })
}

impl<'g, B> Exchange<Claiming<'g>, Content<B>> {
    pub fn question(&self) -> Option<&ClaimQuestion> {
        self.stage.question.as_ref()
    }

    /// Judges the answer to [`Exchange::question`]. What was answered before costs nothing again but at
    /// the limits by address.
    pub fn claimed(mut self, answer: Option<ClaimAnswer>) -> Result<Leading<'g, B>, Refused> {
        // Content that was not read has no fingerprint.
        let is_unread = matches!(self.body, Content::Unread(_));
        let word = match (self.question(), answer) {
            (None, None) if self.stage.paid.key().is_none() => return Ok(Leading::Run(self.run())),
            (Some(question), Some(answer)) if !is_unread => answer.to(question),
            _ => None,
        };
        let port = Port::Idempotency;
        let refusal = match word {
            Some(Word::Granted) => return Ok(Leading::Run(self.run())),
            Some(Word::Kept(KeptAnswer {
                status,
                content: None,
                ..
            })) => Refusal::AnswerNotKept { status },
            Some(Word::Kept(answer)) => {
                let costs = |rule: &crate::limit::rule::LimitRule| {
                    rule.takes_cost() && rule.by != CountBy::Ip
                };
                self.trail.give_back(|one| costs(&one.rule));
                self.trail.is_replayed = true;
                let trail = self.trail;
                return Ok(Leading::Replay { answer, trail });
            }
            Some(Word::InFlight { for_ms }) => Refusal::InFlight {
                retry_after_ms: for_ms.min(IN_FLIGHT_RETRY_MS_MAX),
            },
            Some(Word::Lost) => Refusal::OutcomeUnknown,
            Some(Word::Reused) => Refusal::KeyReused,
            Some(Word::Full) => Refusal::PortDown { port },
            Some(Word::Noted) | None => Refusal::AnswerMismatch { port },
        };
        Err(self.refuse(refusal))
    }

    /// Nobody answered: the request is not carried out. What may have been granted all the same is given
    /// up.
    pub fn unclaimed(mut self, down: PortDown) -> Refused {
        let granted = self.stage.granted(0);
        self.trail.told = granted.as_ref().map(|one| Told::of(one, Granted::free));
        self.refuse(down.into())
    }

    fn run(self) -> Exchange<Claimed<'g>, Content<B>> {
        self.next(StageName::Claimed, |claiming| Claimed { claiming })
    }

    /// The statement to the origin that has to be signed, if the origin gets one.
    pub fn statement(&self) -> Option<&Statement> {
        self.stage.statement.as_ref()
    }
}

impl<B> Exchange<Claimed<'_>, B> {
    /// The statement that had to be signed.
    pub(super) fn statement(&self) -> Option<&Statement> {
        self.stage.claiming.statement.as_ref()
    }
}

fn statement(identified: &Identified<'_>, target: &Target, trail: &Trail) -> Option<Statement> {
    let routed = identified.routed();
    let (gate, route) = (routed.gate(), routed.route());
    let (keys, identity) = (
        gate.identity_keys.as_ref()?,
        target.origin.identity.as_ref()?,
    );
    let said = Said {
        caller: identified.caller(),
        request_id: &trail.facts.request_id,
        route: &route.id,
        issuer: gate.public_url.as_deref(),
        now_ms: trail.facts.received_at_ms,
    };
    Some(Statement::new(keys, identity, &said))
}

impl<'g> Claiming<'g> {
    pub(super) fn identified(&self) -> &Identified<'g> {
        self.paid.identified()
    }

    pub(super) fn wanted(&self) -> Option<&Wanted> {
        self.wanted.as_ref()
    }

    fn granted(&self, answer_bytes_max: u64) -> Option<Granted> {
        self.question.as_ref().map(|question| Granted {
            object: question.object,
            name: question.claim.name.clone(),
            attempt: question.claim.attempt.clone(),
            answer_bytes_max,
        })
    }
}

impl<'g> Claimed<'g> {
    pub fn identified(&self) -> &Identified<'g> {
        self.claiming.paid.identified()
    }

    /// Where it is sent.
    pub(super) fn target(&self) -> &Target {
        self.claiming.paid.target()
    }

    /// What of its answer is kept in the cache.
    pub(super) fn wanted(&self) -> Option<&Wanted> {
        self.claiming.wanted()
    }

    /// The claim, of which it is still to be told what became of the request.
    pub(super) fn granted(&self) -> Option<Granted> {
        let rule = self.identified().routed().route().idempotency.as_ref();
        self.claiming
            .granted(rule.map_or(0, |rule| rule.answer_bytes_max))
    }
}

impl Told {
    /// What is to be told of a claim.
    pub(super) fn of(granted: &Granted, act: impl Fn(&Granted) -> Act) -> Self {
        Self {
            object: granted.object,
            act: act(granted),
        }
    }
}
