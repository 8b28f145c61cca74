//! Numbers of a key's own in place of a limit's, without a new policy.
//!
//! Owns: that only numbers which will be heeded are written. A policy may change later: what it does
//! not heed any more is told when the key is shown.

use serde_json::json;

use crate::admin::command::NumbersAsked;
use crate::admin::keys::{change as act, find, put, shown};
use crate::admin::ports::AdminPorts;
use crate::admin::{Desk, Done, unfit};
use crate::credential::api_key::{KeyRecord, KeyState};
use crate::credential::own_limit::{OWN_LIMITS_MAX, OwnLimit, OwnLimits};
use crate::limit::rule::{CountBy, LimitRule};
use crate::policy::own_numbers::with_numbers;
use crate::refusal::Refusal;

/// Writes numbers into a key's record, and takes others back.
pub(in crate::admin) async fn change<P: AdminPorts>(
    desk: &Desk<'_, P>,
    id: &str,
    asked: NumbersAsked,
) -> Result<Done, Refusal> {
    check(desk, "/set", &asked.set)?;
    let old = find(desk, id).await?;
    if old.state == KeyState::Revoked {
        let fix = "Make a new one with keys create";
        return Err(unfit("", "state", "the key is revoked", fix));
    }
    let mut limits = old.limits.clone();
    for (index, name) in asked.clear.iter().enumerate() {
        if limits.remove(name).is_none() {
            let pointer = format!("/clear/{index}");
            let message = "the key has no numbers of its own for this limit";
            return Err(unfit(&pointer, "clear", message, "See keys show"));
        }
    }
    limits.extend(asked.set);
    if limits.len() > OWN_LIMITS_MAX {
        let message = "the key would have numbers of its own for too many limits";
        let fix = format!("Take some back: a key has at most {OWN_LIMITS_MAX}");
        return Err(unfit("/set", "maxProperties", message, &fix));
    }
    let new = KeyRecord {
        limits,
        ..old.clone()
    };
    put(desk, &new).await?;
    desk.note(&act("keys.limit", &new, Some(&old)));
    Ok(Done {
        status: 200,
        document: json!({ "record": shown(&new) }),
    })
}

/// Whether the policy in force will heed the numbers.
///
/// - `at`: where they stand in the content.
pub(super) fn check<P>(desk: &Desk<'_, P>, at: &str, limits: &OwnLimits) -> Result<(), Refusal> {
    for (name, own) in limits {
        let pointer = format!("{at}/{name}");
        match rule(desk, name) {
            None => {
                let message = "the policy in force has no limit of this name by caller";
                let fix = match names(desk).as_slice() {
                    [] => "There is none: change the policy first".to_owned(),
                    names => format!("Write one of {}", names.join(", ")),
                };
                return Err(unfit(&pointer, "limits", message, &fix));
            }
            Some(rule) if !is_heeded(rule, own) => {
                let message = "this limit counts by another algorithm";
                let fix = "Write limit for windows, periods and open requests, \
                           rate_per_s with burst or queue for buckets";
                return Err(unfit(&pointer, "limits", message, fix));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The limits that a record has numbers for and the policy in force does not heed.
pub(super) fn unheeded<'a, P>(desk: &Desk<'_, P>, record: &'a KeyRecord) -> Vec<&'a str> {
    let heeded =
        |name: &str, own: &OwnLimit| rule(desk, name).is_some_and(|one| is_heeded(one, own));
    let unheeded = record
        .limits
        .iter()
        .filter(|(name, own)| !heeded(name, own));
    unheeded.map(|(name, _)| name.as_str()).collect()
}

fn is_heeded(rule: &LimitRule, own: &OwnLimit) -> bool {
    with_numbers(&rule.meter, own).is_some()
}

/// The limit of this name, if it is one by caller.
fn rule<'a, P>(desk: &Desk<'a, P>, name: &str) -> Option<&'a LimitRule> {
    let rule = desk.gate?.limits.get(name)?;
    (rule.by == CountBy::Caller).then_some(&**rule)
}

fn names<P>(desk: &Desk<'_, P>) -> Vec<String> {
    let rules = desk.gate.iter().flat_map(|gate| gate.limits.values());
    let by_caller = rules.filter(|rule| rule.by == CountBy::Caller);
    let mut names: Vec<_> = by_caller.map(|rule| rule.name.clone()).collect();
    names.sort_unstable();
    names
}
