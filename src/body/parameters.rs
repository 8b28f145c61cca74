//! Path, query, header and cookie parameters: text by nature, read by the types their schemas give.
//!
//! Owns: reading text as the schema's type, strictly, and repeated names. Text that is not exactly
//! a number or a boolean stays text, and then fails its schema.
//! Called by: `stage::inspected`.

use serde_json::{Map, Value};

use crate::body::finding::{FINDINGS_MAX, Finding, Location, push_token};
use crate::body::schema::{Compiler, Schema};

pub use crate::body::styles::STYLE;

mod kinds;
mod styled;

use kinds::{check_numbers, check_others, type_of};
use styled::Styled;

/// Rules for one set of parameters: an object schema over their names.
#[derive(Debug)]
pub struct ParameterRules {
    schema: Schema,
    types: Vec<(String, ParameterType)>,
    styled: Vec<Styled>,
    location: Location,
}

/// How the text of one parameter is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ParameterType {
    Text,
    Integer,
    Number,
    Boolean,
    Array(Scalar),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

impl ParameterRules {
    /// Compiles an object schema whose `properties` are the parameters.
    ///
    /// Fails as [`Compiler::compile`] does.
    pub fn compile(
        schema: &Value,
        compiler: &Compiler<'_>,
        location: Location,
    ) -> Result<Self, String> {
        let named = compiler.named();
        let asked = Self::asked(schema, named, location);
        let schema = resolve(schema, named);
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut types = Vec::new();
        let mut styled = Vec::new();
        for (name, written) in properties.into_iter().flatten() {
            let rule = resolve(written, named);
            let kind = type_of(rule, named);
            let style = Styled::of(name, (written, rule, kind), named, location)?;
            if location == Location::Cookie && matches!(kind, ParameterType::Array(_)) {
                return Err(format!("the cookie `{name}` holds one value, no list"));
            }
            styled.extend(style);
            check_numbers(name, rule, kind, named)?;
            types.push((spelled(name, location), kind));
        }
        check_others(schema, named)?;
        Ok(Self {
            schema: compiler.compile(&asked)?,
            types,
            styled,
            location,
        })
    }

    /// The schema that is compiled for one that is written.
    pub fn asked(schema: &Value, named: &Map<String, Value>, location: Location) -> Value {
        let schema = resolve(schema, named);
        match location {
            // Field names have no case (RFC 9110 §5.1); the schema is asked in lower case.
            Location::Header => lower_case_names(schema),
            Location::Body | Location::Cookie | Location::Path | Location::Query => schema.clone(),
        }
    }

    /// The parameters' names; of header fields in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|(name, _)| name.as_str())
    }

    /// Judges decoded names and values, all of them: a client sends header fields that no API
    /// knows, so rules over headers are better left open.
    pub fn judge<'a>(&self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Finding> {
        let (object, mut findings) = self.read(pairs);
        findings.extend(self.judge_object(&Value::Object(object)));
        findings
    }

    /// Reads decoded names and values by their types, and finds those that stand twice.
    pub(super) fn read<'a>(
        &self,
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> (Map<String, Value>, Vec<Finding>) {
        let mut object = Map::new();
        let mut findings = Vec::new();
        for (name, text) in pairs {
            if let Some(taken) = self.styled(&mut object, name, text) {
                findings.extend(taken.err());
                continue;
            }
            let declared = self.types.iter().find(|(known, _)| known == name);
            let kind = declared.map_or(ParameterType::Text, |(_, kind)| *kind);
            match (kind, object.get_mut(name)) {
                (ParameterType::Array(scalar), Some(Value::Array(items))) => {
                    items.push(read(scalar, text));
                }
                (ParameterType::Array(scalar), _) => {
                    object.insert(name.to_owned(), Value::Array(vec![read(scalar, text)]));
                }
                (_, Some(_)) => findings.push(repeated(self.location, name)),
                (kind, None) => {
                    object.insert(name.to_owned(), read(kind.scalar(), text));
                }
            }
        }
        findings.truncate(FINDINGS_MAX);
        (object, findings)
    }

    /// Whether there is a rule for this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.types.iter().any(|(known, _)| known == name)
    }

    /// Judges what was read.
    pub(super) fn judge_object(&self, object: &Value) -> Vec<Finding> {
        self.schema.judge(object, self.location)
    }
}

/// Origins differ in which of two values they take (OWASP ASVS 15.3.7).
pub(super) fn repeated(location: Location, name: &str) -> Finding {
    let mut pointer = String::new();
    push_token(&mut pointer, name);
    let (message, fix) = ("sent more than once", "Send it once.");
    Finding::new(location, &pointer, "duplicateName", message, fix)
}

impl ParameterType {
    fn scalar(self) -> Scalar {
        match self {
            Self::Text => Scalar::Text,
            Self::Integer => Scalar::Integer,
            Self::Number => Scalar::Number,
            Self::Boolean => Scalar::Boolean,
            Self::Array(scalar) => scalar,
        }
    }
}

/// A name as it is looked up: field names have no case (RFC 9110 §5.1).
fn spelled(name: &str, location: Location) -> String {
    match location {
        Location::Header => name.to_ascii_lowercase(),
        Location::Body | Location::Cookie | Location::Path | Location::Query => name.to_owned(),
    }
}

/// Most references that are followed one after another.
const REFERENCES_MAX: usize = 16;

/// The named schema that `rule` refers to, or `rule` itself.
pub(super) fn resolve<'a>(rule: &'a Value, named: &'a Map<String, Value>) -> &'a Value {
    let mut rule = rule;
    for _ in 0..REFERENCES_MAX {
        let name = rule.get("$ref").and_then(Value::as_str);
        let target = name.and_then(|name| named.get(name.strip_prefix("#/schemas/")?));
        let Some(target) = target else { break };
        rule = target;
    }
    rule
}

fn lower_case_names(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let lower = std::mem::take(properties).into_iter();
        *properties = lower
            .map(|(name, rule)| (name.to_ascii_lowercase(), rule))
            .collect();
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        for name in required {
            *name = Value::from(name.as_str().unwrap_or_default().to_ascii_lowercase());
        }
    }
    schema
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads text as JSON would write the value; anything else stays text and fails the schema.
fn read(scalar: Scalar, text: &str) -> Value {
    let parsed = match scalar {
        Scalar::Text => None,
        Scalar::Boolean if matches!(text, "true" | "false") => Some(Value::Bool(text == "true")),
        // `1e1` is ten to JSON and one to many who read integers.
        Scalar::Integer if !is_plain_integer(text) => None,
        // The lexer would pass over white space around a number; a parameter has none.
        Scalar::Integer | Scalar::Number if !text.contains(char::is_whitespace) => {
            serde_json::from_str(text).ok().filter(Value::is_number)
        }
        Scalar::Boolean | Scalar::Integer | Scalar::Number => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(location: Location, pairs: &[(&str, &str)]) -> Vec<String> {
        let schema = json!({
            "additionalProperties": location == Location::Header,
            "required": ["Page"],
            "properties": {
                "Page": { "type": "integer", "minimum": 1 },
                "tag": { "type": "array", "items": { "type": "string", "maxLength": 3 } },
                "deep": { "type": "boolean" }
            }
        });
        let rules =
            ParameterRules::compile(&schema, &Compiler::new(&Map::new()), location).unwrap();
        let findings = rules.judge(pairs.iter().copied());
        findings
            .iter()
            .map(|finding| format!("{} {}", finding.pointer, finding.keyword))
            .collect()
    }

    #[test]
    fn text_is_read_as_its_type_and_only_exactly() {
        use Location::Query;
        let none: [&str; 0] = [];
        assert_eq!(
            told(
                Query,
                &[("Page", "2"), ("tag", "a"), ("tag", "b"), ("deep", "true")]
            ),
            none
        );
        for page in [
            "02", "+2", " 2", "2.5", "2.0", "2e0", "-0x2", "0x2", "", "-", "two", "1e999",
        ] {
            assert_eq!(told(Query, &[("Page", page)]), ["/Page type"], "{page:?}");
        }
        assert_eq!(told(Query, &[("Page", "0")]), ["/Page minimum"]);
        assert_eq!(
            told(Query, &[("Page", "1"), ("deep", "yes")]),
            ["/deep type"]
        );
        assert_eq!(
            told(Query, &[("Page", "1"), ("tag", "long")]),
            ["/tag/0 maxLength"]
        );
    }

    #[test]
    fn unknown_repeated_and_missing_parameters_are_told() {
        use Location::Query;
        assert_eq!(told(Query, &[]), ["/Page required"]);
        assert_eq!(
            told(Query, &[("Page", "1"), ("x", "1")]),
            ["/x additionalProperties"]
        );
        assert_eq!(
            told(Query, &[("Page", "1"), ("Page", "2")]),
            ["/Page duplicateName"]
        );
    }

    #[test]
    fn lists_and_objects_are_read_in_the_style_that_the_schema_names() {
        let schema = json!({
            "additionalProperties": false,
            "properties": {
                "ids": { "type": "array", "maxItems": 2, "items": { "type": "integer" }, STYLE: "comma" },
                "or": { "type": "array", "items": { "enum": ["a", "b"] }, STYLE: "pipe" },
                "f": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": { "n": { "type": "integer" } },
                    STYLE: "deep"
                }
            }
        });
        let rules =
            ParameterRules::compile(&schema, &Compiler::new(&Map::new()), Location::Query).unwrap();
        let told = |pairs: &[(&str, &str)]| {
            let findings = rules.judge(pairs.iter().copied());
            let told = findings
                .iter()
                .map(|one| format!("{} {}", one.pointer, one.keyword));
            told.collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(told(&[("ids", "1,2"), ("or", "a|b"), ("f[n]", "3")]), none);
        assert_eq!(told(&[("ids", "1,2,3")]), ["/ids maxItems"]);
        assert_eq!(told(&[("ids", "1,x")]), ["/ids/1 type"]);
        assert_eq!(told(&[("ids", "1"), ("ids", "2")]), ["/ids duplicateName"]);
        assert_eq!(told(&[("or", "a,b")]), ["/or/0 enum"]);
        assert_eq!(told(&[("f[n]", "x")]), ["/f/n type"]);
        assert_eq!(told(&[("f[m]", "1")]), ["/f/m additionalProperties"]);
        assert_eq!(
            told(&[("f[n]", "1"), ("f[n]", "1")]),
            ["/f[n] duplicateName"]
        );
        assert_eq!(told(&[("f", "1")]), ["/f type"]);
        assert_eq!(told(&[("f[n][n]", "1")]), ["/f[n][n] style"]);
        let unknown = json!({ "properties": { "a": { STYLE: "tab" } } });
        assert!(
            ParameterRules::compile(&unknown, &Compiler::new(&Map::new()), Location::Query)
                .is_err()
        );
    }

    #[test]
    fn header_names_have_no_case_and_others_are_left_alone() {
        let none: [&str; 0] = [];
        assert_eq!(
            told(Location::Header, &[("page", "1"), ("user-agent", "x")]),
            none
        );
        assert_eq!(told(Location::Header, &[("page", "x")]), ["/page type"]);
    }
}
