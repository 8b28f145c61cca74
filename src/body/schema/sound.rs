//! What is known of a document of schemas before the library is asked to compile it.
//!
//! Owns: which keywords of 2020-12 hold what their meta-schema asks for, told without compiling the
//! meta-schema. What is not known here is held against it.

use jsonschema::Draft;
use serde_json::{Map, Value};

use crate::body::graph::Graph;
use crate::body::schema::reader::target;

/// In order: of a document, the least of its keywords.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Known {
    /// Nothing: the meta-schema has to be asked.
    Nothing,
    /// It meets its meta-schema; whether it compiles is not known.
    Sound,
    /// It meets its meta-schema, compiles, and holds only what a `Reader` reads.
    Readable,
}

/// - `graph`: of `document`.
pub(super) fn known(document: &Value, draft: Draft, graph: &Graph<'_>) -> Known {
    if draft != Draft::Draft202012 {
        return Known::Nothing;
    }
    let of = |schema: &Value| match schema {
        Value::Bool(_) => Known::Readable,
        Value::Object(keywords) => of_keywords(document, schema, keywords),
        _ => Known::Nothing,
    };
    graph.schemas().map(of).min().unwrap_or(Known::Nothing)
}

fn of_keywords(document: &Value, schema: &Value, keywords: &Map<String, Value>) -> Known {
    let is_root = std::ptr::eq(document, schema);
    let known = keywords.iter().map(|(name, rule)| match name.as_str() {
        "$schema" | "schemas" if is_root => Known::Readable,
        "$ref" => known_if(
            target(document, rule).is_some_and(is_schema),
            Known::Readable,
        ),
        name => of_keyword(name, rule),
    });
    known.min().unwrap_or(Known::Readable)
}

fn of_keyword(name: &str, rule: &Value) -> Known {
    let (meets, known) = match name {
        "const" | "default" | "example" | "externalDocs" => (true, Known::Readable),
        "$comment" | "description" | "title" => (rule.is_string(), Known::Readable),
        "deprecated" | "readOnly" | "uniqueItems" | "writeOnly" => {
            (rule.is_boolean(), Known::Readable)
        }
        "examples" => (rule.is_array(), Known::Readable),
        "allOf" | "anyOf" | "enum" | "oneOf" => (is_filled(rule), Known::Readable),
        "$defs" | "definitions" | "properties" => (rule.is_object(), Known::Readable),
        "additionalProperties"
        | "contains"
        | "else"
        | "if"
        | "items"
        | "not"
        | "propertyNames"
        | "then" => (is_schema(rule), Known::Readable),
        "type" => (is_type(rule), Known::Readable),
        "exclusiveMaximum" | "exclusiveMinimum" | "maximum" | "minimum" => {
            (rule.is_number(), Known::Readable)
        }
        "multipleOf" => (
            rule.as_f64().is_some_and(|divisor| divisor > 0.0),
            Known::Readable,
        ),
        "maxItems" | "maxLength" | "maxProperties" | "minItems" | "minLength" | "minProperties" => {
            (is_length(rule), Known::Readable)
        }
        "required" => (are_names(rule), Known::Readable),
        "dependentRequired" => {
            let lists = rule.as_object();
            let meets = lists.is_some_and(|lists| lists.values().all(are_names));
            (meets, Known::Readable)
        }
        "contentEncoding" | "contentMediaType" | "format" | "pattern" => {
            (rule.is_string(), Known::Sound)
        }
        "contentSchema" | "unevaluatedItems" | "unevaluatedProperties" => {
            (is_schema(rule), Known::Sound)
        }
        // Lists, which `dependencies` could hold, are no schemas of a graph.
        "dependentSchemas" => {
            let meets = rule
                .as_object()
                .is_some_and(|schemas| schemas.values().all(is_schema));
            (meets, Known::Sound)
        }
        "patternProperties" => (rule.is_object(), Known::Sound),
        "maxContains" | "minContains" => (is_length(rule), Known::Sound),
        "prefixItems" => (is_filled(rule), Known::Sound),
        name => (name.starts_with("x-"), Known::Readable),
    };
    known_if(meets, known)
}

fn known_if(meets: bool, known: Known) -> Known {
    if meets { known } else { Known::Nothing }
}

fn is_schema(rule: &Value) -> bool {
    rule.is_object() || rule.is_boolean()
}

fn is_filled(rule: &Value) -> bool {
    rule.as_array().is_some_and(|items| !items.is_empty())
}

fn is_length(rule: &Value) -> bool {
    rule.as_u64()
        .is_some_and(|length| u32::try_from(length).is_ok())
}

fn is_type(rule: &Value) -> bool {
    const NAMES: [&str; 7] = [
        "array", "boolean", "integer", "null", "number", "object", "string",
    ];
    let is_name = |name: &Value| name.as_str().is_some_and(|name| NAMES.contains(&name));
    match rule {
        Value::Array(names) => is_filled(rule) && names.iter().all(is_name) && are_names(rule),
        name => is_name(name),
    }
}

/// Texts, each once.
fn are_names(rule: &Value) -> bool {
    let Some(names) = rule.as_array() else {
        return false;
    };
    let mut texts: Vec<_> = names.iter().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts.len() == names.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known_of(document: &Value) -> Known {
        let graph = Graph::read(document, Draft::Draft202012, false);
        graph.map_or(Known::Nothing, |graph| {
            known(document, Draft::Draft202012, &graph)
        })
    }

    /// Each keyword with each of these: what is known is so.
    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn what_is_known_is_what_the_meta_schema_and_the_library_say() {
        let values = [
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.5),
            json!(1.0),
            json!(5_000_000_000_u64),
            json!(u64::MAX),
            json!(1e300),
            json!(""),
            json!("string"),
            json!("#"),
            json!("#/properties/a"),
            json!("#/properties/b"),
            json!("#/properties/c"),
            json!("("),
            json!("no-such"),
            json!([]),
            json!([{}]),
            json!([1]),
            json!(["string"]),
            json!(["string", "string"]),
            json!(["string", "no-such"]),
            json!([true, false]),
            json!([null, 1]),
            json!({}),
            json!({ "a": {} }),
            json!({ "a": 1 }),
            json!({ "a": ["b"] }),
            json!({ "a": ["b", "b"] }),
            json!({ "a": [1] }),
            json!({ "type": "no-such" }),
        ];
        let names = "$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema \
            additionalProperties allOf anyOf const contains contentEncoding contentMediaType \
            contentSchema default definitions dependentRequired dependentSchemas deprecated \
            description else enum example examples exclusiveMaximum exclusiveMinimum externalDocs \
            format if items maxContains maxItems maxLength maxProperties maximum minContains \
            minItems minLength minProperties minimum multipleOf not oneOf pattern \
            patternProperties prefixItems properties propertyNames readOnly required schemas then \
            title type unevaluatedItems unevaluatedProperties uniqueItems writeOnly x-a";
        let (mut sound, mut readable) = (0, 0);
        for name in names.split_whitespace() {
            for value in &values {
                let mut document = json!({ "properties": { "a": true, "c": {} } });
                document[name] = value.clone();
                let known = known_of(&document);
                if known >= Known::Sound {
                    sound += 1;
                    let meets = jsonschema::draft202012::meta::is_valid(&document);
                    assert!(meets, "{document}");
                }
                if known == Known::Readable {
                    readable += 1;
                    let options = jsonschema::options().with_draft(Draft::Draft202012);
                    assert!(options.offline().build(&document).is_ok(), "{document}");
                }
            }
        }
        assert!(sound > 350 && readable > 300, "{sound} {readable}");
    }

    #[test]
    fn a_schema_is_as_known_as_the_least_known_in_it() {
        let readable = json!({ "properties": { "a": { "type": "string", "maxLength": 3 } } });
        assert_eq!(known_of(&readable), Known::Readable);
        let sound = json!({ "properties": { "a": { "pattern": "(" } } });
        assert_eq!(known_of(&sound), Known::Sound);
        let nothing = json!({ "properties": { "a": { "$id": "a" }, "b": { "pattern": "a" } } });
        assert_eq!(known_of(&nothing), Known::Nothing);
        let elsewhere = json!({ "$ref": "https://example.com" });
        assert_eq!(known_of(&elsewhere), Known::Nothing);
    }
}
