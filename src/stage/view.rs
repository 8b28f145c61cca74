//! What expressions see of a request.
//!
//! Owns: the values under the names that `policy::expression` knows. Called by: the stages that ask
//! a rule or reckon a charge.

use serde_json::{Map, Value, json};

use crate::credential::caller::Caller;
use crate::facts::Facts;
use crate::policy::expression::Member;
use crate::stage::routed::Routed;

/// A request as far as it is known: what is not known yet is not asked for.
pub(super) struct Seen<'a> {
    pub(super) routed: &'a Routed<'a>,
    pub(super) caller: &'a Caller,
    pub(super) facts: &'a Facts,
    pub(super) body: &'a Value,
}

/// An answer, and the request it belongs to, whose content is gone.
pub(super) struct AnswerSeen<'a> {
    pub(super) request: Seen<'a>,
    pub(super) status: u16,
    pub(super) body: &'a Value,
}

impl AnswerSeen<'_> {
    /// What stands under a name.
    pub(super) fn under(&self, member: &Member) -> Value {
        match member.root {
            "body" => self.body.clone(),
            "status" => json!(self.status),
            _ => self.request.under(member),
        }
    }
}

impl Seen<'_> {
    /// What stands under a name. Anonymous callers have empty text and lists.
    pub(super) fn under(&self, member: &Member) -> Value {
        let Seen {
            routed,
            caller,
            facts,
            body,
        } = *self;
        let known = caller.known();
        match (member.root, member.name.as_str()) {
            ("request", "method") => json!(routed.method().as_str()),
            ("request", "path") => json!(routed.path().as_str()),
            ("request", "query") => object(
                routed
                    .query()
                    .pairs()
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str())),
            ),
            ("request", "headers") => {
                let credential = &routed.gate().credential_headers;
                object(
                    facts
                        .headers
                        .iter()
                        .filter(|(name, _)| !credential.iter().any(|one| one == name)),
                )
            }
            ("request", "body") => body.clone(),
            ("request", "ip") => json!(routed.address().to_string()),
            ("request", "country") => json!(facts.connection.country),
            ("request", "time") => json!(facts.received_at_ms / 1_000),
            ("path", name) => {
                let value = routed.parameters().iter().find(|(known, _)| known == name);
                json!(value.map(|(_, value)| value))
            }
            ("caller", "kind") => json!(known.map_or("anonymous", |caller| caller.kind.as_str())),
            ("caller", "subject") => json!(known.map_or("", |caller| caller.subject.as_str())),
            ("caller", "tenant") => json!(known.and_then(|caller| caller.tenant.as_deref())),
            ("caller", "plan") => json!(known.and_then(|caller| caller.plan.as_deref())),
            ("caller", "scopes") => json!(known.map_or(&[][..], |caller| &caller.scopes)),
            ("caller", "roles") => {
                let roles = known.map_or(&[][..], |caller| &caller.roles);
                json!(routed.gate().roles.with_inherited(roles))
            }
            ("caller", "claims") => known.map_or_else(|| json!({}), |caller| json!(caller.claims)),
            _ => Value::Null,
        }
    }
}

/// An object of text. A repeated name is a list: origins differ in which of two values they take,
/// so a rule that compares with one must not be met by either (OWASP ASVS 15.3.7).
fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), json!(value));
            }
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(object)
}
