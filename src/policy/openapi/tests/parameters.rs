use super::*;

/// The rules of `POST /things/{p}` with this parameter beside the path's own.
fn asked(parameter: Value) -> Result<Value, String> {
    let mut named = json!({ "name": "p" });
    let said = parameter.as_object().unwrap().clone();
    named.as_object_mut().unwrap().extend(said);
    let mut document = document(json!({ "parameters": [named] }));
    let item = document["paths"]["/things"].take();
    document["paths"] = json!({ "/things/{p}": item });
    route(&document).map(|route| route["request"].clone())
}

fn schema(kind: &str) -> Value {
    match kind {
        "list" => json!({ "type": "array", "items": { "type": "integer" } }),
        "object" => json!({ "type": "object", "properties": { "n": { "type": "integer" } } }),
        _ => json!({ "type": "integer" }),
    }
}

#[test]
fn every_style_of_a_parameter_is_decided() {
    // Not exploded, exploded: `-` needs no word, `!` is not read.
    for (place, style, kind, flat, exploded) in [
        ("path", "simple", "one", "-", "-"),
        ("path", "simple", "list", "comma", "comma"),
        ("path", "simple", "object", "comma", "pairs"),
        ("path", "label", "one", "label", "label_exploded"),
        ("path", "label", "list", "label", "label_exploded"),
        ("path", "label", "object", "label", "label_exploded"),
        ("path", "matrix", "one", "matrix", "matrix_exploded"),
        ("path", "matrix", "list", "matrix", "matrix_exploded"),
        ("path", "matrix", "object", "matrix", "matrix_exploded"),
        ("path", "form", "one", "!", "!"),
        ("query", "form", "one", "-", "-"),
        ("query", "form", "list", "comma", "-"),
        ("query", "form", "object", "comma", "spread"),
        ("query", "spaceDelimited", "one", "!", "!"),
        ("query", "spaceDelimited", "list", "space", "-"),
        ("query", "spaceDelimited", "object", "space", "!"),
        ("query", "pipeDelimited", "list", "pipe", "-"),
        ("query", "pipeDelimited", "object", "pipe", "!"),
        ("query", "deepObject", "list", "!", "!"),
        ("query", "deepObject", "object", "deep", "deep"),
        ("query", "simple", "one", "!", "!"),
        ("header", "simple", "one", "-", "-"),
        ("header", "simple", "list", "comma", "comma"),
        ("header", "simple", "object", "comma", "pairs"),
        ("header", "form", "one", "!", "!"),
        ("cookie", "form", "one", "-", "-"),
        ("cookie", "form", "list", "!", "!"),
        ("cookie", "form", "object", "!", "!"),
        ("cookie", "simple", "one", "!", "!"),
    ] {
        for (explode, expected) in [(false, flat), (true, exploded)] {
            let schema = schema(kind);
            let parameter =
                json!({ "in": place, "style": style, "explode": explode, "schema": schema });
            let told = match asked(parameter) {
                Err(problem) => {
                    assert!(problem.contains("is not read in"), "{problem}");
                    "!".to_owned()
                }
                Ok(request) => {
                    let rule = match place {
                        "path" => &request["path"]["p"],
                        "query" => &request["query"]["properties"]["p"],
                        "header" => &request["headers"]["properties"]["p"],
                        _ => &request["cookies"]["properties"]["p"],
                    };
                    let spread = &request["query"]["properties"]["n"];
                    match rule.get("x-edgeward-style").and_then(Value::as_str) {
                        _ if spread == &json!({ "type": "integer" }) => "spread".to_owned(),
                        _ if rule["type"].is_null() => "lost".to_owned(),
                        style => style.unwrap_or("-").to_owned(),
                    }
                }
            };
            assert_eq!(told, expected, "{place} {style} {kind} exploded {explode}");
        }
    }
}

#[test]
fn a_parameter_without_a_style_has_that_of_its_place() {
    for (place, told) in [("path", "comma"), ("header", "comma"), ("query", "-")] {
        let request = asked(json!({ "in": place, "schema": schema("list") })).unwrap();
        let text = request.to_string();
        assert_eq!(text.contains("comma"), told == "comma", "{text}");
    }
    let cookie = asked(json!({ "in": "cookie", "schema": schema("one") })).unwrap();
    assert_eq!(
        cookie["cookies"],
        json!({ "type": "object", "properties": { "p": { "type": "integer" } }, "required": [] })
    );
}

#[test]
fn what_is_required_is_asked_for() {
    for (place, rules) in [
        ("query", "query"),
        ("header", "headers"),
        ("cookie", "cookies"),
    ] {
        let required = |said: Value| {
            let parameter = json!({ "in": place, "required": said, "schema": schema("one") });
            let request = asked(parameter).unwrap();
            request[rules].get("required").cloned().unwrap_or(json!([]))
        };
        assert_eq!(required(json!(true)), json!(["p"]), "{place}");
        assert_eq!(required(json!(false)), json!([]), "{place}");
    }
}

#[test]
fn what_a_style_cannot_hold_is_left_out() {
    let nested = json!({ "type": "object", "properties": { "n": { "type": "array" } } });
    let lists = json!({ "type": "array", "items": { "type": "array" } });
    let either = json!({ "anyOf": [{ "type": "array" }, { "type": "string" }] });
    for (place, style, schema) in [
        ("query", "deepObject", &nested),
        ("path", "label", &nested),
        ("header", "simple", &lists),
        ("path", "label", &either),
    ] {
        let parameter = json!({ "in": place, "style": style, "schema": schema });
        let problem = asked(parameter).unwrap_err();
        assert!(problem.contains("in this style"), "{style}: {problem}");
    }
    let mut named = document(json!({ "parameters": [
        { "name": "a.b", "in": "path", "style": "matrix", "schema": { "type": "integer" } }
    ] }));
    let item = named["paths"]["/things"].take();
    named["paths"] = json!({ "/things/{a.b}": item });
    assert!(route(&named).unwrap_err().contains("another name"));
}

#[test]
fn a_parameter_of_several_segments_is_told() {
    for (said, expected) in [(json!(true), 1), (json!(false), 0), (json!("true"), 0)] {
        let parameter = json!({ "name": "ref", "in": "path", "required": true, "x-multi-segment": said, "schema": { "type": "string" } });
        let mut document = document(json!({ "parameters": [parameter] }));
        let paths = document["paths"].as_object_mut().unwrap();
        let item = paths.remove("/things").unwrap();
        paths.insert("/things/{ref}".into(), item);
        let report = made(&document).report;
        let notes = report["not_enforced"].as_array().unwrap();
        assert_eq!(notes.len(), expected, "{said}: {notes:?}");
        for note in notes {
            let problem = note["problem"].as_str().unwrap();
            assert!(problem.ends_with("write a route with {*name}"), "{problem}");
        }
    }
}
