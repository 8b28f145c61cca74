//! What a schema says of a value, read from the schema itself.
//!
//! Owns: the keywords that can be read without compiling them, and what is sure of a value by
//! them. Of all else it says that it is not sure, and the library is asked
//! (docs/decisions/0030-start.md): compiling it takes an isolate that starts longer than all else.
//!
//! Sure means: what `jsonschema` says too, under 2020-12 (`tests/schema_reader.rs`).

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use regex_lite::Regex;
use serde_json::{Map, Number, Value};

/// Most schemas, one in the other, that one value is followed through: a bound on the stack.
const DEPTH_MAX: usize = 200;
/// From here on, a double is not every integer.
const EXACT_MAX: u64 = 1 << 53;

/// Reads one document of schemas, of 2020-12 and without an `$id` below its root.
pub struct Reader<'a> {
    root: &'a Value,
    patterns: RefCell<HashMap<&'a str, Option<Regex>>>,
}

/// `None`: not sure.
type Verdict = Option<bool>;

/// A schema and how deep it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    keywords: &'a Map<String, Value>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// - `root`: a schema, to which its references refer.
    pub fn new(root: &'a Value) -> Self {
        Self {
            root,
            patterns: RefCell::default(),
        }
    }

    /// Whether `value` is valid; `None` if that is not sure.
    pub fn judge(&self, value: &Value) -> Option<bool> {
        self.holds(self.root, value, 0)
    }

    fn holds(&self, schema: &'a Value, value: &Value, depth: usize) -> Verdict {
        match schema {
            Value::Bool(holds) => Some(*holds),
            Value::Object(keywords) if depth < DEPTH_MAX => {
                let place = Place {
                    keywords,
                    depth: depth + 1,
                };
                every(keywords, |(name, rule)| self.rule(place, name, rule, value))
            }
            _ => None,
        }
    }

    /// One keyword.
    fn rule(&self, place: Place<'a>, name: &str, rule: &'a Value, value: &Value) -> Verdict {
        let holds = |schema| self.holds(schema, value, place.depth);
        match name {
            "$comment" | "$defs" | "default" | "definitions" | "deprecated" | "description"
            | "else" | "example" | "examples" | "externalDocs" | "readOnly" | "then" | "title"
            | "writeOnly" => Some(true),
            // Not a keyword: what a document that was put together holds its schemas under.
            "schemas" => place.is_at(self.root).then_some(true),
            "$id" | "$schema" => place.is_at(self.root).then_some(true),
            "$ref" => holds(target(self.root, rule)?),
            "type" => of_type(rule, value),
            "const" => same(rule, value),
            "enum" => any(rule.as_array()?, |one| same(one, value)),
            "allOf" => every(rule.as_array()?, holds),
            "anyOf" => any(rule.as_array()?, holds),
            "oneOf" => one(rule.as_array()?, holds),
            "not" => Some(!holds(rule)?),
            "if" => {
                let branch = if holds(rule)? { "then" } else { "else" };
                place.keywords.get(branch).map_or(Some(true), holds)
            }
            "minLength" | "maxLength" | "pattern" => match value {
                Value::String(text) => self.of_text(name, rule, text),
                _ => Some(true),
            },
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                match value {
                    Value::Number(number) => of_number(name, rule.as_number()?, number),
                    _ => Some(true),
                }
            }
            "items" | "contains" | "minItems" | "maxItems" | "uniqueItems" => match value {
                Value::Array(items) => self.of_items(place, name, rule, items),
                _ => Some(true),
            },
            "properties"
            | "additionalProperties"
            | "propertyNames"
            | "required"
            | "dependentRequired"
            | "minProperties"
            | "maxProperties" => match value {
                Value::Object(members) => self.of_members(place, name, rule, members),
                _ => Some(true),
            },
            _ => name.starts_with("x-").then_some(true),
        }
    }

    fn of_text(&self, name: &str, rule: &'a Value, text: &str) -> Verdict {
        if name != "pattern" {
            return measured(name == "minLength", rule, text.chars().count());
        }
        let pattern = rule.as_str()?;
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns.entry(pattern).or_insert_with(|| {
            let plain = is_plain(pattern);
            plain.then(|| Regex::new(pattern).ok()).flatten()
        });
        compiled.as_ref().map(|pattern| pattern.is_match(text))
    }

    fn of_items(&self, place: Place<'a>, name: &str, rule: &'a Value, items: &[Value]) -> Verdict {
        let has = |name: &str| place.keywords.contains_key(name);
        match name {
            "items" if has("prefixItems") => None,
            "items" => every(items, |item| self.holds(rule, item, place.depth)),
            "contains" if has("minContains") || has("maxContains") => None,
            "contains" => any(items, |item| self.holds(rule, item, place.depth)),
            "uniqueItems" => {
                if !rule.as_bool()? || items.len() < 2 {
                    return Some(true);
                }
                let texts: Option<HashSet<_>> = items.iter().map(Value::as_str).collect();
                Some(texts?.len() == items.len())
            }
            _ => measured(name == "minItems", rule, items.len()),
        }
    }

    fn of_members(
        &self,
        place: Place<'a>,
        name: &str,
        rule: &'a Value,
        members: &Map<String, Value>,
    ) -> Verdict {
        let depth = place.depth;
        let has = |name: &Value| Some(members.contains_key(name.as_str()?));
        match name {
            "properties" => {
                let schemas = rule.as_object()?;
                every(members, |(name, member)| match schemas.get(name) {
                    Some(schema) => self.holds(schema, member, depth),
                    None => Some(true),
                })
            }
            "additionalProperties" if place.keywords.contains_key("patternProperties") => None,
            "additionalProperties" => {
                let named = place.keywords.get("properties");
                let named = named.map(|named| named.as_object());
                every(members, |(name, member)| match named {
                    Some(named) if named?.contains_key(name) => Some(true),
                    _ => self.holds(rule, member, depth),
                })
            }
            "propertyNames" => every(members.keys(), |name| {
                self.holds(rule, &Value::from(name.as_str()), depth)
            }),
            "required" => every(rule.as_array()?, has),
            "dependentRequired" => every(rule.as_object()?, |(name, others)| {
                if members.contains_key(name) {
                    every(others.as_array()?, has)
                } else {
                    Some(true)
                }
            }),
            _ => measured(name == "minProperties", rule, members.len()),
        }
    }
}

impl Place<'_> {
    fn is_at(&self, root: &Value) -> bool {
        root.as_object()
            .is_some_and(|root| std::ptr::eq(root, self.keywords))
    }
}

/// What a reference within the document leads to.
pub(super) fn target<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    let pointer = reference.as_str()?.strip_prefix('#')?;
    let plain = pointer.starts_with('/') && !pointer.contains('%');
    root.pointer(pointer).filter(|_| plain)
}

/// Whether all hold: sure as soon as one does not.
fn every<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Verdict) -> Verdict {
    let mut verdict = Some(true);
    for one in all {
        match holds(one) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => verdict = None,
        }
    }
    verdict
}

/// Whether one holds at least: sure as soon as it does.
fn any<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Verdict) -> Verdict {
    every(all, |one| holds(one).map(|holds| !holds)).map(|none| !none)
}

/// Whether one holds and no other.
fn one<T>(all: impl IntoIterator<Item = T>, mut holds: impl FnMut(T) -> Verdict) -> Verdict {
    let mut held = 0;
    for one in all {
        held += usize::from(holds(one)?);
    }
    Some(held == 1)
}

fn measured(least: bool, rule: &Value, length: usize) -> Verdict {
    let (bound, length) = (rule.as_u64()?, length as u64);
    Some(if least {
        length >= bound
    } else {
        length <= bound
    })
}

fn of_type(rule: &Value, value: &Value) -> Verdict {
    let is = |name: &Value| match (name.as_str()?, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_))
        | ("number", Value::Number(_)) => Some(true),
        // A double may be one, as 1.0 is.
        ("integer", Value::Number(number)) => (!number.is_f64()).then_some(true),
        ("null" | "boolean" | "string" | "array" | "object" | "number" | "integer", _) => {
            Some(false)
        }
        _ => None,
    };
    match rule {
        Value::Array(names) => any(names, is),
        name => is(name),
    }
}

/// Whether two values are equal, by JSON Schema: 1 is 1.0.
fn same(one: &Value, other: &Value) -> Verdict {
    match one {
        _ if one == other => Some(true),
        Value::Null | Value::Bool(_) | Value::String(_) => Some(false),
        Value::Number(_) if !other.is_number() => Some(false),
        _ => None,
    }
}

fn of_number(name: &str, rule: &Number, number: &Number) -> Verdict {
    if name == "multipleOf" {
        let divisor = rule.as_u64().filter(|divisor| *divisor > 0)?;
        return Some(number.as_u64()? % divisor == 0);
    }
    let (bound, number) = (exact(rule)?, exact(number)?);
    Some(match name {
        "minimum" => number >= bound,
        "maximum" => number <= bound,
        "exclusiveMinimum" => number > bound,
        _ => number < bound,
    })
}

/// A number as a double that is exactly this number.
fn exact(number: &Number) -> Option<f64> {
    match number.as_i64() {
        #[expect(clippy::cast_precision_loss, reason = "it is exact below this bound")]
        Some(integer) => (integer.unsigned_abs() <= EXACT_MAX).then_some(integer as f64),
        None => number.as_f64().filter(|_| number.is_f64()),
    }
}

/// Whether a pattern means the same to every engine: what stands for many characters is told one
/// by one, between brackets. `.` and classes by a letter differ in what they take of Unicode.
pub fn is_plain(pattern: &str) -> bool {
    let mut rest = pattern.chars();
    let mut bracketed = false;
    while let Some(character) = rest.next() {
        let ahead = rest.as_str();
        let plain = match character {
            '\\' => rest
                .next()
                .is_some_and(|one| one.is_ascii_punctuation() || "nrtxu".contains(one)),
            // A class in a class, an empty one, and what joins two of them.
            '[' => !bracketed && !ahead.starts_with(']') && !ahead.starts_with("^]"),
            '&' | '-' | '~' if bracketed => !ahead.starts_with(character),
            '.' => bracketed,
            '(' if !bracketed => !ahead.starts_with('?') || ahead.starts_with("?:"),
            _ => true,
        };
        if !plain {
            return false;
        }
        bracketed = match character {
            '[' => true,
            ']' => false,
            _ => bracketed,
        };
    }
    true
}
