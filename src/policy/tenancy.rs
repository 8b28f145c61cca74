//! `tenancy` as enforced: where a request names its tenant, route by route.
//!
//! Owns: that every route of a policy with tenants says whose it is, or that it is nobody's. Does
//! not own: the comparison (`stage::tenant`). Called by: `policy::routes`.

use crate::policy::authenticators::is_reserved;
use crate::policy::document::{
    AuthEntry, AuthenticatorEntry, Document, RouteEntry, RouteTenancyEntry, TenancyEntry,
};
use crate::policy::fault::Faults;
use crate::policy::route_table::Template;
use crate::policy::routes::Place;
use crate::spoken_for::is_spoken_for;

/// Where the tenant of a route's requests stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenancy {
    pub place: TenantPlace,
    /// Roles whose callers may act for any tenant.
    pub except_roles: Vec<String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TenantPlace {
    /// A parameter of the route's path.
    Path(String),
    /// A parameter of the query, once.
    Query(String),
    /// A header, in lower case.
    Header(String),
}

/// Adds a fault for a policy's `tenancy` that names no place, or several.
pub(super) fn check(document: &Document, faults: &mut Faults) {
    if let Some(Err(problem)) = document.tenancy.as_ref().map(|one| read(one, document)) {
        faults.add(&["tenancy"], problem, FIX);
    }
}

/// The tenancy of one route: its own, or the policy's.
///
/// A route with authenticators that names no tenant has to say so: an origin behind a policy with
/// tenants is not told whose request it is otherwise.
pub(super) fn of_route(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    document: &Document,
    faults: &mut Faults,
) -> Option<Tenancy> {
    let is_public = matches!(entry.auth, AuthEntry::Public(_));
    let (is_own, written) = match (&entry.tenancy, &document.tenancy) {
        (Some(RouteTenancyEntry::Not(_)), _) | (None, None) => return None,
        (Some(RouteTenancyEntry::Of(own)), _) => (true, own),
        (None, Some(all)) => (false, all),
    };
    let tenancy = match read(written, document) {
        Ok(tenancy) => tenancy,
        Err(problem) if is_own => {
            at.add(faults, &["tenancy"], problem, FIX);
            return None;
        }
        // Told once, by `check`.
        Err(_) => return None,
    };
    let problem = match &tenancy.place {
        TenantPlace::Path(name) if !template.parameters().contains(name) => match is_public {
            true if !is_own => return None,
            _ => format!("the route's path has no {{{name}}}, so that it belongs to no tenant"),
        },
        TenantPlace::Path(name) if template.as_str().contains(&format!("{{*{name}}}")) => {
            format!("{{*{name}}} stands for several segments, and a tenant is one")
        }
        _ if !is_public => return Some(tenancy),
        TenantPlace::Query(_) | TenantPlace::Header(_) if !is_own => return None,
        _ => "callers of a public route have no tenant".to_owned(),
    };
    let fix = "Write \"tenancy\": \"none\", if any tenant's callers may come here, or name the place of its own";
    at.add(faults, &["tenancy"], problem, fix);
    None
}

const FIX: &str = "Write one of path, query and header, as { \"path\": \"tenantId\" }";

fn read(entry: &TenancyEntry, document: &Document) -> Result<Tenancy, String> {
    let place = match (&entry.path, &entry.query, &entry.header) {
        (Some(name), None, None) => TenantPlace::Path(name.clone()),
        (None, Some(name), None) => TenantPlace::Query(name.clone()),
        (None, None, Some(name)) => TenantPlace::Header(name.clone()),
        _ => return Err("a tenant stands in exactly one place".into()),
    };
    if let TenantPlace::Header(name) = &place {
        let is_credential = document
            .authenticators
            .values()
            .any(|one| matches!(one, AuthenticatorEntry::ApiKey(keys) if keys.header == *name));
        if is_credential || is_reserved(name) {
            return Err(format!("the header `{name}` has a meaning of its own"));
        }
        if is_spoken_for(name) {
            return Err(format!("the header `{name}` reaches no origin"));
        }
    }
    Ok(Tenancy {
        place,
        except_roles: entry.except_roles.clone(),
    })
}
