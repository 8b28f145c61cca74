//! The way into the admin API: each request is bounded, proves who asks, and only then is read.
//!
//! Owns: the order. Called by: `edge::gateway`, where the API is on.

use std::rc::Rc;

use crate::address;
use crate::admin::caller::{RootHashes, identify, presented};
use crate::admin::command::Verb;
use crate::admin::ports::AdminPorts;
use crate::admin::{Desk, Done, perform};
use crate::challenge::Challenge;
use crate::facts::Facts;
use crate::limit::ask;
use crate::limit::charge::{Charge, ObjectCharge, UnitCharge};
use crate::limit::meter::MeterRule;
use crate::limit::rule::{CountBy, Counts, LimitRule, Mode, OnError, Scope};
use crate::limit::window::WindowRule;
use crate::object::ObjectName;
use crate::policy::gate::Gate;
use crate::ports::{Ports, ReadFault};
use crate::refusal::Refusal;
use crate::stage::failure;
use crate::stage::shielded::judge;
use crate::trail::{Refused, StageName, Trail};
use crate::transport;

/// Refused keys of one address before it has to wait, and for how long they count.
const GUESSES_MAX: u64 = 20;
const GUESS_WINDOW_MS: u64 = 300_000;
/// What counts as one IPv6 client where no policy says.
const IPV6_PREFIX: u8 = 64;

/// What came of a request, and its notes.
#[derive(Debug)]
pub struct Admitted {
    pub done: Done,
    pub trail: Box<Trail>,
}

/// Takes one request through the admin API.
///
/// - `is_local`: it came over loopback, in a trial: HTTPS is not asked of it.
pub async fn serve<P: Ports + AdminPorts>(
    ports: &P,
    gate: Option<&Gate>,
    hashes: &RootHashes,
    is_local: bool,
    mut trail: Box<Trail>,
    body: P::Body,
) -> Result<Admitted, Refused> {
    trail.challenges = vec![Challenge::Bearer];
    match through(ports, gate, hashes, is_local, &mut trail, body).await {
        Ok(done) => Ok(Admitted { done, trail }),
        // Whoever may use an API and not its admin API has nothing to look for here.
        Err(refusal @ Refusal::MissingScopes { .. }) => {
            Err(failure::charge_as_guess(ports, Refused { refusal, trail }).await)
        }
        Err(refusal) => Err(failure::charge(ports, Refused { refusal, trail }).await),
    }
}

async fn through<P: Ports + AdminPorts>(
    ports: &P,
    gate: Option<&Gate>,
    hashes: &RootHashes,
    is_local: bool,
    trail: &mut Trail,
    body: P::Body,
) -> Result<Done, Refusal> {
    trail.stage = StageName::Routed;
    let address = client(gate, is_local, &trail.facts)?;
    let verb = Verb::find(&trail.facts.raw_path, &trail.facts.method)?;
    trail.route = Some(("edgeward:admin".into(), verb.template().into()));
    trail.stage = StageName::Identified;
    let text = presented(trail)?;
    bound_guesses(ports, address, trail).await?;
    let admin = identify(ports, gate, hashes, &text, trail).await?;
    trail.caller = Some(Rc::new(admin.as_caller()));
    trail.stage = StageName::Authorized;
    if !admin.may(verb.scope()) {
        return Err(Refusal::MissingScopes {
            missing: vec![verb.scope().to_owned()],
        });
    }
    trail.stage = StageName::Validated;
    let content = content(ports, &verb, trail, body).await?;
    let command = verb.read(trail.facts.raw_query.as_deref(), content)?;
    let desk = Desk {
        ports,
        gate,
        admin: &admin,
        facts: &trail.facts,
    };
    perform(&desk, command).await
}

/// Whether the address may guess once more; notes what a guess costs it. A counter that is silent
/// refuses: there is no other bound.
async fn bound_guesses<P: Ports>(
    ports: &P,
    address: ObjectName,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let look = guess(address, true);
    let charged = ask::charge(ports, look.clone()).await;
    trail.failure = guess(address, false);
    judge(trail, &look, &charged)
}

/// Where guesses of the address are counted, if the connection is fit: as the policy in force asks of
/// every request, or over HTTPS where there is none.
fn client(gate: Option<&Gate>, is_local: bool, facts: &Facts) -> Result<ObjectName, Refusal> {
    let (address, ipv6_prefix) = match gate {
        Some(gate) if !is_local => (transport::check(gate, facts)?, gate.network.ipv6_prefix),
        None if !is_local && !facts.is_https => return Err(Refusal::NotHttps),
        _ => {
            transport::check_frame(facts)?;
            (facts.connection.ip.ok_or(Refusal::NoAddress)?, IPV6_PREFIX)
        }
    };
    let key = address::limit_key(address, ipv6_prefix);
    Ok(ObjectName::of_address(&key, &address::network(address)))
}

fn guess(address: ObjectName, look: bool) -> Charge {
    let name = "edgeward-admin".to_owned();
    let rule = LimitRule {
        name: name.clone(),
        by: CountBy::Ip,
        meter: MeterRule::Window(WindowRule {
            limit: GUESSES_MAX,
            window_ms: GUESS_WINDOW_MS,
        }),
        on_error: OnError::Refuse,
        scope: Scope::Service,
        mode: Mode::Enforce,
        counts: Counts::RefusedCredentials,
        brokers: 0,
    };
    let unit = UnitCharge {
        rule: Rc::new(rule),
        row: address.row(&name),
        units: 1,
        look,
    };
    Charge::of(vec![ObjectCharge {
        object: address,
        observed: false,
        units: vec![unit],
    }])
}

async fn content<P: Ports>(
    ports: &P,
    verb: &Verb,
    trail: &Trail,
    body: P::Body,
) -> Result<Vec<u8>, Refusal> {
    let max_bytes = verb.bytes_max();
    if max_bytes == 0 {
        return match trail.facts.has_body {
            true => Err(Refusal::UnexpectedBody),
            false => Ok(Vec::new()),
        };
    }
    let kind = trail.facts.headers.get("content-type").unwrap_or_default();
    let kind: Option<mime::Mime> = kind.parse().ok();
    if kind.is_none_or(|kind| kind.essence_str() != "application/json") {
        return Err(Refusal::MediaType);
    }
    let read = ports.read(body, max_bytes).await;
    read.map_err(|fault| match fault {
        ReadFault::TooLarge => Refusal::TooLarge { max_bytes },
        ReadFault::Broken => Refusal::BodyBroken,
        ReadFault::TimedOut => Refusal::BodyTimeout,
    })
}
