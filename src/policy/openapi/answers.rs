//! `responses` of an operation as the one schema that its good answers are held against.
//!
//! Owns: what of several statuses and types one schema can say, and listing the rest.

use serde_json::{Map, Value, json};

use crate::body::content::is_readable;
use crate::policy::openapi::merge::Responses;
use crate::policy::openapi::report::Report;
use crate::policy::openapi::schemas::Schemas;
use crate::policy::openapi::source::{Documents, Node};

/// Most operations of a document whose answers are held against it where the policy does not ask for
/// that: all schemas of answers are made when a policy loads, and they are most of a document.
pub(super) const OPERATIONS_MAX: usize = 300;
pub(super) const TOO_MANY: &str = "answers of a document of more than 300 operations are not checked, unless openapi_options.responses asks for it";

/// What is said of one answer.
enum Said<'a> {
    /// JSON, by each of these.
    Schemas(Vec<Node<'a>>),
    /// That there is none, or nothing.
    Nothing,
    /// What no schema is held against, and why.
    Unread(String),
}

/// The schema of an operation's answers with a 2xx status; `None`: they are not checked, and that is
/// noted.
pub(super) fn rule<'a>(
    responses: &Node<'a>,
    documents: &Documents<'a>,
    schemas: &mut Schemas<'a>,
    report: &mut Report,
) -> Option<Value> {
    let unchecked = |report: &mut Report, why: &str| {
        report.note(
            &responses.place(),
            format!("answers are not checked: {why}"),
        );
        None
    };
    let mut good = Vec::new();
    let mut others = false;
    for (status, node) in responses.members() {
        match status.as_bytes() {
            [b'x', b'-', ..] => {}
            [b'2', ..] => good.push((status, node)),
            _ => others = true,
        }
    }
    // It stands for every status that is not named.
    let fallback = responses.get("default").filter(|_| good.is_empty());
    good.extend(fallback.map(|node| ("default", node)));
    if others {
        let problem = "answers with other statuses than 2xx are not checked";
        report.note(&responses.place(), problem);
    }
    let mut found = Vec::new();
    let mut is_silent = false;
    for (status, node) in good {
        if status == "206" {
            return unchecked(report, "an answer in parts (206)");
        }
        match said(&node, documents, report) {
            Ok(Said::Schemas(all)) => found.extend(all),
            Ok(Said::Nothing) => is_silent |= !matches!(status, "204" | "205"),
            Ok(Said::Unread(why)) => return unchecked(report, &why),
            Err(problem) => return unchecked(report, &problem),
        }
    }
    let mut rules: Vec<Value> = Vec::new();
    for node in &found {
        match schemas.translate_answer(node, report) {
            Ok(rule) if rules.contains(&rule) => {}
            Ok(rule) => rules.push(rule),
            Err(problem) => return unchecked(report, &problem),
        }
    }
    if is_silent && !rules.is_empty() {
        let problem = "content of a status of which nothing is said is held against the others'";
        report.note(&responses.place(), problem);
    }
    match rules.len() {
        0 => None,
        1 => rules.pop(),
        _ => {
            let problem =
                "answers of several statuses or types are held against any of their schemas";
            report.note(&responses.place(), problem);
            Some(json!({ "anyOf": rules }))
        }
    }
}

fn said<'a>(
    response: &Node<'a>,
    documents: &Documents<'a>,
    report: &mut Report,
) -> Result<Said<'a>, String> {
    let response = documents.follow(response)?;
    if let Some(headers) = response.get("headers") {
        report.note(&headers.place(), "`headers` of answers are not checked");
    }
    let content = response.get("content");
    let mut found = Vec::new();
    for (name, media) in content.iter().flat_map(Node::members) {
        let essence = name.split(';').next().unwrap_or(name).trim();
        let essence = essence.to_ascii_lowercase();
        // Of what can be read only JSON is an answer.
        if !is_readable(&essence) || !essence.contains("json") {
            return Ok(Said::Unread(format!("some are of type {essence}")));
        }
        match media.get("schema") {
            Some(schema) => found.push(schema),
            None => return Ok(Said::Unread("some have no schema".into())),
        }
    }
    Ok(match found.is_empty() {
        true => Said::Nothing,
        false => Said::Schemas(found),
    })
}

/// Writes the rule into a route, under what stands nearer.
pub(super) fn write(route: &mut Map<String, Value>, rule: Value, responses: Responses) {
    let mode = match responses {
        Responses::Off => return,
        Responses::Observe => "observe",
        Responses::Enforce => "enforce",
    };
    let response = route.entry("response").or_insert_with(|| json!({}));
    if let Some(response) = response.as_object_mut() {
        response.insert("body".into(), rule);
        response.entry("body_mode").or_insert_with(|| json!(mode));
    }
}

/// Takes the rule out again.
pub(super) fn take_out(route: &mut Map<String, Value>) {
    let Some(Value::Object(response)) = route.get_mut("response") else {
        return;
    };
    response.shift_remove("body");
    response.shift_remove("body_mode");
    if response.is_empty() {
        route.shift_remove("response");
    }
}

/// Whether answers of a route are kept for requests that repeat it: those are not judged again.
pub(super) fn are_kept(route: &Map<String, Value>) -> bool {
    let said = route.get("idempotency");
    let key = said.map(|said| said.get("key").unwrap_or(said));
    key.is_some_and(|key| key != "off")
}

/// The operations of a document, those too that a `$ref` leads to.
pub(super) fn count(documents: &Documents<'_>, methods: &[&str]) -> usize {
    let paths = documents.root().get("paths");
    let items = paths.iter().flat_map(Node::members);
    let items = items.filter_map(|(_, item)| documents.follow(&item).ok());
    items
        .map(|item| {
            methods
                .iter()
                .filter(|method| item.get(method).is_some())
                .count()
        })
        .sum()
}
