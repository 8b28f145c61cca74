//! From a canonical path to a route: static segments before parameters, never a choice of two.
//!
//! Owns: path templates and matching. `matchit` walks the tree, so that ten thousand routes cost
//! what ten do.

use std::collections::HashMap;

use matchit::Router;

use crate::facts::Method;
use crate::path::{CanonicalPath, decode};

/// Longest path template, in bytes, and most parameters in one.
pub const TEMPLATE_BYTES_MAX: usize = 1_024;
pub const PARAMETERS_MAX: usize = 16;

/// `/v1/orders/{orderId}`; the last segment may be `{*rest}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    text: String,
    /// The same with its parameters numbered, so that two routes may name one differently.
    pattern: String,
    parameters: Vec<String>,
}

impl Template {
    /// Reads a template. Fails with one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("longer than {TEMPLATE_BYTES_MAX} bytes"));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err("does not start with /".into());
        };
        let mut pattern = String::new();
        let mut parameters: Vec<String> = Vec::new();
        let segments: Vec<&str> = rest.split('/').collect();
        for (index, segment) in segments.iter().enumerate() {
            pattern.push('/');
            let name = segment
                .strip_prefix('{')
                .and_then(|inner| inner.strip_suffix('}'));
            let Some(name) = name else {
                pattern.push_str(&literal(segment, index + 1 == segments.len())?);
                continue;
            };
            let (star, name) = match name.strip_prefix('*') {
                Some(name) if index + 1 == segments.len() => ("*", name),
                Some(_) => return Err("{*…} may only be the last segment".into()),
                None => ("", name),
            };
            if !is_name(name) {
                return Err(format!("{segment} is not a parameter name in braces"));
            }
            if parameters.iter().any(|known| known == name) {
                return Err(format!("{segment} stands twice"));
            }
            pattern.push_str(&format!("{{{star}p{}}}", parameters.len()));
            parameters.push(name.to_owned());
        }
        if parameters.len() > PARAMETERS_MAX {
            return Err(format!("more than {PARAMETERS_MAX} parameters"));
        }
        Ok(Self {
            text: text.to_owned(),
            pattern,
            parameters,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same for all templates that take the same paths.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Whether every segment of `path` with matrix parameters is a parameter that `takes` them.
    pub fn takes_matrix(&self, path: &CanonicalPath, takes: impl Fn(&str) -> bool) -> bool {
        let mut known = self.text.split('/');
        path.as_str().split('/').all(|segment| {
            let known = known.next().and_then(|known| known.strip_prefix('{'));
            let name = known.and_then(|known| known.strip_suffix('}'));
            let name = name.filter(|name| !name.starts_with('*'));
            !segment.contains(';') || name.is_some_and(&takes)
        })
    }
}

fn literal(segment: &str, last: bool) -> Result<String, String> {
    if segment.is_empty() && last {
        return Ok(String::new());
    }
    if segment.contains(['{', '}']) {
        return Err(format!(
            "{segment}: a parameter is a whole segment, as {{name}}"
        ));
    }
    match CanonicalPath::parse(&format!("/{segment}")) {
        Ok(path) if !segment.is_empty() => Ok(path.as_str().trim_start_matches('/').to_owned()),
        Ok(_) => Err("has an empty segment".into()),
        Err(fault) => Err(format!("{segment}: no request can match it ({fault:?})")),
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && name.len() <= 64
}

/// All routes of a gate.
#[derive(Clone, Default)]
pub struct RouteTable {
    router: Router<usize>,
    /// What `router` leads to: the methods of one pattern, and the route of each; none where it is closed.
    places: Vec<Vec<(Method, usize)>>,
    by_pattern: HashMap<String, usize>,
}

/// Where a request leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Match {
    Route {
        index: usize,
        parameters: Vec<String>,
    },
    /// The path exists, for these methods.
    OtherMethods(Vec<Method>),
    Nothing,
}

impl RouteTable {
    /// Adds route `index` under `template` for `methods`.
    ///
    /// Fails with the index of the route that already answers one of them there, or with a
    /// sentence where the tree cannot tell two templates apart.
    pub fn add(
        &mut self,
        template: &Template,
        methods: &[Method],
        index: usize,
    ) -> Result<(), Ambiguity> {
        let known = self.place(template)?;
        for method in methods {
            if let Some((_, other)) = known.iter().find(|(taken, _)| taken == method) {
                return Err(Ambiguity::Route {
                    other: *other,
                    method: *method,
                });
            }
            known.push((*method, index));
        }
        Ok(())
    }

    /// Has requests for `template` lead nowhere, though a template that says less would take them. A route
    /// of the same pattern answers all the same.
    pub fn close(&mut self, template: &Template) -> Result<(), Ambiguity> {
        self.place(template).map(|_| ())
    }

    /// The methods of a pattern, made where there are none.
    fn place(&mut self, template: &Template) -> Result<&mut Vec<(Method, usize)>, Ambiguity> {
        let place = match self.by_pattern.get(&template.pattern) {
            Some(place) => *place,
            None => {
                let place = self.places.len();
                self.router
                    .insert(&template.pattern, place)
                    .map_err(|_| Ambiguity::Tree)?;
                self.places.push(Vec::new());
                self.by_pattern.insert(template.pattern.clone(), place);
                place
            }
        };
        self.places.get_mut(place).ok_or(Ambiguity::Tree)
    }

    /// Finds the route of a request. A HEAD goes where its GET goes (RFC 9110 §9.3.2), unless a
    /// route names HEAD itself.
    pub fn find(&self, path: &CanonicalPath, method: Option<Method>) -> Match {
        let Ok(found) = self.router.at(path.as_str()) else {
            return Match::Nothing;
        };
        let place = self.places.get(*found.value);
        let Some(place) = place.filter(|place| !place.is_empty()) else {
            return Match::Nothing;
        };
        let of = |wanted: Method| place.iter().find(|(known, _)| *known == wanted);
        let route = method.and_then(|method| match method {
            Method::Head => of(Method::Head).or_else(|| of(Method::Get)),
            method => of(method),
        });
        match route {
            Some((_, index)) => Match::Route {
                index: *index,
                parameters: found
                    .params
                    .iter()
                    .map(|(_, value)| decode(value))
                    .collect(),
            },
            None => {
                let mut methods: Vec<_> = place.iter().map(|(method, _)| *method).collect();
                if methods.contains(&Method::Get) {
                    methods.push(Method::Head);
                }
                methods.sort();
                methods.dedup();
                Match::OtherMethods(methods)
            }
        }
    }
}

/// Two routes that one request could take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ambiguity {
    Route { other: usize, method: Method },
    Tree,
}

#[cfg(test)]
mod tests;
