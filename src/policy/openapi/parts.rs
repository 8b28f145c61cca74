//! One part of a multipart form of a document: text, a file, or JSON.

use serde_json::{Map, Value, json};

use crate::policy::openapi::forms::says;
use crate::policy::openapi::parameters::{Kind, kind, named};
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::{ANNOTATIONS, Schemas};
use crate::policy::openapi::source::{Documents, Node};

/// The rule of one part. Fails with one sentence.
pub(super) fn part<'a>(
    node: &Node<'a>,
    encoding: Option<&Node<'a>>,
    documents: &Documents<'a>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Result<Value, String> {
    let types = encoding.and_then(|encoding| types(encoding, report));
    let whole = documents.follow(node)?;
    let is_list = whole.value.get("type").is_some_and(|one| one == "array");
    let item = whole.get("items").filter(|_| is_list);
    let item = match item {
        Some(item) => documents.follow(&item)?,
        None => whole.clone(),
    };
    if is_file(&item) {
        let file = file(&item, types, report);
        return Ok(if is_list { files(&whole, file) } else { file });
    }
    let rule = schemas.translate(node, report)?;
    let own = named(&rule, schemas);
    let below = own.get("items").filter(|_| is_list).unwrap_or(own).clone();
    let is_object = kind(&below, schemas, 0) == Kind::Object;
    let is_json = |name: &str| name == "application/json" || name.ends_with("+json");
    let text = |name: &str| name == "text/plain";
    let said = types.as_deref().unwrap_or_default();
    let known = |one: &String| text(one) || is_json(one);
    if !said.is_empty() && !said.iter().any(known) {
        let problem = "a part that is neither text nor JSON is taken with a filename alone";
        report.note(&node.place(), problem);
        let file = file(&item, types, report);
        return Ok(if is_list { files(&whole, file) } else { file });
    }
    if !is_object {
        if !said.iter().all(|one| text(one)) {
            let problem = "a part of text is taken as text/plain alone";
            report.note(&node.place(), problem);
        }
        return Ok(rule);
    }
    if says(&below, "object", schemas) {
        return Ok(rule);
    }
    let object = json!({ "type": "object", "allOf": [below] });
    if !is_list {
        return Ok(object);
    }
    let mut made = named(&rule, schemas).clone();
    if let Some(items) = made.get_mut("items") {
        *items = object;
    }
    Ok(made)
}

/// A list of files, of as many as the schema says.
fn files(whole: &Node<'_>, file: Value) -> Value {
    let mut made = json!({ "type": "array", "items": file });
    for keyword in ["minItems", "maxItems"] {
        if let (Some(count), Some(made)) = (whole.value.get(keyword), made.as_object_mut()) {
            made.insert(keyword.to_owned(), count.clone());
        }
    }
    made
}

/// The types that `encoding` names for one part.
fn types(encoding: &Node<'_>, report: &mut Report) -> Option<Vec<String>> {
    for word in ["headers", "style", "explode", "allowReserved"] {
        if let Some(node) = encoding.get(word) {
            let problem = match word {
                "headers" => "`headers` of a part: none but its type and name are taken".into(),
                word => format!("`{word}` of a part is not read"),
            };
            report.note(&node.place(), problem);
        }
    }
    let listed = encoding.text("contentType")?.split(',');
    Some(
        listed
            .map(|one| one.split(';').next().unwrap_or(one))
            .map(|one| one.trim().to_ascii_lowercase())
            .collect(),
    )
}

fn is_file(item: &Node<'_>) -> bool {
    let of_type = item.text("contentMediaType").is_some() && item.text("contentEncoding").is_none();
    item.text("format") == Some("binary") || of_type
}

/// A file: its size in bytes and its types.
fn file(item: &Node<'_>, types: Option<Vec<String>>, report: &mut Report) -> Value {
    let mut made = Map::new();
    made.insert("type".into(), json!("string"));
    made.insert("format".into(), json!("binary"));
    for (keyword, node) in item.members() {
        match keyword {
            "type" | "format" | "contentMediaType" => {}
            "minLength" | "maxLength" => {
                made.insert(keyword.to_owned(), node.value.clone());
            }
            word if ANNOTATIONS.contains(&word) || word.starts_with("x-") => {}
            word => {
                let problem = format!("keyword `{word}` of a file is not enforced");
                report.note(&node.place(), problem);
            }
        }
    }
    // That is how a document says that it is a file at all (OpenAPI 3.1 §4.8.14.3).
    let own = item.text("contentMediaType");
    let own = own.filter(|one| *one != "application/octet-stream");
    let types = types.or_else(|| own.map(|one| vec![one.to_ascii_lowercase()]));
    let types = types.unwrap_or_default();
    if let Some(wide) = types.iter().find(|one| one.contains('*')) {
        let problem = format!("a file of type {wide} may be of any type");
        report.note(&item.place(), problem);
    } else if !types.is_empty() {
        made.insert("contentMediaType".into(), json!(types.join(", ")));
    }
    Value::Object(made)
}
