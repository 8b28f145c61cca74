//! One request at the edge: facts in, the driver, a response and one log line out.

use std::cell::OnceCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};
use worker::{Context, Env, Result};

use crate::admit::{Outcome, admit};
use crate::cors;
use crate::decision::{Ending, line};
use crate::edge::ports::{EdgePorts, Unread, run_behind};
use crate::edge::reply::Refusing;
use crate::edge::watch::Stay;
use crate::edge::{admin, clock, incoming, keep, key_records, log, policy, reply, session};
use crate::facts::{Facts, Method};
use crate::house::{self, Page};
use crate::policy::gate::Gate;
use crate::refusal::Refusal;
use crate::stage::release::Release;
use crate::trail::{Refused, StageName, Trail};

/// Names a request that is to panic; with [`ABORTS`] behind it, to abort. Bound in tests alone: it shows that
/// a fault of the gateway itself ends one request and no other, or those of one wasm instance.
const PANIC_BINDING: &str = "EDGEWARD_TEST_PANIC_PATH";
const ABORTS: &str = "/abort";

thread_local! {
    /// Read once: what is bound does not change while an isolate lives.
    static PANIC_PATH: OnceCell<Option<String>> = const { OnceCell::new() };
}

/// Answers one request and writes its line.
pub(super) async fn handle(request: Request, env: Env, context: Context) -> Result<Response> {
    let loading = AssertUnwindSafe(policy::current(&env, &context)).catch_unwind();
    let (gate, loaded) = match loading.await {
        Ok(gate) => (gate, true),
        Err(_) => (None, false),
    };
    let development = gate.as_ref().is_some_and(|gate| !gate.production);
    let facts = incoming::facts(&request, &env, development)?;
    // What is left to tell of a request whose notes a panic took along.
    let bare = facts.without_headers();
    let cors_origin = reading_origin(gate.as_ref(), &facts);
    let asked = Asked {
        env: &env,
        context: &context,
        request: &request,
    };
    let serving = AssertUnwindSafe(serve(gate.as_ref(), &asked, facts)).catch_unwind();
    if loaded && let Ok(response) = serving.await {
        return response;
    }
    let mut trail = Box::new(Trail::new(bare));
    trail.cors_origin = cors_origin;
    let refusal = Refusal::Panicked;
    refuse(gate.as_ref(), &env, Refused { refusal, trail })
}

/// What the platform hands over with a request.
struct Asked<'a> {
    env: &'a Env,
    context: &'a Context,
    request: &'a Request,
}

async fn serve(gate: Option<&Rc<Gate>>, asked: &Asked<'_>, facts: Facts) -> Result<Response> {
    let Asked {
        env,
        context,
        request,
    } = *asked;
    panic_if_asked(env, &facts);
    if house::is_own(&facts.raw_path) {
        return own(gate, asked, facts).await;
    }
    let Some(gate) = gate else {
        let trail = Box::new(Trail::new(facts));
        return refuse(
            None,
            env,
            Refused {
                refusal: Refusal::NoPolicy,
                trail,
            },
        );
    };
    let ports = EdgePorts {
        env,
        context,
        request,
        stay: Stay::default(),
    };
    match admit(gate, &ports, facts, Unread(())).await {
        Ok(Outcome::Released(release)) => released(gate, &ports, release).await,
        Ok(Outcome::Switched(switch)) => match session::open(gate, *switch) {
            Ok(opened) => {
                store_rehash(env, context, opened.trail());
                log_end(env, Some(gate), opened.trail(), session::SWITCHING);
                Ok(opened.run(env, context))
            }
            Err(refused) => refuse(Some(gate), env, refused),
        },
        Ok(Outcome::Replayed { answer, trail }) => {
            let reply = reply::replayed(gate, &trail, &answer)?;
            log_end(env, Some(gate), &trail, reply.status);
            Ok(reply.response)
        }
        Ok(Outcome::Preflight { fields, trail }) => {
            let reply = reply::preflight(gate, &trail, &fields)?;
            log_end(env, Some(gate), &trail, reply.status);
            Ok(reply.response)
        }
        Err(mut refused) => {
            let granted = refused.trail.keep.take();
            let refusing = reply::refuse(Some(gate), &refused)?;
            if let Some(granted) = granted {
                keep::keep_refusal(env, &granted, &refusing).await;
            }
            Ok(log_refused(Some(gate), env, &refused, refusing))
        }
    }
}

/// Sends the origin's answer on its way. The request is over when it has left.
async fn released(
    gate: &Rc<Gate>,
    ports: &EdgePorts<'_>,
    release: Release<'_, EdgePorts<'_>>,
) -> Result<Response> {
    let (env, context) = (ports.env, ports.context);
    let (cleared, open) = release.part();
    // It goes when this ends, or with the end of what is watched.
    let place = cleared.answer().care.place.take();
    let cleared = keep::keep(env, cleared).await;
    let is_watched = open.holds_permits() || place.is_some();
    let client = is_watched.then(|| ports.request.signal());
    match reply::release(gate, &cleared, client.as_ref()) {
        Ok((reply, ended)) => {
            if let Some(ended) = ended.clone() {
                context.wait_until(async move {
                    let _ = JsFuture::from(ended).await;
                    drop(place);
                });
            }
            if ended.is_some() {
                run_behind(env, context, ended, open.hand_over());
            }
            store_rehash(env, context, cleared.trail());
            log_end(env, Some(gate), cleared.trail(), reply.status);
            Ok(reply.response)
        }
        // What the platform will not pass on is no answer.
        Err(_) => refuse(Some(gate), env, cleared.withhold(Refusal::OriginInvalid)),
    }
}

/// Writes a key's hash under the newest pepper, behind the answer.
fn store_rehash(env: &Env, context: &Context, trail: &Trail) {
    if let Some(rehash) = trail.rehash.clone() {
        let env = env.clone();
        context.wait_until(async move { key_records::store_hash(&env, &rehash).await });
    }
}

/// Answers what is the gateway's own: a page, or the admin API where it is on.
async fn own(gate: Option<&Rc<Gate>>, asked: &Asked<'_>, facts: Facts) -> Result<Response> {
    let Asked {
        env,
        context,
        request,
    } = *asked;
    let mut trail = Box::new(Trail::new(facts));
    trail.stage = StageName::Routed;
    let base = trail.base_url(gate.map(Rc::as_ref));
    let page = house::page(&trail.facts.raw_path, gate.map(Rc::as_ref), &base);
    match (page, admin::hashes(env)) {
        (Some(page), _) => own_page(gate, env, trail, &page),
        (None, Some(hashes)) => {
            let ports = EdgePorts {
                env,
                context,
                request,
                stay: Stay::default(),
            };
            let gate_now = gate.map(Rc::as_ref);
            match admin::answer(&ports, gate_now, &hashes, trail).await {
                Ok((reply, trail)) => {
                    let reply = reply?;
                    log_end(env, gate, &trail, reply.status);
                    Ok(reply.response)
                }
                Err(refused) => refuse(gate, env, refused),
            }
        }
        (None, None) => {
            let refusal = Refusal::NoRoute;
            trail.cors_origin = reading_origin(gate, &trail.facts);
            refuse(gate, env, Refused { refusal, trail })
        }
    }
}

fn own_page(
    gate: Option<&Rc<Gate>>,
    env: &Env,
    mut trail: Box<Trail>,
    page: &Page,
) -> Result<Response> {
    trail.cors_origin = reading_origin(gate, &trail.facts);
    if !matches!(trail.facts.method.as_str(), "GET" | "HEAD") {
        let refusal = Refusal::OtherMethod {
            allow: vec![Method::Get, Method::Head],
        };
        return refuse(gate, env, Refused { refusal, trail });
    }
    trail.route = Some((page.name.to_owned(), trail.facts.raw_path.clone()));
    let reply = reply::page(gate.map(Rc::as_ref), &trail, page)?;
    log_end(env, gate, &trail, reply.status);
    Ok(reply.response)
}

fn refuse(gate: Option<&Rc<Gate>>, env: &Env, refused: Refused) -> Result<Response> {
    let refusing = reply::refuse(gate.map(Rc::as_ref), &refused)?;
    Ok(log_refused(gate, env, &refused, refusing))
}

fn log_refused(
    gate: Option<&Rc<Gate>>,
    env: &Env,
    refused: &Refused,
    refusing: Refusing,
) -> Response {
    let reply = refusing.reply;
    let ending = Ending {
        status: reply.status,
        refusal: Some((&refused.refusal, refusing.problem.slug)),
        policy: gate.map(|gate| gate.version.as_str()),
        ms: elapsed_ms(&refused.trail),
    };
    log::decision(env, &line(&refused.trail, &ending));
    reply.response
}

fn log_end(env: &Env, gate: Option<&Rc<Gate>>, trail: &Trail, status: u16) {
    let ending = Ending {
        status,
        refusal: None,
        policy: gate.map(|gate| gate.version.as_str()),
        ms: elapsed_ms(trail),
    };
    log::decision(env, &line(trail, &ending));
}

fn elapsed_ms(trail: &Trail) -> u64 {
    clock::now_ms().saturating_sub(trail.facts.received_at_ms)
}

/// The browser origin that may read the answer.
fn reading_origin(gate: Option<&Rc<Gate>>, facts: &Facts) -> Option<String> {
    let cors = gate?.cors.as_ref()?;
    cors::allowed_origin(cors, facts)
}

fn panic_if_asked(env: &Env, facts: &Facts) {
    let after = PANIC_PATH.with(|path| {
        let path = path.get_or_init(|| env.var(PANIC_BINDING).ok().map(|path| path.to_string()));
        facts.raw_path.strip_prefix(path.as_deref()?)
    });
    #[expect(
        clippy::panic,
        reason = "the test that panics one request among others"
    )]
    match after {
        Some("") => panic!("asked to"),
        Some(ABORTS) => std::process::abort(),
        _ => {}
    }
}
