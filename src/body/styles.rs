//! Parameters that hold a list or an object in one way of the several that APIs write them
//! (OpenAPI 3.1 §4.8.12.2): a list in one text, an object in names with brackets.
//!
//! Owns: taking them apart. A separator counts as one however it was encoded: a value of such a
//! list cannot hold it.
//! Called by: `body::parameters`.

use serde_json::{Map, Value};

/// In the schema of a parameter, names its style.
pub const STYLE: &str = "x-edgeward-style";
/// Most values of a list in one text.
const SEPARATED_MAX: usize = 1_000;

/// How one parameter is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// `a,b`, `a b` or `a|b`.
    Separated(char),
    /// `name[a]=1&name[b]=2`.
    Deep,
}

impl Style {
    /// The style that a schema names; `None`: it names none. Fails on one that is not known.
    pub(super) fn of(rule: &Value) -> Result<Option<Self>, String> {
        let Some(said) = rule.get(STYLE) else {
            return Ok(None);
        };
        match said.as_str() {
            Some("comma") => Ok(Some(Self::Separated(','))),
            Some("space") => Ok(Some(Self::Separated(' '))),
            Some("pipe") => Ok(Some(Self::Separated('|'))),
            Some("deep") => Ok(Some(Self::Deep)),
            _ => Err(format!("`{STYLE}` is comma, space, pipe or deep")),
        }
    }
}

/// The values of a list; `None`: more than [`SEPARATED_MAX`].
pub(super) fn separated(text: &str, separator: char) -> Option<Vec<&str>> {
    let values: Vec<&str> = text.split(separator).take(SEPARATED_MAX + 1).collect();
    (values.len() <= SEPARATED_MAX).then_some(values)
}

/// The parts of `name[key]`; `None`: it is written otherwise, or is deeper.
pub(super) fn bracketed(name: &str) -> Option<(&str, &str)> {
    let (name, rest) = name.split_once('[')?;
    let key = rest.strip_suffix(']')?;
    (!name.is_empty() && !key.is_empty() && !key.contains(['[', ']'])).then_some((name, key))
}

/// Puts `value` under `name` and `key`. Fails where one is there already.
pub(super) fn put(
    object: &mut Map<String, Value>,
    name: &str,
    key: &str,
    value: Value,
) -> Result<(), ()> {
    let below = object
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()));
    match below.as_object_mut() {
        Some(members) if !members.contains_key(key) => {
            members.insert(key.to_owned(), value);
            Ok(())
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_one_text_is_bounded_on_both_sides() {
        let list = |count: usize| vec!["a"; count].join(",");
        let full = list(SEPARATED_MAX);
        assert_eq!(
            separated(&full, ',').map(|values| values.len()),
            Some(SEPARATED_MAX)
        );
        assert_eq!(separated(&list(SEPARATED_MAX + 1), ','), None);
    }

    #[test]
    fn a_name_in_brackets_has_one_reading() {
        assert_eq!(bracketed("filter[a]"), Some(("filter", "a")));
        for name in [
            "filter",
            "filter[",
            "filter[]",
            "[a]",
            "filter[a][b]",
            "filter[a",
            "filter[a]b",
            "filter]a[",
        ] {
            assert_eq!(bracketed(name), None, "{name}");
        }
    }
}
