//! A JSON Schema, compiled once and asked often; findings name the place and the rule, never the
//! value.
//!
//! Owns: when its errors are gathered. Does not own: how it is compiled (`body::schema::compiler`),
//! which schema applies (`policy::gate`), what an error is told as (`body::schema::told`).

mod compiler;
mod reader;
mod sound;
mod told;

use std::cell::OnceCell;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::body::finding::{FINDINGS_MAX, Finding, Location};
use crate::body::reach::Visits;

use crate::body::schema::compiler::Root;
pub use crate::body::schema::compiler::{Compiler, build_own};
pub use crate::body::schema::reader::{Reader, is_plain};

/// Most bytes that gathering the errors of one document may take, as reckoned before.
const GATHERED_BYTES_MAX: u64 = 32 << 20;
/// Most values of a document that is held against a schema that was not compiled.
const READ_VALUES_MAX: usize = 300;
/// What one error takes, beside a value that it holds.
const ERROR_BYTES: u64 = 300;
/// What one value takes, beside its text.
const VALUE_BYTES: u64 = 32;

/// A schema ready to judge. A copy shares what was compiled.
#[derive(Clone, Debug)]
pub struct Schema {
    rules: Rc<Rules>,
    visits: Visits,
    /// Whether its errors may hold copies of values: those of the branches of `anyOf` do.
    copies: bool,
}

#[derive(Debug)]
enum Rules {
    Compiled(Validator),
    /// Read where it stands, and compiled for the first value that is not surely valid.
    Readable {
        root: Root,
        compiled: OnceCell<Option<Validator>>,
    },
}

impl Rules {
    /// Whether `value` is valid without the validator being asked. It judges large values sooner,
    /// and all once it is there.
    fn read(&self, value: &Value) -> bool {
        match self {
            Self::Readable { root, compiled } if compiled.get().is_none() => {
                let mut left = READ_VALUES_MAX;
                is_within(value, &mut left)
                    && Reader::new(&root.document).judge(value) == Some(true)
            }
            _ => false,
        }
    }

    fn validator(&self) -> Option<&Validator> {
        match self {
            Self::Compiled(validator) => Some(validator),
            Self::Readable { root, compiled } => {
                compiled.get_or_init(|| root.compile().ok()).as_ref()
            }
        }
    }
}

impl Schema {
    /// Compiles one schema by itself, as [`Compiler::compile`] does.
    pub fn compile(schema: &Value, named: &Map<String, Value>) -> Result<Self, String> {
        Compiler::new(named).compile(schema)
    }

    fn readable(root: Root) -> Self {
        let (visits, copies) = (root.visits, root.copies);
        let compiled = OnceCell::new();
        Self {
            rules: Rc::new(Rules::Readable { root, compiled }),
            visits,
            copies,
        }
    }

    fn compiled(root: &Root, validator: Validator) -> Self {
        Self {
            rules: Rc::new(Rules::Compiled(validator)),
            visits: root.visits,
            copies: root.copies,
        }
    }

    /// Judges `value`; at most [`FINDINGS_MAX`] findings, none if it is valid.
    pub fn judge(&self, value: &Value, location: Location) -> Vec<Finding> {
        if self.rules.read(value) {
            return Vec::new();
        }
        let Some(validator) = self.rules.validator() else {
            return vec![told::in_all(location)];
        };
        if validator.is_valid(value) {
            return Vec::new();
        }
        if self.gathered_bytes(value) > GATHERED_BYTES_MAX {
            return vec![told::in_all(location)];
        }
        let errors = validator.iter_errors(value);
        errors
            .flat_map(|error| told::findings(&error, location))
            .take(FINDINGS_MAX)
            .collect()
    }

    /// What every error of a document takes at most, if each rule fails at each value.
    fn gathered_bytes(&self, value: &Value) -> u64 {
        let Extent {
            values,
            levels,
            copied_bytes,
        } = extent(value);
        let copied_bytes = if self.copies { copied_bytes } else { 0 };
        let once = values.saturating_mul(ERROR_BYTES);
        let once = once.saturating_add(copied_bytes);
        once.saturating_mul(self.visits.at(levels))
    }
}

/// Whether `value` has no more than `left` values in it, which are taken from it.
fn is_within(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| is_within(item, left)),
        Value::Object(members) => members.values().all(|member| is_within(member, left)),
        _ => true,
    }
}

/// How large a document is.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    values: u64,
    levels: u64,
    /// A copy of each value, with what is below it.
    copied_bytes: u64,
}

fn extent(value: &Value) -> Extent {
    let mut bytes = 0;
    let extent = measure(value, &mut bytes);
    Extent {
        levels: extent.levels + 1,
        ..extent
    }
}

/// - `bytes`: what the value itself takes, with what is below it, is added to this.
fn measure(value: &Value, bytes: &mut u64) -> Extent {
    let mut own_bytes = VALUE_BYTES;
    let mut extent = Extent::default();
    let mut add = |below: &Value, own_bytes: &mut u64| {
        let below = measure(below, own_bytes);
        extent.values += below.values;
        extent.copied_bytes += below.copied_bytes;
        extent.levels = extent.levels.max(below.levels + 1);
    };
    match value {
        Value::String(text) => own_bytes += text.len() as u64,
        Value::Array(items) => items.iter().for_each(|item| add(item, &mut own_bytes)),
        Value::Object(members) => {
            for (name, member) in members {
                own_bytes += name.len() as u64;
                add(member, &mut own_bytes);
            }
        }
        _ => {}
    }
    *bytes += own_bytes;
    extent.values += 1;
    extent.copied_bytes += own_bytes;
    extent
}

#[cfg(test)]
mod tests;
