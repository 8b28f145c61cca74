//! A switch to WebSocket at the platform: the answer of 101, and the session that runs behind it.
//!
//! Owns: how long both live, and what is given back afterwards. Does not own: what passes (`relay`).

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use web_sys::{Response, WebSocket};
use worker::{Context, Env, Result, WebSocketPair};

use crate::edge::origin::{self, Answer};
use crate::edge::ports::{EdgePorts, ErrandPorts};
use crate::edge::wires::Pair;
use crate::edge::{clock, log, platform, reply};
use crate::limit::errand::{self, Errand};
use crate::origin::state::Place;
use crate::policy::gate::Gate;
use crate::refusal::Refusal;
use crate::relay::{Ended, Wires, line, relay};
use crate::socket::Side;
use crate::socket::close::Ending;
use crate::stage::session::Session;
use crate::stage::switching::{Switch, Switched};
use crate::trail::{Refused, Trail};

/// The status of the answer.
pub(super) const SWITCHING: u16 = 101;

/// A session that can begin: its answer has to leave for that.
pub(super) struct Opened {
    response: Response,
    pair: Pair,
    session: Session,
    trail: Box<Trail>,
    policy: String,
    /// What is to be given back at its end.
    permits: Errand,
    place: Option<Place>,
}

/// Makes the answer and takes both sockets. Where the platform does not let it, the request is
/// refused, and the origin's end is closed.
pub(super) fn open(
    gate: &Gate,
    switch: Switch<'_, EdgePorts<'_>>,
) -> std::result::Result<Opened, Refused> {
    let (switched, session, open) = switch.part();
    let made = make(gate, &switched, session.message_bytes_max());
    let place = switched.answer().care.place.take();
    match made {
        Ok((response, pair)) => Ok(Opened {
            response,
            pair,
            session,
            trail: switched.into_trail(),
            policy: gate.version.clone(),
            permits: open.hand_over(),
            place,
        }),
        Err(_) => {
            origin::hang_up(&switched.answer().response);
            let refusal = Refusal::OriginInvalid;
            let trail = switched.into_trail();
            Err(Refused { refusal, trail })
        }
    }
}

/// The platform adds the fields of the switch itself.
fn make(
    gate: &Gate,
    switched: &Switched<Answer>,
    message_bytes_max: u64,
) -> Result<(Response, Pair)> {
    let mut edits = reply::dress(Some(gate), switched.trail(), &[]);
    if let Some(protocol) = switched.protocol() {
        edits.set.pair("sec-websocket-protocol", protocol);
    }
    let ends = WebSocketPair::new()?;
    let response = platform::switch(ends.client.as_ref(), &edits)?;
    let origin = origin::socket(&switched.answer().response).ok_or("no socket of the origin")?;
    let ours: &WebSocket = ends.server.as_ref();
    let pair = Pair::new(ours.clone(), origin, message_bytes_max)?;
    Ok((response, pair))
}

impl Opened {
    pub(super) fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Lets the session run as long as the platform stays at the request, and gives the answer.
    pub(super) fn run(self, env: &Env, context: &Context) -> Response {
        let Self {
            response,
            pair,
            session,
            trail,
            policy,
            permits,
            place,
        } = self;
        let ports = ErrandPorts::staying(env, context);
        let env = env.clone();
        context.wait_until(async move {
            let running = AssertUnwindSafe(relay(&ports, &pair, session)).catch_unwind();
            let ended = match running.await {
                Ok(ended) => ended,
                Err(_) => broken(&pair),
            };
            drop(place);
            log::session(&env, &line(&trail, &ended, &policy, clock::now_ms()));
            errand::run(&ports, permits).await;
        });
        response
    }
}

/// What is left to tell of a session whose notes a panic took along.
fn broken(pair: &Pair) -> Ended {
    let ending = Ending::Panicked;
    for side in Side::BOTH {
        pair.close(side, &ending.told(side));
    }
    Ended {
        ending,
        lasted_ms: 0,
        caller: (0, 0),
        origin: (0, 0),
    }
}
