//! `roles` and `require`: the same for every kind of credential.

use serde_json::{Value, json};

use crate::support::{FakePorts, gate};
use crate::{By, policy, reason, route, send};

fn routes() -> Value {
    json!([
        route(
            "read",
            "/read",
            json!({ "require": { "scopes": ["orders:read"] } })
        ),
        route(
            "both",
            "/both",
            json!({ "require": { "scopes": ["orders:read", "notes:write"] } })
        ),
        route(
            "any",
            "/any",
            json!({ "require": { "scopes": { "any": ["orders:write", "notes:write"] } } })
        ),
        route(
            "mixed",
            "/mixed",
            json!({ "require": { "scopes": {
            "all": ["orders:read"], "any": ["orders:refund:full", "orders:write"] } } })
        ),
        route(
            "staff",
            "/staff",
            json!({ "require": { "roles": ["support", "owner"] } })
        ),
        route(
            "rule",
            "/rule",
            json!({ "allow": "'support' in caller.roles" })
        ),
        route(
            "every",
            "/every",
            json!({ "require": { "scopes": ["anything:at:all"] } })
        )
    ])
}

/// A caller with these roles and scopes, by each credential that can say so.
fn callers(roles: &[&str], scopes: &[&str]) -> [By; 4] {
    [
        By::Key(json!({ "roles": roles, "scopes": scopes })),
        By::Token(json!({ "roles": roles, "scope": scopes.join(" ") })),
        By::Token(json!({ "roles": roles.join(" "), "scope": scopes.join(" ") })),
        By::Opaque(json!({ "realm": { "roles": roles }, "scope": scopes.join(" ") })),
    ]
}

#[test]
fn roles_and_scopes_mean_the_same_by_every_credential() {
    let gate = gate(&policy(json!({ "routes": routes() })));
    let all = ["read", "both", "any", "mixed", "staff", "rule", "every"];
    for (roles, scopes, admitted) in [
        (&[][..], &[][..], &[][..]),
        (&["reader"], &[], &["read"]),
        (&["support"], &[], &["read", "both", "any", "staff", "rule"]),
        (
            &["lead"],
            &[],
            &["read", "both", "any", "mixed", "staff", "rule"],
        ),
        // `*` grants scopes, and makes nobody of another role.
        (&["admin"], &[], &["read", "both", "any", "mixed", "every"]),
        (&["owner"], &[], &["staff"]),
        (&[], &["orders:read"], &["read"]),
        (
            &[],
            &["orders:read", "notes:write"],
            &["read", "both", "any"],
        ),
        (&["reader"], &["orders:write"], &["read", "any", "mixed"]),
        // A wildcard of a credential is a word like any other.
        (&[], &["*"], &[]),
        (&[], &["orders:*", "notes:*"], &[]),
        (&["*", "Reader", "READER", "reade"], &[], &[]),
    ] {
        for by in callers(roles, scopes) {
            let told: Vec<_> = all
                .into_iter()
                .filter(|id| reason(&gate, &by, &format!("/{id}"), &[]) == "admitted")
                .collect();
            assert_eq!(told, admitted, "{by:?}");
        }
    }
    for (octet, admitted) in [
        (1, &["read", "both", "any", "mixed", "staff", "rule"][..]),
        (2, &["read"]),
    ] {
        let by = By::Certificate(octet);
        let told: Vec<_> = all
            .into_iter()
            .filter(|id| reason(&gate, &by, &format!("/{id}"), &[]) == "admitted")
            .collect();
        assert_eq!(told, admitted, "certificate {octet}");
    }
}

#[test]
fn what_is_missing_is_told_by_scope_and_not_by_role() {
    let gate = gate(&policy(json!({ "routes": routes() })));
    let by = By::Token(json!({ "scope": "orders:read" }));
    for (id, line, scope) in [
        (
            "both",
            "403 insufficient-scope missing_scopes",
            Some("notes:write"),
        ),
        // One of them is enough, so a client is sent for one.
        (
            "any",
            "403 insufficient-scope missing_any_scope",
            Some("orders:write"),
        ),
        (
            "mixed",
            "403 insufficient-scope missing_any_scope",
            Some("orders:refund:full"),
        ),
        ("staff", "403 access-denied missing_role", None),
        ("rule", "403 access-denied not_allowed", None),
    ] {
        let told = send(&gate, &mut FakePorts::new(), &by, &format!("/{id}"), &[]);
        assert_eq!(told.line(), line, "{id}");
        let scope = scope.map(|scope| format!("scope=\"{scope}\""));
        let challenges = told.challenges.join("; ");
        match scope {
            Some(scope) => assert!(challenges.contains(&scope), "{id}: {challenges}"),
            None => assert!(challenges.is_empty(), "{id}: {challenges}"),
        }
    }
}

#[test]
fn a_claim_of_roles_that_is_none_refuses_the_token() {
    let gate = gate(&policy(json!({ "routes": routes() })));
    for roles in [
        json!({ "support": true }),
        json!(7),
        json!(["support", 7]),
        json!(["support reader"]),
        json!([["support"]]),
        json!(null),
        json!(true),
    ] {
        let by = By::Token(json!({ "roles": roles }));
        assert_eq!(reason(&gate, &by, "/staff", &[]), "token_claim", "{roles}");
        let by = By::Opaque(json!({ "realm": { "roles": roles } }));
        assert_eq!(reason(&gate, &by, "/staff", &[]), "token_claim", "{roles}");
    }
}
