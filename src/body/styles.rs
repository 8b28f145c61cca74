//! Parameters that hold a list or an object in one way of the several that APIs write them
//! (OpenAPI 3.1 §4.8.12.2, RFC 6570 §3.2): in one text with separators, in names with brackets, as a
//! label or as matrix parameters of a path.
//!
//! Owns: taking them apart. A separator counts as one however it was encoded: a value of such a
//! list cannot hold it.
//! Called by: `body::parameters`.

use serde_json::{Map, Value};

/// In the schema of a parameter, names its style.
pub const STYLE: &str = "x-edgeward-style";
/// Most values of a list, and most members of an object, in one text.
const SEPARATED_MAX: usize = 1_000;

/// How one parameter is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// `a,b`, `a b` or `a|b`; an object as `k,v,k,v`.
    Separated(char),
    /// An object as `k=v,k=v`.
    Pairs,
    /// `name[a]=1&name[b]=2`.
    Deep,
    /// `.a`; `.a,b` or exploded `.a.b`; an object `.k,v` or exploded `.k=v`.
    Label { explodes: bool },
    /// `;name=a`; `;name=a,b` or exploded `;name=a;name=b`; an object `;name=k,v` or exploded `;k=v`.
    Matrix { explodes: bool },
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    One,
    List,
    Object,
}

/// A parameter taken apart.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Parts<'t> {
    One(&'t str),
    List(Vec<&'t str>),
    Object(Vec<(&'t str, &'t str)>),
}

/// Why a text cannot be taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Misread {
    /// It is written in another style.
    Style,
    /// More than [`SEPARATED_MAX`] values.
    TooMany,
}

impl Style {
    /// The style that a schema names; `None`: it names none. Fails on one that is not known.
    pub(super) fn of(rule: &Value) -> Result<Option<Self>, String> {
        let Some(said) = rule.get(STYLE) else {
            return Ok(None);
        };
        Ok(Some(match said.as_str() {
            Some("comma") => Self::Separated(','),
            Some("space") => Self::Separated(' '),
            Some("pipe") => Self::Separated('|'),
            Some("pairs") => Self::Pairs,
            Some("deep") => Self::Deep,
            Some("label") => Self::Label { explodes: false },
            Some("label_exploded") => Self::Label { explodes: true },
            Some("matrix") => Self::Matrix { explodes: false },
            Some("matrix_exploded") => Self::Matrix { explodes: true },
            _ => {
                return Err(format!(
                    "`{STYLE}` is comma, space, pipe, pairs, deep, label, label_exploded, matrix or matrix_exploded"
                ));
            }
        }))
    }

    /// Takes the text of parameter `name` apart; not for [`Style::Deep`], which is in names.
    pub(super) fn parts<'t>(
        self,
        shape: Shape,
        name: &str,
        text: &'t str,
    ) -> Result<Parts<'t>, Misread> {
        match self {
            // Without a word on its type, what has separators is a list.
            Self::Separated(separator) if shape == Shape::One => {
                separated(text, separator).map(Parts::List)
            }
            Self::Separated(separator) => within(shape, text, separator, false),
            Self::Pairs => within(shape, text, ',', true),
            Self::Deep => Err(Misread::Style),
            Self::Label { explodes } => {
                let text = text.strip_prefix('.').ok_or(Misread::Style)?;
                within(shape, text, if explodes { '.' } else { ',' }, explodes)
            }
            Self::Matrix { explodes: true } if shape == Shape::Object => {
                let text = text.strip_prefix(';').ok_or(Misread::Style)?;
                within(shape, text, ';', true)
            }
            Self::Matrix { explodes: true } if shape == Shape::List => {
                let text = text.strip_prefix(';').ok_or(Misread::Style)?;
                let values = separated(text, ';')?.into_iter();
                let values = values.map(|value| of_name(name, value).ok_or(Misread::Style));
                values.collect::<Result<_, _>>().map(Parts::List)
            }
            Self::Matrix { .. } => {
                let text = text.strip_prefix(';').ok_or(Misread::Style)?;
                let text = of_name(name, text).ok_or(Misread::Style)?;
                within(shape, text, ',', false)
            }
        }
    }
}

/// - `pairs`: whether a member of an object is `k=v`; else `k` and `v` follow each other.
fn within(shape: Shape, text: &str, separator: char, pairs: bool) -> Result<Parts<'_>, Misread> {
    if shape == Shape::One {
        return Ok(Parts::One(text));
    }
    let values = separated(text, separator)?;
    if shape == Shape::List {
        return Ok(Parts::List(values));
    }
    let members: Option<Vec<(&str, &str)>> = if pairs {
        values.iter().map(|pair| pair.split_once('=')).collect()
    } else {
        let pairs = values.chunks(2).map(|pair| match *pair {
            [key, value] => Some((key, value)),
            _ => None,
        });
        pairs.collect()
    };
    members.map(Parts::Object).ok_or(Misread::Style)
}

/// The value of `name=value`, or nothing of `name` alone (RFC 6570 §3.2.7).
fn of_name<'t>(name: &str, text: &'t str) -> Option<&'t str> {
    match text.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('='),
    }
}

fn separated(text: &str, separator: char) -> Result<Vec<&str>, Misread> {
    let values: Vec<&str> = text.split(separator).take(SEPARATED_MAX + 1).collect();
    match values.len() <= SEPARATED_MAX {
        true => Ok(values),
        false => Err(Misread::TooMany),
    }
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
    use serde_json::json;

    #[test]
    fn a_list_in_one_text_is_bounded_on_both_sides() {
        let list = |count: usize| vec!["a"; count].join(",");
        let full = list(SEPARATED_MAX);
        assert_eq!(
            separated(&full, ',').map(|values| values.len()),
            Ok(SEPARATED_MAX)
        );
        assert_eq!(
            separated(&list(SEPARATED_MAX + 1), ','),
            Err(Misread::TooMany)
        );
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

    /// As told: one value, a list in brackets, an object in braces.
    fn read(style: &str, shape: Shape, text: &str) -> String {
        let style = Style::of(&json!({ STYLE: style })).unwrap().unwrap();
        match style.parts(shape, "c", text) {
            Ok(Parts::One(value)) => value.to_owned(),
            Ok(Parts::List(values)) => format!("[{}]", values.join(" ")),
            Ok(Parts::Object(members)) => {
                let members = members.iter().map(|(key, value)| format!("{key}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
            }
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn every_style_is_read_as_the_specification_writes_it() {
        use Shape::{List, Object, One};
        for (style, shape, text, told) in [
            ("comma", List, "1,2", "[1 2]"),
            ("comma", Object, "R,1,G,2", "{R:1 G:2}"),
            ("comma", Object, "R,1,G", "Style"),
            ("comma", One, "1,2", "[1 2]"),
            ("space", Object, "R 1", "{R:1}"),
            ("pipe", Object, "R|1", "{R:1}"),
            ("pairs", Object, "R=1,G=2=3", "{R:1 G:2=3}"),
            ("pairs", Object, "R=1,G", "Style"),
            ("pairs", List, "1,2", "[1 2]"),
            ("label", One, ".1", "1"),
            ("label", One, ".1.5,2", "1.5,2"),
            ("label", One, "1", "Style"),
            ("label", List, ".1,2", "[1 2]"),
            ("label", List, ".1.2", "[1.2]"),
            ("label", Object, ".R,1", "{R:1}"),
            ("label_exploded", One, ".1", "1"),
            ("label_exploded", List, ".1.2", "[1 2]"),
            ("label_exploded", List, ".1,2", "[1,2]"),
            ("label_exploded", Object, ".R=1.G=2", "{R:1 G:2}"),
            ("label_exploded", Object, ".R,1", "Style"),
            ("matrix", One, ";c=1", "1"),
            ("matrix", One, ";c", ""),
            ("matrix", One, ";cc=1", "Style"),
            ("matrix", One, "c=1", "Style"),
            ("matrix", One, "1", "Style"),
            ("matrix", List, ";c=1,2", "[1 2]"),
            ("matrix", Object, ";c=R,1,G,2", "{R:1 G:2}"),
            ("matrix_exploded", One, ";c=1", "1"),
            ("matrix_exploded", List, ";c=1;c=2", "[1 2]"),
            ("matrix_exploded", List, ";c=1;d=2", "Style"),
            ("matrix_exploded", List, ";c=1,2", "[1,2]"),
            ("matrix_exploded", Object, ";R=1;G=2", "{R:1 G:2}"),
            ("matrix_exploded", Object, ";c=R,1", "{c:R,1}"),
        ] {
            assert_eq!(read(style, shape, text), told, "{style} {shape:?} {text}");
        }
    }
}
