use super::*;
use crate::body::content::{ContentFault, ContentRules, FORM, MULTIPART};
use crate::body::json::BODY_LIMITS;
use crate::body::schema::Compiler;

fn with(content: Value) -> Value {
    document(json!({ "requestBody": { "required": true, "content": content } }))
}

/// What the rules of content of one type say of `bytes`.
fn told(document: &Value, media_type: &str, bytes: &str) -> Vec<String> {
    let Imported { policy, .. } = made(document);
    let none = serde_json::Map::new();
    let named = policy["schemas"].as_object().unwrap_or(&none);
    let schema = &policy["routes"][0]["request"]["bodies"][media_type];
    assert!(!schema.is_null(), "{}", policy["routes"]);
    let rules = ContentRules::compile(media_type, Some(schema), &Compiler::new(named), BODY_LIMITS)
        .unwrap();
    let findings = match rules.read(bytes.as_bytes(), "multipart/form-data; boundary=xx") {
        Ok(content) => rules.judge(&content),
        Err(ContentFault::Fields(findings)) => findings,
        Err(fault) => return vec![format!("{fault:?}")],
    };
    let told = findings.iter();
    told.map(|one| format!("{} {}", one.pointer, one.keyword))
        .collect()
}

fn notes(document: &Value) -> Vec<String> {
    let report = made(document).report;
    let notes = report["not_enforced"].as_array().unwrap().iter();
    notes
        .map(|note| note["problem"].as_str().unwrap().to_owned())
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn each_type_is_judged_or_passes_unread_and_is_listed() {
    let document = with(json!({
        "application/json": { "schema": { "type": "object" } },
        "application/vnd.a+json; version=1": {},
        "application/xml": { "schema": { "type": "object" } },
        "Text/Plain": { "schema": { "type": "string" } },
        "image/*": {}
    }));
    let request = route(&document).unwrap()["request"].clone();
    assert_eq!(
        request["bodies"],
        json!({ "application/json": { "type": "object" }, "application/vnd.a+json": {} })
    );
    assert_eq!(request["opaque"], json!(["application/xml", "text/plain"]));
    assert_eq!(request.get("optional"), None);
    assert_eq!(
        notes(&document),
        [
            "content of type application/xml passes unread: no rule can judge XML",
            "content of type text/plain passes unread",
            "content of type image/* is refused beside types that have names",
        ]
    );
}

#[test]
fn content_that_has_no_name_or_no_rule_is_listed() {
    for (content, problems) in [
        (
            json!({ "*/*": { "schema": {} } }),
            &[
                "content of type */* is not checked",
                "`required` of content that is not read is not asked for",
            ][..],
        ),
        (
            json!({}),
            &[
                "content without a type is not checked",
                "`required` of content that is not read is not asked for",
            ],
        ),
    ] {
        let document = with(content);
        assert_eq!(notes(&document), problems);
        let request = route(&document).unwrap()["request"].clone();
        assert_eq!([request.get("bodies"), request.get("opaque")], [None, None]);
    }
    for (content, problem) in [
        (json!({ "json": {} }), "no media type"),
        (
            json!({ "application/json; v=1": { "schema": { "type": "object" } }, "application/json; v=2": { "schema": {} } }),
            "two schemas",
        ),
        (
            json!({ "application/json": { "schema": { "$ref": "#/nowhere" } } }),
            "leads nowhere",
        ),
        (
            json!({ "application/json": { "schema": { "pattern": "(?=a)" } } }),
            "its content of type application/json",
        ),
    ] {
        let told = route(&with(content)).unwrap_err();
        assert!(told.contains(problem), "{told}");
    }
    let types = |count: usize| {
        let types = (0..count).map(|index| (format!("application/a{index}"), json!({})));
        route(&with(Value::Object(types.collect())))
    };
    assert!(types(20).is_ok());
    assert!(types(21).unwrap_err().contains("more than 20 types"));
}

#[test]
fn what_stands_nearer_takes_types_away() {
    let document = with(json!({
        "application/json": { "schema": {} }, "application/a+json": { "schema": {} }
    }));
    let request = |said: Value| {
        let own = json!({ "routes": [{ "id": "make", "request": said }] });
        let merged = run(&policy(own), &json!({ "api.json": document })).unwrap();
        let request = &merged.policy["routes"][0]["request"];
        json!([
            request["bodies"],
            request["body"],
            request["content_types"],
            request["opaque"]
        ])
    };
    assert_eq!(
        request(json!({ "body": { "type": "array" } })),
        json!([null, { "type": "array" }, null, null])
    );
    assert_eq!(
        request(json!({ "content_types": ["application/json"] })),
        json!([{ "application/json": {} }, null, null, null])
    );
    assert_eq!(
        request(json!({ "opaque": ["application/a+json"] })),
        json!([{ "application/json": {} }, null, null, ["application/a+json"]])
    );
    assert_eq!(
        request(json!({ "bodies": { "application/json": { "type": "array" } } })),
        json!([{ "application/json": { "type": "array" } }, null, null, null])
    );
}

fn form(schema: Value, encoding: Value) -> Value {
    let mut document = with(json!({ FORM: { "schema": schema, "encoding": encoding } }));
    document["components"] = json!({ "schemas": {
        "Base": { "type": "object", "required": ["id"], "properties": { "id": { "$ref": "#/components/schemas/Id" } } },
        "Id": { "type": "integer", "minimum": 1 }
    } });
    document
}

#[test]
fn fields_of_a_form_are_judged_by_type_and_style_also_through_references() {
    let document = form(
        json!({ "allOf": [{ "$ref": "#/components/schemas/Base" }, { "type": "object", "properties": {
            "tags": { "type": "array", "items": { "enum": ["a", "b"] } },
            "sizes": { "type": "array", "items": { "type": "integer" } },
            "range": { "type": "object", "additionalProperties": false, "properties": { "gt": { "type": "integer" } } },
            "made": { "type": "string", "readOnly": true }
        } }] }),
        json!({ "sizes": { "explode": false }, "range": { "style": "deepObject", "explode": true } }),
    );
    for (text, findings) in [
        (
            "id=1&tags=a&tags=b&sizes=1,2&range[gt]=5&other=x",
            &NONE[..],
        ),
        ("tags=a", &["/id required"]),
        ("id=0", &["/id minimum"]),
        ("id=1&id=2", &["/id duplicateName"]),
        ("id=1&tags=c", &["/tags/0 enum"]),
        ("id=1&sizes=1,x", &["/sizes/1 type"]),
        ("id=1&range[gt]=x", &["/range/gt type"]),
        ("id=1&range[lt]=1", &["/range/lt additionalProperties"]),
        ("id=1&range[gt][gt]=1", &["/range[gt][gt] style"]),
        ("id=1&made=x", &["/made falseSchema"]),
    ] {
        assert_eq!(told(&document, FORM, text), findings, "{text}");
    }
    let none: [&str; 0] = [];
    assert_eq!(notes(&document), none);
}

#[test]
fn what_a_form_cannot_hold_is_listed() {
    let object = json!({ "type": "object", "properties": { "a": { "type": "object" } } });
    let document = form(
        json!({ "type": "object", "required": ["json", "deep", "xml"], "properties": {
            "json": object, "deep": object, "xml": { "type": "string" }
        } }),
        json!({
            "deep": { "style": "deepObject" }, "xml": { "contentType": "application/xml", "headers": {} },
            "lost": {}
        }),
    );
    assert_eq!(
        notes(&document),
        [
            "`encoding` of what is no field",
            "the field `json` of a form is not checked: content of another type in a text",
            "the field `deep` of a form is not checked: a list or an object within it",
            "`headers` of a form's field says nothing",
            "the field `xml` of a form is not checked: content of another type in a text",
        ]
    );
    assert_eq!(told(&document, FORM, "json={}&deep[a][b]=1&xml=<"), NONE);
    for (schema, why) in [
        (json!({ "oneOf": [{}] }), "`oneOf` of a form is not read"),
        (json!({ "type": "array" }), "`type` of a form is not read"),
        (
            json!({ "allOf": [{ "properties": { "a": {} } }, { "properties": { "a": {} } }] }),
            "two schemas speak of one field",
        ),
        (
            json!({ "allOf": [{ "additionalProperties": false }] }),
            "`additionalProperties` of a form is not read",
        ),
        (
            json!({ "properties": { "a": {} }, "patternProperties": {} }),
            "`patternProperties` of a form is not read",
        ),
    ] {
        let document = form(schema, json!({}));
        let told = format!("content of type {FORM} passes unread: {why}");
        assert!(notes(&document).contains(&told), "{:?}", notes(&document));
        assert_eq!(
            route(&document).unwrap()["request"]["opaque"],
            json!([FORM])
        );
    }
}

#[test]
fn a_form_is_closed_as_its_schema_and_the_policy_say() {
    let properties = json!({ "a": { "type": "string" } });
    let closed = form(
        json!({ "type": "object", "properties": properties, "additionalProperties": false }),
        json!({}),
    );
    assert_eq!(told(&closed, FORM, "b=1"), ["/b additionalProperties"]);
    let open = form(
        json!({ "type": "object", "properties": properties }),
        json!({}),
    );
    assert_eq!(told(&open, FORM, "b=1"), NONE);
    let policy = policy(json!({ "openapi_options": { "undeclared": "refuse" } }));
    let merged = run(&policy, &json!({ "api.json": open })).unwrap().policy;
    let rules = &merged["routes"][0]["request"]["bodies"][FORM];
    assert_eq!(rules["additionalProperties"], json!(false));
}

fn part(parameters: &str, media_type: &str, content: &str) -> String {
    let media_type = match media_type {
        "" => String::new(),
        given => format!("\r\nContent-Type: {given}"),
    };
    format!("--xx\r\nContent-Disposition: form-data; {parameters}{media_type}\r\n\r\n{content}\r\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn parts_are_files_json_and_text_as_the_document_says() {
    let document = with(json!({ MULTIPART: {
        "schema": { "type": "object", "required": ["photo"], "properties": {
            "photo": { "type": "string", "format": "binary", "maxLength": 3, "description": "a" },
            "more": { "type": "array", "maxItems": 1, "items": { "type": "string", "contentMediaType": "application/octet-stream" } },
            "count": { "type": "integer" },
            "meta": { "properties": { "a": { "type": "integer" } } },
            "svg": { "type": "string" }
        } },
        "encoding": {
            "photo": { "contentType": "image/png, image/jpeg" },
            "svg": { "contentType": "image/svg+xml" }
        }
    } }));
    let photo = part("name=\"photo\"; filename=\"a\"", "image/png", "1");
    let more = part("name=\"more\"; filename=\"a\"", "text/csv", "1");
    for (parts, findings) in [
        (vec![photo.clone()], &NONE[..]),
        (vec![more.clone()], &["/photo required"]),
        (vec![photo.clone(), more.clone()], &[]),
        (
            vec![photo.clone(), more.clone(), more.clone()],
            &["/more maxItems"],
        ),
        (
            vec![part("name=\"photo\"; filename=\"a\"", "image/gif", "1")],
            &["/photo contentMediaType"],
        ),
        (
            vec![part("name=\"photo\"; filename=\"a\"", "image/png", "1234")],
            &["/photo maxLength"],
        ),
        (
            vec![photo.clone(), part("name=\"count\"", "", "x")],
            &["/count type"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"meta\"", "application/json", "{\"a\":\"x\"}"),
            ],
            &["/meta/a type"],
        ),
        (
            vec![photo.clone(), part("name=\"meta\"", "", "{}")],
            &["/meta contentMediaType"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"svg\"; filename=\"a\"", "image/svg+xml", "<"),
            ],
            &[],
        ),
    ] {
        let text = parts.concat() + "--xx--\r\n";
        assert_eq!(told(&document, MULTIPART, &text), findings, "{text}");
    }
    assert_eq!(
        notes(&document),
        ["a part that is neither text nor JSON is taken with a filename alone"]
    );
}

#[test]
fn what_a_part_cannot_hold_is_listed() {
    let document = with(json!({ MULTIPART: {
        "schema": { "type": "object", "properties": {
            "file": { "type": "string", "format": "binary", "pattern": "a" },
            "text": { "type": "string" },
            "lists": { "type": "array", "items": { "allOf": [{ "type": "object" }] } }
        } },
        "encoding": {
            "file": { "contentType": "image/*", "headers": {}, "style": "form" },
            "text": { "contentType": "application/json" }
        }
    } }));
    assert_eq!(
        notes(&document),
        [
            "`headers` of a part: none but its type and name are taken",
            "`style` of a part is not read",
            "keyword `pattern` of a file is not enforced",
            "a file of type image/* may be of any type",
            "a part of text is taken as text/plain alone",
        ]
    );
    let list = part("name=\"lists\"", "application/json", "1");
    assert_eq!(
        told(&document, MULTIPART, &(list + "--xx--\r\n")),
        ["/lists/0 type", "/lists/0 type"]
    );
}
