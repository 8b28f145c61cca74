//! The files of a document, and references between them.
//!
//! Owns: which place a `$ref` means. Nothing is fetched: a reference leads into a file that was
//! given, or nowhere.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::body::finding::{clip, push_token};

/// Most references that are followed one after another.
const FOLLOWED_MAX: usize = 16;
/// Most bytes of a reference that are told.
const REFERENCE_BYTES_TOLD_MAX: usize = 96;

/// What `jsonSchemaDialect` may say: 2020-12, and OpenAPI's own words on top of it.
const DIALECTS: [&str; 2] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
];

/// Which OpenAPI a document is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    V30,
    V31,
}

pub(super) struct Documents<'a> {
    files: &'a Map<String, Value>,
    pub(super) version: Version,
    root: Node<'a>,
}

/// A value of a document, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) file: &'a str,
    /// RFC 6901, within the file.
    pub(super) pointer: String,
    pub(super) value: &'a Value,
}

impl<'a> Documents<'a> {
    /// Fails with one sentence where the document is not given or is none of OpenAPI 3.0 and 3.1.
    pub(super) fn new(files: &'a Map<String, Value>, entry: &str) -> Result<Self, String> {
        let entry = normal(entry).ok_or("is not a path below the policy's folder")?;
        let (file, value) = files
            .get_key_value(&entry)
            .ok_or("the document was not sent with the policy")?;
        let version = match value.get("openapi").and_then(Value::as_str) {
            Some(text) if text.starts_with("3.0.") => Version::V30,
            Some(text) if text.starts_with("3.1.") => Version::V31,
            _ => return Err("the document is none of OpenAPI 3.0 or 3.1".into()),
        };
        let dialect = value.get("jsonSchemaDialect");
        if dialect.is_some_and(|said| !said.as_str().is_some_and(|said| DIALECTS.contains(&said))) {
            return Err("`jsonSchemaDialect` names another dialect than 2020-12".into());
        }
        let root = Node {
            file,
            pointer: String::new(),
            value,
        };
        Ok(Self {
            files,
            version,
            root,
        })
    }

    pub(super) fn root(&self) -> &Node<'a> {
        &self.root
    }

    /// Whether what stands beside a `$ref` counts: in 3.0 it is nothing (Reference Object).
    pub(super) fn has_siblings(&self) -> bool {
        self.version == Version::V31
    }

    /// The node itself, or what it refers to in the end. Fails with one sentence.
    pub(super) fn follow(&self, node: &Node<'a>) -> Result<Node<'a>, String> {
        let mut node = node.clone();
        for _ in 0..FOLLOWED_MAX {
            let Some(reference) = node.value.get("$ref").and_then(Value::as_str) else {
                return Ok(node);
            };
            node = self.resolve(node.file, reference)?;
        }
        Err("a `$ref` leads to another, and so on without end".into())
    }

    /// The place that `reference`, written in `file`, means. Fails with one sentence.
    pub(super) fn resolve(&self, file: &str, reference: &str) -> Result<Node<'a>, String> {
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let target = if path.is_empty() {
            Some(file.to_owned())
        } else if path.contains(':') || path.starts_with('/') {
            let problem = "a `$ref` names something other than a file beside this one";
            return Err(of_reference(problem, reference));
        } else {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = percent_decode_str(path).decode_utf8_lossy();
            normal(&format!("{folder}/{path}"))
        };
        let target = target
            .ok_or_else(|| of_reference("a `$ref` leads out of the policy's folder", reference))?;
        let (file, value) = self.files.get_key_value(&target).ok_or_else(|| {
            let problem = "a `$ref` names a file that was not sent with the policy";
            of_reference(problem, reference)
        })?;
        let pointer = percent_decode_str(fragment).decode_utf8_lossy();
        let found = value.pointer(&pointer);
        let value = found.ok_or_else(|| of_reference("a `$ref` leads nowhere", reference))?;
        Ok(Node {
            file,
            pointer: pointer.into_owned(),
            value,
        })
    }
}

impl<'a> Node<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.get(name)?;
        Some(self.below(name, value))
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self) -> Vec<(&'a str, Node<'a>)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .map(|(name, value)| (name.as_str(), self.below(name, value)))
            .collect()
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(&self) -> Vec<Node<'a>> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items
            .map(|(index, value)| self.below(&index.to_string(), value))
            .collect()
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.value.get(name)?.as_str()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.value.get(name)?.as_bool()
    }

    /// Where it stands, for people.
    pub(super) fn place(&self) -> String {
        format!("{}#{}", self.file, self.pointer)
    }

    fn below(&self, name: &str, value: &'a Value) -> Node<'a> {
        let mut pointer = self.pointer.clone();
        push_token(&mut pointer, name);
        Node {
            file: self.file,
            pointer,
            value,
        }
    }
}

/// Fails on a word of the gateway's that is misspelled, or stands where it says nothing: it would look
/// like a rule that holds.
pub(super) fn misplaced(node: &Node<'_>, known: &[&str]) -> Result<(), String> {
    let own = |name: &str| name.to_ascii_lowercase().starts_with("x-edgeward");
    let members = node.members();
    let mut names = members.iter().map(|(name, _)| *name);
    match names.find(|name| own(name) && !known.contains(name)) {
        Some(name) => Err(format!(
            "`{}` says nothing here: write `x-edgeward` on the operation",
            clip(name, 64)
        )),
        None => Ok(()),
    }
}

/// What is wrong with a reference, and its text without what steers a terminal.
fn of_reference(problem: &str, reference: &str) -> String {
    format!("{problem}: {}", clip(reference, REFERENCE_BYTES_TOLD_MAX))
}

/// A relative path without `.` and `..`; `None` if it leads out.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_told_up_to_a_length() {
        let told = |bytes: usize| of_reference("", &"a".repeat(bytes)).len();
        let around = ": ".len();
        assert_eq!(
            told(REFERENCE_BYTES_TOLD_MAX),
            around + REFERENCE_BYTES_TOLD_MAX
        );
        assert_eq!(
            told(REFERENCE_BYTES_TOLD_MAX + 1),
            around + REFERENCE_BYTES_TOLD_MAX
        );
    }
}
