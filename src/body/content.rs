//! Content of one media type, read with one reading and judged by a schema.
//!
//! Owns: which reader a media type has, and what the parts of a form mean to a schema: text by the
//! types it gives, files by size and type, JSON as JSON. Does not own: the readers (`body::json`,
//! `form`, `multipart`), which type a route takes (`policy::gate`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::body::finding::{FINDINGS_MAX, Finding, Location, push_token};
use crate::body::form::{self, FormFault};
use crate::body::json::{JsonFault, JsonLimits, parse};
use crate::body::multipart::{self, Part};
use crate::body::parameters::{ParameterRules, repeated, resolve};
use crate::body::schema::{Compiler, Schema};

pub const FORM: &str = "application/x-www-form-urlencoded";
pub const MULTIPART: &str = "multipart/form-data";

/// How content of one media type is read and judged.
#[derive(Debug)]
pub struct ContentRules {
    reader: Reader,
    limits: JsonLimits,
}

#[derive(Debug)]
enum Reader {
    Json(Option<Schema>),
    Form(ParameterRules),
    Multipart(Box<PartRules>),
}

#[derive(Debug)]
struct PartRules {
    fields: ParameterRules,
    /// Parts that are files or JSON, by name; all others are text.
    others: HashMap<String, PartRule>,
}

/// What one name stands for in a multipart form.
#[derive(Debug)]
struct PartRule {
    is_list: bool,
    kind: PartKind,
}

#[derive(Debug)]
enum PartKind {
    Json,
    File(FileRule),
}

#[derive(Debug, Default)]
struct FileRule {
    min_bytes: Option<u64>,
    max_bytes: Option<u64>,
    /// Essences in lower case; empty for any.
    media_types: Vec<String>,
}

/// Why content was not read.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentFault {
    Json(JsonFault),
    Form(FormFault),
    /// Fields that have two readings, beside whatever else is wrong.
    Fields(Vec<Finding>),
}

/// Whether content of this type can be read: JSON and forms.
pub fn is_readable(media_type: &str) -> bool {
    is_json(media_type) || matches!(media_type, FORM | MULTIPART)
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// Whether nothing in the parameters of a type says another charset than UTF-8, in a spelling that
/// some readers heed: `charset*` too (RFC 2231 §4).
pub fn is_utf_8(media_type: &mime::Mime) -> bool {
    media_type.params().all(|(name, value)| match name {
        mime::CHARSET => value.as_str().eq_ignore_ascii_case("utf-8"),
        other => !other.as_str().starts_with("charset"),
    })
}

/// Whether content of this type is XML (RFC 7303), which nothing here reads.
pub fn is_xml(media_type: &str) -> bool {
    let name = media_type.rsplit('/').next().unwrap_or_default();
    name == "xml" || name.starts_with("xml-") || name.ends_with("+xml")
}

impl ContentRules {
    /// Compiles `schema` for content of `media_type`, one that [`is_readable`]; without a schema
    /// the content is read, and not judged.
    ///
    /// Fails as [`Compiler::compile`] does, and on rules that say nothing of a file.
    pub fn compile(
        media_type: &str,
        schema: Option<&Value>,
        compiler: &Compiler<'_>,
        limits: JsonLimits,
    ) -> Result<Self, String> {
        let open = Value::Bool(true);
        let fields = schema.unwrap_or(&open);
        let reader = match media_type {
            FORM => Reader::Form(ParameterRules::compile(fields, compiler, Location::Body)?),
            MULTIPART => Reader::Multipart(Box::new(PartRules::compile(fields, compiler)?)),
            _ => {
                let schema = schema.map(|schema| compiler.compile(schema));
                Reader::Json(schema.transpose()?)
            }
        };
        Ok(Self { reader, limits })
    }

    /// The schema that is compiled for one that is written for content of `media_type`; `None` where
    /// that says itself what is wrong.
    pub fn asked(media_type: &str, schema: &Value, named: &Map<String, Value>) -> Option<Value> {
        match media_type {
            FORM => Some(ParameterRules::asked(schema, named, Location::Body)),
            MULTIPART => {
                let (fields, _) = split(schema, named).ok()?;
                Some(ParameterRules::asked(&fields, named, Location::Body))
            }
            _ => Some(schema.clone()),
        }
    }

    /// Reads content; what is read of a form is an object.
    ///
    /// - `content_type`: as it was sent, with its parameters.
    pub fn read(&self, bytes: &[u8], content_type: &str) -> Result<Value, ContentFault> {
        let (object, mut findings) = match &self.reader {
            Reader::Json(_) => return parse(bytes, self.limits).map_err(ContentFault::Json),
            Reader::Form(fields) => {
                let pairs = form::parse(bytes, self.limits).map_err(ContentFault::Form)?;
                fields.read(
                    pairs
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str())),
                )
            }
            Reader::Multipart(rules) => {
                let parts = multipart::parse(bytes, content_type, self.limits);
                rules.read(&parts.map_err(ContentFault::Form)?, self.limits)?
            }
        };
        let object = Value::Object(object);
        if findings.is_empty() {
            return Ok(object);
        }
        findings.extend(self.judge(&object));
        findings.truncate(FINDINGS_MAX);
        Err(ContentFault::Fields(findings))
    }

    /// Judges what was read.
    pub fn judge(&self, content: &Value) -> Vec<Finding> {
        match &self.reader {
            Reader::Json(None) => Vec::new(),
            Reader::Json(Some(schema)) => schema.judge(content, Location::Body),
            Reader::Form(fields) => fields.judge_object(content),
            Reader::Multipart(rules) => rules.fields.judge_object(content),
        }
    }
}

impl PartRules {
    fn compile(schema: &Value, compiler: &Compiler<'_>) -> Result<Self, String> {
        let (schema, others) = split(schema, compiler.named())?;
        Ok(Self {
            fields: ParameterRules::compile(&schema, compiler, Location::Body)?,
            others,
        })
    }

    fn read(
        &self,
        parts: &[Part<'_>],
        limits: JsonLimits,
    ) -> Result<(Map<String, Value>, Vec<Finding>), ContentFault> {
        let mut pairs = Vec::new();
        let mut findings = Vec::new();
        let mut read: Map<String, Value> = Map::new();
        for part in parts {
            let pointer = pointer_to(&part.name);
            let Some(rule) = self.others.get(&part.name) else {
                findings.extend(unlike_text(part, &pointer));
                let text = form::text(part.bytes, limits).map_err(ContentFault::Form)?;
                pairs.push((part.name.as_str(), text));
                continue;
            };
            let value = match &rule.kind {
                PartKind::Json => read_json(part, &pointer, limits, &mut findings),
                PartKind::File(file) => {
                    findings.extend(file.judge(part, &pointer));
                    Some(json!({
                        "filename": part.file_name,
                        "type": part.media_type.as_ref().map(|one| one.essence_str().to_owned()),
                        "bytes": part.bytes.len(),
                    }))
                }
            };
            match (rule.is_list, read.get_mut(&part.name)) {
                (true, Some(Value::Array(items))) => items.extend(value),
                (true, _) => {
                    read.insert(part.name.clone(), Value::Array(value.into_iter().collect()));
                }
                (false, Some(_)) => findings.push(repeated(Location::Body, &part.name)),
                // What did not read is told already, and is not held against the schema.
                (false, None) => read.extend(value.map(|value| (part.name.clone(), value))),
            }
        }
        let (mut object, repeats) = self.fields.read(pairs.into_iter());
        findings.extend(repeats);
        object.extend(read);
        Ok((object, findings))
    }
}

/// Splits an object schema: a file is judged by its part, and to the schema it is an object.
fn split(
    schema: &Value,
    named: &Map<String, Value>,
) -> Result<(Value, HashMap<String, PartRule>), String> {
    let mut schema = resolve(schema, named).clone();
    let mut others = HashMap::new();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, rule) in properties.into_iter().flatten() {
        let own = resolve(rule, named);
        let is_list = own.get("type").and_then(Value::as_str) == Some("array");
        let item = if is_list { own.get("items") } else { Some(own) };
        let item = resolve(item.unwrap_or(&Value::Null), named);
        let kind = if is_file(item) {
            PartKind::File(FileRule::compile(name, item)?)
        } else if item.get("type").and_then(Value::as_str) == Some("object") {
            PartKind::Json
        } else {
            continue;
        };
        if let PartKind::File(_) = kind {
            let mut replaced = own.clone();
            match replaced.get_mut("items").filter(|_| is_list) {
                Some(items) => *items = json!({ "type": "object" }),
                None => replaced = json!({ "type": "object" }),
            }
            *rule = replaced;
        }
        others.insert(name.clone(), PartRule { is_list, kind });
    }
    Ok((schema, others))
}

fn is_file(rule: &Value) -> bool {
    let binary = rule.get("format").and_then(Value::as_str) == Some("binary");
    binary || rule.get("contentMediaType").is_some()
}

fn pointer_to(name: &str) -> String {
    let mut pointer = String::new();
    push_token(&mut pointer, name);
    pointer
}

fn found(pointer: &str, keyword: &str, message: &str, fix: impl Into<String>) -> Finding {
    Finding::new(Location::Body, pointer, keyword, message, fix)
}

/// What a part of text does not have.
fn unlike_text(part: &Part<'_>, pointer: &str) -> Option<Finding> {
    let is_text = part
        .media_type
        .as_ref()
        .is_none_or(|media_type| media_type.essence_str() == "text/plain" && is_utf_8(media_type));
    let fix = "Send it as text in UTF-8, without a filename.";
    if part.file_name.is_some() {
        return Some(found(pointer, "file", "a file where text is known", fix));
    }
    (!is_text).then(|| found(pointer, "contentMediaType", "of another type", fix))
}

fn read_json(
    part: &Part<'_>,
    pointer: &str,
    limits: JsonLimits,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    let media_type = part.media_type.as_ref();
    let fits = |one: &mime::Mime| is_json(one.essence_str()) && is_utf_8(one);
    if part.file_name.is_some() || !media_type.is_some_and(fits) {
        let fix = "Send it as application/json, without a filename.";
        findings.push(found(pointer, "contentMediaType", "of another type", fix));
        return None;
    }
    match parse(part.bytes, limits) {
        Ok(value) => Some(value),
        Err(fault) => {
            let (message, fix) = fault.explain();
            let pointer = format!("{pointer}{}", fault.pointer());
            findings.push(found(&pointer, fault.keyword(), &message, fix));
            None
        }
    }
}

impl FileRule {
    /// Reads `maxLength` and `minLength` as bytes, and the media types.
    fn compile(name: &str, rule: &Value) -> Result<Self, String> {
        let keywords = rule.as_object();
        for keyword in keywords.into_iter().flat_map(Map::keys) {
            let known = [
                "type",
                "format",
                "contentMediaType",
                "minLength",
                "maxLength",
            ];
            let told = ["title", "description", "deprecated", "$comment"];
            if ![&known[..], &told].concat().contains(&keyword.as_str())
                && !keyword.starts_with("x-")
            {
                return Err(format!(
                    "`{keyword}` says nothing of the file `{name}`: a file has `minLength` and `maxLength` in bytes, and `contentMediaType`"
                ));
            }
        }
        let is_string = rule.get("type").is_none_or(|kind| kind == "string");
        let is_binary = rule.get("format").is_none_or(|format| format == "binary");
        if !is_string || !is_binary {
            return Err(format!(
                "the file `{name}` has `type` string and `format` binary"
            ));
        }
        let bytes = |keyword: &str| match rule.get(keyword) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(format!(
                    "`{keyword}` of the file `{name}` is no number of bytes"
                )),
            },
        };
        let media_types = match rule.get("contentMediaType") {
            None => Vec::new(),
            Some(value) => {
                let types = value.as_str().unwrap_or_default().split(',');
                types.map(|one| one.trim().to_ascii_lowercase()).collect()
            }
        };
        let plain = |name: &String| {
            name.parse::<mime::Mime>()
                .is_ok_and(|one| one.essence_str() == name)
                && !name.contains('*')
        };
        if !media_types.iter().all(plain) {
            return Err(format!(
                "`contentMediaType` of the file `{name}` is no list of media types, as \"image/png, image/jpeg\""
            ));
        }
        Ok(Self {
            min_bytes: bytes("minLength")?,
            max_bytes: bytes("maxLength")?,
            media_types,
        })
    }

    fn judge(&self, part: &Part<'_>, pointer: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let bytes = part.bytes.len() as u64;
        if part.file_name.is_none() {
            let fix = "Send it with a filename.";
            findings.push(found(pointer, "file", "text where a file is known", fix));
        }
        if let Some(max) = self.max_bytes.filter(|max| bytes > *max) {
            let fix = format!("Send {max} bytes or fewer.");
            findings.push(found(pointer, "maxLength", "too long", fix));
        }
        if let Some(min) = self.min_bytes.filter(|min| bytes < *min) {
            let fix = format!("Send {min} bytes or more.");
            findings.push(found(pointer, "minLength", "too short", fix));
        }
        let sent = part.media_type.as_ref().map(mime::Mime::essence_str);
        let known = |sent: &str| self.media_types.iter().any(|known| known == sent);
        if !self.media_types.is_empty() && !sent.is_some_and(known) {
            let fix = format!("Send {}.", self.media_types.join(" or "));
            findings.push(found(pointer, "contentMediaType", "of another type", fix));
        }
        findings
    }
}

#[cfg(test)]
mod tests;
