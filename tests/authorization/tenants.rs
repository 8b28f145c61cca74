//! `tenancy`: callers stay with their own tenant, whatever they write.

use edgeward::policy::load::load;
use serde_json::{Value, json};

use crate::support::{FakePorts, bindings, gate};
use crate::{By, policy, reason, route, send};

fn tenants(tenancy: Value, routes: Value) -> Value {
    policy(json!({ "tenancy": tenancy, "routes": routes }))
}

fn of(tenant: &str) -> [By; 3] {
    [
        By::Key(json!({ "tenant": tenant })),
        By::Token(json!({ "org": tenant })),
        By::Opaque(json!({ "org": tenant })),
    ]
}

#[test]
fn one_line_keeps_every_caller_with_its_tenant() {
    let routes = json!([
        route("list", "/t/{tenantId}", json!({})),
        route("get", "/t/{tenantId}/orders/{id}", json!({})),
        route("rest", "/t/{tenantId}/files/{*rest}", json!({})),
    ]);
    let gate = gate(&tenants(json!({ "path": "tenantId" }), routes));
    for below in ["", "/orders/acme", "/files/a/acme"] {
        for by in of("acme") {
            for (tenant, told) in [
                ("acme", "admitted"),
                ("%61cme", "admitted"),
                ("globex", "other_tenant"),
                ("ACME", "other_tenant"),
                ("acme%20", "other_tenant"),
                ("%20acme", "other_tenant"),
                ("acm%C3%A9", "other_tenant"),
                ("ac", "other_tenant"),
                ("acmes", "other_tenant"),
                ("*", "other_tenant"),
                ("null", "other_tenant"),
                ("acme,globex", "other_tenant"),
                ("globex%2F..%2Facme", "ambiguous_path"),
                ("%2561cme", "ambiguous_path"),
                ("acme%00", "ambiguous_path"),
                ("acme;x=globex", "ambiguous_path"),
            ] {
                let target = format!("/t/{tenant}{below}");
                assert_eq!(reason(&gate, &by, &target, &[]), told, "{by:?} {target}");
            }
        }
        let target = format!("/t/acme{below}");
        for by in [
            By::Key(json!({ "tenant": null })),
            By::Token(json!({})),
            By::Opaque(json!({})),
            By::Certificate(2),
        ] {
            assert_eq!(reason(&gate, &by, &target, &[]), "no_tenant", "{by:?}");
        }
        assert_eq!(reason(&gate, &By::Certificate(1), &target, &[]), "admitted");
        assert_eq!(reason(&gate, &By::Nothing, &target, &[]), "no_credential");
    }
}

#[test]
fn a_tenant_beyond_ascii_is_compared_as_it_is_sent() {
    let routes = json!([route("list", "/t/{tenantId}", json!({}))]);
    let gate = gate(&tenants(json!({ "path": "tenantId" }), routes));
    let by = By::Token(json!({ "org": "caf\u{e9}" }));
    assert_eq!(reason(&gate, &by, "/t/caf%C3%A9", &[]), "admitted");
    // The same to the eye, two characters to an origin.
    assert_eq!(reason(&gate, &by, "/t/cafe%CC%81", &[]), "other_tenant");
}

#[test]
fn an_empty_tenant_is_none() {
    let routes = json!([route("list", "/list", json!({}))]);
    let gate = gate(&tenants(json!({ "query": "tenant" }), routes));
    let by = By::Token(json!({ "org": "" }));
    assert_eq!(reason(&gate, &by, "/list?tenant=", &[]), "token_claim");
    let by = By::Token(json!({}));
    assert_eq!(reason(&gate, &by, "/list?tenant=", &[]), "no_tenant");
}

#[test]
fn a_tenant_in_query_or_header_is_named_once() {
    let routes = json!([
        route(
            "query",
            "/query",
            json!({ "tenancy": { "query": "tenant" } })
        ),
        route(
            "header",
            "/header",
            json!({ "tenancy": { "header": "x-tenant" } })
        )
    ]);
    let gate = gate(&policy(json!({ "routes": routes })));
    for by in of("acme") {
        for (query, told) in [
            ("?tenant=acme", "admitted"),
            ("?a=1&tenant=%61cme", "admitted"),
            ("?t%65nant=acme", "admitted"),
            ("", "tenant_not_named"),
            ("?tenant", "other_tenant"),
            ("?tenant=globex", "other_tenant"),
            ("?tenant=acme&tenant=globex", "tenant_not_named"),
            ("?tenant=globex&tenant=acme", "tenant_not_named"),
            ("?tenant=acme&tenant=acme", "tenant_not_named"),
            ("?tenant=acme&Tenant=globex", "tenant_not_named"),
            ("?tenant=acme&%C5%A3enant=globex", "admitted"),
            // What some readers of queries take for the same name.
            ("?tenant=acme&tenant[]=globex", "tenant_not_named"),
            ("?tenant=acme&tenant%5B0%5D=globex", "tenant_not_named"),
            ("?tenant=acme&tenant[a]=globex", "tenant_not_named"),
            ("?tenant=acme&[tenant]=globex", "tenant_not_named"),
            ("?tenant=acme&+tenant=globex", "tenant_not_named"),
            ("?tenant=acme&TENANT[]=globex", "tenant_not_named"),
            ("?tenant=acme&tenants=globex", "admitted"),
            ("?tenant=acme&filter[tenant]=globex", "admitted"),
            ("?Tenant=acme", "tenant_not_named"),
            ("?tenant[]=acme", "tenant_not_named"),
            ("?tenant=acme%26tenant=globex", "other_tenant"),
        ] {
            let target = format!("/query{query}");
            assert_eq!(reason(&gate, &by, &target, &[]), told, "{target}");
        }
        for (fields, told) in [
            (&[("x-tenant", "acme")][..], "admitted"),
            (&[], "tenant_not_named"),
            (&[("x-tenant", "")], "other_tenant"),
            (&[("x-tenant", "globex")], "other_tenant"),
            (&[("x-tenant", "acme, globex")], "other_tenant"),
            (
                &[("x-tenant", "acme"), ("x-tenant", "globex")],
                "tenant_not_named",
            ),
            // Taken out on arrival, so that the origin would not get it.
            (
                &[("x-tenant", "acme"), ("connection", "x-tenant")],
                "tenant_not_named",
            ),
        ] {
            assert_eq!(reason(&gate, &by, "/header", fields), told, "{fields:?}");
        }
    }
}

#[test]
fn a_name_that_a_reader_spells_anew_is_the_same_name() {
    let routes = json!([route("list", "/list", json!({}))]);
    let gate = gate(&tenants(json!({ "query": "tenant_id" }), routes));
    for other in ["tenant.id", "tenant+id", "tenant[id", "tenant_id[]"] {
        let target = format!("/list?tenant_id=acme&{other}=globex");
        for by in of("acme") {
            assert_eq!(
                reason(&gate, &by, &target, &[]),
                "tenant_not_named",
                "{other}"
            );
        }
    }
}

#[test]
fn only_named_roles_cross_and_a_route_may_say_otherwise() {
    let routes = json!([
        route("list", "/t/{tenantId}", json!({})),
        route(
            "own",
            "/a/{accountId}",
            json!({ "tenancy": { "path": "accountId" } })
        ),
        route("none", "/n/{tenantId}", json!({ "tenancy": "none" })),
        route("open", "/open", json!({ "auth": "public" }))
    ]);
    let tenancy = json!({ "path": "tenantId", "except_roles": ["support"] });
    let gate = gate(&tenants(tenancy, routes));
    for (roles, list, own) in [
        ("reader", "other_tenant", "other_tenant"),
        ("admin", "other_tenant", "other_tenant"),
        ("support", "admitted", "other_tenant"),
        // It inherits the role that crosses.
        ("lead", "admitted", "other_tenant"),
    ] {
        for by in [
            By::Key(json!({ "roles": [roles] })),
            By::Token(json!({ "org": "acme", "roles": roles })),
        ] {
            assert_eq!(reason(&gate, &by, "/t/globex", &[]), list, "{by:?}");
            assert_eq!(reason(&gate, &by, "/a/globex", &[]), own, "{by:?}");
            assert_eq!(reason(&gate, &by, "/n/globex", &[]), "admitted", "{by:?}");
        }
    }
    assert_eq!(reason(&gate, &By::Nothing, "/open", &[]), "admitted");
}

#[test]
fn a_route_in_another_mode_says_what_it_would_have_done() {
    let mode = |mode: &str| {
        route(
            mode,
            &format!("/{mode}/{{tenantId}}"),
            json!({ "mode": mode }),
        )
    };
    let routes = json!([mode("enforce"), mode("observe"), mode("off")]);
    let gate = gate(&tenants(json!({ "path": "tenantId" }), routes));
    let by = By::Key(json!({}));
    for (mode, line, observed) in [
        ("enforce", "403 access-denied other_tenant", &[][..]),
        ("observe", "200 - -", &["other_tenant"]),
        ("off", "200 - -", &[]),
    ] {
        let told = send(
            &gate,
            &mut FakePorts::new(),
            &by,
            &format!("/{mode}/globex"),
            &[],
        );
        assert_eq!(
            (told.line().as_str(), told.observed.as_slice()),
            (line, observed)
        );
    }
}

#[test]
fn a_route_that_says_not_whose_it_is_does_not_load() {
    let faults = |tenancy: Value, change: Value, path: &str| -> Vec<String> {
        let policy = tenants(tenancy, json!([route("one", path, change)]));
        match load(policy.to_string().as_bytes(), &bindings()) {
            Ok(_) => vec![],
            Err(faults) => faults
                .iter()
                .map(|one| format!("{}: {}", one.pointer, one.problem))
                .collect(),
        }
    };
    let by_path = || json!({ "path": "tenantId" });
    let public = || json!({ "auth": "public" });
    let none: &[&str] = &[];
    for (tenancy, change, path, told) in [
        (by_path(), json!({}), "/t/{tenantId}", none),
        (by_path(), json!({ "tenancy": "none" }), "/x", none),
        (by_path(), public(), "/x", none),
        (json!({ "header": "x-tenant" }), public(), "/x", none),
        (json!({ "header": "x-tenant" }), json!({}), "/x", none),
        (
            by_path(),
            json!({}),
            "/x",
            &[
                "/routes/0/tenancy: the route's path has no {tenantId}, so that it belongs to no tenant",
            ],
        ),
        (
            by_path(),
            json!({}),
            "/x/{tenantid}",
            &[
                "/routes/0/tenancy: the route's path has no {tenantId}, so that it belongs to no tenant",
            ],
        ),
        (
            by_path(),
            json!({}),
            "/x/{*tenantId}",
            &["/routes/0/tenancy: {*tenantId} stands for several segments, and a tenant is one"],
        ),
        (
            by_path(),
            public(),
            "/x/{tenantId}",
            &["/routes/0/tenancy: callers of a public route have no tenant"],
        ),
        (
            by_path(),
            json!({ "auth": "public", "tenancy": { "header": "x-tenant" } }),
            "/x",
            &["/routes/0/tenancy: callers of a public route have no tenant"],
        ),
        (
            json!({ "path": "a", "header": "b" }),
            json!({}),
            "/x",
            &["/tenancy: a tenant stands in exactly one place"],
        ),
        (
            json!({ "except_roles": ["a"] }),
            json!({}),
            "/x",
            &["/tenancy: a tenant stands in exactly one place"],
        ),
        (
            json!({ "header": "x-api-key" }),
            json!({}),
            "/x",
            &["/tenancy: the header `x-api-key` has a meaning of its own"],
        ),
        (
            json!({ "header": "cookie" }),
            json!({}),
            "/x",
            &["/tenancy: the header `cookie` has a meaning of its own"],
        ),
        (
            json!({ "header": "x-user-id" }),
            json!({}),
            "/x",
            &["/tenancy: the header `x-user-id` reaches no origin"],
        ),
        (
            json!({ "header": "x-auth-tenant" }),
            json!({}),
            "/x",
            &["/tenancy: the header `x-auth-tenant` reaches no origin"],
        ),
        (
            by_path(),
            json!({ "tenancy": { "query": "a", "path": "b" } }),
            "/x",
            &["/routes/0/tenancy: a tenant stands in exactly one place"],
        ),
    ] {
        assert_eq!(
            faults(tenancy.clone(), change.clone(), path),
            told,
            "{tenancy} {change} {path}"
        );
    }
}
