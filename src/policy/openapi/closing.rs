//! What keeps an operation that is left out from being reached as another: where `GET /users/me` is not
//! routed, `/users/me` must not become an `{id}` of `/users/{id}`, whose rules are others.
//!
//! Owns: the paths that are closed, and which operations cannot be told from one that is left out.
//! Called by: `policy::openapi::entry`.

use std::collections::{BTreeMap, HashMap};

use crate::facts::Method;
use crate::policy::route_table::{PARAMETERS_MAX, TEMPLATE_BYTES_MAX, Template};

/// Operations that are left out, by where their requests would lead.
#[derive(Default)]
pub(super) struct Closing {
    /// By pattern: the path as it is written.
    paths: BTreeMap<String, String>,
    /// By pattern and method: what the operation is called.
    operations: HashMap<(String, Method), String>,
}

impl Closing {
    /// Closes the path of an operation called `name`.
    ///
    /// - `path`: of the document, under its base; a parameter may be a part of a segment.
    /// - `methods`: that it may have.
    ///
    /// Fails with one sentence where no template takes what `path` takes.
    pub(super) fn leave_out(
        &mut self,
        name: &str,
        path: &str,
        methods: &[Method],
    ) -> Result<(), String> {
        let Some(template) = closed(path)? else {
            return Ok(());
        };
        let pattern = template.pattern().to_owned();
        for method in methods {
            let key = (pattern.clone(), *method);
            self.operations
                .entry(key)
                .or_insert_with(|| name.to_owned());
        }
        let path = template.as_str().to_owned();
        self.paths.entry(pattern).or_insert(path);
        Ok(())
    }

    /// The operation that is left out and that requests for a route could be meant for.
    pub(super) fn taken_for(&self, template: &Template, methods: &[Method]) -> Option<&str> {
        let mut methods = methods.iter();
        methods.find_map(|method| {
            let key = (template.pattern().to_owned(), *method);
            self.operations.get(&key).map(String::as_str)
        })
    }

    pub(super) fn paths(self) -> Vec<String> {
        self.paths.into_values().collect()
    }
}

/// The template that takes all that `path` takes; `None`: no request can be for it.
fn closed(path: &str) -> Result<Option<Template>, String> {
    // Neither query nor fragment is a part of a path, though documents write them.
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parameters = 0;
    let segments = path.split('/').map(|segment| {
        if segment.contains(['{', '}']) {
            parameters += 1;
            return format!("{{p{parameters}}}");
        }
        segment.to_owned()
    });
    let text = segments.collect::<Vec<_>>().join("/");
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(format!("it is longer than {TEMPLATE_BYTES_MAX} bytes"));
    }
    if parameters > PARAMETERS_MAX {
        return Err(format!("it has more than {PARAMETERS_MAX} parameters"));
    }
    Ok(Template::parse(&text).ok())
}
