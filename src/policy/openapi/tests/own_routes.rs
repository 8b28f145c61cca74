use super::*;

/// What becomes of the one operation where the policy has a route of its id.
fn with(own: &Value, document: &Value) -> Result<Value, String> {
    let mut route = json!({ "id": "make" });
    let said = own.as_object().unwrap().clone();
    route.as_object_mut().unwrap().extend(said);
    let policy = policy(json!({ "routes": [route] }));
    let made = run(&policy, &json!({ "api.json": document }));
    let Imported { policy, report } = made.map_err(|faults| faults.join("; "))?;
    let left_out = report["left_out"][0]["problem"].as_str();
    left_out.map_or_else(
        || Ok(policy["routes"][0].clone()),
        |problem| Err(problem.to_owned()),
    )
}

/// The document with `template` for its path.
fn at(template: &str, change: Value) -> Value {
    let mut document = document(change);
    let item = document["paths"]["/things"].take();
    document["paths"] = json!({ template: item });
    document
}

#[test]
fn a_route_of_the_policy_helps_where_it_says_what_the_document_could_not() {
    let security = |asked: Value| document(json!({ "security": asked }));
    let query = |schema: Value, style: &str| {
        let parameter = json!({ "name": "q", "in": "query", "style": style, "schema": schema });
        document(json!({ "parameters": [parameter] }))
    };
    let content = |schema: Value| {
        let content = json!({ "application/json": { "schema": schema } });
        document(json!({ "requestBody": { "content": content } }))
    };
    let mut dialect = content(json!({ "$schema": "http://json-schema.org/draft-07/schema#" }));
    dialect["openapi"] = json!("3.1.0");
    // Which of these routes of the policy helps: its own callers, path, rules, or none looked at.
    let ways = [
        ("auth", json!({ "auth": ["keys"] })),
        ("path", json!({ "match": { "path": "/things/{a}" } })),
        (
            "rules",
            json!({ "request": { "query": true, "bodies": { "application/json": {} } } }),
        ),
        ("opaque", json!({ "request": { "mode": "off" } })),
    ];
    let backwards = json!({ "type": "string", "pattern": "(?<!a)b" });
    for (document, helpful) in [
        (security(json!([{ "keys": [] }, { "o": ["a"] }])), "auth"),
        (security(json!([{ "keys": [], "o": [] }])), "auth"),
        (security(json!([{ "keys": [] }, {}])), "auth"),
        (at("/things/{a}.json", json!({})), "path"),
        (query(backwards.clone(), "form"), "rules opaque"),
        (query(json!({ "minLength": "4" }), "form"), "rules opaque"),
        (content(backwards), "rules opaque"),
        (query(json!({ "type": "string" }), "deepObject"), "opaque"),
        (content(json!({ "$ref": "#/nowhere" })), "opaque"),
        (content(json!({ "$id": "a" })), "opaque"),
        (dialect, "opaque"),
        (super::document(json!({ "x-edgeward-auth": [] })), ""),
        (super::document(json!({ "x-edgeward": [] })), ""),
    ] {
        let problem = route(&document).unwrap_err();
        let helped = ways.iter().filter(|(_, own)| with(own, &document).is_ok());
        let helped: Vec<&str> = helped.map(|(way, _)| *way).collect();
        assert_eq!(helped.join(" "), helpful, "{problem}");
    }
}

#[test]
fn callers_of_ones_own_ask_for_the_scopes_that_are_written_beside_them() {
    let document = document(json!({ "security": [{ "keys": [] }, { "o": ["things:write"] }] }));
    let problem = route(&document).unwrap_err();
    assert!(
        problem.ends_with("say `auth` and `require`, in `x-edgeward` or a route of this id"),
        "{problem}"
    );
    let told = |own: Value| {
        let route = with(&own, &document).unwrap();
        json!([route["auth"], route["require"]["scopes"]])
    };
    assert_eq!(told(json!({ "auth": ["o"] })), json!([["o"], null]));
    let scoped = json!({ "auth": ["o", "keys"], "require": { "scopes": ["things:write"] } });
    assert_eq!(told(scoped), json!([["o", "keys"], ["things:write"]]));
}
