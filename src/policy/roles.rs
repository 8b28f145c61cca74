//! `roles` as enforced: what each grants, by itself and by the roles it inherits.
//!
//! Owns: wildcards, inheritance and its bounds. Does not own: which roles a caller has
//! (`credential`). Called by: `policy::load`; read by the stages that authorize.

use std::collections::{BTreeMap, HashMap};

use crate::policy::document::RoleEntry;
use crate::policy::fault::Faults;

/// Most roles that one role inherits, in any number of steps.
pub const ROLES_INHERITED_MAX: usize = 64;

/// The roles of a policy.
#[derive(Debug, Default)]
pub struct Roles(HashMap<String, Role>);

#[derive(Debug, Default)]
struct Role {
    grants: Vec<Grant>,
    /// Every role it inherits, in any number of steps.
    inherited: Vec<String>,
}

/// Scopes that a role grants.
#[derive(Debug)]
enum Grant {
    Every,
    /// All that begin so and go on: `payments:` grants `payments:read`, and neither `payments` nor
    /// `payments:`.
    Below(String),
    One(String),
}

impl Grant {
    fn parse(text: &str) -> Self {
        match (text, text.strip_suffix('*')) {
            ("*", _) => Self::Every,
            (_, Some(start)) if start.ends_with([':', '.', '/']) => Self::Below(start.to_owned()),
            // What the schema refuses is never a wildcard.
            _ => Self::One(text.to_owned()),
        }
    }

    fn covers(&self, scope: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Below(start) => scope
                .strip_prefix(start.as_str())
                .is_some_and(|rest| !rest.is_empty()),
            Self::One(one) => one == scope,
        }
    }
}

impl Roles {
    /// Makes the roles; one that is not known or inherits itself is a fault.
    pub(super) fn build(entries: &BTreeMap<String, RoleEntry>, faults: &mut Faults) -> Self {
        let role = |(name, entry): (&String, &RoleEntry)| {
            let role = Role {
                grants: entry.scopes().iter().map(|one| Grant::parse(one)).collect(),
                inherited: inherited(name, entries, faults),
            };
            (name.clone(), role)
        };
        Self(entries.iter().map(role).collect())
    }

    /// Whether one of `held` grants `scope`. A role that the policy does not know grants nothing.
    pub fn grant(&self, held: &[String], scope: &str) -> bool {
        let known = held.iter().filter_map(|name| self.0.get(name));
        let covers = |role: &Role| role.grants.iter().any(|grant| grant.covers(scope));
        known.into_iter().any(|role| {
            let below = role.inherited.iter().filter_map(|name| self.0.get(name));
            covers(role) || below.into_iter().any(covers)
        })
    }

    /// The roles that the policy defines, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_known(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The scopes that roles name whole, without wildcards.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let grants = self.0.values().flat_map(|role| &role.grants);
        grants.filter_map(|grant| match grant {
            Grant::One(scope) => Some(scope.as_str()),
            Grant::Every | Grant::Below(_) => None,
        })
    }

    /// Whether a role names `scope`, itself or by how it begins. One that grants everything names nothing.
    pub fn is_named(&self, scope: &str) -> bool {
        let grants = self.0.values().flat_map(|role| &role.grants);
        let mut naming = grants.filter(|grant| !matches!(grant, Grant::Every));
        naming.any(|grant| grant.covers(scope))
    }

    /// Whether one of `held` is `wanted` or inherits it.
    pub fn include(&self, held: &[String], wanted: &str) -> bool {
        held.iter().any(|name| {
            let known = self.0.get(name);
            name == wanted
                || known.is_some_and(|role| role.inherited.iter().any(|one| one == wanted))
        })
    }

    /// `held` and all that they inherit, each once.
    pub fn with_inherited<'a>(&'a self, held: &'a [String]) -> Vec<&'a str> {
        let mut all: Vec<&str> = Vec::new();
        for name in held {
            let below = self.0.get(name).map(|role| &role.inherited);
            for one in std::iter::once(name).chain(below.into_iter().flatten()) {
                if !all.contains(&one.as_str()) {
                    all.push(one);
                }
            }
        }
        all
    }
}

/// Every role that `name` inherits, nearest first.
fn inherited(
    name: &str,
    entries: &BTreeMap<String, RoleEntry>,
    faults: &mut Faults,
) -> Vec<String> {
    let own = |name: &str| entries.get(name).map_or(&[][..], RoleEntry::inherits);
    for (index, one) in own(name).iter().enumerate() {
        if !entries.contains_key(one) {
            let path = ["roles", name, "inherits", &index.to_string()].map(str::to_owned);
            faults.unknown(&path, "role", one, entries.keys());
        }
    }
    let mut all: Vec<String> = own(name).to_vec();
    let mut at = 0;
    while let Some(next) = all.get(at).cloned() {
        at += 1;
        for one in own(&next) {
            if !all.contains(one) {
                all.push(one.clone());
            }
        }
        if all.len() > ROLES_INHERITED_MAX {
            let problem = format!("it inherits more than {ROLES_INHERITED_MAX} roles");
            faults.add(&["roles", name, "inherits"], problem, "Inherit fewer");
            return Vec::new();
        }
    }
    if all.iter().any(|one| one == name) {
        let problem = "the role inherits itself";
        let fix = "Take it out of the roles that it inherits";
        faults.add(&["roles", name, "inherits"], problem, fix);
    }
    all
}

#[cfg(test)]
mod tests;
