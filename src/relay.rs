//! The session: messages from either side to the other, check by check, until it ends.
//!
//! Owns: the order, as `admit` does for requests. One message at a time: what a side sent first passes
//! first, and what waits is bounded (`socket::queue`). Does not own: the sockets (`Wires`).

use serde_json::{Map, Value, json};

use crate::decision::{caller, timestamp};
use crate::limit::ask::{self, Objects};
use crate::socket::Side;
use crate::socket::close::{Close, Ending};
use crate::socket::queue::Event;
use crate::socket::tally::Due;
use crate::stage::session::{Pass, Session};
use crate::trail::Trail;

/// The two sockets of a session.
#[allow(
    async_fn_in_trait,
    reason = "one isolate, one thread: no future is ever sent"
)]
pub trait Wires {
    type Message;

    /// What arrived next; `None` if nothing did for `patience_ms`.
    async fn next(&self, patience_ms: u64) -> Option<Event<Self::Message>>;

    /// Hands a message to the side it is for; an error if that is gone.
    fn send(&self, pass: Pass<Self::Message>) -> Result<(), Ending>;

    fn close(&self, side: Side, close: &Close);
}

/// How a session ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    pub ending: Ending,
    pub lasted_ms: u64,
    /// Messages and bytes, of the caller and of the origin, those that were turned away too.
    pub caller: (u64, u64),
    pub origin: (u64, u64),
}

/// Carries a session to its end, and closes both sides.
pub async fn relay<O: Objects, W: Wires>(objects: &O, wires: &W, mut session: Session) -> Ended {
    let ending = loop {
        if let Err(ending) = step(objects, wires, &mut session).await {
            break ending;
        }
    };
    for side in Side::BOTH {
        wires.close(side, &ending.told(side));
    }
    let sent = |by| {
        let sent = session.sent(by);
        (sent.messages, sent.bytes)
    };
    Ended {
        ending,
        lasted_ms: session.lasted_ms(objects.now_ms()),
        caller: sent(Side::Caller),
        origin: sent(Side::Origin),
    }
}

async fn step<O: Objects, W: Wires>(
    objects: &O,
    wires: &W,
    session: &mut Session,
) -> Result<(), Ending> {
    let event = wires.next(session.patience_ms(objects.now_ms())).await;
    match event {
        Some(Event::Over(ending)) => Err(ending),
        Some(Event::Message {
            from,
            bytes,
            message,
        }) => {
            let weighed = session.weigh(from, bytes, objects.now_ms())?;
            let charged = ask::charge(objects, weighed.charge().clone()).await;
            let pass = session.pass(weighed, message, &charged, objects.now_ms())?;
            wires.send(pass)
        }
        None => match session.due(objects.now_ms()) {
            Due::Nothing => Ok(()),
            Due::End(ending) => Err(ending),
            Due::Ask => {
                let charged = ask::charge(objects, session.standing_charge()).await;
                session.stand(&charged, objects.now_ms())
            }
        },
    }
}

/// The one line of a session, beside the decision line of its handshake: nothing of what was said.
///
/// - `policy`: the version of the gate that let it in, whose terms it kept to.
pub fn line(trail: &Trail, ended: &Ended, policy: &str, now_ms: u64) -> Map<String, Value> {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            line.insert(name.to_owned(), value);
        }
    };
    put("event", json!("session"));
    put("ts", json!(timestamp(now_ms)));
    put("request_id", json!(trail.facts.request_id.to_string()));
    put("route", json!(trail.route.as_ref().map(|(id, _)| id)));
    put("caller", json!(caller(trail)));
    put("reason", json!(ended.ending.why()));
    put(
        "by",
        json!(ended.ending.by().map_or("gateway", Side::as_str)),
    );
    put("close", json!(ended.ending.told(Side::Caller).code));
    let sent = |(messages, bytes)| json!({ "messages": messages, "bytes": bytes });
    put("from_caller", sent(ended.caller));
    put("from_origin", sent(ended.origin));
    put(
        "origin",
        json!(trail.origin.as_ref().map(|origin| &origin.name)),
    );
    put("ms", json!(ended.lasted_ms));
    put("policy", json!(policy));
    line
}
