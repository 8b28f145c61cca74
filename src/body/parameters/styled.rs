//! Parameters that hold a list or an object in one way of several.
//!
//! Owns: which of them a name belongs to, and what its values are read as. Does not own: the ways
//! (`body::styles`). Called by: `body::parameters`.

use serde_json::{Map, Value};

use super::{ParameterRules, ParameterType, Scalar, read, resolve, spelled, type_of};
use crate::body::finding::{Finding, Location};
use crate::body::styles::{Misread, Parts, Shape, Style, bracketed, put};

/// Deepest `allOf` in which the members of an object are looked for.
const DEPTH_MAX: usize = 8;

/// A parameter that is not written as one value or by repetition.
#[derive(Debug)]
pub(super) struct Styled {
    pub(super) name: String,
    style: Style,
    shape: Shape,
    /// Of the one value, of the values of a list, of the members that are not known.
    scalar: Scalar,
    /// Of the members of an object.
    members: Vec<(String, Scalar)>,
}

impl Styled {
    /// - `written`: the parameter's schema; `rule`: what it refers to, of type `kind`.
    ///
    /// `None`: it names no style. Fails with one sentence.
    pub(super) fn of(
        name: &str,
        (written, rule, kind): (&Value, &Value, ParameterType),
        named: &Map<String, Value>,
        location: Location,
    ) -> Result<Option<Self>, String> {
        let Some(style) = Style::of(written)? else {
            return Ok(None);
        };
        let fits = match style {
            Style::Separated(',') | Style::Pairs => location != Location::Cookie,
            Style::Separated(_) | Style::Deep => {
                matches!(location, Location::Query | Location::Body)
            }
            Style::Label { .. } | Style::Matrix { .. } => location == Location::Path,
        };
        if !fits {
            return Err(format!(
                "the style of `{name}` is not one that is read here"
            ));
        }
        let mut members = Vec::new();
        gather(rule, named, &mut members, 0);
        let shape = shape(rule, kind, !members.is_empty());
        let others = rule
            .get("additionalProperties")
            .filter(|_| shape == Shape::Object);
        let scalar = others.map_or(kind, |others| type_of(resolve(others, named), named));
        Ok(Some(Self {
            name: spelled(name, location),
            style,
            shape,
            scalar: scalar.scalar(),
            members,
        }))
    }

    fn member(&self, key: &str, text: &str) -> Value {
        let known = self.members.iter().find(|(member, _)| member == key);
        read(known.map_or(self.scalar, |(_, scalar)| *scalar), text)
    }
}

fn shape(rule: &Value, kind: ParameterType, has_members: bool) -> Shape {
    let is_object = match rule.get("type") {
        Some(Value::String(one)) => one == "object",
        Some(Value::Array(many)) => many.iter().any(|one| one == "object"),
        _ => has_members,
    };
    match kind {
        _ if is_object => Shape::Object,
        ParameterType::Array(_) => Shape::List,
        _ => Shape::One,
    }
}

/// The members of an object and what they are read as, those of `allOf` too.
fn gather(
    rule: &Value,
    named: &Map<String, Value>,
    members: &mut Vec<(String, Scalar)>,
    depth: usize,
) {
    let rule = resolve(rule, named);
    let own = rule.get("properties").and_then(Value::as_object);
    for (name, member) in own.into_iter().flatten() {
        members.push((
            name.clone(),
            type_of(resolve(member, named), named).scalar(),
        ));
    }
    let branches = rule.get("allOf").and_then(Value::as_array);
    for branch in branches.into_iter().flatten().filter(|_| depth < DEPTH_MAX) {
        gather(branch, named, members, depth + 1);
    }
}

impl ParameterRules {
    /// Whether a path parameter of this name is written as matrix parameters, with `;`.
    pub fn is_matrix(&self, name: &str) -> bool {
        let mut styled = self.styled.iter();
        styled.any(|one| one.name == name && matches!(one.style, Style::Matrix { .. }))
    }

    /// Takes a parameter that has a style; `None`: it has none.
    pub(super) fn styled(
        &self,
        object: &mut Map<String, Value>,
        name: &str,
        text: &str,
    ) -> Option<Result<(), Finding>> {
        let known = |wanted: &str| self.styled.iter().find(|one| one.name == wanted);
        let fault = |keyword: &str, message: &str, fix: &str| {
            Finding::new(self.location, &format!("/{name}"), keyword, message, fix)
        };
        let twice = || fault("duplicateName", "sent more than once", "Send it once.");
        let unlike = || {
            let fix = "Write it in the style that the API gives it.";
            fault("style", "not written in its style", fix)
        };
        let Some(found) = known(name) else {
            let (above, _) = name.split_once('[')?;
            let found = known(above).filter(|one| one.style == Style::Deep)?;
            // Deeper, or without a key: others would read it as part of this object.
            let Some((_, key)) = bracketed(name) else {
                return Some(Err(unlike()));
            };
            let put = put(object, above, key, found.member(key, text));
            return Some(put.map_err(|()| twice()));
        };
        if found.style == Style::Deep {
            // An object that came as one value: of another type, for its schema to say.
            object.insert(name.to_owned(), Value::from(text));
            return Some(Ok(()));
        }
        // The lists of a header may have white space around their commas (RFC 9110 §5.6.1).
        let trim = |text: &'_ str| match self.location {
            Location::Header => text.trim_matches([' ', '\t']).to_owned(),
            _ => text.to_owned(),
        };
        let value = match found.style.parts(found.shape, name, text) {
            Ok(Parts::One(text)) => read(found.scalar, text),
            Ok(Parts::List(values)) => {
                let values = values.into_iter();
                values.map(|text| read(found.scalar, &trim(text))).collect()
            }
            Ok(Parts::Object(members)) => {
                let mut made = Map::new();
                for (key, text) in members {
                    let key = trim(key);
                    let value = found.member(&key, &trim(text));
                    if made.insert(key, value).is_some() {
                        return Some(Err(twice()));
                    }
                }
                Value::Object(made)
            }
            Err(Misread::Style) => return Some(Err(unlike())),
            Err(Misread::TooMany) => {
                return Some(Err(fault("maxItems", "too many items", "Send fewer.")));
            }
        };
        Some(match object.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(twice()),
        })
    }
}
