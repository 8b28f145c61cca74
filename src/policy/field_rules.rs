//! Who may set and read which fields, and what of an answer may leave, as enforced.
//!
//! Owns: the shapes that stages read, and making them. Called by: `policy::routes`.

use serde_json::Map;

use crate::body::content::{FORM, MULTIPART};
use crate::body::pointer::FieldPointer;
use crate::body::schema::Schema;
use crate::limit::rule::Mode;
use crate::policy::document::{
    CostEntry, IdempotencyEntry, KeyEntry, OnRefusalEntry, RefusedAsEntry, ResponseEntry,
    RouteEntry,
};
use crate::policy::expression::{Content, Expression, Gives, Known, Scope};
use crate::policy::fault::Faults;
use crate::policy::gate::READ_BYTES_MAX;
use crate::policy::limits::mode;
use crate::policy::route_table::Template;
use crate::policy::routes::{Context, Place};
use crate::policy::rules::{self, TRUE_OR_FALSE};

/// Most of an answer that is read where a route names no bound, in bytes.
pub const ANSWER_BYTES_DEFAULT: u64 = 1_048_576;
/// Longest mask, in bytes of JSON.
pub const MASK_BYTES_MAX: usize = 256;

/// Who may set a field.
#[derive(Debug)]
pub struct WriteRule {
    pub pointer: FieldPointer,
    pub write: Expression,
    pub on_refusal: OnRefusal,
}

/// What becomes of a request that sets a field which its caller may not set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnRefusal {
    Refuse,
    /// It goes on without the field.
    Strip,
}

/// Who may read a field.
#[derive(Debug)]
pub struct ReadRule {
    pub pointer: FieldPointer,
    pub read: Expression,
    /// JSON to stand in the field's place; `None` takes it out.
    pub mask: Option<String>,
}

/// What is judged of an answer.
#[derive(Debug)]
pub struct AnswerRules {
    pub allow: Option<Expression>,
    /// Whether a refusal by `allow` says that there is nothing.
    pub is_hidden: bool,
    pub fields: Vec<ReadRule>,
    pub body: Option<Schema>,
    /// Of `body` alone.
    pub body_mode: Mode,
    pub max_bytes: u64,
    pub mode: Mode,
}

impl AnswerRules {
    /// Whether a rule looks into the content, so that its numbers have to be exact.
    pub fn looks_at_content(&self) -> bool {
        let allow = self.allow.iter();
        let reads = self.fields.iter().map(|rule| &rule.read);
        allow.chain(reads).any(Expression::needs_answer)
    }
}

/// Makes the rules about fields of requests.
pub(super) fn writing(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Vec<WriteRule> {
    let mut known = rules::known(entry, &context.document.schemas);
    // A rule about fields is about content that there is, whatever the methods.
    known.body = rules::content(entry);
    let mut rules = Vec::new();
    for (index, rule) in entry.request.fields.iter().enumerate() {
        let place = ["request", "fields", &index.to_string()].map(str::to_owned);
        let below = |name: &str| [&place[..], &[name.to_owned()]].concat();
        let compiled = rules::compile(context, entry, template, &rule.write, Gives::Truth);
        let write =
            compiled.map_err(|problem| add(at, &below("write"), problem, TRUE_OR_FALSE, faults));
        let place = (at, &below("pointer")[..]);
        let pointer = pointer(&rule.pointer, (&known, Content::Request), place, faults);
        if let (Ok(write), Some(pointer)) = (write, pointer) {
            rules.push(WriteRule {
                pointer,
                write,
                on_refusal: match rule.on_refusal {
                    OnRefusalEntry::Refuse => OnRefusal::Refuse,
                    OnRefusalEntry::Strip => OnRefusal::Strip,
                },
            });
        }
    }
    check_types(entry, at, faults);
    rules
}

/// Refuses types of content whose fields a rule would not see.
fn check_types(entry: &RouteEntry, at: &Place, faults: &mut Faults) {
    if entry.request.fields.is_empty() {
        return;
    }
    let bodies = entry.request.bodies.iter().flat_map(Map::keys);
    let types = entry.request.content_types.iter().flatten();
    let named = types.map(|name| ("content_types", name));
    for (field, name) in named.chain(bodies.map(|name| ("bodies", name))) {
        let (problem, fix) = match name.to_ascii_lowercase().as_str() {
            "application/json-patch+json" => (
                "a JSON Patch sets fields by names of its own, which `fields` does not see",
                "Remove application/json-patch+json; application/merge-patch+json is seen",
            ),
            FORM | MULTIPART => (
                "`fields` sees the members of JSON, and none of a form",
                "Remove the form, or give it a route of its own",
            ),
            _ => continue,
        };
        let place = ["request", field].map(str::to_owned);
        add(at, &place, problem, fix, faults);
    }
}

/// Makes the rules about answers.
pub(super) fn answering(
    entry: &RouteEntry,
    template: &Template,
    at: &Place,
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<AnswerRules> {
    let response = entry.response.as_ref()?;
    let mut compile = |source: &str, place: &[&str]| {
        let purpose = (Scope::Answer, Gives::Truth);
        let compiled = rules::compile_in(context, entry, template, source, purpose);
        compiled
            .map_err(|problem| at.add(faults, place, problem, TRUE_OR_FALSE))
            .ok()
    };
    let allow = response.allow.as_deref();
    let allow = allow.and_then(|source| compile(source, &["response", "allow"]));
    let reads: Vec<Option<Expression>> = (response.fields.iter().enumerate())
        .map(|(index, rule)| {
            let place = ["response", "fields", &index.to_string(), "read"];
            compile(&rule.read, &place)
        })
        .collect();
    let known = rules::known(entry, &context.document.schemas);
    let fields = fields(response, reads, &known, at, faults);
    let body = response.body.as_ref().and_then(|schema| {
        let compiled = context.compiler.compile(schema);
        let told = |problem| {
            let fix = "Write a JSON Schema (2020-12); refer to `schemas` as #/schemas/NAME";
            at.add(faults, &["response", "body"], problem, fix);
        };
        compiled.map_err(told).ok()
    });
    check(entry, response, at, faults);
    if route_keeps(entry) {
        let problem = "an answer that is kept is not judged again, and rights change";
        let fix = "Remove `response`, or write off";
        at.add(faults, &["idempotency"], problem, fix);
    }
    Some(AnswerRules {
        allow,
        is_hidden: matches!(response.refused_as, RefusedAsEntry::NotFound),
        fields,
        body,
        body_mode: response.body_mode.map_or(Mode::Observe, mode),
        max_bytes: response.max_bytes.unwrap_or(ANSWER_BYTES_DEFAULT),
        mode: mode(response.mode),
    })
}

fn fields(
    response: &ResponseEntry,
    reads: Vec<Option<Expression>>,
    known: &Known<'_>,
    at: &Place,
    faults: &mut Faults,
) -> Vec<ReadRule> {
    let mut rules = Vec::new();
    for (index, (rule, read)) in response.fields.iter().zip(reads).enumerate() {
        let place = ["response", "fields", &index.to_string()].map(str::to_owned);
        let below = |name: &str| [&place[..], &[name.to_owned()]].concat();
        let mask = rule.mask.as_ref().map(ToString::to_string);
        if mask
            .as_ref()
            .is_some_and(|mask| mask.len() > MASK_BYTES_MAX)
        {
            let problem = format!("longer than {MASK_BYTES_MAX} bytes");
            add(at, &below("mask"), problem, "Shorten it", faults);
        }
        let place = (at, &below("pointer")[..]);
        let pointer = pointer(&rule.pointer, (known, Content::Answer), place, faults);
        if let (Some(read), Some(pointer)) = (read, pointer) {
            rules.push(ReadRule {
                pointer,
                read,
                mask,
            });
        }
    }
    rules
}

fn route_keeps(entry: &RouteEntry) -> bool {
    let key = match entry.idempotency {
        IdempotencyEntry::Key(key) | IdempotencyEntry::Rules { key, .. } => key,
    };
    key != KeyEntry::Off
}

/// What would hold nothing, or more than fits in memory.
fn check(entry: &RouteEntry, response: &ResponseEntry, at: &Place, faults: &mut Faults) {
    let has_rule =
        response.allow.is_some() || response.body.is_some() || !response.fields.is_empty();
    if !has_rule {
        let problem = "there is no rule that reads the answer";
        let fix = "Add `allow`, `fields` or `body`, or remove `response`";
        at.add(faults, &["response"], problem, fix);
    }
    if response
        .max_bytes
        .is_some_and(|bytes| bytes > READ_BYTES_MAX)
    {
        let problem = format!("an answer that a rule reads has at most {READ_BYTES_MAX} bytes");
        at.add(faults, &["response", "max_bytes"], problem, "Lower it");
    }
    let hides = matches!(response.refused_as, RefusedAsEntry::NotFound);
    if hides && response.allow.is_none() {
        let problem = "only `allow` refuses, and there is none";
        at.add(faults, &["response", "refused_as"], problem, "Remove it");
    }
    if hides && matches!(entry.cost, Some(CostEntry::Told { .. })) {
        let problem = "what an object cost would tell a caller that it is there";
        let fix = "Remove it, or reckon `cost` from the request alone";
        at.add(faults, &["response", "refused_as"], problem, fix);
    }
    if response.body_mode.is_some() && response.body.is_none() {
        let problem = "it is the mode of `body`, and there is none";
        at.add(faults, &["response", "body_mode"], problem, "Remove it");
    }
}

fn pointer(
    text: &str,
    (known, content): (&Known<'_>, Content),
    (at, place): (&Place, &[String]),
    faults: &mut Faults,
) -> Option<FieldPointer> {
    let pointer = FieldPointer::parse(text);
    let fix = "Write it as /address/street, or /items/*/price";
    if pointer.is_none() {
        add(at, place, "not a JSON Pointer to a field", fix, faults);
    }
    // A name of stars is no field's, and would look like a rule that holds at any depth.
    if text
        .split('/')
        .any(|step| step.len() > 1 && step.contains('*'))
    {
        let problem = "`*` stands alone, for any one name or item, and not for a part of one";
        add(at, place, problem, fix, faults);
    }
    if let Some(problem) = pointer
        .as_ref()
        .and_then(|pointer| known.reaches(content, pointer).err())
    {
        let fix =
            "Write the field as the schema names it, or remove the rule: it would protect nothing";
        add(at, place, problem, fix, faults);
    }
    pointer
}

fn add(at: &Place, place: &[String], problem: impl Into<String>, fix: &str, faults: &mut Faults) {
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    at.add(faults, &place, problem, fix);
}
