//! Which of the routes that operations became stand in the policy.
//!
//! Owns: what leaves an operation out when its route is made: a schema that does not compile, a path
//! that is taken. Called by: `policy::openapi::operation`.

use serde_json::{Map, Value, json};

use crate::body::content::ContentRules;
use crate::body::cookies::CookieRules;
use crate::body::finding::Location;
use crate::body::json::BODY_LIMITS;
use crate::body::parameters::ParameterRules;
use crate::body::schema::Compiler;
use crate::facts::Method;
use crate::policy::openapi::answers;
use crate::policy::openapi::report::Report;
use crate::policy::route_table::{RouteTable, Template};

/// What an operation became: a route, or why there is none.
pub(super) struct Made {
    pub(super) id: String,
    /// What it is called in the report.
    pub(super) name: String,
    pub(super) place: String,
    pub(super) route: Result<Written, String>,
}

/// A route that an operation became.
pub(super) struct Written {
    pub(super) route: Map<String, Value>,
    /// Where the `responses` stand that its answers are held against.
    pub(super) answers: Option<String>,
}

/// Gives the routes that stand, and tells of each operation what became of it.
///
/// - `named`: the schemas that routes refer to, all of them.
pub(super) fn enter(
    made: Vec<Made>,
    named: &Map<String, Value>,
    report: &mut Report,
) -> Vec<Value> {
    let mut entry = Entry {
        compiler: Compiler::new(named),
        table: RouteTable::default(),
        routes: Vec::new(),
    };
    let written = made.iter().filter_map(|made| made.route.as_ref().ok());
    let asked = written.flat_map(|written| asked(&written.route, named));
    entry.compiler.foresee(asked.collect());
    for made in made {
        let checked = made.route.and_then(|written| {
            entry.check(&written.route)?;
            Ok(written)
        });
        match checked {
            Ok(Written { mut route, answers }) => {
                if let Some((place, problem)) = answers.zip(entry.unfit_answers(&route)) {
                    answers::take_out(&mut route);
                    report.note(&place, format!("answers are not checked: {problem}"));
                }
                report.import(&made.id, made.place);
                entry.routes.push(Value::Object(route));
            }
            Err(problem) => report.leave_out(&made.name, &made.place, problem),
        }
    }
    entry.routes
}

struct Entry<'a> {
    compiler: Compiler<'a>,
    table: RouteTable,
    routes: Vec<Value>,
}

impl Entry<'_> {
    /// Why the answers of a route cannot be held against their schema.
    fn unfit_answers(&self, route: &Map<String, Value>) -> Option<String> {
        let body = inner(route, "response/body")?;
        self.compiler.compile(body).err()
    }

    /// Whether a route could stand in a policy beside those before it. Fails with one sentence.
    fn check(&mut self, route: &Map<String, Value>) -> Result<(), String> {
        let compiler = &self.compiler;
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
        if let Some(body) = told("request/body") {
            let compiled = compiler.compile(body);
            compiled.map_err(|problem| format!("its content: {problem}"))?;
        }
        let bodies = told("request/bodies").and_then(Value::as_object);
        for (media_type, schema) in bodies.into_iter().flatten() {
            ContentRules::compile(media_type, Some(schema), compiler, BODY_LIMITS)
                .map_err(|problem| format!("its content of type {media_type}: {problem}"))?;
        }
        for (name, location) in [("query", Location::Query), ("headers", Location::Header)] {
            if let Some(rules) = told(&format!("request/{name}")) {
                ParameterRules::compile(rules, compiler, location)
                    .map_err(|problem| format!("its {name}: {problem}"))?;
            }
        }
        if let Some(rules) = told("request/cookies") {
            CookieRules::compile(rules, compiler)
                .map_err(|problem| format!("its cookies: {problem}"))?;
        }
        if let Some(rules) = of_path(route) {
            ParameterRules::compile(&rules, compiler, Location::Path)
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

/// The rules for a path's parameters as one schema.
fn of_path(route: &Map<String, Value>) -> Option<Value> {
    let properties = inner(route, "request/path")?;
    Some(json!({ "type": "object", "properties": properties }))
}

/// The schemas that will be asked for.
fn asked(route: &Map<String, Value>, named: &Map<String, Value>) -> Vec<Value> {
    let own = |place: &str| inner(route, place).cloned();
    let parameters = [
        (own("request/query"), Location::Query),
        (own("request/headers"), Location::Header),
        (own("request/cookies"), Location::Cookie),
        (of_path(route), Location::Path),
    ];
    let parameters = parameters
        .into_iter()
        .filter_map(|(rules, location)| Some(ParameterRules::asked(&rules?, named, location)));
    let bodies = inner(route, "request/bodies").and_then(Value::as_object);
    let bodies = bodies.into_iter().flatten();
    let bodies = bodies.filter_map(|(name, schema)| ContentRules::asked(name, schema, named));
    let whole = [own("request/body"), own("response/body")];
    let whole = whole.into_iter().flatten();
    whole.chain(bodies).chain(parameters).collect()
}

/// What stands at `above/name` of a route.
pub(super) fn inner<'v>(route: &'v Map<String, Value>, place: &str) -> Option<&'v Value> {
    let (above, name) = place.split_once('/')?;
    route.get(above)?.get(name)
}
