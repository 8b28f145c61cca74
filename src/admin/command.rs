//! What is asked of the admin API: from method, path, query and content to a command.
//!
//! Owns: the paths, the scope of each, and the reading of their content by the published schemas.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::body::finding::{Finding, Location};
use crate::body::json::{BODY_LIMITS, parse};
use crate::body::schema::Schema;
use crate::credential::api_key::{Expiry, ID_CHARS};
use crate::credential::own_limit::OwnLimits;
use crate::facts::Method;
use crate::house;
use crate::path::CanonicalQuery;
use crate::policy::load::POLICY_BYTES_MAX;
use crate::policy::openapi::BUNDLE_BYTES_MAX;
use crate::refusal::Refusal;

/// Most content of a command, in bytes; a policy may be as large as policies are.
const COMMAND_BYTES_MAX: u64 = 65_536;
/// Records on one page: unless said, and at most.
const PAGE_DEFAULT: u32 = 100;
const PAGE_MAX: u32 = 200;
/// Longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 1_024;
const DESCRIPTION: &str = include_str!("../../schemas/admin.openapi.json");

/// Something to do, with what it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Status,
    CheckPolicy(Vec<u8>),
    ImportPolicy(Vec<u8>),
    CreateKey(Box<KeyAsked>),
    ListKeys(Page),
    ShowKey(String),
    RotateKey { id: String, overlap_s: u64 },
    LimitKey { id: String, asked: NumbersAsked },
    RevokeKey(String),
    RevokeTokens(TokensAsked),
}

/// A key to be made.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct KeyAsked {
    pub authenticator: Option<String>,
    #[serde(default = "live")]
    pub env: String,
    pub subject: String,
    pub tenant: Option<String>,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub roles: Vec<String>,
    pub plan: Option<String>,
    #[serde(default)]
    pub cidrs: Vec<String>,
    pub not_before: Option<u64>,
    pub expires_at: Option<Expiry>,
    #[serde(default)]
    pub limits: OwnLimits,
    pub note: Option<String>,
}

/// A key's own numbers to be written and to be taken back.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct NumbersAsked {
    #[serde(default)]
    pub set: OwnLimits,
    #[serde(default)]
    pub clear: Vec<String>,
}

/// Some of the keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    pub subject: Option<String>,
    pub cursor: Option<String>,
    pub limit: u32,
}

/// Tokens to be refused, as asked: which of the four forms it is, the schema has told apart.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TokensAsked {
    pub authenticator: Option<String>,
    pub jti: Option<String>,
    pub subject: Option<String>,
    pub expires_at: Option<u64>,
    pub issued_before: Option<u64>,
    pub version_below: Option<u64>,
    #[serde(default)]
    pub every: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default = "week_s")]
    overlap_s: u64,
}

/// Where a request leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verb {
    Status,
    CheckPolicy,
    ImportPolicy,
    CreateKey,
    ListKeys,
    ShowKey(String),
    RotateKey(String),
    LimitKey(String),
    RevokeKey(String),
    RevokeTokens,
}

impl Verb {
    /// Finds the verb of a path below `/.edgeward/`; refuses with 404 or 405.
    pub fn find(raw_path: &str, method: &str) -> Result<Self, Refusal> {
        let name = raw_path.strip_prefix(house::PATH).ok_or(Refusal::NoRoute)?;
        let parts: Vec<&str> = name.split('/').collect();
        let id = |id: &str| match is_id(id) {
            true => Ok(id.to_owned()),
            false => Err(Refusal::NoRoute),
        };
        let verbs = match parts.as_slice() {
            ["status"] => [Some(Self::Status), None],
            ["keys"] => [Some(Self::ListKeys), Some(Self::CreateKey)],
            ["keys", one] => [Some(Self::ShowKey(id(one)?)), None],
            ["keys", one, "rotate"] => [None, Some(Self::RotateKey(id(one)?))],
            ["keys", one, "limits"] => [None, Some(Self::LimitKey(id(one)?))],
            ["keys", one, "revoke"] => [None, Some(Self::RevokeKey(id(one)?))],
            ["tokens", "revoke"] => [None, Some(Self::RevokeTokens)],
            ["policy", "check"] => [None, Some(Self::CheckPolicy)],
            ["policy", "import"] => [None, Some(Self::ImportPolicy)],
            _ => return Err(Refusal::NoRoute),
        };
        let methods = [Method::Get, Method::Post];
        let found = methods.iter().zip(&verbs);
        let mut found = found.filter_map(|(known, verb)| Some((*known, verb.as_ref()?)));
        match found.clone().find(|(known, _)| known.as_str() == method) {
            Some((_, verb)) => Ok(verb.clone()),
            None => Err(Refusal::OtherMethod {
                allow: found.by_ref().map(|(known, _)| known).collect(),
            }),
        }
    }

    /// The scope that a caller needs.
    pub fn scope(&self) -> &'static str {
        match self {
            Self::Status | Self::ListKeys | Self::ShowKey(_) => "edgeward:read",
            // A policy is dear to load, and its faults tell which secrets are bound.
            Self::CheckPolicy | Self::ImportPolicy => "edgeward:policy",
            Self::CreateKey
            | Self::RotateKey(_)
            | Self::LimitKey(_)
            | Self::RevokeKey(_)
            | Self::RevokeTokens => "edgeward:keys",
        }
    }

    /// The path's template, for the log.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Status => "/.edgeward/status",
            Self::CheckPolicy => "/.edgeward/policy/check",
            Self::ImportPolicy => "/.edgeward/policy/import",
            Self::CreateKey | Self::ListKeys => "/.edgeward/keys",
            Self::ShowKey(_) => "/.edgeward/keys/{id}",
            Self::RotateKey(_) => "/.edgeward/keys/{id}/rotate",
            Self::LimitKey(_) => "/.edgeward/keys/{id}/limits",
            Self::RevokeKey(_) => "/.edgeward/keys/{id}/revoke",
            Self::RevokeTokens => "/.edgeward/tokens/revoke",
        }
    }

    /// Most content it takes, in bytes; 0 if it takes none.
    pub fn bytes_max(&self) -> u64 {
        match self {
            Self::Status | Self::ListKeys | Self::ShowKey(_) => 0,
            // One more than a policy may have, so that its own fault is told.
            Self::CheckPolicy => POLICY_BYTES_MAX as u64 + 1,
            Self::ImportPolicy => BUNDLE_BYTES_MAX as u64 + 1,
            _ => COMMAND_BYTES_MAX,
        }
    }

    /// Reads query and content.
    pub fn read(self, raw_query: Option<&str>, content: Vec<u8>) -> Result<Command, Refusal> {
        let query = CanonicalQuery::parse(raw_query);
        let query = query.map_err(|fault| Refusal::MalformedQuery { fault })?;
        if !matches!(self, Self::ListKeys) && !query.pairs().is_empty() {
            return Err(in_query("", "takes no parameters", "Remove the query"));
        }
        match self {
            Self::Status => Ok(Command::Status),
            Self::CheckPolicy => Ok(Command::CheckPolicy(content)),
            Self::ImportPolicy => Ok(Command::ImportPolicy(content)),
            Self::CreateKey => read_as("NewKey", &content).map(Command::CreateKey),
            Self::ListKeys => page(query.pairs()).map(Command::ListKeys),
            Self::ShowKey(id) => Ok(Command::ShowKey(id)),
            Self::RotateKey(id) => {
                let Rotation { overlap_s } = read_as("Rotation", &content)?;
                Ok(Command::RotateKey { id, overlap_s })
            }
            Self::LimitKey(id) => {
                let asked = read_as("Numbers", &content)?;
                Ok(Command::LimitKey { id, asked })
            }
            Self::RevokeKey(id) => {
                let _: Map<String, Value> = read_as("Nothing", &content)?;
                Ok(Command::RevokeKey(id))
            }
            Self::RevokeTokens => read_as("Revocation", &content).map(Command::RevokeTokens),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Reads content by one of the description's schemas.
fn read_as<T: for<'a> Deserialize<'a>>(name: &str, content: &[u8]) -> Result<T, Refusal> {
    let value = parse(content, BODY_LIMITS).map_err(|fault| Refusal::NotJson { fault })?;
    let broken = || Refusal::Panicked;
    // The description's references, in the form in which policies write theirs.
    let text = DESCRIPTION.replace("#/components/schemas/", "#/schemas/");
    let description: Value = serde_json::from_str(&text).map_err(|_| broken())?;
    let named = description.pointer("/components/schemas");
    let named = named.and_then(Value::as_object).ok_or_else(broken)?;
    let schema = named.get(name).ok_or_else(broken)?;
    let schema = Schema::compile(schema, named).map_err(|_| broken())?;
    let findings = schema.judge(&value, Location::Body);
    if !findings.is_empty() {
        return Err(Refusal::Invalid { findings });
    }
    T::deserialize(value).map_err(|_| {
        let fix = "Compare it with schemas/admin.openapi.json";
        let finding = Finding::new(Location::Body, "", "schema", "is not of this form", fix);
        Refusal::Invalid {
            findings: vec![finding],
        }
    })
}

fn page(pairs: &[(String, String)]) -> Result<Page, Refusal> {
    let mut page = Page {
        subject: None,
        cursor: None,
        limit: PAGE_DEFAULT,
    };
    for (index, (name, value)) in pairs.iter().enumerate() {
        if pairs.iter().take(index).any(|(known, _)| known == name) {
            return Err(in_query(name, "stands twice", "Write it once"));
        }
        match name.as_str() {
            "subject" => page.subject = Some(value.clone()),
            "cursor" if value.len() <= CURSOR_BYTES_MAX => page.cursor = Some(value.clone()),
            "limit" => {
                let limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=PAGE_MAX).contains(limit));
                let fix = "Write a whole number from 1 to 200";
                page.limit = limit.ok_or_else(|| in_query(name, "is out of range", fix))?;
            }
            _ => return Err(in_query(name, "is not known here", "Remove it")),
        }
    }
    Ok(page)
}

fn in_query(name: &str, message: &str, fix: &str) -> Refusal {
    let finding = Finding::new(Location::Query, &format!("/{name}"), "query", message, fix);
    Refusal::Invalid {
        findings: vec![finding],
    }
}

fn live() -> String {
    "live".into()
}

fn week_s() -> u64 {
    604_800
}

#[cfg(test)]
mod tests;
