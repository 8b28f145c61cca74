//! Security requirements as authenticators of the same name.

use serde_json::{Value, json};

use crate::policy::openapi::source::{Documents, Node};

/// What an operation asks of its caller.
#[derive(Debug)]
pub(super) struct Asked {
    /// As `auth` of a route.
    pub(super) auth: Value,
    pub(super) scopes: Vec<String>,
}

/// Reads `security` of an operation, or of the document; `None` where neither says any.
///
/// Alternatives become the list of a route's authenticators; an empty list is a public route. Fails
/// with one sentence on what a route cannot say.
pub(super) fn asked(
    documents: &Documents<'_>,
    operation: &Node<'_>,
) -> Result<Option<Asked>, String> {
    let said = operation
        .get("security")
        .or_else(|| documents.root().get("security"));
    let Some(said) = said else { return Ok(None) };
    let alternatives = said.items();
    let is_open = |node: &Node<'_>| node.members().is_empty();
    if alternatives.iter().all(is_open) {
        let asked = Asked {
            auth: json!("public"),
            scopes: Vec::new(),
        };
        return Ok(Some(asked));
    }
    if alternatives.iter().any(is_open) {
        return Err("`security` lets callers in with and without a credential: say `auth`".into());
    }
    let mut names: Vec<String> = Vec::new();
    let mut scopes: Option<Vec<String>> = None;
    for alternative in &alternatives {
        let members = alternative.members();
        let [(name, listed)] = members.as_slice() else {
            return Err(
                "`security` asks for two credentials at once, and a request has one: say `auth`"
                    .into(),
            );
        };
        let name = authenticator(documents, name);
        if !names.contains(&name) {
            names.push(name);
        }
        let mut these: Vec<String> = listed
            .items()
            .iter()
            .filter_map(|scope| scope.value.as_str().map(str::to_owned))
            .collect();
        these.sort();
        match &scopes {
            Some(known) if *known != these => {
                return Err("the alternatives of `security` differ in their scopes: say `auth` and `require`, in `x-edgeward` or a route of this id".into());
            }
            _ => scopes = Some(these),
        }
    }
    Ok(Some(Asked {
        auth: json!(names),
        scopes: scopes.unwrap_or_default(),
    }))
}

/// The authenticator of a security scheme: of its name, unless the scheme says another.
fn authenticator(documents: &Documents<'_>, scheme: &str) -> String {
    let known = documents.root().get("components");
    let known = known.and_then(|components| components.get("securitySchemes")?.get(scheme));
    let known = known.and_then(|scheme| documents.follow(&scheme).ok());
    let told = known
        .as_ref()
        .and_then(|scheme| scheme.text("x-edgeward-authenticator"));
    told.unwrap_or(scheme).to_owned()
}
