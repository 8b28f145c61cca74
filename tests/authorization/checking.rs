//! What whoever checks a policy is told of one that loads, or would.

use edgeward::policy::load::load;
use edgeward::policy::notices;
use serde_json::json;

use crate::route;
use crate::support::{bindings, gate};

#[test]
fn a_route_whose_answers_are_judged_is_not_open_to_every_caller() {
    let gate = gate(&crate::policy(json!({ "routes": [
        route("judged", "/judged", json!({ "response": { "allow": "status == 200" } })),
        route("ruled", "/ruled", json!({ "allow": "caller.subject != 'x'" })),
        route("open", "/open", json!({})),
        route("waved", "/waved", json!({ "allow": "true", "response": { "allow": "true" } }))
    ] })));
    let open = gate
        .routes
        .iter()
        .filter(|one| one.is_open_to_every_caller());
    assert_eq!(
        open.map(|one| one.id.as_str()).collect::<Vec<_>>(),
        ["open", "waved"]
    );
}

#[test]
fn names_that_no_role_has_are_told_and_nothing_else() {
    let routes = json!([
        route(
            "known",
            "/known",
            json!({
                "require": { "scopes": ["orders:read"], "roles": ["lead"] },
                "tenancy": { "header": "x-tenant", "except_roles": ["lead"] },
                "allow": "'reader' in caller.roles || 'free' in caller.scopes"
            })
        ),
        route(
            "slips",
            "/slips",
            json!({
                "require": { "scopes": { "all": ["order:read"], "any": ["orders:read", "x"] }, "roles": ["leed"] },
                "tenancy": { "header": "x-tenant", "except_roles": ["operatr"] },
                "allow": "caller.kind == 'token' && ('a' == 'b' || 'raeder' in caller.roles)",
                "request": { "fields": [{ "pointer": "/a", "write": "'writer' in caller.roles" }] },
                "response": { "allow": "'judge' in caller.roles", "fields": [{ "pointer": "/a", "read": "'eye' in caller.roles" }] }
            })
        )
    ]);
    let told = notices::of(&gate(&crate::policy(json!({ "routes": routes }))));
    let of = |what: &str, name: &str| format!("slips: no role of `roles` {what} `{name}`");
    let roles = ["eye", "judge", "leed", "operatr", "raeder", "writer"];
    let roles = roles.map(|name| of("is named", name));
    let scopes = ["order:read", "x"].map(|name| of("names the scope", name));
    let expected: Vec<String> = roles.into_iter().chain(scopes).collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(&expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    let endings = [
        "; there is admin, lead, reader, support",
        "; there is admin, lead, reader, support",
        "`leed`; did you mean `lead`?",
        "; there is admin, lead, reader, support",
        "`raeder`; did you mean `reader`?",
        "; there is admin, lead, reader, support",
        "`order:read`; did you mean `orders:read`?",
        "names the scope `x`",
    ];
    for (told, ending) in told.iter().zip(endings) {
        assert!(told.ends_with(ending), "{told}");
    }
    // Where the policy leaves roles to its issuers, each name may be one of theirs.
    let mut without = crate::policy(json!({ "routes": routes }));
    without.as_object_mut().unwrap().remove("roles");
    assert_eq!(notices::of(&gate(&without)), Vec::<String>::new());
}

#[test]
fn limits_that_no_route_is_charged_by_are_told() {
    let limit = json!({ "by": "ip", "algorithm": "sliding_window", "limit": 5, "window_s": 60, "on_error": "refuse" });
    let told = |limits: &[&str], roles: serde_json::Value| {
        let policy = crate::policy(json!({
            "limits": { "named": limit, "planned": limit, "spare": limit },
            "plans": { "free": { "limits": ["planned"] } },
            "roles": roles,
            "routes": [route("a", "/a", json!({ "limits": limits }))]
        }));
        notices::of(&gate(&policy))
    };
    let of = |names: &[&str]| -> Vec<String> {
        let told = names.iter();
        told.map(|name| format!("no route is charged by the limit `{name}`"))
            .collect()
    };
    // What messages of a socket are charged to counts, too.
    let sockets = crate::policy(json!({
        "limits": { "named": limit, "said": limit, "spare": limit },
        "routes": [route("a", "/a", json!({ "limits": ["named"], "websocket": { "messages": "said", "max_session_s": 300 } }))]
    }));
    assert_eq!(notices::of(&gate(&sockets)), of(&["spare"]));
    for roles in [json!({ "reader": ["a"] }), json!({})] {
        assert_eq!(told(&["named", "plan"], roles.clone()), of(&["spare"]));
        assert_eq!(told(&["named"], roles.clone()), of(&["planned", "spare"]));
        assert_eq!(told(&["spare", "planned", "named"], roles), of(&[]));
    }
}

#[test]
fn a_limit_on_failures_alone_is_none_on_requests() {
    let loads = |names: &[&str], plan: &[&str]| {
        let limit = |counts: &str| {
            json!({ "by": "ip", "algorithm": "sliding_window", "limit": 5, "window_s": 60,
                "on_error": "refuse", "counts": counts })
        };
        let policy = crate::policy(json!({
            "profile": "production",
            "plans": { "free": { "limits": plan } },
            "limits": { "all": limit("requests"), "probes": limit("refused_objects"), "guesses": limit("refused_credentials") },
            "routes": [route("a", "/a", json!({ "limits": names }))]
        }));
        let loaded = load(policy.to_string().as_bytes(), &bindings());
        loaded.err().unwrap_or_default()
    };
    for (names, plan) in [
        (&["probes"][..], &["all"][..]),
        (&["guesses"], &[]),
        (&["probes", "guesses"], &[]),
        (&["plan"], &["probes"]),
        (&["plan", "guesses"], &[]),
    ] {
        let told = loads(names, plan);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].pointer, "/routes/0/limits");
        assert_eq!(told[0].problem, "the route has no limit on requests");
    }
    assert_eq!(loads(&["probes", "all"], &[]), []);
    assert_eq!(loads(&["plan"], &["all"]), []);
}

#[test]
fn a_path_that_cannot_be_closed_is_told() {
    let told = |path: &str| {
        let policy = crate::policy(json!({
            "routes": [route("all", "/files/{*rest}", json!({}))],
            "closed_paths": ["/files/draft", path]
        }));
        let loaded = load(policy.to_string().as_bytes(), &bindings());
        let told = loaded.err().unwrap_or_default();
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told("/other"), Vec::<String>::new());
    let at = "/closed_paths/1: ";
    for (path, problem) in [
        (
            "/files/{name}/draft",
            "the path of a route leaves no telling which is meant",
        ),
        ("/files/{a}/{a}", "{a} stands twice"),
    ] {
        let told = told(path);
        assert!(told[0].starts_with(&format!("{at}{problem}")), "{told:?}");
    }
}
