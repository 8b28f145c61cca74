//! Which schemas mean one thing in requests and another in answers: those that reach `readOnly` or
//! `writeOnly`. All others are made once.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::policy::openapi::source::{Documents, Node};

/// Which way a schema is read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Direction {
    Both,
    Request,
    Answer,
}

/// A file, and a pointer in it.
type Place<'a> = (&'a str, String);

#[derive(Default)]
pub(super) struct Directions<'a> {
    /// The places that each place refers to.
    known: HashMap<Place<'a>, Vec<Place<'a>>>,
    /// Those that say so themselves, and those that reach one.
    differ: HashSet<Place<'a>>,
}

impl<'a> Directions<'a> {
    /// Whether the schema at `target` says or reaches what only one direction has.
    pub(super) fn differ(&mut self, target: &Node<'a>, documents: &Documents<'a>) -> bool {
        let place = (target.file, target.pointer.clone());
        let mut rest = vec![target.clone()];
        let mut is_new = false;
        while let Some(node) = rest.pop() {
            let place = (node.file, node.pointer.clone());
            if self.known.contains_key(&place) {
                continue;
            }
            is_new = true;
            let mut references = Vec::new();
            if scan(node.value, &mut references) {
                self.differ.insert(place.clone());
            }
            let targets = references
                .into_iter()
                .filter_map(|reference| documents.resolve(node.file, reference).ok());
            let targets: Vec<Node<'a>> = targets.collect();
            let places = targets.iter();
            let places = places.map(|node| (node.file, node.pointer.clone()));
            self.known.insert(place, places.collect());
            rest.extend(targets);
        }
        if is_new {
            self.spread();
        }
        self.differ.contains(&place)
    }

    /// What refers to one that differs, differs.
    fn spread(&mut self) {
        let mut by_target: HashMap<&Place<'a>, Vec<&Place<'a>>> = HashMap::new();
        for (place, targets) in &self.known {
            for target in targets {
                by_target.entry(target).or_default().push(place);
            }
        }
        let mut rest: Vec<&Place<'a>> = self.known.keys().collect();
        rest.retain(|place| self.differ.contains(*place));
        let mut found: HashSet<Place<'a>> = self.differ.clone();
        while let Some(place) = rest.pop() {
            for above in by_target.get(place).into_iter().flatten() {
                if found.insert((*above).clone()) {
                    rest.push(above);
                }
            }
        }
        self.differ = found;
    }
}

/// Whether `value` itself says what only one direction has; and the references in it.
fn scan<'a>(value: &'a Value, references: &mut Vec<&'a str>) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .fold(false, |found, item| scan(item, references) | found),
        Value::Object(members) => members.iter().fold(false, |found, (name, below)| {
            let is_flag = matches!(name.as_str(), "readOnly" | "writeOnly");
            match below {
                Value::Bool(true) if is_flag => true,
                Value::String(text) if name == "$ref" => {
                    references.push(text);
                    found
                }
                // Mapping values may be names alone; then their schemas stand in `oneOf` too.
                Value::String(text) if text.contains('#') => {
                    references.push(text);
                    found
                }
                below => scan(below, references) | found,
            }
        }),
        _ => false,
    }
}
