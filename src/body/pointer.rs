//! Which members of a JSON document a rule is about: a JSON Pointer (RFC 6901) in which `*` stands
//! for every item of an array and every member of an object.
//!
//! Owns: the form of a pointer and whether a step leads to a name. Does not own: finding the places
//! in a text (`body::edit`).

/// One place of a document, or several alike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldPointer {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Any,
    Name {
        name: String,
        /// Without case.
        folded: String,
        /// As the place of an item.
        index: Option<usize>,
    },
}

/// How names are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Names {
    /// Character by character.
    Exact,
    /// Without case: some readers of JSON take `Price` for `price`, so that a rule about the one
    /// has to hold for the other.
    AnyCase,
}

impl FieldPointer {
    /// Reads a pointer; `None` if it is none, or names the whole document.
    pub fn parse(text: &str) -> Option<Self> {
        let steps: Option<Vec<Step>> = text.strip_prefix('/')?.split('/').map(step).collect();
        Some(Self {
            text: text.to_owned(),
            steps: steps?,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of each step; `None` where it leads to any member or item.
    pub fn steps(&self) -> impl Iterator<Item = Option<&str>> {
        self.steps.iter().map(|step| match step {
            Step::Any => None,
            Step::Name { name, .. } => Some(name.as_str()),
        })
    }

    /// Whether the step at `depth` leads to the member `name`.
    pub fn leads_to(&self, depth: usize, name: &str, names: Names) -> bool {
        match (self.steps.get(depth), names) {
            (None, _) => false,
            (Some(Step::Any), _) => true,
            (Some(Step::Name { name: step, .. }), Names::Exact) => step == name,
            (
                Some(Step::Name {
                    name: step, folded, ..
                }),
                Names::AnyCase,
            ) => match step.is_ascii() && name.is_ascii() {
                true => step.eq_ignore_ascii_case(name),
                false => *folded == fold(name),
            },
        }
    }

    /// Whether the step at `depth` leads to the item at `index`.
    pub(super) fn leads_to_item(&self, depth: usize, index: usize) -> bool {
        match self.steps.get(depth) {
            None => false,
            Some(Step::Any) => true,
            Some(Step::Name { index: step, .. }) => *step == Some(index),
        }
    }

    pub(super) fn is_last(&self, depth: usize) -> bool {
        depth + 1 == self.steps.len()
    }
}

/// `~1` is `/` and `~0` is `~`; any other `~` is a fault (RFC 6901 §3).
fn step(token: &str) -> Option<Step> {
    if token == "*" {
        return Some(Step::Any);
    }
    let mut name = String::new();
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        name.push(match character {
            '~' => match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return None,
            },
            plain => plain,
        });
    }
    let is_index = name == "0" || !name.starts_with('0');
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let index = name.parse().ok().filter(|_| is_index && digits);
    let folded = fold(&name);
    Some(Step::Name {
        name,
        folded,
        index,
    })
}

/// A name without case: by way of capitals, so that the long s and the sign for kelvin become
/// letters, and of small letters before, so that the capital sharp s becomes what the small one does.
pub(crate) fn fold(name: &str) -> String {
    name.to_lowercase().to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(pointer: &str, name: &str, names: Names) -> bool {
        FieldPointer::parse(pointer)
            .unwrap()
            .leads_to(0, name, names)
    }

    #[test]
    fn a_step_leads_to_the_name_it_spells() {
        for (pointer, name) in [
            ("/a", "a"),
            ("/a~1b", "a/b"),
            ("/a~0b", "a~b"),
            ("/~01", "~1"),
            ("/*", "anything"),
            ("/", ""),
        ] {
            assert!(leads(pointer, name, Names::Exact), "{pointer}");
        }
        for (pointer, name) in [("/a", "A"), ("/a", "b"), ("/a", ""), ("/~01", "/")] {
            assert!(!leads(pointer, name, Names::Exact), "{pointer}");
        }
    }

    #[test]
    fn without_case_every_spelling_some_reader_takes_for_the_name_is_it() {
        for (pointer, name) in [
            ("/Price", "pRICE"),
            ("/kiss", "\u{212a}i\u{17f}\u{17f}"),
            ("/\u{e9}", "\u{c9}"),
            ("/stra\u{df}e", "STRA\u{1e9e}E"),
            ("/stra\u{1e9e}e", "stra\u{df}e"),
        ] {
            assert!(leads(pointer, name, Names::AnyCase), "{pointer}");
            assert!(!leads(pointer, name, Names::Exact), "{pointer}");
        }
    }

    #[test]
    fn an_item_has_one_number() {
        let leads = |pointer: &str, index| {
            FieldPointer::parse(pointer)
                .unwrap()
                .leads_to_item(0, index)
        };
        assert!(leads("/0", 0) && leads("/10", 10) && leads("/*", 7));
        assert!(!leads("/00", 0) && !leads("/01", 1) && !leads("/-", 0) && !leads("/", 0));
    }

    #[test]
    fn what_is_no_pointer_is_none() {
        for text in ["", "a", "a/b", "/~", "/~2", "/a/~"] {
            assert_eq!(FieldPointer::parse(text), None, "{text}");
        }
    }
}
