//! From the schemas of one policy to what judges by them: together, and equal ones once.
//!
//! Owns: how `jsonschema` is set up, under which draft, and what stands around a schema. Patterns
//! run on the linear engine and formats are asserted.
//!
//! For wasm the library compiles the meta-schema anew for every schema that it is asked to build:
//! milliseconds, times the schemas of a policy. So it is asked once, by `build_map`, for a document
//! that holds nothing but a reference to each; the schemas lie in its registry, and are held
//! against their meta-schema before, by one validator for each draft.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::meta::MetaValidator;
use jsonschema::{
    Draft, PatternOptions, Registry, Resource, ValidationOptions, Validator, draft4, draft6,
    draft7, draft201909, draft202012,
};
use serde_json::{Map, Value, json};

use crate::body::finding::{clip, listed};
use crate::body::graph::Graph;
use crate::body::keywords;
use crate::body::reach::{self, Visits};
use crate::body::schema::Schema;
use crate::body::schema::sound::{self, Known};

/// Most bytes of one compiled pattern: a bound on what a policy can make a request pay.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most characters of a sentence on what is wrong with a schema.
const PROBLEM_CHARS_MAX: usize = 400;
/// Most bytes of the place that is told before it.
const POINTER_BYTES_MAX: usize = 200;

/// Compiles the schemas of one policy.
pub struct Compiler<'a> {
    named: &'a Map<String, Value>,
    known: RefCell<HashMap<Value, Result<Schema, String>>>,
    metas: RefCell<HashMap<Draft, Rc<MetaValidator<'static>>>>,
}

/// A schema that is one by its meta-schema, and costs what it may.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) document: Value,
    draft: Draft,
    pub(super) visits: Visits,
    pub(super) copies: bool,
    known: Known,
}

impl Root {
    /// Compiles it; a readable one compiles.
    pub(super) fn compile(&self) -> Result<Validator, String> {
        build_all(&options(), &[self], is_closed)
            .pop()
            .flatten()
            // Alone it says what is wrong.
            .map_or_else(|| build(&options(), self), Ok)
    }
}

impl<'a> Compiler<'a> {
    /// - `named`: the policy's `schemas`, which a schema may refer to as `#/schemas/NAME`.
    pub fn new(named: &'a Map<String, Value>) -> Self {
        Self {
            named,
            known: RefCell::default(),
            metas: RefCell::default(),
        }
    }

    /// The policy's `schemas`.
    pub fn named(&self) -> &'a Map<String, Value> {
        self.named
    }

    /// Compiles `schema`, or gives what was compiled of an equal one.
    ///
    /// Fails with one sentence on an invalid schema, a draft or a keyword that is not known, an
    /// unknown reference (nothing is fetched), an unknown format, a pattern the linear engine
    /// cannot run, or one that a document could make work without bound.
    pub fn compile(&self, schema: &Value) -> Result<Schema, String> {
        let known = |schema| self.known.borrow().get(schema).cloned();
        known(schema).unwrap_or_else(|| {
            self.foresee(vec![schema.clone()]);
            known(schema).unwrap_or_else(|| Err("it was not compiled".into()))
        })
    }

    /// Compiles at once what will be asked for. What is asked for and was not foreseen is compiled
    /// all the same, and takes longer.
    pub fn foresee(&self, schemas: Vec<Value>) {
        let mut roots = Vec::new();
        let mut of = Vec::new();
        for schema in schemas {
            if self.known.borrow().contains_key(&schema) {
                continue;
            }
            match self.root(&schema) {
                Ok(root) if root.known == Known::Readable => {
                    let readable = Ok(Schema::readable(root));
                    self.known.borrow_mut().insert(schema, readable);
                }
                Ok(root) => {
                    // Known as soon as it is read, so that an equal one is not read again.
                    let waiting = Err("it was not compiled".into());
                    self.known.borrow_mut().insert(schema.clone(), waiting);
                    roots.push(root);
                    of.push(schema);
                }
                Err(problem) => {
                    self.known.borrow_mut().insert(schema, Err(problem));
                }
            }
        }
        let validators = build_all(&options(), &roots.iter().collect::<Vec<_>>(), is_closed);
        for ((schema, root), validator) in of.into_iter().zip(roots).zip(validators) {
            let compiled = match validator {
                Some(validator) => Ok(validator),
                // Alone it says what is wrong.
                None => build(&options(), &root).map_err(|problem| self.with_names(problem)),
            };
            let compiled = compiled.map(|validator| Schema::compiled(&root, validator));
            self.known.borrow_mut().insert(schema, compiled);
        }
    }

    /// A problem, and where it is a name that no schema has, those that there are.
    fn with_names(&self, problem: String) -> String {
        let is_name = problem.starts_with("Pointer '/schemas/");
        let known = listed(self.named.keys().map(String::as_str));
        match is_name && !known.is_empty() {
            true => format!("{problem}; there is {known}"),
            false => problem,
        }
    }

    /// What stands around `schema` for its references, and all that is told before it is compiled.
    fn root(&self, schema: &Value) -> Result<Root, String> {
        let reachable = collect_named(schema, self.named);
        let draft = common_draft(schema, &reachable)?;
        let composed = !reachable.is_empty();
        let document = match schema {
            Value::Object(object)
                if composed && object.contains_key("$ref") && object.len() == 1 =>
            {
                json!({ "$ref": object.get("$ref"), "schemas": reachable })
            }
            _ if composed => json!({ "allOf": [schema], "schemas": reachable }),
            _ => schema.clone(),
        };
        let graph = Graph::read(&document, draft, composed)?;
        let (visits, copies) = (reach::check(&graph)?, graph.has_branches);
        let known = sound::known(&document, draft, &graph);
        if known == Known::Nothing {
            let meta = self.meta(draft);
            let told = |error: &_| with_place(error, &document);
            meta.validate(&document).map_err(|error| told(&error))?;
        }
        Ok(Root {
            document,
            draft,
            visits,
            copies,
            known,
        })
    }

    fn meta(&self, draft: Draft) -> Rc<MetaValidator<'static>> {
        let mut metas = self.metas.borrow_mut();
        let meta = metas.entry(draft).or_insert_with(|| {
            Rc::new(match draft {
                Draft::Draft4 => draft4::meta::validator(),
                Draft::Draft6 => draft6::meta::validator(),
                Draft::Draft7 => draft7::meta::validator(),
                Draft::Draft201909 => draft201909::meta::validator(),
                _ => draft202012::meta::validator(),
            })
        });
        Rc::clone(meta)
    }
}

/// Compiles one of the gateway's own schemas, of 2020-12 and without names, as `options` say.
///
/// It is not held against its meta-schema: what `tests/schemas.rs` does. Fails with one sentence.
pub fn build_own(options: &ValidationOptions<'_>, schema: &Value) -> Result<Validator, String> {
    let root = Root {
        document: schema.clone(),
        draft: Draft::Draft202012,
        visits: Visits::default(),
        copies: false,
        known: Known::Sound,
    };
    let together = build_all(options, &[&root], |_| true);
    match together.into_iter().flatten().next() {
        Some(validator) => Ok(validator),
        None => build(options, &root),
    }
}

fn options() -> ValidationOptions<'static> {
    jsonschema::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .offline()
}

fn told(error: &jsonschema::ValidationError<'_>) -> String {
    clip(&error.to_string(), PROBLEM_CHARS_MAX)
}

/// What is wrong by the meta-schema, and where: a pointer that ends in the keyword.
fn with_place(error: &jsonschema::ValidationError<'_>, document: &Value) -> String {
    let pointer = error.instance_path().as_str();
    // What `root` put around the schema is not what its author wrote.
    let is_composed = document.get("schemas").is_some();
    let written = pointer.strip_prefix("/allOf/0").filter(|_| is_composed);
    let pointer = clip(written.unwrap_or(pointer), POINTER_BYTES_MAX);
    match pointer.is_empty() {
        true => told(error),
        false => format!("{pointer}: {}", told(error)),
    }
}

fn build(options: &ValidationOptions<'_>, root: &Root) -> Result<Validator, String> {
    let options = options.clone().with_draft(root.draft);
    let told = |error: &_| with_place(error, &root.document);
    options.build(&root.document).map_err(|error| told(&error))
}

/// Compiles all at once; `None` for each that does not compile, or could mean another of them.
///
/// - `may`: which of them may be compiled beside others.
fn build_all(
    options: &ValidationOptions<'_>,
    roots: &[&Root],
    may: impl Fn(&Value) -> bool,
) -> Vec<Option<Validator>> {
    let none = || roots.iter().map(|_| None).collect();
    let resources: Vec<_> = roots
        .iter()
        .enumerate()
        .filter(|(_, root)| may(&root.document))
        .map(|(number, root)| {
            let resource = root.draft.create_resource(root.document.clone());
            (number, format!("json-schema:///{number}"), resource)
        })
        .collect();
    if resources.is_empty() {
        return none();
    }
    let held = resources.iter().map(|(_, uri, resource)| (uri, resource));
    let registry = Registry::new().extend::<_, _, &Resource>(held);
    let Ok(registry) = registry.and_then(jsonschema::RegistryBuilder::prepare) else {
        return none();
    };
    let references = resources
        .iter()
        .map(|(number, uri, _)| (number.to_string(), json!({ "$ref": uri })));
    let references: Map<String, Value> = references.collect();
    // Of all drafts, the fourth has the meta-schema that is compiled soonest.
    let map = options
        .clone()
        .with_draft(Draft::Draft4)
        .with_registry(&registry)
        .build_map(&json!({ "definitions": references }));
    let Ok(map) = map else { return none() };
    (0..roots.len())
        .map(|number| map.get(&format!("#/definitions/{number}")).cloned())
        .collect()
}

/// Whether a schema has no name that another could have or mean, and refers to nothing beyond
/// itself: then it means the same beside others.
fn is_closed(value: &Value) -> bool {
    let closed = |(keyword, value): (&String, &Value)| match (keyword.as_str(), value) {
        ("$id" | "id", Value::String(_)) => false,
        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) => {
            target.starts_with('#')
        }
        (_, value) => is_closed(value),
    };
    match value {
        Value::Object(members) => members.iter().all(closed),
        Value::Array(items) => items.iter().all(is_closed),
        _ => true,
    }
}

/// The draft of a schema and of all that it refers to: one, or what is a rule to one would be
/// passed over by another.
fn common_draft(schema: &Value, reachable: &Map<String, Value>) -> Result<Draft, String> {
    // A reference alone is of whatever draft it leads to.
    let leads_on =
        schema.get("$ref").is_some() && schema.as_object().is_some_and(|one| one.len() == 1);
    let own = (!leads_on || reachable.is_empty()).then_some(schema);
    let mut drafts = own
        .into_iter()
        .chain(reachable.values())
        .map(keywords::draft_of);
    let first = drafts.next().unwrap_or(Ok(Draft::Draft202012))?;
    for draft in drafts {
        let draft = draft?;
        if draft != first {
            return Err(format!(
                "a schema of {} and one of {} refer to each other",
                keywords::title(first),
                keywords::title(draft)
            ));
        }
    }
    Ok(first)
}

/// The named schemas that `schema` can reach: found by a list, for a policy may have thousands that
/// lead from one to the next.
fn collect_named(schema: &Value, named: &Map<String, Value>) -> Map<String, Value> {
    let mut reachable = Map::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                let name = object.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|target| target.strip_prefix("#/schemas/"));
                let name = name.map(|rest| rest.split('/').next().unwrap_or(rest));
                if let Some((name, target)) = name.and_then(|name| Some((name, named.get(name)?)))
                    && !reachable.contains_key(name)
                {
                    reachable.insert(name.to_owned(), target.clone());
                    open.push(target);
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    reachable
}
