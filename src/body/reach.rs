//! How many schemas one value is held against at one place: references that go in a circle without
//! going down into the value hold it against nothing, and doubled ones against ever more.
//!
//! Owns: that bound. Does not own: schemas that reach themselves further down (`keywords`).

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Most schemas that one value is held against at one place.
pub(super) const IN_PLACE_MAX: u64 = 1_000;

/// Keywords whose schemas apply to the same value: one, a list, an object of them.
const ONE: [&str; 4] = ["not", "if", "then", "else"];
const MANY: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const NAMED: &str = "dependentSchemas";

/// Fails with a sentence where `schema`, or anything in it or in what it names, refers to itself in
/// place, or is held against a value over [`IN_PLACE_MAX`] times at one place.
pub(super) fn check(schema: &Value, named: &Map<String, Value>) -> Result<(), String> {
    let mut counts = Counts {
        named,
        known: HashMap::new(),
    };
    counts.walk(schema)?;
    named.values().try_for_each(|schema| counts.walk(schema))
}

struct Counts<'a> {
    named: &'a Map<String, Value>,
    /// By name; `None` while it is being counted.
    known: HashMap<&'a str, Option<u64>>,
}

impl<'a> Counts<'a> {
    /// Counts at every place of a schema.
    fn walk(&mut self, schema: &'a Value) -> Result<(), String> {
        match schema {
            Value::Object(members) => {
                if self.count(schema)? > IN_PLACE_MAX {
                    return Err(format!(
                        "one value would be held against more than {IN_PLACE_MAX} schemas"
                    ));
                }
                members.values().try_for_each(|value| self.walk(value))
            }
            Value::Array(items) => items.iter().try_for_each(|value| self.walk(value)),
            _ => Ok(()),
        }
    }

    /// How many schemas a value is held against at the place of `schema`.
    fn count(&mut self, schema: &'a Value) -> Result<u64, String> {
        let Value::Object(keywords) = schema else {
            return Ok(1);
        };
        let mut sum = 1_u64;
        let one = ONE.iter().filter_map(|name| keywords.get(*name));
        let many = MANY
            .iter()
            .filter_map(|name| keywords.get(*name)?.as_array())
            .flatten();
        let named = keywords.get(NAMED).and_then(Value::as_object);
        for schema in one
            .chain(many)
            .chain(named.into_iter().flat_map(Map::values))
        {
            sum = sum.saturating_add(self.count(schema)?);
        }
        let name = keywords.get("$ref").and_then(Value::as_str);
        match name.and_then(|target| target.strip_prefix("#/schemas/")) {
            Some(name) => Ok(sum.saturating_add(self.count_named(name)?)),
            None => Ok(sum),
        }
    }

    fn count_named(&mut self, name: &'a str) -> Result<u64, String> {
        match self.known.get(name) {
            Some(Some(count)) => return Ok(*count),
            Some(None) => {
                return Err(format!(
                    "`{name}` refers to itself without going down: it would accept everything"
                ));
            }
            None => {}
        }
        // What is not there is told by who compiles it.
        let Some(schema) = self.named.get(name) else {
            return Ok(1);
        };
        self.known.insert(name, None);
        let count = self.count(schema)?;
        self.known.insert(name, Some(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn to(name: &str) -> Value {
        json!({ "$ref": format!("#/schemas/{name}") })
    }

    fn judged(named: Value) -> bool {
        check(&to("a"), named.as_object().unwrap()).is_ok()
    }

    #[test]
    fn a_circle_in_place_is_refused_and_one_that_goes_down_is_not() {
        assert!(!judged(json!({ "a": to("b"), "b": to("a") })));
        assert!(!judged(json!({ "a": { "allOf": [to("a")] } })));
        assert!(!judged(
            json!({ "a": { "not": { "anyOf": [to("b")] } }, "b": to("a") })
        ));
        assert!(!judged(json!({ "a": { "items": to("b") }, "b": to("b") })));
        assert!(judged(
            json!({ "a": { "properties": { "next": to("a") } } })
        ));
        assert!(judged(
            json!({ "a": { "allOf": [to("b"), to("b")] }, "b": {} })
        ));
    }

    #[test]
    fn doubled_references_are_bounded_on_both_sides() {
        let doubled = |depth: usize| {
            let mut named = Map::new();
            named.insert(format!("s{depth}"), json!({ "type": "string" }));
            for level in 0..depth {
                let next = to(&format!("s{}", level + 1));
                named.insert(format!("s{level}"), json!({ "allOf": [next, next] }));
            }
            named.insert("a".into(), to("s0"));
            Value::Object(named)
        };
        assert!(judged(doubled(7)));
        assert!(!judged(doubled(9)));
        assert!(!judged(doubled(39)), "and told at once");
        let list = |count: u64| json!({ "a": { "anyOf": vec![json!({}); usize::try_from(count).unwrap()] } });
        // The schema itself, and what refers to it.
        assert!(judged(list(IN_PLACE_MAX - 2)));
        assert!(!judged(list(IN_PLACE_MAX - 1)));
    }
}
