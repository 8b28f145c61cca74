//! `routes`, `limits` and `plans` as enforced: names resolved, rules compiled.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use cel::Env;
use serde_json::{Map, Value, json};

use crate::body::cookies::CookieRules;
use crate::body::finding::Location;
use crate::body::parameters::ParameterRules;
use crate::body::schema::Compiler;
use crate::facts::Method;
use crate::house;
use crate::limit::rule::LimitRule;
use crate::policy::caching;
use crate::policy::charging::charging;
use crate::policy::contents;
use crate::policy::deprecation::fields;
use crate::policy::document::{
    AuthEntry, AuthenticatorEntry, Document, RequestEntry, RequireEntry, RouteEntry,
};
use crate::policy::expression::Expression;
use crate::policy::fault::Faults;
use crate::policy::field_rules;
use crate::policy::gate::{Auth, Origin, RequestRules, Require, Route};
use crate::policy::keeping::{credential_fields, keeping};
use crate::policy::limits::mode;
use crate::policy::once::idempotency;
use crate::policy::origins::{bounds, check_told, errors, split};
use crate::policy::route_table::{Ambiguity, RouteTable, Template};
use crate::policy::{rules, sockets, tenancy};

/// Content of a route that names no bound, in bytes.
const BODY_BYTES_DEFAULT: u64 = 1_048_576;

/// What to write where a schema is wrong.
pub(super) const SCHEMA_FIX: &str =
    "Write a JSON Schema of one draft; refer to `schemas` as #/schemas/NAME";

/// What routes refer to.
pub(super) struct Context<'a> {
    pub(super) document: &'a Document,
    pub(super) origins: &'a HashMap<String, Rc<Origin>>,
    pub(super) limits: &'a HashMap<String, Rc<LimitRule>>,
    /// Made for the first rule: most policies have none.
    pub(super) env: &'a LazyCell<Arc<Env>>,
    pub(super) compiler: &'a Compiler<'a>,
}

/// Makes every route and the table that leads to them.
pub(super) fn build(context: &Context<'_>, faults: &mut Faults) -> (Vec<Route>, RouteTable) {
    let mut routes = Vec::new();
    let mut table = RouteTable::default();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let entries = context.document.routes.iter();
    let asked = entries.flat_map(|entry| asked(entry, context.compiler.named()));
    context.compiler.foresee(asked.collect());
    for (index, entry) in context.document.routes.iter().enumerate() {
        let at = Place {
            index: index.to_string(),
        };
        if let Some(first) = ids.insert(&entry.id, index) {
            let problem = format!("`{}` is also the id of route {first}", entry.id);
            at.add(faults, &["id"], problem, "Give each route an id of its own");
        }
        let Some(template) = template(entry, &at, faults) else {
            continue;
        };
        let methods: Vec<_> = entry
            .matching
            .methods
            .iter()
            .filter_map(|name| Method::parse(name))
            .collect();
        match table.add(&template, &methods, routes.len()) {
            Ok(()) => {}
            Err(Ambiguity::Route { other, method }) => {
                let other = routes
                    .get(other)
                    .map_or("another route", |route: &Route| &route.id);
                let problem = format!("{} here already leads to `{other}`", method.as_str());
                at.add(
                    faults,
                    &["match", "path"],
                    problem,
                    "Change the path or the methods of one",
                );
            }
            Err(Ambiguity::Tree) => {
                let problem = "another route's template leaves no telling which is meant";
                at.add(
                    faults,
                    &["match", "path"],
                    problem,
                    "Change the path of one",
                );
            }
        }
        if let Some(mut route) = route(entry, template, &at, context, faults) {
            check_told(entry, &mut route, &at, faults);
            caching::complete(entry, &mut route, &at, context.document, faults);
            routes.push(route);
        }
    }
    close(context.document, &mut table, faults);
    (routes, table)
}

/// Behind all routes: a path that has one stays open.
fn close(document: &Document, table: &mut RouteTable, faults: &mut Faults) {
    for (index, path) in document.closed_paths.iter().enumerate() {
        let at = ["closed_paths", &index.to_string()];
        match Template::parse(path).map(|template| table.close(&template)) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                let problem = "the path of a route leaves no telling which is meant";
                faults.add(&at, problem, "Change the path of the route, or this one");
            }
            Err(problem) => faults.add(&at, problem, "Write it as /v1/orders/{orderId}"),
        }
    }
}

fn route(
    entry: &RouteEntry,
    template: Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Route> {
    let document = context.document;
    let Some(origin) = context.origins.get(&entry.origin) else {
        faults.unknown(
            &at.path(&["origin"]),
            "origin",
            &entry.origin,
            document.origins.keys(),
        );
        return None;
    };
    let auth = auth(entry, at, document, faults);
    let mut request = request_rules(&entry.request, &template, at, context.compiler, faults);
    let tenancy = tenancy::of_route(entry, &template, at, document, faults);
    let allow = rules::allow(entry, &template, at, context, faults);
    request.fields = field_rules::writing(entry, &template, at, context, faults);
    let response = field_rules::answering(entry, &template, at, context, faults);
    let charging = charging(entry, &template, at, context, faults);
    let rule_reads = allow.as_ref().is_some_and(Expression::needs_body)
        || charging.cost.needs_body()
        || !request.fields.is_empty();
    contents::complete(
        &mut request,
        &entry.request,
        rule_reads,
        at,
        context.compiler,
        faults,
    );
    let idempotency = idempotency(entry, &auth, at, faults);
    let socket = sockets::rule(entry, &auth, at, context, faults);
    Some(Route {
        id: entry.id.clone(),
        template,
        origin: Rc::clone(origin),
        require: require(&entry.require),
        tenancy,
        allow,
        shield: charging.shield,
        limits: charging.limits,
        plan: charging.plan,
        counters: charging.counters,
        cost: charging.cost,
        cost_told_in: charging.cost_told_in,
        refund_on: charging.refund_on,
        idempotency,
        request,
        response,
        mode: mode(entry.mode),
        timeout_ms: entry.timeout_ms.unwrap_or(origin.timeout_ms),
        answer: entry.answer.as_ref().map(bounds).or(origin.rules.answer),
        errors: entry.errors.map_or(origin.rules.errors, errors),
        keeping: keeping(entry.cacheable_by, &auth),
        cache: None,
        credential_fields: credential_fields(&auth, document),
        split: split(entry, context.origins, at, faults),
        deprecation: entry.deprecation.as_ref().map_or_else(Vec::new, fields),
        auth,
        socket,
    })
}

fn require(entry: &RequireEntry) -> Require {
    Require {
        scopes: entry.scopes.all().to_vec(),
        any_scopes: entry.scopes.any().to_vec(),
        roles: entry.roles.clone(),
        acr: entry.acr.clone(),
        max_auth_age_s: entry.max_auth_age_s,
    }
}

fn template(entry: &RouteEntry, at: &Place, faults: &mut Faults) -> Option<Template> {
    let path = &entry.matching.path;
    if house::is_own(path) {
        let problem = "this path is the gateway's own";
        at.add(faults, &["match", "path"], problem, "Choose another path");
        return None;
    }
    match Template::parse(path) {
        Ok(template) => Some(template),
        Err(problem) => {
            at.add(
                faults,
                &["match", "path"],
                problem,
                "Write it as /v1/orders/{orderId}",
            );
            None
        }
    }
}

fn auth(entry: &RouteEntry, at: &Place, document: &Document, faults: &mut Faults) -> Auth {
    let names = match &entry.auth {
        AuthEntry::Public(_) => {
            let require = &entry.require;
            let held = !require.scopes.is_empty() || !require.roles.is_empty();
            let logged_in = !require.acr.is_empty() || require.max_auth_age_s.is_some();
            if held || logged_in {
                let problem = "a public route has callers that can hold nothing";
                at.add(
                    faults,
                    &["require"],
                    problem,
                    "Remove it, or list authenticators in `auth`",
                );
            }
            return Auth::Public;
        }
        AuthEntry::Authenticators(names) => names,
    };
    for (index, name) in names.iter().enumerate() {
        if !document.authenticators.contains_key(name) {
            let path = at.path(&["auth", &index.to_string()]);
            faults.unknown(&path, "authenticator", name, document.authenticators.keys());
        }
    }
    let takes_tokens = names.iter().any(|name| {
        let entry = document.authenticators.get(name);
        let keys = matches!(entry, Some(AuthenticatorEntry::ApiKey(_)));
        !keys && !matches!(entry, Some(AuthenticatorEntry::ClientCertificate(_)))
    });
    let require = &entry.require;
    if !takes_tokens && (!require.acr.is_empty() || require.max_auth_age_s.is_some()) {
        let problem = "only a token tells how and when its caller logged in";
        let fix = "Remove acr and max_auth_age_s, or list an authenticator of tokens in `auth`";
        at.add(faults, &["require"], problem, fix);
    }
    let opaque = |name: &&String| {
        let entry = document.authenticators.get(*name);
        matches!(entry, Some(AuthenticatorEntry::Introspection(_)))
    };
    if names.iter().filter(opaque).count() > 1 {
        let problem = "two issuers would be asked about one token: neither may learn the other's";
        at.add(faults, &["auth"], problem, "Keep one of kind introspection");
    }
    Auth::Required(names.clone())
}

fn request_rules(
    entry: &RequestEntry,
    template: &Template,
    at: &Place,
    compiler: &Compiler<'_>,
    faults: &mut Faults,
) -> RequestRules {
    let mut told = |field: &str, problem: String| {
        let fix = SCHEMA_FIX;
        at.add(faults, &["request", field], problem, fix);
    };
    let mut parameters = |field: &str, schema: Option<Value>, location| {
        let compiled = ParameterRules::compile(&schema?, compiler, location);
        compiled.map_err(|problem| told(field, problem)).ok()
    };
    let query = parameters("query", entry.query.clone(), Location::Query);
    let headers = parameters("headers", entry.headers.clone(), Location::Header);
    let path = parameters("path", of_path(entry), Location::Path);
    for name in entry.path.iter().flat_map(Map::keys) {
        if !template.parameters().contains(name) {
            let problem = "the route's path has no such parameter";
            at.add(
                faults,
                &["request", "path", name],
                problem,
                "Remove it, or name it in the path",
            );
        }
    }
    let cookies = entry.cookies.as_ref();
    let cookies = cookies.and_then(|schema| {
        let compiled = CookieRules::compile(schema, compiler);
        let problem = compiled.map_err(|problem| {
            at.add(faults, &["request", "cookies"], problem, SCHEMA_FIX);
        });
        problem.ok()
    });
    RequestRules {
        content_types: Vec::new(),
        opaque: Vec::new(),
        max_bytes: entry.max_bytes.unwrap_or(BODY_BYTES_DEFAULT),
        contents: Vec::new(),
        has_schema: false,
        is_digested: false,
        path,
        query,
        headers,
        fields: Vec::new(),
        cookies,
        mode: mode(entry.mode),
        optional: entry.optional,
    }
}

/// The rules for a path's parameters as one schema.
fn of_path(entry: &RequestEntry) -> Option<Value> {
    let properties = entry.path.as_ref()?;
    Some(json!({ "type": "object", "properties": properties }))
}

/// The schemas that will be asked for.
fn asked(entry: &RouteEntry, named: &Map<String, Value>) -> Vec<Value> {
    let request = &entry.request;
    let parameters = [
        (request.query.clone(), Location::Query),
        (request.headers.clone(), Location::Header),
        (request.cookies.clone(), Location::Cookie),
        (of_path(request), Location::Path),
    ];
    let parameters = parameters
        .into_iter()
        .filter_map(|(schema, location)| Some(ParameterRules::asked(&schema?, named, location)));
    let answers = entry.response.iter().filter_map(|one| one.body.clone());
    let contents = contents::asked(request, named);
    parameters.chain(answers).chain(contents).collect()
}

/// Where a route stands in the policy.
pub(super) struct Place {
    index: String,
}

impl Place {
    pub(super) fn path(&self, below: &[&str]) -> Vec<String> {
        let names = ["routes", &self.index]
            .into_iter()
            .chain(below.iter().copied());
        names.map(str::to_owned).collect()
    }

    pub(super) fn add(
        &self,
        faults: &mut Faults,
        below: &[&str],
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let path = self.path(below);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        faults.add(&path, problem, fix);
    }
}
