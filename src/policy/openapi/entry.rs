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
use crate::policy::fault::Faults;
use crate::policy::openapi::answers;
use crate::policy::openapi::closing::Closing;
use crate::policy::openapi::report::Report;
use crate::policy::route_table::{RouteTable, Template};

/// What an operation became: a route, or why there is none.
pub(super) struct Made {
    pub(super) id: String,
    /// What it is called in the report.
    pub(super) name: String,
    pub(super) place: String,
    /// Where its requests would lead, by the document.
    pub(super) path: String,
    /// All that it may have, less those that the gateway does not pass.
    pub(super) methods: Vec<Method>,
    pub(super) route: Result<Written, String>,
}

/// A route that an operation became.
pub(super) struct Written {
    pub(super) route: Map<String, Value>,
    /// Where the `responses` stand that its answers are held against.
    pub(super) answers: Option<String>,
    /// Whether what stands nearer than the document says which requests it is for.
    pub(super) is_placed: bool,
}

/// Gives the routes that stand and the paths that are closed, and tells of each operation what became of it.
///
/// - `named`: the schemas that routes refer to, all of them.
pub(super) fn enter(
    made: Vec<Made>,
    named: &Map<String, Value>,
    report: &mut Report,
    faults: &mut Faults,
) -> (Vec<Value>, Vec<String>) {
    let mut entry = Entry {
        compiler: Compiler::new(named),
        table: RouteTable::default(),
        standing: Vec::new(),
        closing: Closing::default(),
    };
    let written = made.iter().filter_map(|made| made.route.as_ref().ok());
    let asked = written.flat_map(|written| asked(&written.route, named));
    entry.compiler.foresee(asked.collect());
    for made in made {
        entry.check(made, report, faults);
    }
    let routes = entry.give(report);
    (routes, entry.closing.paths())
}

/// An operation whose route could stand in the policy.
struct Standing {
    id: String,
    name: String,
    place: String,
    written: Written,
    template: Template,
    methods: Vec<Method>,
}

struct Entry<'a> {
    compiler: Compiler<'a>,
    table: RouteTable,
    standing: Vec<Standing>,
    closing: Closing,
}

impl Entry<'_> {
    /// Takes an operation in, or leaves it out.
    fn check(&mut self, made: Made, report: &mut Report, faults: &mut Faults) {
        let Made {
            id,
            name,
            place,
            mut path,
            methods: asked_by,
            route,
        } = made;
        let checked = route.and_then(|written| {
            // It may have been given another path.
            path = path_of(&written.route).to_owned();
            let (template, methods) = self.stand(&written.route)?;
            Ok((written, template, methods))
        });
        match checked {
            Ok((written, template, methods)) => self.standing.push(Standing {
                id,
                name,
                place,
                written,
                template,
                methods,
            }),
            Err(problem) => {
                let left = self.closing.leave_out(&name, &path, &asked_by);
                if let Err(why) = left {
                    let told = format!(
                        "{name} cannot be left out: {why}, and other routes may take its path"
                    );
                    faults.add_at("/openapi".into(), told, "Take it out of the document");
                }
                report.leave_out(&name, &place, problem);
            }
        }
    }

    /// The routes of those that stand. One that requests for another could be meant for, which is left out, is left out too.
    fn give(&mut self, report: &mut Report) -> Vec<Value> {
        let mut routes = Vec::new();
        for one in std::mem::take(&mut self.standing) {
            let other = self.closing.taken_for(&one.template, &one.methods);
            if let Some(other) = other.filter(|_| !one.written.is_placed) {
                let problem = format!(
                    "its path takes requests for {other}, which is not routed: say `match`"
                );
                report.leave_out(&one.name, &one.place, problem);
                continue;
            }
            let Written {
                mut route, answers, ..
            } = one.written;
            if let Some((place, problem)) = answers.zip(self.unfit_answers(&route)) {
                answers::take_out(&mut route);
                report.note(&place, format!("answers are not checked: {problem}"));
            }
            report.import(&one.id, one.place);
            routes.push(Value::Object(route));
        }
        routes
    }

    /// Why the answers of a route cannot be held against their schema.
    fn unfit_answers(&self, route: &Map<String, Value>) -> Option<String> {
        let body = inner(route, "response/body")?;
        self.compiler.compile(body).err()
    }

    /// Where a route stands in a policy beside those before it. Fails with one sentence if it cannot.
    fn stand(&mut self, route: &Map<String, Value>) -> Result<(Template, Vec<Method>), String> {
        let compiler = &self.compiler;
        let told = |place: &str| inner(route, place);
        let template =
            Template::parse(path_of(route)).map_err(|problem| format!("its path {problem}"))?;
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
        let added = self.table.add(&template, &methods, self.standing.len());
        added.map_err(|_| "another operation already answers on this path".to_owned())?;
        Ok((template, methods))
    }
}

fn path_of(route: &Map<String, Value>) -> &str {
    let path = inner(route, "match/path").and_then(Value::as_str);
    path.unwrap_or_default()
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
