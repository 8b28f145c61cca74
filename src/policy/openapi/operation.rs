//! Operations as routes: path, caller, parameters, content.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::body::finding::Location;
use crate::body::parameters::ParameterRules;
use crate::body::schema::Schema;
use crate::facts::Method;
use crate::policy::fault::Faults;
use crate::policy::openapi::deprecation;
use crate::policy::openapi::merge::{Options, lay};
use crate::policy::openapi::parameters::{Rules, gather};
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{Schemas, safe};
use crate::policy::openapi::security;
use crate::policy::openapi::source::{Documents, Node, misplaced};
use crate::policy::route_table::{RouteTable, Template};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// Longest id of a route, in bytes.
const ID_BYTES_MAX: usize = 128;

pub(super) struct Operations<'a> {
    documents: &'a Documents<'a>,
    options: &'a Options<'a>,
    policy: &'a Map<String, Value>,
    report: &'a mut Report,
    schemas: Schemas<'a>,
    table: RouteTable,
    ids: HashSet<String>,
    routes: Vec<Value>,
}

impl<'a> Operations<'a> {
    pub(super) fn new(
        documents: &'a Documents<'a>,
        options: &'a Options<'a>,
        policy: &'a Map<String, Value>,
        report: &'a mut Report,
    ) -> Self {
        let own = policy.get("schemas").and_then(Value::as_object);
        Self {
            documents,
            options,
            policy,
            report,
            schemas: Schemas::new(documents, options.undeclared, own),
            table: RouteTable::default(),
            ids: HashSet::new(),
            routes: Vec::new(),
        }
    }

    /// Gives the routes and the schemas they name.
    pub(super) fn run(mut self, faults: &mut Faults) -> (Vec<Value>, Map<String, Value>) {
        let root = self.documents.root().clone();
        for word in ["webhooks", "callbacks"] {
            if let Some(node) = root.get(word) {
                self.report.note(
                    &node.place(),
                    format!("`{word}` are not requests to the API"),
                );
            }
        }
        let paths = root.get("paths");
        for (template, item) in paths.iter().flat_map(Node::members) {
            if template.starts_with("x-") {
                continue;
            }
            let item = match self.documents.follow(&item) {
                Ok(item) => item,
                Err(problem) => {
                    self.report.leave_out(template, &item.place(), problem);
                    continue;
                }
            };
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    self.report.operations += 1;
                    self.operation(template, method, &item, &operation, faults);
                }
            }
        }
        (self.routes, self.schemas.named)
    }

    fn operation(
        &mut self,
        template: &str,
        method: &str,
        path: &Node<'a>,
        operation: &Node<'a>,
        faults: &mut Faults,
    ) {
        let said = operation.text("operationId").map(str::to_owned);
        let said = said.unwrap_or_else(|| {
            let plain: String = template
                .chars()
                .filter(|one| !"{}".contains(*one))
                .collect();
            format!("{method}{plain}")
        });
        let id = safe(&said, &['_', '.', ':', '/', '-'], ID_BYTES_MAX);
        let name = format!("{} {template}", method.to_ascii_uppercase());
        if !self.ids.insert(id.clone()) {
            let problem = format!("another operation has the id `{id}`");
            return self.report.leave_out(&name, &operation.place(), problem);
        }
        let route = match self.route(&id, template, method, path, operation) {
            Ok(route) => route,
            Err(problem) => return self.report.leave_out(&name, &operation.place(), problem),
        };
        if !route.contains_key("auth") {
            let problem = format!("{name} (`{id}`) says no `auth`, and neither does the policy");
            let fix = "Write `security` in the document, `x-edgeward`, a route of this id, or openapi_options.defaults";
            faults.add_at("/openapi".into(), problem, fix);
            return;
        }
        match self.enter(&route) {
            Ok(()) => {
                self.report.import(&id, operation.place());
                self.routes.push(Value::Object(route));
            }
            Err(problem) => self.report.leave_out(&name, &operation.place(), problem),
        }
    }

    fn route(
        &mut self,
        id: &str,
        template: &str,
        method: &str,
        path: &Node<'a>,
        operation: &Node<'a>,
    ) -> Result<Map<String, Value>, String> {
        let Some(method) = Method::parse(&method.to_ascii_uppercase()) else {
            return Err("the gateway passes no such method".into());
        };
        misplaced(
            operation,
            &["x-edgeward", "x-edgeward-limits", "x-edgeward-not-routed"],
        )?;
        misplaced(path, &[])?;
        misplaced(self.documents.root(), &[])?;
        let over = self.over(id, operation)?;
        let mut route = Map::new();
        route.insert("id".into(), json!(id));
        let base = self.base(path, operation)?;
        let matched = json!({ "methods": [method.as_str()], "path": placed(&base, template) });
        route.insert("match".into(), matched);
        if let Some(origin) = self.options.origin {
            route.insert("origin".into(), json!(origin));
        }
        if let Some(defaults) = self.options.defaults {
            lay(&mut route, defaults);
        }
        // Who says it nearer is asked first, and then the document's need not be expressible.
        if self.options.reads_security && !over.contains_key("auth") {
            self.secure(&mut route, operation)?;
        }
        let unchecked = is_opaque(&over);
        if !unchecked {
            self.request(&mut route, method, path, operation)?;
        }
        if operation.flag("deprecated") == Some(true) {
            route.insert("deprecation".into(), deprecation::written(operation)?);
        }
        lay(&mut route, &over);
        if operation.get("responses").is_some() {
            let problem = "answers are not checked against `responses`";
            self.report.note(&operation.place(), problem);
        }
        if let Some(node) = operation.get("callbacks") {
            let problem = "`callbacks` are not requests to the API";
            self.report.note(&node.place(), problem);
        }
        Ok(route)
    }

    /// What stands nearer than the document: `x-edgeward`, and over it the policy's route.
    fn over(&self, id: &str, operation: &Node<'a>) -> Result<Map<String, Value>, String> {
        let mut over = Map::new();
        match operation.get("x-edgeward").map(|node| node.value) {
            None => {}
            Some(Value::Object(said)) => lay(&mut over, said),
            Some(_) => return Err("`x-edgeward` is no object".into()),
        }
        let routes = self.policy.get("routes").and_then(Value::as_array);
        let mut own = routes.into_iter().flatten().filter_map(Value::as_object);
        let of = |route: &&Map<String, Value>| route.get("id").and_then(Value::as_str) == Some(id);
        if let Some(own) = own.find(of) {
            lay(&mut over, own);
        }
        Ok(over)
    }

    fn secure(&self, route: &mut Map<String, Value>, operation: &Node<'a>) -> Result<(), String> {
        let Some(asked) = security::asked(self.documents, operation)? else {
            return Ok(());
        };
        if asked.auth.is_string() {
            route.shift_remove("require");
        }
        route.insert("auth".into(), asked.auth);
        if !asked.scopes.is_empty() {
            let require = json!({ "require": { "scopes": asked.scopes } });
            if let Some(require) = require.as_object() {
                lay(route, require);
            }
        }
        Ok(())
    }

    fn request(
        &mut self,
        route: &mut Map<String, Value>,
        method: Method,
        path: &Node<'a>,
        operation: &Node<'a>,
    ) -> Result<(), String> {
        let parameters = gather(self.documents, path, operation)?;
        let rules = Rules::of(&parameters, &mut self.schemas, self.documents, self.report)?;
        let mut request = Map::new();
        rules.write(&mut request, self.options.undeclared);
        match operation.get("requestBody") {
            Some(body) if method.may_have_body() => self.content(&mut request, &body)?,
            Some(body) => {
                let method = method.as_str();
                self.report.note(
                    &body.place(),
                    format!("content of {method} is refused always"),
                );
            }
            None if method.may_have_body() => {
                request.insert("max_bytes".into(), json!(0));
            }
            None => {}
        }
        lay(
            route,
            &Map::from_iter([("request".to_owned(), Value::Object(request))]),
        );
        Ok(())
    }

    /// Content types, and the schema of JSON.
    fn content(&mut self, request: &mut Map<String, Value>, body: &Node<'a>) -> Result<(), String> {
        let body = self.documents.follow(body)?;
        let content = body.get("content");
        let mut json_types: Vec<(String, Value)> = Vec::new();
        let mut others: Vec<(String, String)> = Vec::new();
        for (name, media) in content.iter().flat_map(Node::members) {
            let essence = name
                .split(';')
                .next()
                .unwrap_or(name)
                .trim()
                .to_ascii_lowercase();
            match media.get("schema") {
                Some(schema) if is_json(&essence) => {
                    json_types.push((essence, self.schemas.translate(&schema, self.report)?));
                }
                _ => others.push((essence, media.place())),
            }
        }
        let Some((_, first)) = json_types.first() else {
            for (name, place) in &others {
                self.report
                    .note(place, format!("content of type {name} is not checked"));
            }
            let names: Vec<&String> = others.iter().map(|(name, _)| name).collect();
            if !names.is_empty() && !names.iter().any(|name| name.contains('*')) {
                request.insert("content_types".into(), json!(names));
            }
            return Ok(());
        };
        if json_types.iter().any(|(_, schema)| schema != first) {
            return Err("content of two JSON types has two schemas".into());
        }
        for (name, place) in &others {
            let problem =
                format!("content of type {name} is refused beside JSON: only JSON is checked");
            self.report.note(place, problem);
        }
        request.insert("body".into(), first.clone());
        if body.flag("required") != Some(true) {
            request.insert("optional".into(), json!(true));
        }
        let names: Vec<&String> = json_types.iter().map(|(name, _)| name).collect();
        request.insert("content_types".into(), json!(names));
        Ok(())
    }

    /// The path before every template: of the nearest `servers`, unless the policy says it.
    fn base(&self, path: &Node<'a>, operation: &Node<'a>) -> Result<String, String> {
        if let Some(base) = self.options.base_path {
            return Ok(base.to_owned());
        }
        let holders = [operation, path, self.documents.root()];
        let servers = holders.into_iter().find_map(|holder| holder.get("servers"));
        let server = servers.and_then(|servers| servers.items().into_iter().next());
        let Some(server) = server else {
            return Ok(String::new());
        };
        let mut url = server.text("url").unwrap_or_default().to_owned();
        let variables = server.get("variables");
        for (name, variable) in variables.iter().flat_map(Node::members) {
            let value = variable.text("default").unwrap_or_default();
            url = url.replace(&format!("{{{name}}}"), value);
        }
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| {
            rest.find('/')
                .and_then(|at| rest.get(at..))
                .unwrap_or_default()
        });
        Ok(rest.trim_end_matches('/').to_owned())
    }

    /// Whether the route could stand in a policy beside those before it. Fails with one sentence.
    fn enter(&mut self, route: &Map<String, Value>) -> Result<(), String> {
        let told = |place: &str| inner(route, place);
        let path = told("match/path")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let template = Template::parse(path).map_err(|problem| format!("its path {problem}"))?;
        let methods: Vec<Method> = told("match/methods")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| Method::parse(name.as_str()?))
            .collect();
        let named = &self.schemas.named;
        if let Some(body) = told("request/body") {
            Schema::compile(body, named).map_err(|problem| format!("its content: {problem}"))?;
        }
        for (name, location) in [("query", Location::Query), ("headers", Location::Header)] {
            if let Some(rules) = told(&format!("request/{name}")) {
                ParameterRules::compile(rules, named, location)
                    .map_err(|problem| format!("its {name}: {problem}"))?;
            }
        }
        if let Some(rules) = told("request/path") {
            let rules = json!({ "type": "object", "properties": rules });
            ParameterRules::compile(&rules, named, Location::Path)
                .map_err(|problem| format!("its path parameters: {problem}"))?;
            let names = rules.get("properties").and_then(Value::as_object);
            let mut names = names.into_iter().flat_map(Map::keys);
            if let Some(name) = names.find(|name| !template.parameters().contains(name)) {
                return Err(format!("its path has no parameter `{name}`"));
            }
        }
        let index = self.routes.len();
        let added = self.table.add(&template, &methods, index);
        added.map_err(|_| "another operation already answers on this path".to_owned())
    }
}

/// What stands at `above/name` of a route.
fn inner<'v>(route: &'v Map<String, Value>, place: &str) -> Option<&'v Value> {
    let (above, name) = place.split_once('/')?;
    route.get(above)?.get(name)
}

/// A base path and a template as one path, its parameters with names that routes can have.
fn placed(base: &str, template: &str) -> String {
    let mut path = base.to_owned();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        path.push_str(before);
        path.push_str(&format!("{{{}}}", safe(name, &['_', '-'], 64)));
        rest = after;
    }
    path.push_str(rest);
    path
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}

/// Whether a route nearer than the document says that its requests are not looked at.
fn is_opaque(over: &Map<String, Value>) -> bool {
    let mode = over.get("request").and_then(|request| request.get("mode"));
    mode.and_then(Value::as_str) == Some("off")
}
