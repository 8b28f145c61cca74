//! How API keys end: replaced by another, or taken back.
//!
//! Owns: what each writes, and in which order. The mark with the caller's object comes before the
//! record, so that what is told is already true everywhere.

use serde_json::json;

use crate::admin::keys::{LIFETIME_S, change, find, fresh, maker, may_give, objects, put, shown};
use crate::admin::marks::{self, NotMarked};
use crate::admin::ports::AdminPorts;
use crate::admin::{Desk, Done, unfit};
use crate::credential::api_key::{Expiry, KeyRecord, KeyState, Never};
use crate::limit::standing::STANDING_MS;
use crate::refusal::Refusal;
use crate::revocation::{Credential, Mark};

/// How long the store may show an older record somewhere: a day, many times what is usual.
const LAG_S: u64 = 86_400;

/// Makes another key of the same caller; the old one lives on for a while.
pub(in crate::admin) async fn rotate<P: AdminPorts>(
    desk: &Desk<'_, P>,
    id: &str,
    overlap_s: u64,
) -> Result<Done, Refusal> {
    let old = find(desk, id).await?;
    may_give(desk, &old.scopes)?;
    let now_s = desk.now_ms() / 1_000;
    may_rotate(desk, &old, now_s).await?;
    let (name, prefix, pepper) = maker(desk, old.authenticator.as_deref())?;
    let made = fresh(desk, prefix, old.env.as_deref().unwrap_or("live"))?;
    let lifetime_s = match (&old.expires_at, old.created_at) {
        (Expiry::At(at_s), Some(from_s)) => at_s.saturating_sub(from_s),
        _ => LIFETIME_S,
    };
    let new = KeyRecord {
        id: made.key.id().as_str().to_owned(),
        hash: pepper.hash_of(&made.key),
        pepper: pepper.id().to_owned(),
        authenticator: Some(name.to_owned()),
        // A key whose time has not come is replaced by one whose time has not either.
        not_before: Some(old.not_before.unwrap_or(now_s).max(now_s)),
        expires_at: match old.expires_at {
            Expiry::Never(Never::Never) => Expiry::Never(Never::Never),
            Expiry::At(_) => Expiry::At(now_s + lifetime_s),
        },
        state: KeyState::Active,
        created_at: Some(now_s),
        created_by: Some(desk.admin.name()),
        ..old.clone()
    };
    let end_s = now_s + overlap_s;
    let replaced = KeyRecord {
        state: KeyState::Retiring,
        replaced_by: Some(new.id.clone()),
        expires_at: match old.expires_at {
            Expiry::At(at_s) => Expiry::At(at_s.min(end_s)),
            Expiry::Never(_) => Expiry::At(end_s),
        },
        ..old.clone()
    };
    put(desk, &new).await?;
    // From here on something is changed, whatever becomes of the rest.
    let mut act = change("keys.rotate", &replaced, Some(&old));
    act.target.insert("new_key_id".into(), json!(new.id));
    desk.note(&act);
    put(desk, &replaced).await?;
    Ok(Done {
        status: 201,
        document: json!({
            "key": made.text.expose(), "record": shown(&new), "replaced": shown(&replaced),
        }),
    })
}

/// Whether there is something to replace: a key that is good, or will be, and has no successor.
async fn may_rotate<P: AdminPorts>(
    desk: &Desk<'_, P>,
    old: &KeyRecord,
    now_s: u64,
) -> Result<(), Refusal> {
    if matches!(old.expires_at, Expiry::At(at_s) if at_s <= now_s) {
        let fix = "Make a new one with keys create";
        return Err(unfit("", "expires_at", "the key has ended", fix));
    }
    if old.state == KeyState::Revoked || is_marked(desk, old).await? {
        return Err(unfit(
            "",
            "state",
            "the key is revoked",
            "Make a new one with keys create",
        ));
    }
    if let Some(newer) = &old.replaced_by {
        let fix = format!("Rotate {newer} in its place");
        return Err(unfit("", "state", "the key was replaced already", &fix));
    }
    Ok(())
}

/// Takes a key back, for good.
pub(in crate::admin) async fn revoke<P: AdminPorts>(
    desk: &Desk<'_, P>,
    id: &str,
) -> Result<Done, Refusal> {
    let old = find(desk, id).await?;
    let mark = Mark::Key {
        id: old.id.clone(),
        until_ms: match old.expires_at {
            // The store may yet show an older record, which ends later.
            Expiry::At(at_s) => at_s.saturating_add(LAG_S).saturating_mul(1_000),
            Expiry::Never(_) => u64::MAX,
        },
    };
    let revoked = KeyRecord {
        state: KeyState::Revoked,
        ..old.clone()
    };
    // Noted first: a mark whose writing failed may stand all the same.
    desk.note(&change("keys.revoke", &revoked, Some(&old)));
    let mut marked = Ok(());
    for object in objects(desk, &old) {
        marked = marked.and(marks::write(desk.ports, &object, &mark).await);
    }
    // Also where there was no mark to be had: the store tells it everywhere in the end.
    put(desk, &revoked).await?;
    marked.map_err(not_marked)?;
    Ok(Done {
        status: 200,
        document: json!({ "record": shown(&revoked), "effective_within_s": STANDING_MS / 1_000 }),
    })
}

/// A key that is revoked in the store, and has no mark with its caller's object.
fn not_marked(fault: NotMarked) -> Refusal {
    match fault {
        NotMarked::Down(down) => down.into(),
        NotMarked::Full => {
            let message = "the caller's object remembers no more revoked keys: this one is revoked in the store alone, which may yet show it good for a minute or more";
            let fix = "Wait before relying on it; revoked keys are forgotten a day after they end";
            unfit("", "state", message, fix)
        }
    }
}

async fn is_marked<P: AdminPorts>(desk: &Desk<'_, P>, record: &KeyRecord) -> Result<bool, Refusal> {
    let credential = Credential::Key {
        id: record.id.clone(),
    };
    for object in objects(desk, record) {
        let marks = marks::read(desk.ports, &object).await?;
        if marks.refuses(&credential).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
