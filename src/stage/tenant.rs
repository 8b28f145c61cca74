//! Whose request it is: the tenant it names must be the caller's own.
//!
//! Owns: reading the tenant where the policy says it stands, in the one form that is sent on.
//! Does not own: which routes are held to it (`policy::tenancy`). Called by: `stage::authorized`.

use crate::body::pointer::fold;
use crate::credential::caller::Caller;
use crate::facts::Facts;
use crate::policy::tenancy::{Tenancy, TenantPlace};
use crate::refusal::Refusal;
use crate::stage::routed::Routed;

/// Judges the request's tenant. A caller without one, and a request that names none or two, are
/// refused; only a role of `except_roles` crosses.
pub(super) fn judge(
    tenancy: &Tenancy,
    routed: &Routed<'_>,
    caller: &Caller,
    facts: &Facts,
) -> Result<(), Refusal> {
    let Some(caller) = caller.known() else {
        return Err(Refusal::NoCredential);
    };
    let roles = &routed.gate().roles;
    let crosses = |role: &String| roles.include(&caller.roles, role);
    if tenancy.except_roles.iter().any(crosses) {
        return Ok(());
    }
    let Some(own) = &caller.tenant else {
        return Err(Refusal::NoTenant);
    };
    match named(&tenancy.place, routed, facts) {
        Some(named) if named == own => Ok(()),
        Some(_) => Err(Refusal::OtherTenant),
        None => Err(Refusal::TenantNotNamed),
    }
}

/// The tenant as the origin will read it; `None` where it is not named exactly once.
fn named<'a>(place: &TenantPlace, routed: &'a Routed<'_>, facts: &'a Facts) -> Option<&'a str> {
    let only = |name: &str, pairs: &mut dyn Iterator<Item = (&'a str, &'a str)>| {
        // Origins differ in which of two they take, and in which names are the same to them.
        let mut alike = pairs.filter(|(known, _)| is_read_as(known, name));
        let (known, value) = alike.next()?;
        (known == name && alike.next().is_none()).then_some(value)
    };
    match place {
        TenantPlace::Path(name) => {
            let pairs = routed.parameters().iter();
            let mut named = pairs.filter(|(known, _)| known == name);
            named.next().map(|(_, value)| value.as_str())
        }
        TenantPlace::Query(name) => {
            let pairs = routed.query().pairs().iter();
            only(
                name,
                &mut pairs.map(|(name, value)| (name.as_str(), value.as_str())),
            )
        }
        TenantPlace::Header(name) => only(name, &mut facts.headers.iter()),
    }
}

/// Whether some reader of queries takes the parameter `known` for `name`: without case, as an item of
/// a list or a member of an object (`name[]`, `[name]`, `name[a]`), or with `_` for spaces, dots and
/// an open bracket.
fn is_read_as(known: &str, name: &str) -> bool {
    let known = known.trim_start_matches([' ', '[', ']']);
    let head = known.split(['[', ']']).next().unwrap_or_default();
    let plain = |name: &str| fold(name.trim()).replace([' ', '.', '[', ']'], "_");
    let name = plain(name);
    plain(head) == name || plain(known) == name
}
