//! What is asked of the admin API: from method, path, query and content to a command.
//!
//! Owns: the paths, the scope of each, and the reading of their content by the published schemas.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::body::finding::{Finding, Location};
use crate::body::json::{BODY_LIMITS, parse};
use crate::body::schema::Schema;
use crate::credential::api_key::{Expiry, ID_CHARS};
use crate::facts::Method;
use crate::house;
use crate::path::CanonicalQuery;
use crate::policy::load::POLICY_BYTES_MAX;
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
    CreateKey(Box<KeyAsked>),
    ListKeys(Page),
    ShowKey(String),
    RotateKey { id: String, overlap_s: u64 },
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
    pub note: Option<String>,
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
    CreateKey,
    ListKeys,
    ShowKey(String),
    RotateKey(String),
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
            ["keys", one, "revoke"] => [None, Some(Self::RevokeKey(id(one)?))],
            ["tokens", "revoke"] => [None, Some(Self::RevokeTokens)],
            ["policy", "check"] => [None, Some(Self::CheckPolicy)],
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
            Self::CheckPolicy => "edgeward:policy",
            Self::CreateKey | Self::RotateKey(_) | Self::RevokeKey(_) | Self::RevokeTokens => {
                "edgeward:keys"
            }
        }
    }

    /// The path's template, for the log.
    pub fn template(&self) -> &'static str {
        match self {
            Self::Status => "/.edgeward/status",
            Self::CheckPolicy => "/.edgeward/policy/check",
            Self::CreateKey | Self::ListKeys => "/.edgeward/keys",
            Self::ShowKey(_) => "/.edgeward/keys/{id}",
            Self::RotateKey(_) => "/.edgeward/keys/{id}/rotate",
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
            Self::CreateKey => read_as("NewKey", &content).map(Command::CreateKey),
            Self::ListKeys => page(query.pairs()).map(Command::ListKeys),
            Self::ShowKey(id) => Ok(Command::ShowKey(id)),
            Self::RotateKey(id) => {
                let Rotation { overlap_s } = read_as("Rotation", &content)?;
                Ok(Command::RotateKey { id, overlap_s })
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
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_verbs_and_no_other() {
        let id = "AAAAAAAAAAAA";
        for (path, method, expected) in [
            ("status", "GET", Ok(Verb::Status)),
            ("keys", "POST", Ok(Verb::CreateKey)),
            ("keys/AAAAAAAAAAAA", "GET", Ok(Verb::ShowKey(id.into()))),
            (
                "keys/AAAAAAAAAAAA/revoke",
                "POST",
                Ok(Verb::RevokeKey(id.into())),
            ),
            ("keys/AAAAAAAAAAAA/revoke", "GET", Err("other_method")),
            ("keys", "DELETE", Err("other_method")),
            ("keys/..", "GET", Err("no_route")),
            ("keys/", "GET", Err("no_route")),
            ("keys/AAAAAAAAAAA%41", "GET", Err("no_route")),
            ("nothing", "GET", Err("no_route")),
        ] {
            let found = Verb::find(&format!("/.edgeward/{path}"), method);
            assert_eq!(
                found.as_ref().map_err(Refusal::reason),
                expected.as_ref().map_err(|reason| *reason),
                "{path}"
            );
        }
    }

    #[test]
    fn content_is_read_by_the_description() {
        let create = |text: &str| Verb::CreateKey.read(None, text.as_bytes().to_vec());
        let read = create(r#"{"subject":"acme","scopes":["a"],"expires_at":"never"}"#);
        assert!(matches!(read, Ok(Command::CreateKey(asked)) if asked.env == "live"));
        for wrong in [
            r#"{"subject":"acme"}"#,
            r#"{"subject":"acme","scopes":["a"],"state":"active"}"#,
            r#"{"subject":"acme","scopes":["a"],"expires_at":"later"}"#,
            r#"{"subject":"acme","scopes":["a"],"cidrs":["nowhere"]}"#,
            r#"{"subject":"","scopes":[]}"#,
        ] {
            assert!(
                matches!(create(wrong), Err(Refusal::Invalid { .. })),
                "{wrong}"
            );
        }
        assert!(matches!(create("{"), Err(Refusal::NotJson { .. })));
        let revoke = |text: &str| Verb::RevokeTokens.read(None, text.as_bytes().to_vec());
        for (text, fits) in [
            (r#"{"jti":"a"}"#, true),
            (r#"{"jti":"a","subject":"b","expires_at":1}"#, true),
            (r#"{"subject":"b"}"#, true),
            (r#"{"subject":"b","version_below":2}"#, true),
            (r#"{"every":true}"#, true),
            (r#"{"every":false}"#, false),
            (r#"{}"#, false),
            (r#"{"jti":"a","version_below":2}"#, false),
            (r#"{"every":true,"subject":"b"}"#, false),
        ] {
            assert_eq!(revoke(text).is_ok(), fits, "{text}");
        }
        assert!(
            Verb::RevokeKey(String::new())
                .read(None, b"{}".to_vec())
                .is_ok()
        );
        assert!(
            Verb::RevokeKey(String::new())
                .read(None, b"{\"a\":1}".to_vec())
                .is_err()
        );
    }

    #[test]
    fn a_page_is_bounded() {
        let list = |query: &str| Verb::ListKeys.read(Some(query), Vec::new());
        for (query, fits) in [
            ("", true),
            ("limit=1", true),
            ("limit=200&subject=a&cursor=b", true),
            ("limit=0", false),
            ("limit=201", false),
            ("limit=x", false),
            ("limit=1&limit=2", false),
            ("other=1", false),
        ] {
            assert_eq!(list(query).is_ok(), fits, "{query}");
        }
        assert!(Verb::Status.read(Some("a=1"), Vec::new()).is_err());
    }
}
