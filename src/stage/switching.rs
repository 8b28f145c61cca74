//! A request that may switch to WebSocket, and the one proof by which the switch is let through.
//!
//! Owns: which requests may ask, what goes to the origin of that, and that nobody switches who was not
//! asked to. Does not own: what a handshake has to be (`socket::handshake`), the session afterwards
//! (`stage::session`).

use crate::credential::caller::{Caller, CallerKind};
use crate::credential::presented::PresentFault;
use crate::facts::{Facts, Headers};
use crate::limit::errand::Errand;
use crate::path::CanonicalQuery;
use crate::policy::gate::Route;
use crate::ports::{OriginAnswer, Ports};
use crate::refusal::Refusal;
use crate::socket::handshake::{self, Handshake, HandshakeFault};
use crate::socket::rule::SocketRule;
use crate::stage::Exchange;
use crate::stage::claimed::Claimed;
use crate::stage::identified::Identified;
use crate::stage::open::Open;
use crate::stage::routed::Routed;
use crate::stage::session::Session;
use crate::trail::{StageName, Told, Trail};

/// What a request asks of a switch, before anything is taken out of its fields.
pub(super) type Asking = Option<Result<Handshake, HandshakeFault>>;

/// The origin switched as it was asked to. Only an answer to a handshake that passed every stage makes
/// one.
pub struct Agreed<'g> {
    rule: &'g SocketRule,
    protocol: Option<String>,
}

/// An answer that is a switch.
pub struct Switching<'g> {
    claimed: Claimed<'g>,
    agreed: Agreed<'g>,
}

/// The only returnable switch, of a request that is open until its session has ended.
#[must_use]
pub struct Switch<'p, P: Ports> {
    switched: Switched<P::Answer>,
    session: Session,
    open: Open<'p, P>,
}

/// An answer whose socket may be passed on. None of its fields leaves but the subprotocol.
#[must_use]
pub struct Switched<A> {
    answer: A,
    protocol: Option<String>,
    trail: Box<Trail>,
}

pub(super) fn asking(headers: &Headers) -> Asking {
    handshake::asks(headers).then(|| handshake::read(headers))
}

/// Judges what can be told before the caller is known; the handshake, where it is one.
pub(super) fn judge(
    route: &Route,
    asking: Asking,
    query: &CanonicalQuery,
) -> Result<Option<Handshake>, Refusal> {
    let (rule, asked) = match (&route.socket, asking) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(Refusal::NoSocket),
        (Some(_), None) => return Err(Refusal::SocketAlone),
        (Some(rule), Some(asked)) => (rule, asked),
    };
    let handshake = match asked {
        Ok(handshake) => handshake,
        Err(HandshakeFault::Version) => return Err(Refusal::SocketVersion),
        Err(HandshakeFault::Field { name }) => return Err(Refusal::HeaderMalformed { name }),
    };
    // Pages cannot set fields, and so put their tokens into URLs: into logs, that is (RFC 9700 §4.3.2).
    let shows = |(_, value): &(String, String)| handshake::looks_like_a_token(value);
    if query.pairs().iter().any(shows) {
        let fault = PresentFault::InQuery;
        return Err(Refusal::NotSingle { fault });
    }
    let is_listed = |origin: &String| rule.origins.contains(origin);
    if !handshake.origin.as_ref().is_none_or(is_listed) {
        return Err(Refusal::OriginNotAllowed);
    }
    match handshake.known(&rule.protocols) {
        Some(protocols) => Ok(Some(Handshake {
            protocols,
            ..handshake
        })),
        None => Err(Refusal::HeaderMalformed {
            name: "sec-websocket-protocol",
        }),
    }
}

/// A handshake that no page sent needs a credential that no page can send: one in a header field.
pub(super) fn judge_sender(identified: &Identified<'_>) -> Result<(), Refusal> {
    let named = identified.routed().handshake();
    if named.is_none_or(|handshake| handshake.origin.is_some()) {
        return Ok(());
    }
    match identified.caller() {
        Caller::Known(caller) => match caller.kind {
            CallerKind::ApiKey | CallerKind::Token => Ok(()),
            // A browser shows it by itself.
            CallerKind::Certificate => Err(Refusal::NoOrigin),
        },
        Caller::Anonymous => Err(Refusal::NoOrigin),
    }
}

/// Fields of a handshake: one hop's, which the platform makes anew.
const OF_ONE_HOP: &str = "sec-websocket-";

/// What the origin is asked of a switch; nothing, unless the request is a handshake.
pub(super) fn ask(
    facts: &Facts,
    routed: &Routed<'_>,
    remove: &mut Vec<String>,
    set: &mut Vec<(String, String)>,
) {
    let names = facts.headers.iter().map(|(name, _)| name);
    let of_one_hop = names.filter(|name| name.starts_with(OF_ONE_HOP));
    remove.extend(of_one_hop.map(str::to_owned));
    let Some(handshake) = routed.handshake() else {
        return;
    };
    set.push(("upgrade".into(), "websocket".into()));
    if !handshake.protocols.is_empty() {
        let protocols = handshake.protocols.join(", ");
        set.push(("sec-websocket-protocol".into(), protocols));
    }
}

/// How long the session of a request may last; 0 for a request that is none.
pub(super) fn session_ms(routed: &Routed<'_>) -> u64 {
    let rule = routed.route().socket.as_ref();
    rule.map_or(0, |rule| rule.bounds.session_ms)
}

/// Whether an answer of 101 is what was asked for: a socket, and a subprotocol that was offered, or
/// none (RFC 6455 §4.1, the client's sixth check).
pub(super) fn agreed<'g>(routed: &Routed<'g>, answer: &impl OriginAnswer) -> Option<Agreed<'g>> {
    let (rule, handshake) = (routed.route().socket.as_ref()?, routed.handshake()?);
    let protocol = answer.field("sec-websocket-protocol");
    let is_offered = |one: &String| handshake.protocols.contains(one);
    let is_fit = answer.has_socket() && protocol.as_ref().is_none_or(is_offered);
    is_fit.then_some(Agreed { rule, protocol })
}

impl<'g> Switching<'g> {
    pub(super) fn new(claimed: Claimed<'g>, agreed: Agreed<'g>) -> Self {
        Self { claimed, agreed }
    }
}

impl<A: OriginAnswer> Exchange<Switching<'_>, A> {
    /// Lets the switch through, and makes the terms of its session.
    ///
    /// - `now_ms`: when the session begins.
    pub fn release<'p, P: Ports<Answer = A>>(
        self,
        open: Open<'p, P>,
        now_ms: u64,
    ) -> Switch<'p, P> {
        let released = self.next(StageName::Released, |switching| switching);
        let Switching { claimed, agreed } = released.stage;
        let session = Session::new(
            claimed.identified(),
            agreed.rule,
            &released.trail.facts,
            now_ms,
        );
        Switch {
            switched: Switched {
                answer: released.body,
                protocol: agreed.protocol,
                trail: released.trail,
            },
            session,
            open,
        }
    }
}

impl<'p, P: Ports> Switch<'p, P> {
    pub fn trail(&self) -> &Trail {
        &self.switched.trail
    }

    /// The subprotocol that both sides agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.switched.protocol()
    }

    /// What is to be told of a claim, once.
    pub fn take_told(&mut self) -> Option<Told> {
        self.switched.trail.told.take()
    }

    /// What is to be done for limits, once.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.switched.trail.errands)
    }

    /// The answer, the session by which its messages pass, and the open request that has to be ended
    /// when the session has: none is to be had without the others.
    pub fn part(self) -> (Switched<P::Answer>, Session, Open<'p, P>) {
        (self.switched, self.session, self.open)
    }
}

impl<A> Switched<A> {
    pub fn answer(&self) -> &A {
        &self.answer
    }

    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    pub fn into_trail(self) -> Box<Trail> {
        self.trail
    }
}
