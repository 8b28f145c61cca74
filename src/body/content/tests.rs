use super::*;
use crate::body::json::BODY_LIMITS;

fn rules(media_type: &str, schema: &Value) -> ContentRules {
    ContentRules::compile(
        media_type,
        Some(schema),
        &Compiler::new(&Map::new()),
        BODY_LIMITS,
    )
    .unwrap()
}

fn told(rules: &ContentRules, bytes: &[u8]) -> Vec<String> {
    let findings = match rules.read(bytes, "multipart/form-data; boundary=xx") {
        Ok(content) => rules.judge(&content),
        Err(ContentFault::Fields(findings)) => findings,
        Err(fault) => return vec![format!("{fault:?}")],
    };
    let told = findings
        .iter()
        .map(|one| format!("{} {}", one.pointer, one.keyword));
    told.collect()
}

const NONE: [&str; 0] = [];

#[test]
fn a_field_of_a_form_is_read_by_its_type_and_only_exactly() {
    let rules = rules(
        FORM,
        &json!({
            "additionalProperties": false,
            "required": ["amount"],
            "properties": {
                "amount": { "type": "integer", "minimum": 1 },
                "urgent": { "type": "boolean" },
                "tag": { "type": "array", "maxItems": 2, "items": { "type": "string", "maxLength": 3 } }
            }
        }),
    );
    let content = rules
        .read(b"amount=5&urgent=true&tag=a&tag=1", FORM)
        .unwrap();
    assert_eq!(
        content,
        json!({ "amount": 5, "urgent": true, "tag": ["a", "1"] })
    );
    for (text, findings) in [
        ("amount=5", &NONE[..]),
        ("", &["/amount required"]),
        ("amount=05", &["/amount type"]),
        ("amount=5.0", &["/amount type"]),
        ("amount=+5", &["/amount type"]),
        ("amount=0", &["/amount minimum"]),
        ("amount=5&amount=5", &["/amount duplicateName"]),
        (
            "amount=5&amount=6&admin=1",
            &["/amount duplicateName", "/admin additionalProperties"],
        ),
        ("amount=5&tag=a&tag=b&tag=c", &["/tag maxItems"]),
        ("amount=5&tag=long", &["/tag/0 maxLength"]),
        ("amount=5&tag[]=a", &["/tag[] additionalProperties"]),
        ("amount=5&urgent=1", &["/urgent type"]),
        ("amount=%", &["Form(Encoding)"]),
    ] {
        assert_eq!(told(&rules, text.as_bytes()), findings, "{text}");
    }
}

fn part(parameters: &str, media_type: &str, content: &str) -> String {
    let media_type = match media_type {
        "" => String::new(),
        given => format!("\r\nContent-Type: {given}"),
    };
    format!("--xx\r\nContent-Disposition: form-data; {parameters}{media_type}\r\n\r\n{content}\r\n")
}

fn form(parts: &[String]) -> Vec<u8> {
    (parts.concat() + "--xx--\r\n").into_bytes()
}

fn upload() -> ContentRules {
    rules(
        MULTIPART,
        &json!({
            "additionalProperties": false,
            "required": ["photo"],
            "properties": {
                "amount": { "type": "integer", "maximum": 9 },
                "photo": { "type": "string", "format": "binary", "minLength": 1, "maxLength": 4, "contentMediaType": "image/png, image/jpeg" },
                "more": { "type": "array", "maxItems": 2, "items": { "contentMediaType": "text/csv", "maxLength": 9 } },
                "meta": { "type": "object", "additionalProperties": false, "properties": { "a": { "type": "integer" } } }
            }
        }),
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn files_are_judged_by_size_and_type_and_json_as_json() {
    let photo = part(
        "name=\"photo\"; filename=\"a.png\"",
        "image/png",
        "\u{1}\u{2}",
    );
    let csv = part("name=\"more\"; filename=\"a.csv\"", "text/csv", "1,2");
    let whole = form(&[
        part("name=\"amount\"", "text/plain; charset=UTF-8", "7"),
        photo.clone(),
        csv.clone(),
        csv.clone(),
        part("name=\"meta\"", "application/json", r#"{"a":1}"#),
    ]);
    let content = upload()
        .read(&whole, "multipart/form-data; boundary=xx")
        .unwrap();
    assert_eq!(
        content,
        json!({
            "amount": 7,
            "photo": { "filename": "a.png", "type": "image/png", "bytes": 2 },
            "more": [{ "filename": "a.csv", "type": "text/csv", "bytes": 3 }, { "filename": "a.csv", "type": "text/csv", "bytes": 3 }],
            "meta": { "a": 1 }
        })
    );
    assert_eq!(upload().judge(&content), []);
    let file =
        |parameters: &str, media_type: &str, content: &str| part(parameters, media_type, content);
    for (parts, findings) in [
        (vec![], &["Form(Framing)"][..]),
        (vec![photo.clone()], &[]),
        (vec![csv.clone()], &["/photo required"]),
        (
            vec![file("name=\"photo\"; filename=\"a\"", "image/png", "12345")],
            &["/photo maxLength"],
        ),
        (
            vec![file("name=\"photo\"; filename=\"a\"", "IMAGE/JPEG", "1234")],
            &[],
        ),
        (
            vec![file("name=\"photo\"; filename=\"a\"", "image/png", "")],
            &["/photo minLength"],
        ),
        (
            vec![file("name=\"photo\"; filename=\"a\"", "image/svg+xml", "1")],
            &["/photo contentMediaType"],
        ),
        (
            vec![file("name=\"photo\"; filename=\"a\"", "", "1")],
            &["/photo contentMediaType"],
        ),
        (
            vec![file("name=\"photo\"", "image/png", "1")],
            &["/photo file"],
        ),
        (
            vec![photo.clone(), photo.clone()],
            &["/photo duplicateName"],
        ),
        (
            vec![photo.clone(), csv.clone(), csv.clone(), csv.clone()],
            &["/more maxItems"],
        ),
        (
            vec![photo.clone(), part("name=\"amount\"", "", "10")],
            &["/amount maximum"],
        ),
        (
            vec![photo.clone(), part("name=\"amount\"", "", "1 ")],
            &["/amount type"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"amount\"; filename=\"a\"", "", "1"),
            ],
            &["/amount file"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"amount\"", "application/json", "1"),
            ],
            &["/amount contentMediaType"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"amount\"", "text/plain; charset=utf-7", "1"),
            ],
            &["/amount contentMediaType"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"amount\"", "text/plain; charset*=utf-8''utf-7", "1"),
            ],
            &["/amount contentMediaType"],
        ),
        (
            vec![
                photo.clone(),
                part(
                    "name=\"meta\"",
                    "application/json; charset=utf-16",
                    r#"{"a":1}"#,
                ),
            ],
            &["/meta contentMediaType"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"amount\"", "", "1"),
                part("name=\"amount\"", "", "1"),
            ],
            &["/amount duplicateName"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"Photo\"; filename=\"a\"", "image/png", "1"),
            ],
            &["/Photo file", "/Photo additionalProperties"],
        ),
        (
            vec![photo.clone(), part("name=\"amount\"", "", "1\0")],
            &["Form(NulCharacter)"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"meta\"", "application/json", r#"{"a":"x"}"#),
            ],
            &["/meta/a type"],
        ),
        (
            vec![
                photo.clone(),
                part("name=\"meta\"", "application/json", r#"{"a":1,"a":2}"#),
            ],
            &["/meta/a duplicateName"],
        ),
        (
            vec![photo.clone(), part("name=\"meta\"", "", r#"{"a":1}"#)],
            &["/meta contentMediaType"],
        ),
    ] {
        assert_eq!(told(&upload(), &form(&parts)), findings, "{parts:?}");
    }
}

#[test]
fn a_rule_that_says_nothing_of_a_file_does_not_compile() {
    for (rule, compiles) in [
        (json!({ "type": "string", "format": "binary" }), true),
        (
            json!({ "format": "binary", "description": "a", "x-a": 1 }),
            true,
        ),
        (
            json!({ "type": "string", "contentMediaType": "application/pdf" }),
            true,
        ),
        (
            json!({ "type": "string", "format": "binary", "pattern": "^a" }),
            false,
        ),
        (
            json!({ "type": "string", "format": "binary", "contentMediaType": "image/*" }),
            false,
        ),
        (
            json!({ "type": "string", "format": "binary", "contentMediaType": "image" }),
            false,
        ),
        (
            json!({ "type": "string", "format": "binary", "contentMediaType": 1 }),
            false,
        ),
        (
            json!({ "type": "string", "format": "binary", "maxLength": -1 }),
            false,
        ),
        (json!({ "type": "integer", "format": "binary" }), false),
        (
            json!({ "type": "string", "format": "date", "contentMediaType": "text/csv" }),
            false,
        ),
        (
            json!({ "type": "string", "contentMediaType": "image/png", "contentEncoding": "base64" }),
            false,
        ),
    ] {
        let schema = json!({ "properties": { "file": rule } });
        let compiled = |media_type| {
            ContentRules::compile(
                media_type,
                Some(&schema),
                &Compiler::new(&Map::new()),
                BODY_LIMITS,
            )
        };
        assert_eq!(compiled(MULTIPART).is_ok(), compiles, "{schema}");
    }
    let binary = json!({ "properties": { "file": { "type": "string", "format": "binary" } } });
    for media_type in [FORM, "application/json"] {
        assert!(
            ContentRules::compile(
                media_type,
                Some(&binary),
                &Compiler::new(&Map::new()),
                BODY_LIMITS
            )
            .is_err()
        );
    }
}

#[test]
fn xml_is_known_by_every_name_it_has() {
    for name in [
        "application/xml",
        "text/xml",
        "image/svg+xml",
        "application/xml-dtd",
        "application/soap+xml",
    ] {
        assert!(is_xml(name) && !is_readable(name), "{name}");
    }
    for name in [
        "application/json",
        "text/plain",
        "application/xmlx",
        "application/vnd.xml2",
    ] {
        assert!(!is_xml(name), "{name}");
    }
}
