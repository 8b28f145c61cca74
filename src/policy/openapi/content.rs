//! Content of an operation: which types a route takes, and by which schema each is judged.
//!
//! Owns: that every type of a document is judged, passes unread and is noted, or leaves the
//! operation out. Does not own: fields of forms (`forms`).

use serde_json::{Map, Value, json};

use crate::body::content::{FORM, MULTIPART, is_readable, is_xml};
use crate::policy::openapi::forms::{Encoded, fields};
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::Schemas;
use crate::policy::openapi::source::{Documents, Node};

/// Most types of one operation.
const TYPES_MAX: usize = 20;

/// Writes what `requestBody` says into `request` of a route. Fails with one sentence.
pub(super) fn write<'a>(
    request: &mut Map<String, Value>,
    body: &Node<'a>,
    documents: &Documents<'a>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Result<(), String> {
    let body = documents.follow(body)?;
    let content = body.get("content");
    let media = content.as_ref().map(Node::members).unwrap_or_default();
    if media.len() > TYPES_MAX {
        return Err(format!("its content has more than {TYPES_MAX} types"));
    }
    let mut bodies = Map::new();
    let mut opaque: Vec<String> = Vec::new();
    let mut any = Vec::new();
    for (name, media) in media {
        let essence = name.split(';').next().unwrap_or(name).trim();
        let essence = essence.to_ascii_lowercase();
        if essence.contains('*') {
            any.push((essence, media.place()));
            continue;
        }
        let is_type = essence.parse::<mime::Mime>();
        if !is_type.is_ok_and(|known| known.essence_str() == essence) {
            return Err(format!("its content has `{name}`, which is no media type"));
        }
        match judged(&essence, &media, documents, schemas, report)? {
            Some(schema) => match bodies.insert(essence, schema) {
                Some(other) if bodies.values().all(|known| *known != other) => {
                    return Err("content of one type has two schemas".into());
                }
                _ => {}
            },
            None if opaque.contains(&essence) => {}
            None => opaque.push(essence),
        }
    }
    let is_named = !bodies.is_empty() || !opaque.is_empty();
    for (name, place) in &any {
        let problem = match is_named {
            true => "is refused beside types that have names",
            false => "is not checked",
        };
        report.note(place, format!("content of type {name} {problem}"));
    }
    if !is_named && any.is_empty() {
        report.note(&body.place(), "content without a type is not checked");
    }
    match (body.flag("required") == Some(true), bodies.is_empty()) {
        (true, true) => {
            let problem = "`required` of content that is not read is not asked for";
            report.note(&body.place(), problem);
        }
        (false, false) => {
            request.insert("optional".into(), json!(true));
        }
        _ => {}
    }
    if !bodies.is_empty() {
        request.insert("bodies".into(), Value::Object(bodies));
    }
    if !opaque.is_empty() {
        request.insert("opaque".into(), json!(opaque));
    }
    Ok(())
}

/// The schema of one type; `None`: it passes unread, and that is noted.
fn judged<'a>(
    essence: &str,
    media: &Node<'a>,
    documents: &Documents<'a>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Result<Option<Value>, String> {
    let mut unread = |why: &str| {
        let problem = format!("content of type {essence} passes unread{why}");
        report.note(&media.place(), problem);
        Ok(None)
    };
    if is_xml(essence) {
        return unread(": no rule can judge XML");
    }
    if !is_readable(essence) {
        return unread("");
    }
    let encoded = match essence {
        FORM => Some(Encoded::Form),
        MULTIPART => Some(Encoded::Multipart),
        _ => None,
    };
    let Some(encoded) = encoded else {
        if let Some(encoding) = media.get("encoding") {
            report.note(&encoding.place(), "`encoding` of JSON says nothing");
        }
        return match media.get("schema") {
            Some(schema) => schemas.translate(&schema, report).map(Some),
            None => Ok(Some(json!({}))),
        };
    };
    match fields(encoded, media, documents, schemas, report)? {
        Ok(rules) => Ok(Some(rules)),
        Err(why) => unread_form(essence, media, &why, report),
    }
}

fn unread_form(
    essence: &str,
    media: &Node<'_>,
    why: &str,
    report: &mut Report,
) -> Result<Option<Value>, String> {
    let problem = format!("content of type {essence} passes unread: {why}");
    report.note(&media.place(), problem);
    Ok(None)
}

/// What stands nearer than the document may name fewer types, or name them opaque.
pub(super) fn narrow(request: &mut Map<String, Value>, over: &Map<String, Value>) {
    let names = |field: &str| -> Option<Vec<String>> {
        let listed = over.get(field)?.as_array()?.iter();
        Some(
            listed
                .filter_map(|name| Some(name.as_str()?.to_ascii_lowercase()))
                .collect(),
        )
    };
    let opaque = names("opaque").unwrap_or_default();
    let taken = names("content_types");
    let Some(Value::Object(bodies)) = request.get_mut("bodies") else {
        return;
    };
    bodies.retain(|name, _| !opaque.contains(name));
    if let Some(taken) = taken {
        bodies.retain(|name, _| taken.contains(name));
    }
    if bodies.is_empty() {
        request.shift_remove("bodies");
    } else {
        request.shift_remove("content_types");
    }
}
