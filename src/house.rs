//! What the gateway answers itself: under `/.edgeward/` health, the pages that explain problems, and
//! the keys that sign statements; and the API's metadata. No policy can route here.

use serde_json::{Value, json};

use crate::policy::gate::Gate;
use crate::resource::{METADATA_PATH, metadata};

/// Where the gateway answers itself.
pub const PATH: &str = "/.edgeward/";
const PROBLEMS: &str = include_str!("../schemas/problems.json");

/// An answer of the gateway's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    pub status: u16,
    pub content_type: &'static str,
    pub text: String,
    /// The name of the page in the log.
    pub name: &'static str,
    /// Whether a cache may keep it for a while.
    pub may_be_kept: bool,
}

/// Whether a path, raw or canonical, is the gateway's own.
pub fn is_own(path: &str) -> bool {
    let is_at = |own: &str| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_at(PATH.trim_end_matches('/')) || is_at(METADATA_PATH)
}

/// The page at `raw_path`; `None` if there is none.
///
/// - `base`: the URL of this API, without a path.
pub fn page(raw_path: &str, gate: Option<&Gate>, base: &str) -> Option<Page> {
    if raw_path == METADATA_PATH {
        return metadata(gate?, base).map(|document| Page {
            status: 200,
            content_type: "application/json",
            text: document.to_string(),
            name: "edgeward:resource",
            may_be_kept: true,
        });
    }
    let name = raw_path.strip_prefix(PATH)?;
    match name {
        "health" => Some(health(gate)),
        "jwks.json" => gate?.identity_keys.as_ref().map(|keys| Page {
            status: 200,
            content_type: "application/jwk-set+json",
            text: keys.jwks().to_string(),
            name: "edgeward:jwks",
            may_be_kept: true,
        }),
        _ => name.strip_prefix("problems/").and_then(problem_page),
    }
}

fn health(gate: Option<&Gate>) -> Page {
    let (status, word) = if gate.is_some() {
        (200, "ok")
    } else {
        (503, "no usable policy")
    };
    Page {
        status,
        content_type: "application/json",
        text: json!({ "status": word }).to_string(),
        name: "edgeward:health",
        may_be_kept: false,
    }
}

/// A page a person reads: what the problem means and what to do.
fn problem_page(slug: &str) -> Option<Page> {
    let registry: Value = serde_json::from_str(PROBLEMS).ok()?;
    let entry = registry.get(slug)?;
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(marked);
    let status = entry.get("status").and_then(Value::as_u64)?;
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <h1>{title}</h1>\n<p><code>{slug}</code>, status {status}</p>\n\
         <h2>What it means</h2>\n<p>{meaning}</p>\n<h2>What to do</h2>\n<p>{fix}</p>\n</html>\n",
        title = text("title")?,
        slug = escape(slug),
        meaning = text("meaning")?,
        fix = text("what_to_do")?,
    );
    Some(Page {
        status: 200,
        content_type: "text/html; charset=utf-8",
        text: html,
        name: "edgeward:problem",
        may_be_kept: false,
    })
}

/// Text for a page; what stands between backticks is code.
fn marked(text: &str) -> String {
    let parts = escape(text);
    let mut parts = parts.split('`');
    let mut html = parts.next().unwrap_or_default().to_owned();
    while let Some(code) = parts.next() {
        html.push_str(&format!("<code>{code}</code>"));
        html.push_str(parts.next().unwrap_or_default());
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Slug;

    #[test]
    fn every_problem_has_a_page_that_says_what_to_do() {
        for slug in Slug::ALL {
            let page = page(&format!("/.edgeward/problems/{}", slug.as_str()), None, "").unwrap();
            assert!(page.text.contains("What to do"), "{slug:?}");
            assert!(!page.text.contains('`'), "{slug:?}");
        }
        assert_eq!(page("/.edgeward/problems/none", None, ""), None, "");
        assert_eq!(page("/.edgeward/problems/", None, ""), None, "");
        assert_eq!(page("/.edgeward/jwks.json", None, ""), None, "");
    }
}
