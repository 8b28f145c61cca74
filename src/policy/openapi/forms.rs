//! Forms of a document (`application/x-www-form-urlencoded`, `multipart/form-data`) as the object
//! schemas by which their fields and parts are judged.
//!
//! Owns: gathering fields, and what `encoding` says of each. Does not own: reading forms
//! (`body::content`).

use serde_json::{Map, Value, json};

use crate::policy::openapi::parameters::{Kind, check_parts, kind, named, styled, word};
use crate::policy::openapi::parts;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{ANNOTATIONS, Schemas};
use crate::policy::openapi::source::{Documents, Node};

/// Most schemas in each other in which fields are looked for.
const DEPTH_MAX: usize = 16;
/// Keywords of a form that stay as they are.
const SAME: [&str; 3] = ["dependentRequired", "maxProperties", "minProperties"];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoded {
    Form,
    Multipart,
}

/// What a schema says of a form as a whole.
#[derive(Debug, Default)]
struct Fields<'a> {
    properties: Vec<(&'a str, Node<'a>)>,
    required: Vec<&'a str>,
    others: Option<Node<'a>>,
    same: Map<String, Value>,
}

/// The object schema of a form. Within, one sentence: its fields cannot be told apart, and it can
/// pass unread. Fails with one sentence on what leaves the operation out.
pub(super) fn fields<'a>(
    encoded: Encoded,
    media: &Node<'a>,
    documents: &Documents<'a>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Result<Result<Value, String>, String> {
    let Some(schema) = media.get("schema") else {
        return Ok(Ok(json!({ "type": "object" })));
    };
    let mut found = Fields::default();
    if let Some(why) = found.gather(&schema, documents, false, 0)? {
        return Ok(Err(why));
    }
    let encoding = media.get("encoding");
    for (name, said) in encoding.iter().flat_map(Node::members) {
        if !found.properties.iter().any(|(known, _)| *known == name) {
            report.note(&said.place(), "`encoding` of what is no field");
        }
    }
    let mut properties = Map::new();
    for (name, node) in &found.properties {
        let said = encoding.as_ref().and_then(|encoding| encoding.get(name));
        let only_in_answers = documents.follow(node)?.flag("readOnly");
        let rule = if node.flag("readOnly").or(only_in_answers) == Some(true) {
            Value::Bool(false)
        } else {
            let rule = match encoded {
                Encoded::Form => field(name, node, said.as_ref(), schemas, report)?,
                Encoded::Multipart => {
                    parts::part(node, said.as_ref(), documents, schemas, report).map(Some)?
                }
            };
            match rule {
                Some(rule) => {
                    properties.insert((*name).to_owned(), rule);
                    continue;
                }
                None => Value::Bool(true),
            }
        };
        found.required.retain(|known| known != name);
        properties.insert((*name).to_owned(), rule);
    }
    let mut made = found.same;
    made.insert("type".into(), json!("object"));
    made.insert("properties".into(), Value::Object(properties));
    if !found.required.is_empty() {
        made.insert("required".into(), json!(found.required));
    }
    match found.others {
        Some(others) => {
            let others = schemas.translate(&others, report)?;
            made.insert("additionalProperties".into(), others);
        }
        None if schemas.closes() => {
            made.insert("additionalProperties".into(), Value::Bool(false));
        }
        None => {}
    }
    Ok(Ok(Value::Object(made)))
}

impl<'a> Fields<'a> {
    /// Adds the fields of a schema, and of those it consists of. `Some`: why they cannot be told.
    ///
    /// - `is_branch`: whether other schemas speak of the same form.
    fn gather(
        &mut self,
        schema: &Node<'a>,
        documents: &Documents<'a>,
        is_branch: bool,
        depth: usize,
    ) -> Result<Option<String>, String> {
        if depth > DEPTH_MAX {
            return Ok(Some(
                "its schema is deeper than fields are looked for".into(),
            ));
        }
        if let Some(reference) = schema.text("$ref") {
            let target = documents.resolve(schema.file, reference)?;
            let alone = schema.value.as_object().is_none_or(|all| all.len() == 1);
            let is_branch = is_branch || (!alone && documents.has_siblings());
            let told = self.gather(&target, documents, is_branch, depth + 1)?;
            if told.is_some() || !documents.has_siblings() {
                return Ok(told);
            }
        }
        let is_branch = is_branch || schema.get("allOf").is_some();
        for (keyword, node) in schema.members() {
            match keyword {
                "$ref" => {}
                "type" if node.value == "object" => {}
                "properties" => {
                    for (name, property) in node.members() {
                        if self.properties.iter().any(|(known, _)| *known == name) {
                            return Ok(Some("two schemas speak of one field".into()));
                        }
                        self.properties.push((name, property));
                    }
                }
                "required" => {
                    let names = node.value.as_array().into_iter().flatten();
                    self.required.extend(names.filter_map(Value::as_str));
                }
                "allOf" => {
                    for branch in node.items() {
                        let told = self.gather(&branch, documents, true, depth + 1)?;
                        if told.is_some() {
                            return Ok(told);
                        }
                    }
                }
                "additionalProperties" | "unevaluatedProperties" if node.value == &json!(true) => {}
                "additionalProperties" if !is_branch => self.others = Some(node),
                word if SAME.contains(&word) && !is_branch => {
                    self.same.insert(word.to_owned(), node.value.clone());
                }
                word if ANNOTATIONS.contains(&word) || word.starts_with("x-") => {}
                word => return Ok(Some(format!("`{word}` of a form is not read"))),
            }
        }
        Ok(None)
    }
}

/// The rule of one field of an urlencoded form; `None`: it is not checked, and that is noted.
fn field<'a>(
    name: &str,
    node: &Node<'a>,
    encoding: Option<&Node<'a>>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Result<Option<Value>, String> {
    let rule = schemas.translate(node, report)?;
    let kind = kind(&rule, schemas, 0);
    let told = |word: &str| encoding.and_then(|encoding| encoding.text(word));
    let style = told("style");
    let explodes = encoding.and_then(|encoding| encoding.flag("explode"));
    let explodes = explodes.unwrap_or(style.unwrap_or("form") == "form");
    if let Some(said) = encoding {
        for word in ["headers", "allowReserved"] {
            if let Some(node) = said.get(word) {
                let problem = format!("`{word}` of a form's field says nothing");
                report.note(&node.place(), problem);
            }
        }
    }
    // Without a style an object is JSON in a text (OpenAPI 3.1 §4.8.15.1).
    let is_json = kind == Kind::Object && style.is_none() && explodes;
    let is_other = told("contentType").is_some_and(|one| one != "text/plain");
    let word = word("query", style.unwrap_or("form"), kind, explodes);
    let problem = match word {
        _ if is_json || is_other => "content of another type in a text",
        Some(word) => match (word, check_parts(&rule, schemas, kind)) {
            (_, Err(_)) => "a list or an object within it",
            (None, Ok(())) => return Ok(Some(rule)),
            (Some(word), Ok(())) => return Ok(Some(styled(rule, word))),
        },
        None => "a style that is not read",
    };
    let problem = format!("the field `{name}` of a form is not checked: {problem}");
    report.note(&node.place(), problem);
    Ok(None)
}

/// Whether a rule is one of `kind` by its own word, which is how a part is known.
pub(super) fn says(rule: &Value, kind: &str, schemas: &Schemas<'_>) -> bool {
    named(rule, schemas)
        .get("type")
        .is_some_and(|one| one == kind)
}
