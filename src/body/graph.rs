//! A document of schemas as a graph: which schema holds a value against which others.
//!
//! Owns: following references within the document, and that every schema in it says only what its
//! draft knows. Does not own: what the graph may cost (`body::reach`).
//!
//! Where a reference depends on the way that led to it, the graph holds all that it may mean.

use std::collections::HashMap;

use jsonschema::Draft;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::body::keywords::{self, Shape};

/// Most schemas in one document.
const SCHEMAS_MAX: usize = 100_000;

/// A schema, by its number.
pub(super) type Id = usize;

/// What one schema holds a value against.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    /// The same value: once, and once more for each schema around it that `asks_again`.
    pub(super) here: Vec<Id>,
    pub(super) again: Vec<Id>,
    /// Whether it asks for what others left over: to know, the library asks these again.
    pub(super) asks_again: bool,
    /// Members by name, members by pattern, members that neither names, any member, names.
    pub(super) properties: HashMap<&'a str, Id>,
    pub(super) patterns: Vec<Id>,
    pub(super) other_members: Option<Id>,
    pub(super) any_members: Vec<Id>,
    pub(super) names: Vec<Id>,
    /// Items: the first ones, the others, any.
    pub(super) first_items: Vec<Id>,
    pub(super) other_items: Option<Id>,
    pub(super) any_items: Vec<Id>,
}

/// Every schema of a document; the first is the document itself.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Whether a value may fail in several ways at once: by `anyOf`, `oneOf` or `propertyNames`.
    pub(super) has_branches: bool,
    draft: Draft,
    schemas: Vec<Held<'a>>,
    known: HashMap<*const Value, Id>,
}

/// A schema, and the one whose `$id` it stands under.
#[derive(Clone, Copy, Debug)]
struct Held<'a> {
    schema: &'a Value,
    resource: Id,
}

impl<'a> Graph<'a> {
    /// Reads `root`, all of it: also what is not referred to.
    ///
    /// - `named`: whether `root` was put together to hold a policy's own under `schemas`, which is
    ///   no keyword.
    ///
    /// Fails with a sentence on a keyword that `draft` does not know, and on too many schemas.
    pub(super) fn read(root: &'a Value, draft: Draft, named: bool) -> Result<Self, String> {
        let mut graph = Self {
            nodes: Vec::new(),
            has_branches: false,
            draft,
            schemas: Vec::new(),
            known: HashMap::new(),
        };
        graph.add(root, 0)?;
        let held = root.get("schemas").filter(|_| named);
        for schema in held
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values)
        {
            graph.add(schema, 0)?;
        }
        let (mut read, mut followed) = (0, 0);
        // Following a reference may lead to a place that is no known schema's, which is then read.
        while read < graph.schemas.len() || followed < graph.schemas.len() {
            while read < graph.schemas.len() {
                graph.descend(read, named && read == 0)?;
                read += 1;
            }
            graph.follow(followed)?;
            followed += 1;
        }
        Ok(graph)
    }

    /// Each schema of the document.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &'a Value> {
        self.schemas.iter().map(|held| held.schema)
    }

    fn add(&mut self, schema: &'a Value, resource: Id) -> Result<Id, String> {
        if let Some(id) = self.known.get(&std::ptr::from_ref(schema)) {
            return Ok(*id);
        }
        if self.schemas.len() >= SCHEMAS_MAX {
            return Err(format!("more than {SCHEMAS_MAX} schemas"));
        }
        let id = self.schemas.len();
        let own = id_of(schema).is_some_and(|name| !name.starts_with('#'));
        let resource = if own { id } else { resource };
        self.known.insert(schema, id);
        self.schemas.push(Held { schema, resource });
        self.nodes.push(Node::default());
        Ok(id)
    }

    fn add_all(
        &mut self,
        schemas: impl Iterator<Item = &'a Value>,
        resource: Id,
    ) -> Result<Vec<Id>, String> {
        schemas.map(|schema| self.add(schema, resource)).collect()
    }

    fn descend(&mut self, id: Id, composed: bool) -> Result<(), String> {
        let Some(Held { schema, resource }) = self.schemas.get(id).copied() else {
            return Ok(());
        };
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        if !composed {
            keywords::check(keywords, self.draft)?;
        }
        if keywords.contains_key("$schema") && keywords::draft_of(schema)? != self.draft {
            return Err("schemas of two drafts refer to each other".into());
        }
        self.has_branches |= ["anyOf", "oneOf", "propertyNames"]
            .iter()
            .any(|name| keywords.contains_key(*name));
        let node = self.read_node(keywords, resource)?;
        if let Some(known) = self.nodes.get_mut(id) {
            *known = node;
        }
        Ok(())
    }

    /// What stands in a schema, references apart.
    fn read_node(
        &mut self,
        keywords: &'a Map<String, Value>,
        resource: Id,
    ) -> Result<Node<'a>, String> {
        let mut node = Node {
            asks_again: ["unevaluatedItems", "unevaluatedProperties"]
                .iter()
                .any(|name| keywords.contains_key(*name)),
            ..Node::default()
        };
        for (name, value) in keywords {
            let Some(shape) = keywords::shape_of(name) else {
                continue;
            };
            let mut add = |schema| self.add(schema, resource);
            match shape {
                Shape::Told | Shape::Plain => {}
                Shape::Here => node.here.push(add(value)?),
                Shape::Again => node.again.push(add(value)?),
                Shape::AgainList => node.again.extend(self.add_all(listed(value), resource)?),
                Shape::HereNamed => {
                    let schemas = named(value).map(|(_, schema)| schema);
                    let schemas = schemas.filter(|schema| !schema.is_array());
                    node.here.extend(self.add_all(schemas, resource)?);
                }
                // `contentSchema` is one schema, and the others are objects of them.
                Shape::Held if name == "contentSchema" => drop(add(value)?),
                Shape::Held => {
                    self.add_all(named(value).map(|(_, schema)| schema), resource)?;
                }
                Shape::Properties => {
                    for (name, schema) in named(value) {
                        node.properties.insert(name, add(schema)?);
                    }
                }
                Shape::Patterns => {
                    let schemas = named(value).map(|(_, schema)| schema);
                    node.patterns.extend(self.add_all(schemas, resource)?);
                }
                Shape::OtherMembers => node.other_members = Some(add(value)?),
                Shape::AnyMembers => node.any_members.push(add(value)?),
                Shape::Names => node.names.push(add(value)?),
                Shape::OtherItems if !value.is_array() => node.other_items = Some(add(value)?),
                Shape::FirstItems | Shape::OtherItems => {
                    node.first_items
                        .extend(self.add_all(listed(value), resource)?);
                }
                Shape::AnyItems => node.any_items.push(add(value)?),
            }
        }
        Ok(node)
    }

    /// Adds what the references of a schema lead to.
    fn follow(&mut self, id: Id) -> Result<(), String> {
        let Some(Held { schema, resource }) = self.schemas.get(id).copied() else {
            return Ok(());
        };
        let mut targets = Vec::new();
        // Anchors are sought in the whole document: a dynamic one may be any of its name.
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(target) = schema.get(keyword).and_then(Value::as_str) {
                targets.extend(self.resolve(target, resource)?);
            }
        }
        if schema.get("$recursiveRef").is_some() {
            targets.push(resource);
            targets.extend(self.with("$recursiveAnchor", &Value::Bool(true)));
        }
        targets.sort_unstable();
        targets.dedup();
        if let Some(node) = self.nodes.get_mut(id) {
            node.here.extend(targets);
        }
        Ok(())
    }

    /// The schemas that a reference may mean: none if it leads out of the document, which is then
    /// told by who compiles it.
    fn resolve(&mut self, target: &str, resource: Id) -> Result<Vec<Id>, String> {
        let (base, fragment) = target.split_once('#').unwrap_or((target, ""));
        let resources = if base.is_empty() {
            vec![resource]
        } else {
            let last = |name: &str| {
                name.trim_end_matches('#').rsplit(['/', ':']).next()
                    == base.rsplit(['/', ':']).next()
            };
            let named = self.schemas.iter().enumerate();
            let named = named.filter(|(_, held)| id_of(held.schema).is_some_and(last));
            named.map(|(id, _)| id).collect()
        };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        if fragment.is_empty() {
            return Ok(resources);
        }
        if !fragment.starts_with('/') {
            let plain = Value::from(fragment.as_ref());
            let hashed = Value::from(format!("#{fragment}"));
            return Ok([
                ("$anchor", &plain),
                ("$dynamicAnchor", &plain),
                ("$id", &hashed),
                ("id", &hashed),
            ]
            .into_iter()
            .flat_map(|(keyword, name)| self.with(keyword, name))
            .collect());
        }
        let mut found = Vec::new();
        for resource in resources {
            let root = self.schemas.get(resource).map(|held| held.schema);
            if let Some(schema) = root.and_then(|root| root.pointer(&fragment)) {
                found.push(self.add(schema, resource)?);
            }
        }
        Ok(found)
    }

    /// The schemas in which `keyword` is `value`.
    fn with(&self, keyword: &str, value: &Value) -> Vec<Id> {
        let schemas = self.schemas.iter().enumerate();
        let found = schemas.filter(|(_, held)| held.schema.get(keyword) == Some(value));
        found.map(|(id, _)| id).collect()
    }
}

fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn named(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn id_of(schema: &Value) -> Option<&str> {
    let id = schema.get("$id").or_else(|| schema.get("id"));
    id.and_then(Value::as_str)
}
