//! `websocket` of a route, as enforced.
//!
//! Owns: defaults, and that nothing stands beside it that could not hold for messages. Called by:
//! `policy::routes`.

use std::rc::Rc;

use crate::limit::meter::MeterRule;
use crate::limit::rule::{CountBy, Counts, LimitRule};
use crate::policy::document::{
    AuthEntry, AuthenticatorEntry, IdempotencyEntry, KeyEntry, RequestEntry, RouteEntry,
    SocketEntry,
};
use crate::policy::fault::Faults;
use crate::policy::gate::Auth;
use crate::policy::routes::{Context, Place};
use crate::socket::rule::{
    IDLE_MS_DEFAULT, MESSAGE_BYTES_DEFAULT, SESSION_BYTES_DEFAULT, SESSION_S_DEFAULT, SocketBounds,
    SocketRule,
};

/// Longest session of a caller with an opaque token, in seconds: its issuer is not asked again
/// meanwhile, so this is how long a token may live on that it took back.
pub(super) const OPAQUE_SESSION_S_MAX: u64 = 300;

/// What a route's `websocket` says; `None`: the route serves plain requests alone.
pub(super) fn rule(
    entry: &RouteEntry,
    auth: &Auth,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<SocketRule> {
    let socket = entry.websocket.as_ref()?;
    check_beside(entry, at, faults);
    check_sender(entry, socket, auth, at, context, faults);
    let session_s = session_s(socket);
    let bounds = SocketBounds {
        message_bytes_max: socket.max_message_bytes.unwrap_or(MESSAGE_BYTES_DEFAULT),
        session_bytes_max: socket.max_session_bytes.unwrap_or(SESSION_BYTES_DEFAULT),
        session_ms: session_s.saturating_mul(1_000),
        idle_ms: socket.idle_timeout_ms.unwrap_or(IDLE_MS_DEFAULT),
    };
    if bounds.message_bytes_max > bounds.session_bytes_max {
        let problem = "one message may be larger than all of a session";
        let fix = "Raise max_session_bytes, or lower max_message_bytes";
        let place = ["websocket", "max_session_bytes"];
        at.add(faults, &place, problem, fix);
    }
    let messages = messages(socket, at, context, faults)?;
    Some(SocketRule {
        origins: socket.origins.clone(),
        protocols: socket.protocols.clone(),
        messages,
        bounds,
    })
}

/// How long a session lasts at most, in seconds.
pub(super) fn session_s(socket: &SocketEntry) -> u64 {
    socket.max_session_s.unwrap_or(SESSION_S_DEFAULT)
}

/// The limit that messages are charged to.
fn messages(
    socket: &SocketEntry,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Rc<LimitRule>> {
    let place = ["websocket", "messages"];
    let Some(rule) = context.limits.get(&socket.messages) else {
        if !context.document.limits.contains_key(&socket.messages) {
            let known = context.document.limits.keys();
            faults.unknown(&at.path(&place), "limit", &socket.messages, known);
        }
        return None;
    };
    let mut wrong = |problem: &str, fix: &str| at.add(faults, &place, problem, fix);
    if matches!(rule.meter, MeterRule::Permits(_)) {
        wrong(
            "a message is not open for any time",
            "Name a limit that counts, and this one in `limits`: a session holds one permit",
        );
    }
    if rule.by == CountBy::Expression {
        wrong(
            "an expression is reckoned for requests, and a message is none",
            "Name a limit by ip, caller, tenant, route or service",
        );
    }
    if rule.counts != Counts::Requests {
        wrong("a message is no refusal", "Name a limit of requests");
    }
    Some(Rc::clone(rule))
}

/// What a handshake cannot have, or messages would not keep to.
fn check_beside(entry: &RouteEntry, at: &Place, faults: &mut Faults) {
    if entry.matching.methods != ["GET"] {
        let problem = "a handshake of WebSocket is a GET";
        let fix = "Write [\"GET\"], and a route of its own for other methods";
        at.add(faults, &["match", "methods"], problem, fix);
    }
    let RequestEntry {
        content_types,
        body,
        bodies,
        opaque,
        fields,
        ..
    } = &entry.request;
    let content = content_types.is_some()
        || body.is_some()
        || bodies.is_some()
        || !opaque.is_empty()
        || !fields.is_empty();
    if content {
        let problem = "a handshake has no content, and messages are not judged by it";
        let fix = "Remove what is said of content; the origin judges messages";
        at.add(faults, &["request"], problem, fix);
    }
    if entry.response.is_some() {
        let problem = "messages are not judged by it";
        let fix = "Remove it; what callers may read, the origin has to know";
        at.add(faults, &["response"], problem, fix);
    }
    let keyed = match entry.idempotency {
        IdempotencyEntry::Key(key) | IdempotencyEntry::Rules { key, .. } => key,
    };
    if keyed != KeyEntry::Off {
        let problem = "a session cannot be repeated";
        at.add(faults, &["idempotency"], problem, "Remove it");
    }
}

/// Who may open a session, and for how long.
fn check_sender(
    entry: &RouteEntry,
    socket: &SocketEntry,
    auth: &Auth,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) {
    let AuthEntry::Authenticators(names) = &entry.auth else {
        if *auth == Auth::Public && socket.origins.is_empty() {
            let problem = "no page may open it, and other clients need a credential in a header";
            let fix = "List the origins of pages, or authenticators in `auth`";
            at.add(faults, &["websocket", "origins"], problem, fix);
        }
        return;
    };
    let authenticators = &context.document.authenticators;
    let is_opaque = |name: &String| {
        let entry = authenticators.get(name);
        matches!(entry, Some(AuthenticatorEntry::Introspection(_)))
    };
    if names.iter().any(is_opaque) && session_s(socket) > OPAQUE_SESSION_S_MAX {
        let problem = "an opaque token that its issuer takes back would live on in its session";
        let fix = format!("Write {OPAQUE_SESSION_S_MAX} or less");
        at.add(faults, &["websocket", "max_session_s"], problem, fix);
    }
}
