//! Edgeward: an API security gateway as one Cloudflare Worker.
//!
//! ```text
//!             pure, `stage`                              the outside, through `Ports`
//!   Facts ──► Exchange<Received>
//!                │ route(&Gate)                            a CORS preflight ends here
//!             Exchange<Routed>       ── question ─────────► charge(limits by address)
//!                │ shield(answer)
//!             Exchange<Shielded>
//!                │ present()         ── question ─────────► key_record | key_set, verify_signature |
//!                │                                         introspect; take (a DPoP proof, once)
//!             Exchange<Presenting>
//!                │ identify(evidence)
//!             Exchange<Identified>   ── question ─────────► charge(limits by caller), not revoked?
//!                │ limit(answer)
//!             Exchange<Limited>
//!                │ authorize()                             scopes, roles, the route's rule
//!             Exchange<Authorized>
//!                │ inspect()                               parameters, content type, size
//!             Exchange<Inspected>    ── question ─────────► read(content)   only if a rule needs it
//!                │ validate(content)
//!             Exchange<Validated>    ── question ─────────► charge(the rest, where content tells the cost)
//!                │ pay(answer)
//!             Exchange<Paid>
//!                │ claim()           ── question ─────────► stored(key)   a kept answer is Answered
//!             Exchange<Claiming>     ── question ─────────► sign(statement), claim(the right to act, once)
//!                │ claimed(answer)                         what was answered before ends here
//!             Exchange<Claimed>
//!                │ forward(signed)
//!             Unsigned               ── question ─────────► sign(message)   only if the origin asks for it
//!                │ signed(answer)
//!             Forward                ── the only sendable ► send(forward)
//!                │ answered(answer)
//!             Exchange<Answered>
//!                │ sort()                                  unread, where no rule asks about it
//!             Exchange<Ruled>        ── question ─────────► read_answer(content)
//!                │ judge(content)
//!             Exchange<Fit>
//!                │ release()
//!             Release                ── the only returnable answer of an origin
//!
//!   any arrow may return Refused { refusal, trail } ──► Problem (the client), Decision (the log)
//! ```
//!
//! `admit` is the driver; `policy` makes the `Gate` from what was written; `credential`, `limit`
//! and `body` are the arithmetic of the stages, `answer` that of the way back, `stored` that of answers
//! that are kept; `origin` sends where the origin is well enough; `problem`, `reply` and `decision` say what came of
//! it; `edge` alone names `worker`.

pub mod address;
pub mod admin;
pub mod admit;
pub mod answer;
pub mod body;
pub mod challenge;
pub mod cors;
pub mod credential;
pub mod decision;
pub mod facts;
pub mod house;
pub mod idempotency;
pub mod identity;
pub mod limit;
pub mod message;
pub mod object;
pub mod origin;
pub mod path;
pub mod policy;
pub mod ports;
pub mod problem;
pub mod refusal;
pub mod relay;
pub mod release;
pub mod replay;
pub mod reply;
pub mod resource;
pub mod revocation;
pub mod secret;
pub mod socket;
pub mod spoken_for;
pub mod stage;
pub mod stored;
pub mod trail;
pub mod transport;

#[cfg(target_arch = "wasm32")]
mod edge;
