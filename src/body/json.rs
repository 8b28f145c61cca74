//! JSON with one reading (RFC 8259, I-JSON RFC 7493 §2): what two parsers could read differently
//! is refused, so that what was judged here is what the origin reads.
//!
//! Owns: the strictness and its bounds. `serde_json` does the lexing.
//! Does not own: schemas (`body::schema`), the size while reading (`Ports::read`).

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::body::finding::push_token;

/// Bounds of one document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JsonLimits {
    /// Most nested arrays and objects.
    pub depth_max: usize,
    /// Most names in one object.
    pub names_max: usize,
    /// Most values in all.
    pub values_max: usize,
    /// Most items in one array.
    pub items_max: usize,
    /// Longest text, a name's too, in bytes of UTF-8 without escapes.
    pub string_bytes_max: usize,
    /// Most digits of one number, those of its exponent included.
    pub digits_max: usize,
}

/// For a request's content, where its route says nothing else.
pub const BODY_LIMITS: JsonLimits = JsonLimits {
    depth_max: 32,
    names_max: 1_000,
    values_max: 200_000,
    items_max: 100_000,
    string_bytes_max: 1 << 20,
    digits_max: 40,
};
/// For the header and the claims of a token.
pub const TOKEN_LIMITS: JsonLimits = JsonLimits {
    depth_max: 16,
    names_max: 128,
    values_max: 1_024,
    items_max: 1_024,
    string_bytes_max: 16 << 10,
    digits_max: 40,
};
/// For policies and key sets.
pub const POLICY_LIMITS: JsonLimits = JsonLimits {
    depth_max: 64,
    names_max: 20_000,
    values_max: 1_000_000,
    items_max: 100_000,
    string_bytes_max: 1 << 20,
    digits_max: 40,
};

/// Integers from here on are not the same number to every reader (RFC 7493 §2.2), unless they fit
/// 64 bits exactly; a double this large is not.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum JsonFault {
    Syntax { line: usize, column: usize },
    DuplicateName { pointer: String },
    TooDeep,
    TooManyNames { pointer: String },
    TooManyValues,
    TooManyItems { pointer: String },
    StringTooLong { pointer: String },
    TooManyDigits { line: usize, column: usize },
    NumberTooLarge { pointer: String },
    NulCharacter { pointer: String },
}

/// Reads one document, all of `bytes`.
///
/// Refuses beside what is not JSON: invalid UTF-8, lone surrogates, a byte order mark, text after
/// the document, repeated names (after unescaping), U+0000, integers no reader agrees on, and
/// whatever exceeds `limits`. Total: no input panics.
pub fn parse(bytes: &[u8], limits: JsonLimits) -> Result<Value, JsonFault> {
    parse_as(bytes, limits, true)
}

/// As [`parse`], and takes any number a double can hold, if not exactly: for content whose numbers
/// are passed on and compared with nothing.
pub fn parse_any_number(bytes: &[u8], limits: JsonLimits) -> Result<Value, JsonFault> {
    parse_as(bytes, limits, false)
}

fn parse_as(bytes: &[u8], limits: JsonLimits, is_exact: bool) -> Result<Value, JsonFault> {
    let state = State {
        limits,
        is_exact,
        ..State::default()
    };
    if let Some((line, column)) = long_number(bytes, limits.digits_max) {
        return Err(JsonFault::TooManyDigits { line, column });
    }
    let state = RefCell::new(state);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = Strict {
        state: &state,
        depth: 0,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| {
        let fault = state.borrow_mut().fault.take();
        fault.unwrap_or(JsonFault::Syntax {
            line: error.line(),
            column: error.column(),
        })
    })
}

/// Where the first number with more than `digits_max` digits stands, found before anything reads
/// it as one: its text is not kept. What is not JSON may hold one too, and is refused either way.
fn long_number(bytes: &[u8], digits_max: usize) -> Option<(usize, usize)> {
    let (mut line, mut start) = (1, 0);
    let (mut in_text, mut escaped, mut digits) = (false, false, 0);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'0'..=b'9' if digits == digits_max => return Some((line, index - start + 1)),
            b'0'..=b'9' => digits += 1,
            b'.' | b'e' | b'E' | b'+' | b'-' => {}
            b'\n' => (line, start, digits) = (line + 1, index + 1, 0),
            _ => digits = 0,
        }
    }
    None
}

struct State {
    limits: JsonLimits,
    is_exact: bool,
    values: usize,
    path: Vec<String>,
    fault: Option<JsonFault>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            limits: BODY_LIMITS,
            is_exact: true,
            values: 0,
            path: Vec::new(),
            fault: None,
        }
    }
}

impl State {
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.path
            .iter()
            .for_each(|name| push_token(&mut pointer, name));
        pointer
    }
}

/// Reads one value and everything below it.
#[derive(Clone, Copy)]
struct Strict<'a> {
    state: &'a RefCell<State>,
    depth: usize,
}

impl Strict<'_> {
    fn fail<E: serde::de::Error>(&self, fault: impl FnOnce(&State) -> JsonFault) -> E {
        let mut state = self.state.borrow_mut();
        let fault = fault(&state);
        state.fault.get_or_insert(fault);
        E::custom("refused")
    }

    fn below<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > self.state.borrow().limits.depth_max {
            return Err(self.fail(|_| JsonFault::TooDeep));
        }
        Ok(Self {
            state: self.state,
            depth,
        })
    }

    fn text<E: serde::de::Error>(&self, text: &str) -> Result<String, E> {
        if text.len() > self.state.borrow().limits.string_bytes_max {
            return Err(self.fail(|state| JsonFault::StringTooLong {
                pointer: state.pointer(),
            }));
        }
        if text.contains('\0') {
            return Err(self.fail(|state| JsonFault::NulCharacter {
                pointer: state.pointer(),
            }));
        }
        Ok(text.to_owned())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let too_many = {
            let mut state = self.state.borrow_mut();
            state.values += 1;
            state.values > state.limits.values_max
        };
        if too_many {
            return Err(self.fail(|_| JsonFault::TooManyValues));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let is_exact = self.state.borrow().is_exact;
        match Number::from_f64(value) {
            Some(number) if !is_exact || value.abs() < EXACT_MAX => Ok(Value::Number(number)),
            _ => Err(self.fail(|state| JsonFault::NumberTooLarge {
                pointer: state.pointer(),
            })),
        }
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let items_max = self.state.borrow().limits.items_max;
        let mut array = Vec::new();
        loop {
            if array.len() > items_max {
                return Err(self.fail(|state| JsonFault::TooManyItems {
                    pointer: state.pointer(),
                }));
            }
            self.state.borrow_mut().path.push(array.len().to_string());
            let Some(item) = items.next_element_seed(below)? else {
                break;
            };
            self.state.borrow_mut().path.pop();
            array.push(item);
        }
        self.state.borrow_mut().path.pop();
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let names_max = self.state.borrow().limits.names_max;
        let mut names = HashSet::new();
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let name = self.text::<A::Error>(&name)?;
            self.state.borrow_mut().path.push(name.clone());
            if !names.insert(name.clone()) {
                return Err(self.fail(|state| JsonFault::DuplicateName {
                    pointer: state.pointer(),
                }));
            }
            if names.len() > names_max {
                return Err(self.fail(|state| JsonFault::TooManyNames {
                    pointer: state.pointer(),
                }));
            }
            let value = members.next_value_seed(below)?;
            self.state.borrow_mut().path.pop();
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

impl JsonFault {
    /// Where in the document, as a JSON Pointer; empty where it is not known.
    pub fn pointer(&self) -> &str {
        match self {
            Self::DuplicateName { pointer }
            | Self::TooManyNames { pointer }
            | Self::TooManyItems { pointer }
            | Self::StringTooLong { pointer }
            | Self::NumberTooLarge { pointer }
            | Self::NulCharacter { pointer } => pointer,
            Self::Syntax { .. }
            | Self::TooDeep
            | Self::TooManyValues
            | Self::TooManyDigits { .. } => "",
        }
    }

    /// The name of the broken rule, for `errors[].keyword`.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::DuplicateName { .. } => "duplicateName",
            Self::TooDeep => "maxDepth",
            Self::TooManyNames { .. } => "maxNames",
            Self::TooManyValues => "maxValues",
            Self::TooManyItems { .. } => "maxItems",
            Self::StringTooLong { .. } => "maxBytes",
            Self::TooManyDigits { .. } => "maxDigits",
            Self::NumberTooLarge { .. } => "number",
            Self::NulCharacter { .. } => "nul",
        }
    }

    /// What is wrong and what to do, in a sentence each.
    pub fn explain(&self) -> (String, &'static str) {
        match self {
            Self::Syntax { line, column } => (
                format!("not JSON at line {line}, column {column}"),
                "Send one JSON document (RFC 8259), in UTF-8, without a byte order mark.",
            ),
            Self::DuplicateName { .. } => (
                "a name stands twice in one object".into(),
                "Send each name once.",
            ),
            Self::TooDeep => (
                "nested too deeply".into(),
                "Nest arrays and objects less deeply.",
            ),
            Self::TooManyNames { .. } => (
                "too many names in one object".into(),
                "Send fewer names in one object.",
            ),
            Self::TooManyValues => ("too many values".into(), "Send fewer values."),
            Self::TooManyItems { .. } => (
                "too many items in one array".into(),
                "Send fewer items in one array.",
            ),
            Self::StringTooLong { .. } => (
                "a text or a name that is too long".into(),
                "Send shorter text.",
            ),
            Self::TooManyDigits { line, column } => (
                format!("a number of too many digits at line {line}, column {column}"),
                "Send numbers of fewer digits.",
            ),
            Self::NumberTooLarge { .. } => (
                "a number that readers do not agree on".into(),
                "Send numbers below 2^53, or the number as a string.",
            ),
            Self::NulCharacter { .. } => {
                ("the character U+0000".into(), "Send text without U+0000.")
            }
        }
    }
}

#[cfg(test)]
mod tests;
