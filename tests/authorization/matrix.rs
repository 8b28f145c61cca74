//! Every kind of caller against every route of the example policies, and the routes that are open to
//! everyone with a good credential. Refresh with `UPDATE_EXPECT=1 cargo test --test authorization`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use edgeward::admit::{Outcome, admit};
use edgeward::policy::expression::Expression;
use edgeward::policy::gate::{Auth, Gate, Route};
use edgeward::trail::StageName;
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::NOW_S;
use crate::support::signer::Issuer;
use crate::support::{FakePorts, gate, request, run};

/// What of a policy has no part in who may do what: numbers, forms, and what this test has no
/// outside for.
const LEFT_OUT: [&str; 7] = [
    "limits",
    "cost",
    "refund_on",
    "idempotency",
    "response",
    "websocket",
    "timeout_ms",
];

#[test]
fn every_caller_against_every_route() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut files = vec![format!("{root}/examples/demo/policy.json")];
    let folder = fs::read_dir(format!("{root}/schemas/examples/valid")).unwrap();
    let mut examples: Vec<_> = folder
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .collect();
    examples.sort();
    files.extend(examples);
    let mut told = String::new();
    for file in files {
        let policy: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        // Its routes stand elsewhere.
        if policy.get("openapi").is_none() {
            writeln!(told, "# {}\n", file.trim_start_matches(&format!("{root}/"))).unwrap();
            let policy = playable(policy);
            tell(&gate(&policy), &policy, &mut told);
        }
    }
    expect_file!["../golden/authorization.txt"].assert_eq(&told);
}

/// The same policy with issuers whose tokens this test can sign.
fn playable(mut policy: Value) -> Value {
    let fields = policy.as_object_mut().unwrap();
    for name in [
        "limits",
        "plans",
        "default_plan",
        "network",
        "transport",
        "cors",
    ] {
        fields.remove(name);
    }
    fields.insert("profile".into(), json!("development"));
    for origin in policy["origins"].as_object_mut().unwrap().values_mut() {
        *origin = json!({ "url": origin["url"] });
    }
    let authenticators = policy
        .get_mut("authenticators")
        .and_then(Value::as_object_mut);
    for (name, authenticator) in authenticators.into_iter().flatten() {
        *authenticator = json!({
            "kind": "jwt", "issuer": issuer(name), "audiences": ["api"], "algorithms": ["Ed25519"],
            "jwks": { "keys": [Issuer::new(1, "one").jwk()] },
            "claims": { "tenant": "org", "roles": "roles", "plan": "plan" }
        });
    }
    for route in policy["routes"].as_array_mut().unwrap() {
        let route = route.as_object_mut().unwrap();
        LEFT_OUT.iter().for_each(|name| drop(route.remove(*name)));
        if let Some(request) = route.get_mut("request").and_then(Value::as_object_mut) {
            request.remove("fields");
        }
    }
    policy
}

fn issuer(name: &str) -> String {
    format!("https://{name}.example")
}

/// Claims of every kind of caller that the policy can tell apart; `None`: no credential.
fn callers(gate: &Gate, policy: &Value) -> Vec<(String, Option<Value>)> {
    let mut roles = BTreeSet::new();
    let mut sets: BTreeSet<Vec<String>> = BTreeSet::new();
    let named = policy.get("roles").and_then(Value::as_object);
    roles.extend(named.into_iter().flat_map(|roles| roles.keys().cloned()));
    for route in &gate.routes {
        roles.extend(route.require.roles.iter().cloned());
        let excepted = route
            .tenancy
            .iter()
            .flat_map(|tenancy| &tenancy.except_roles);
        roles.extend(excepted.cloned());
        sets.insert(route.require.scopes.clone());
        sets.extend(
            route
                .require
                .any_scopes
                .iter()
                .map(|scope| vec![scope.clone()]),
        );
    }
    sets.remove(&vec![]);
    let every: BTreeSet<&str> = sets.iter().flatten().map(String::as_str).collect();
    let every = every.into_iter().collect::<Vec<_>>().join(" ");
    let acr = gate
        .routes
        .iter()
        .find_map(|route| route.require.acr.first());
    let login = json!({ "acr": acr, "auth_time": NOW_S });
    let of = |tenant: Option<&str>, roles: Vec<&str>, scope: &str, login: &Value| {
        let mut claims =
            json!({ "roles": roles, "scope": scope, "plan": "pro", "account": tenant });
        claims["acr"] = login["acr"].clone();
        claims["auth_time"] = login["auth_time"].clone();
        claims["org"] = json!(tenant);
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        Some(claims)
    };
    let all: Vec<&str> = roles.iter().map(String::as_str).collect();
    let acme = Some("acme");
    let mut callers = vec![
        ("nobody".to_owned(), None),
        ("no rights".to_owned(), of(acme, vec![], "", &login)),
    ];
    callers.extend(
        all.iter()
            .map(|role| (format!("role {role}"), of(acme, vec![role], "", &login))),
    );
    callers.extend(sets.iter().map(|set| {
        (
            format!("scopes {}", set.join(" ")),
            of(acme, vec![], &set.join(" "), &login),
        )
    }));
    callers.push(("all rights".into(), of(acme, all.clone(), &every, &login)));
    callers.push((
        "all rights, old login".into(),
        of(acme, all.clone(), &every, &json!({})),
    ));
    callers.push((
        "all scopes, another tenant".into(),
        of(Some("globex"), vec![], &every, &login),
    ));
    callers.push((
        "all rights, another tenant".into(),
        of(Some("globex"), all.clone(), &every, &login),
    ));
    callers.push((
        "all rights, no tenant".into(),
        of(None, all, &every, &login),
    ));
    callers
}

fn tell(gate: &Gate, policy: &Value, told: &mut String) {
    let callers = callers(gate, policy);
    let mut open = Vec::new();
    for (route, entry) in gate.routes.iter().zip(policy["routes"].as_array().unwrap()) {
        let methods = entry["match"]["methods"].as_array().unwrap();
        let methods: Vec<&str> = methods.iter().map(|one| one.as_str().unwrap()).collect();
        let methods = methods.join(" ");
        writeln!(told, "{}: {methods} {}", route.id, route.template.as_str()).unwrap();
        let mut outcomes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, claims) in &callers {
            let outcome = outcome(gate, route, &methods, claims.as_ref());
            outcomes.entry(outcome).or_default().push(name);
        }
        for (outcome, names) in outcomes {
            let names = match names.len() == callers.len() {
                true => "everybody".to_owned(),
                false => names.join("; "),
            };
            writeln!(told, "    {outcome}: {names}").unwrap();
        }
        if route.is_open_to_every_caller() {
            open.push(route.id.as_str());
        }
    }
    let open = if open.is_empty() {
        "none".to_owned()
    } else {
        open.join(", ")
    };
    writeln!(told, "open to every caller: {open}\n").unwrap();
}

/// The log's word for what came of it, as far as it is about the caller.
fn outcome(gate: &Gate, route: &Route, methods: &str, claims: Option<&Value>) -> &'static str {
    let target: Vec<&str> = route
        .template
        .as_str()
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "acme"
            } else {
                segment
            }
        })
        .collect();
    let mut fields = vec![("x-tenant", "acme".to_owned())];
    if let (Some(claims), Auth::Required(names)) = (claims, &route.auth) {
        let mut token = json!({
            "iss": issuer(&names[0]), "aud": "api", "sub": "alice", "client_id": "app", "jti": "1",
            "iat": NOW_S, "exp": NOW_S + 800
        });
        crate::lay(&mut token, claims);
        fields.push((
            "authorization",
            format!("Bearer {}", Issuer::new(1, "one").sign(&token)),
        ));
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let method = methods.split(' ').next().unwrap();
    let target = format!("{}?tenant=acme", target.join("/"));
    let facts = request(method, &target, &fields, "");
    match run(admit(gate, &FakePorts::new(), facts, Vec::new())) {
        Ok(Outcome::Released(_) | Outcome::Replayed { .. } | Outcome::Switched(_)) => "admitted",
        Ok(Outcome::Preflight { .. }) => "preflight",
        Err(refused) if refused.trail.stage <= StageName::Authorized => refused.refusal.reason(),
        Err(_) if route.allow.as_ref().is_some_and(Expression::needs_body) => "the content decides",
        Err(_) => "admitted",
    }
}
