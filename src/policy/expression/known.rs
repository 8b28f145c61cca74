//! What is known of a route's requests before there is one: the kinds of what a rule can name, and
//! the schemas of content and query.
//!
//! Owns: reading schemas for names and kinds. What is said in a way it does not read may be anything.

use serde_json::{Map, Value as Json};

use crate::body::finding::{clip, listed};

use super::kinds::Kinds;
use super::types::Type;

/// Most references that are followed to a schema: one may refer to itself.
const REFERENCES_MAX: usize = 8;

/// The schemas that requests of a route are held to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'s> {
    /// Of the content; `None` where none is enforced.
    pub body: Option<&'s Json>,
    /// Of the answer's content; `None` where none is enforced.
    pub answer: Option<&'s Json>,
    /// Of the query; `None` where none is enforced.
    pub query: Option<&'s Json>,
    /// `schemas` of the policy.
    pub named: Option<&'s Map<String, Json>>,
}

/// Where a value comes from, and so what its members can be.
#[derive(Clone, Debug)]
pub(super) enum Place<'s> {
    Unknown,
    /// A list of these.
    Items(Kinds),
    Schema(&'s Json),
    Query(Option<&'s Json>),
    Headers,
}

impl<'s> Known<'s> {
    /// What stands under `root.name`; the names themselves are checked before.
    pub(super) fn root(&self, root: &str, name: &str) -> Type<'s> {
        let text_or_null = || Type::of(Kinds::TEXT.or(Kinds::NULL));
        match (root, name) {
            ("request", "method" | "path" | "ip") | ("path", _) => Type::of(Kinds::TEXT),
            ("caller", "kind" | "subject") => Type::of(Kinds::TEXT),
            ("caller", "tenant" | "plan") | ("request", "country") => text_or_null(),
            ("caller", "scopes" | "roles") => Type::list_of(Kinds::TEXT),
            ("caller", "claims") => Type::of(Kinds::OBJECT),
            ("request", "time") => Type::of(Kinds::NUMBER),
            ("request", "query") => Type {
                kinds: Kinds::OBJECT,
                place: Place::Query(self.query),
            },
            ("request", "headers") => Type {
                kinds: Kinds::OBJECT,
                place: Place::Headers,
            },
            ("request", "body") => self.content(self.body),
            _ => Type::of(Kinds::ANY),
        }
    }

    /// What `name` is, which stands for a value and not for a group of them.
    pub(super) fn alone(&self, name: &str) -> Option<Type<'s>> {
        match name {
            "body" => Some(self.content(self.answer)),
            "status" => Some(Type::of(Kinds::NUMBER)),
            _ => None,
        }
    }

    fn content(&self, schema: Option<&'s Json>) -> Type<'s> {
        let Some(schema) = schema else {
            return Type::of(Kinds::ANY);
        };
        let content = Type::of_schema(self, schema);
        // Where there is none, it is null.
        let kinds = content.kinds.or(Kinds::NULL);
        Type { kinds, ..content }
    }

    /// A member of a value; fails where none of that name can be.
    pub(super) fn member(&self, of: &Place<'s>, name: &str) -> Result<Type<'s>, String> {
        // A repeated name is a list.
        let sent = || Type::of(Kinds::TEXT.or(Kinds::LIST));
        match of {
            Place::Unknown | Place::Items(_) => Ok(Type::of(Kinds::ANY)),
            Place::Query(None) => Ok(sent()),
            Place::Query(Some(schema)) => self.property(schema, name, "query").map(|_| sent()),
            Place::Headers if name.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(format!(
                "no header `{}`: names are in lower case",
                clip(name, 64)
            )),
            Place::Headers => Ok(sent()),
            Place::Schema(schema) => {
                let found = self.property(schema, name, "content")?;
                let known = found.map(|schema| Type::of_schema(self, schema));
                Ok(known.unwrap_or(Type::of(Kinds::ANY)))
            }
        }
    }

    /// The items of a list.
    pub(super) fn items(&self, of: &Type<'s>) -> Type<'s> {
        let any = Type::of(Kinds::ANY);
        match of.place {
            Place::Items(kinds) => Type::of(kinds),
            Place::Schema(schema) => {
                let is_list = |one: &&Json| one.get("items").is_some_and(Json::is_object);
                let is_even = |one: &&Json| one.get("prefixItems").is_none();
                let mut parts = self.parts(schema);
                let list = parts.find(|one| is_list(one)).filter(is_even);
                let items = list.and_then(|one| one.get("items"));
                items.map_or(any, |items| Type::of_schema(self, items))
            }
            _ => any,
        }
    }

    /// The kinds that a schema lets pass: those of all its parts.
    pub(super) fn kinds(&self, schema: &'s Json) -> Kinds {
        self.parts(schema).fold(Kinds::ANY, |kinds, part| {
            let types = match part.get("type") {
                Some(Json::String(name)) => Kinds::of_schema(name),
                Some(Json::Array(names)) => names
                    .iter()
                    .filter_map(Json::as_str)
                    .fold(Kinds::NONE, |kinds, name| kinds.or(Kinds::of_schema(name))),
                _ => Kinds::ANY,
            };
            let values = match (part.get("const"), part.get("enum")) {
                (Some(value), _) => kind_of(value),
                (None, Some(Json::Array(values))) => values
                    .iter()
                    .fold(Kinds::NONE, |kinds, value| kinds.or(kind_of(value))),
                _ => Kinds::ANY,
            };
            kinds.and(types).and(values)
        })
    }

    /// The schema of a member, where it is written. Fails where a part of `schema` is closed and does
    /// not know `name`.
    fn property(
        &self,
        schema: &'s Json,
        name: &str,
        what: &str,
    ) -> Result<Option<&'s Json>, String> {
        let mut found = None;
        for part in self.parts(schema) {
            let own = part.get("properties").and_then(Json::as_object);
            let property = own.and_then(|own| own.get(name));
            let is_closed = part.get("additionalProperties") == Some(&Json::Bool(false))
                && part.get("patternProperties").is_none();
            if is_closed && property.is_none() {
                let known = own.into_iter().flat_map(Map::keys);
                let known = listed(known.map(String::as_str));
                let name = clip(name, 64);
                return Err(match known.as_str() {
                    "" => format!("no `{name}`: the schema of the {what} takes no names"),
                    known => format!("no `{name}` in the schema of the {what}; there is {known}"),
                });
            }
            found = found.or(property);
        }
        Ok(found)
    }

    /// A schema and those it refers to, which all hold.
    pub(super) fn parts(&self, schema: &'s Json) -> impl Iterator<Item = &'s Json> + use<'s> {
        let named = self.named;
        let next = move |schema: &&'s Json| -> Option<&'s Json> {
            let name = schema.get("$ref")?.as_str()?.strip_prefix("#/schemas/")?;
            named?.get(name)
        };
        std::iter::successors(Some(schema), next).take(REFERENCES_MAX)
    }
}

fn kind_of(value: &Json) -> Kinds {
    match value {
        Json::Null => Kinds::NULL,
        Json::Bool(_) => Kinds::TRUTH,
        Json::Number(_) => Kinds::NUMBER,
        Json::String(_) => Kinds::TEXT,
        Json::Array(_) => Kinds::LIST,
        Json::Object(_) => Kinds::OBJECT,
    }
}
