//! The life of API keys: made, listed, shown; `ending` replaces and revokes them, `numbers` gives
//! them numbers of their own.
//!
//! Owns: who may make which key, and where a key's caller is asked. Does not own: the store
//! (`admin::ports`), marks (`admin::marks`).

pub(super) mod ending;
pub(super) mod numbers;

use serde_json::{Map, Value, json};

use crate::admin::command::{KeyAsked, Page};
use crate::admin::making::{NewKey, RANDOM_BYTES, make};
use crate::admin::marks;
use crate::admin::ports::{AdminPorts, RecordPage};
use crate::admin::{Act, Desk, Done, digest, unfit};
use crate::credential::api_key::{Expiry, KeyRecord, KeyState, Pepper, parse_network};
use crate::object::ObjectName;
use crate::policy::gate::AuthenticatorKind;
use crate::refusal::{Port, Refusal};

/// How long a key lives unless said: 90 days.
const LIFETIME_S: u64 = 90 * 86_400;

/// Makes a key for somebody.
pub(super) async fn create<P: AdminPorts>(
    desk: &Desk<'_, P>,
    asked: KeyAsked,
) -> Result<Done, Refusal> {
    may_give(desk, &asked.scopes)?;
    if let Some(index) = asked
        .cidrs
        .iter()
        .position(|cidr| parse_network(cidr).is_none())
    {
        let pointer = format!("/cidrs/{index}");
        let fix = "Write ADDRESS/PREFIX, as 192.0.2.0/24";
        return Err(unfit(&pointer, "cidrs", "is no network", fix));
    }
    numbers::check(desk, "/limits", &asked.limits)?;
    check_plan(desk, asked.plan.as_deref())?;
    let (name, prefix, pepper) = maker(desk, asked.authenticator.as_deref())?;
    let now_s = desk.now_ms() / 1_000;
    let expires_at = asked.expires_at.unwrap_or(Expiry::At(now_s + LIFETIME_S));
    let from_s = asked.not_before.unwrap_or(now_s);
    if matches!(expires_at, Expiry::At(at_s) if at_s <= from_s.max(now_s)) {
        let fix = "Write a later instant, or \"never\"";
        return Err(unfit(
            "/expires_at",
            "expires_at",
            "the key would never be good",
            fix,
        ));
    }
    let made = fresh(desk, prefix, &asked.env)?;
    let record = KeyRecord {
        id: made.key.id().as_str().to_owned(),
        hash: pepper.hash_of(&made.key),
        pepper: pepper.id().to_owned(),
        authenticator: Some(name.to_owned()),
        env: Some(asked.env),
        subject: asked.subject,
        tenant: asked.tenant,
        scopes: asked.scopes,
        roles: asked.roles,
        plan: asked.plan,
        cidrs: asked.cidrs,
        not_before: Some(from_s),
        expires_at,
        limits: asked.limits,
        state: KeyState::Active,
        replaced_by: None,
        created_at: Some(now_s),
        created_by: Some(desk.admin.name()),
        note: asked.note,
    };
    put(desk, &record).await?;
    desk.note(&change("keys.create", &record, None));
    Ok(Done {
        status: 201,
        document: json!({ "key": made.text.expose(), "record": shown(&record) }),
    })
}

/// A key with a plan that the policy in force does not have is refused wherever the plan counts.
fn check_plan<P>(desk: &Desk<'_, P>, plan: Option<&str>) -> Result<(), Refusal> {
    let (Some(plan), Some(gate)) = (plan, desk.gate) else {
        return Ok(());
    };
    if gate.plans.contains_key(plan) {
        return Ok(());
    }
    let mut known: Vec<_> = gate.plans.keys().map(String::as_str).collect();
    known.sort_unstable();
    let fix = match known.as_slice() {
        [] => "There is none: leave it out, or change the policy first".to_owned(),
        known => format!("Write one of {}", known.join(", ")),
    };
    let message = "the policy in force has no plan of this name";
    Err(unfit("/plan", "plan", message, &fix))
}

/// Some of the keys, in the order of their ids.
pub(super) async fn list<P: AdminPorts>(desk: &Desk<'_, P>, page: &Page) -> Result<Done, Refusal> {
    let found = desk.ports.records(page.cursor.as_deref(), page.limit);
    let RecordPage { records, cursor } = found.await?;
    let wanted = |record: &&KeyRecord| {
        page.subject
            .as_ref()
            .is_none_or(|one| *one == record.subject)
    };
    let keys: Vec<Value> = records.iter().filter(wanted).map(shown).collect();
    Ok(Done {
        status: 200,
        document: json!({ "keys": keys, "cursor": cursor }),
    })
}

/// One key, and when it was used.
pub(super) async fn show<P: AdminPorts>(desk: &Desk<'_, P>, id: &str) -> Result<Done, Refusal> {
    let record = find(desk, id).await?;
    let mut used = None;
    for object in objects(desk, &record) {
        used = used.or(marks::key_use(desk.ports, &object, id).await?);
    }
    let used = used
        .map(|used| json!({ "count": used.count, "last_used_at": used.last_used_at_ms / 1_000 }));
    Ok(Done {
        status: 200,
        document: json!({
            "record": shown(&record), "use": used, "unheeded": numbers::unheeded(desk, &record),
        }),
    })
}

/// Nobody makes a key, or gets one in its place, that may do more with the gateway than itself.
fn may_give<P>(desk: &Desk<'_, P>, scopes: &[String]) -> Result<(), Refusal> {
    match desk.admin.cannot_give(scopes) {
        None => Ok(()),
        Some(scope) => Err(Refusal::MissingScopes {
            missing: vec![scope.clone()],
        }),
    }
}

/// The authenticator that a key is for, how its keys begin, and the pepper they are hashed with.
fn maker<'a, P>(
    desk: &Desk<'a, P>,
    named: Option<&str>,
) -> Result<(&'a str, &'a str, &'a Pepper), Refusal> {
    let all = desk.gate.iter().flat_map(|gate| &gate.authenticators);
    let makers = all.filter_map(|one| match &one.kind {
        AuthenticatorKind::ApiKey {
            prefix, peppers, ..
        } => Some((one.name.as_str(), prefix.as_str(), &peppers.current)),
        _ => None,
    });
    let found: Vec<_> = makers
        .filter(|(name, _, _)| named.is_none_or(|named| named == *name))
        .collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let message = "the policy in force has no such authenticator of kind api_key";
            let fix = "Name one of those that edgeward status lists";
            Err(unfit("/authenticator", "authenticator", message, fix))
        }
        _ => {
            let message = "the policy has several authenticators of kind api_key";
            Err(unfit(
                "/authenticator",
                "authenticator",
                message,
                "Name one of them",
            ))
        }
    }
}

fn fresh<P: AdminPorts>(
    desk: &Desk<'_, P>,
    prefix: &str,
    environment: &str,
) -> Result<NewKey, Refusal> {
    let mut random = [0; RANDOM_BYTES];
    desk.ports.random(&mut random)?;
    // Too few usable bytes: as likely as guessing a key.
    make(prefix, environment, &random).map_err(|_| Refusal::PortDown { port: Port::Keys })
}

/// The objects of the caller that a key stands for: one made by hand may be any authenticator's.
fn objects<P>(desk: &Desk<'_, P>, record: &KeyRecord) -> Vec<ObjectName> {
    let all = desk.gate.iter().flat_map(|gate| &gate.authenticators);
    let names = all
        .filter(|one| matches!(one.kind, AuthenticatorKind::ApiKey { .. }))
        .map(|one| one.name.as_str())
        .filter(|name| {
            record
                .authenticator
                .as_deref()
                .is_none_or(|own| own == *name)
        });
    let names = names.chain(record.authenticator.as_deref());
    let mut objects: Vec<_> = names
        .map(|name| ObjectName::of_caller(name, "", &record.subject))
        .collect();
    objects.dedup();
    objects
}

async fn find<P: AdminPorts>(desk: &Desk<'_, P>, id: &str) -> Result<KeyRecord, Refusal> {
    let found = desk.ports.record(id).await?;
    found.ok_or(Refusal::NoRoute)
}

async fn put<P: AdminPorts>(desk: &Desk<'_, P>, record: &KeyRecord) -> Result<(), Refusal> {
    Ok(desk.ports.put_record(record).await?)
}

/// A record without the hash of its secret.
fn shown(record: &KeyRecord) -> Value {
    let mut record = json!(record);
    if let Some(record) = record.as_object_mut() {
        record.remove("hash");
    }
    record
}

fn change(name: &'static str, record: &KeyRecord, before: Option<&KeyRecord>) -> Act {
    let mut target = Map::new();
    target.insert("key_id".into(), json!(record.id));
    target.insert("subject".into(), json!(record.subject));
    Act {
        name,
        target,
        before: before.and_then(digest),
        after: digest(record),
    }
}
