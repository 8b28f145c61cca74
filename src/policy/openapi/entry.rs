//! Which of the routes that operations became stand in the policy.
//!
//! Owns: what leaves an operation out when its route is made: a schema that does not compile, a path
//! that is taken. Called by: `policy::openapi::operation`.

use serde_json::{Map, Value, json};

use crate::body::finding::Location;
use crate::body::parameters::ParameterRules;
use crate::body::schema::Compiler;
use crate::facts::Method;
use crate::policy::openapi::report::Report;
use crate::policy::route_table::{RouteTable, Template};

/// What an operation became: a route, or why there is none.
pub(super) struct Made {
    pub(super) id: String,
    /// What it is called in the report.
    pub(super) name: String,
    pub(super) place: String,
    pub(super) route: Result<Map<String, Value>, String>,
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
    let routes = made.iter().filter_map(|made| made.route.as_ref().ok());
    let asked = routes.flat_map(|route| asked(route, named));
    entry.compiler.foresee(asked.collect());
    for made in made {
        let checked = made.route.and_then(|route| {
            entry.check(&route)?;
            Ok(route)
        });
        match checked {
            Ok(route) => {
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
        for (name, location) in [("query", Location::Query), ("headers", Location::Header)] {
            if let Some(rules) = told(&format!("request/{name}")) {
                ParameterRules::compile(rules, compiler, location)
                    .map_err(|problem| format!("its {name}: {problem}"))?;
            }
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
        (of_path(route), Location::Path),
    ];
    let parameters = parameters
        .into_iter()
        .filter_map(|(rules, location)| Some(ParameterRules::asked(&rules?, named, location)));
    own("request/body").into_iter().chain(parameters).collect()
}

/// What stands at `above/name` of a route.
fn inner<'v>(route: &'v Map<String, Value>, place: &str) -> Option<&'v Value> {
    let (above, name) = place.split_once('/')?;
    route.get(above)?.get(name)
}
