//! Parameters that hold a list or an object in one way of several.
//!
//! Owns: which of them a name belongs to. Does not own: the ways (`body::styles`). Called by: `body::parameters`.

use serde_json::{Map, Value};

use super::{ParameterRules, Scalar, Styled, read};
use crate::body::finding::Finding;
use crate::body::styles::{Style, bracketed, put, separated};

impl ParameterRules {
    /// Takes a parameter that has a style; `None`: it has none.
    pub(super) fn styled(
        &self,
        object: &mut Map<String, Value>,
        name: &str,
        text: &str,
    ) -> Option<Result<(), Finding>> {
        let known = |wanted: &str| self.styled.iter().find(|one| one.name == wanted);
        let fault = |keyword: &str, message: &str, fix: &str| {
            Finding::new(self.location, &format!("/{name}"), keyword, message, fix)
        };
        let twice = || fault("duplicateName", "sent more than once", "Send it once.");
        if let Some(Styled { style, scalar, .. }) = known(name) {
            let Style::Separated(separator) = style else {
                // An object that came as one value: of another type, for its schema to say.
                object.insert(name.to_owned(), Value::from(text));
                return Some(Ok(()));
            };
            let Some(values) = separated(text, *separator) else {
                return Some(Err(fault("maxItems", "too many items", "Send fewer.")));
            };
            let values = values.into_iter().map(|text| read(*scalar, text)).collect();
            return Some(match object.insert(name.to_owned(), Value::Array(values)) {
                None => Ok(()),
                Some(_) => Err(twice()),
            });
        }
        let (above, key) = bracketed(name)?;
        let found = known(above).filter(|one| one.style == Style::Deep)?;
        let kind = found.members.iter().find(|(member, _)| member == key);
        let kind = kind.map_or(Scalar::Text, |(_, kind)| kind.scalar());
        let put = put(object, above, key, read(kind, text));
        Some(put.map_err(|()| twice()))
    }
}
