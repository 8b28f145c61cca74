//! One thing wrong with what a caller sent: where, what, and what to send instead; never the value.
//!
//! Owns: the shape of `errors[]` in a problem document, and its bounds.

use serde::Serialize;

/// Most findings told at once.
pub const FINDINGS_MAX: usize = 20;
/// Longest pointer told, in bytes: names in it are the caller's own.
pub const POINTER_BYTES_MAX: usize = 256;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    Body,
    Path,
    Query,
    Header,
    Cookie,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    pub location: Location,
    /// RFC 6901; for a parameter, `/` and its name.
    pub pointer: String,
    /// The rule that failed: a JSON Schema keyword, or one of this project's own.
    pub keyword: String,
    pub message: String,
    pub fix: String,
}

impl Finding {
    pub fn new(
        location: Location,
        pointer: &str,
        keyword: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            location,
            pointer: clip(pointer, POINTER_BYTES_MAX),
            keyword: keyword.to_owned(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

/// Cuts `text` at a character's edge so that it has at most `bytes_max` bytes, and takes out
/// what could steer a terminal or a reader: control characters and bidirectional overrides.
pub fn clip(text: &str, bytes_max: usize) -> String {
    let mut clipped = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars().filter(|character| !is_steering(*character)) {
        if clipped.len() + character.len_utf8() > bytes_max {
            break;
        }
        clipped.push(character);
    }
    clipped
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

/// Most names that are told of those that there are, and most bytes of each.
const NAMES_TOLD_MAX: usize = 12;
const NAME_BYTES_TOLD_MAX: usize = 64;

/// The first of `names` as one text, for whoever wrote a name that is none of them; empty for none.
pub fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names = names.take(NAMES_TOLD_MAX);
    let names: Vec<String> = names.map(|name| clip(name, NAME_BYTES_TOLD_MAX)).collect();
    names.join(", ")
}

/// Appends one name to a JSON Pointer (RFC 6901 §3: `~` is `~0`, `/` is `~1`).
pub fn push_token(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_text_is_bounded_and_steers_nothing() {
        assert_eq!(clip("a\u{1b}[31m\u{202e}b\r\n", 256), "a[31mb");
        assert_eq!(clip("caf\u{e9}", 5), "caf\u{e9}");
        assert_eq!(clip("caf\u{e9}", 4), "caf");
    }

    #[test]
    fn so_many_names_are_listed_and_so_much_of_each() {
        assert_eq!(listed([].into_iter()), "");
        assert_eq!(listed(["a", "b\u{1b}c"].into_iter()), "a, bc");
        let long = "a".repeat(NAME_BYTES_TOLD_MAX + 1);
        assert_eq!(
            listed([long.as_str()].into_iter()).len(),
            NAME_BYTES_TOLD_MAX
        );
        let count = |names: usize| listed(vec!["a"; names].into_iter()).matches('a').count();
        assert_eq!(
            [count(NAMES_TOLD_MAX), count(NAMES_TOLD_MAX + 1)],
            [NAMES_TOLD_MAX; 2]
        );
    }

    #[test]
    fn a_pointer_escapes_what_separates() {
        let mut pointer = String::new();
        push_token(&mut pointer, "a/b~c");
        assert_eq!(pointer, "/a~1b~0c");
    }
}
