//! What is left out is not reached as something else.

use super::*;
use crate::facts::Method;
use crate::path::CanonicalPath;
use crate::policy::route_table::{Match, PARAMETERS_MAX, RouteTable, TEMPLATE_BYTES_MAX, Template};

/// Two ways in that differ in their scopes, which no route says.
fn unsayable() -> Value {
    json!([{ "keys": [] }, { "tokens": ["admin"] }])
}

/// A document of operations: method, path, and whether each is left out.
fn operations(listed: &[(&str, &str, bool)]) -> Value {
    let mut document = document(json!({}));
    document["paths"] = json!({});
    for (index, (method, path, is_left_out)) in listed.iter().enumerate() {
        let security = match is_left_out {
            true => unsayable(),
            false => json!([{ "keys": [] }]),
        };
        document["paths"][path][method] =
            json!({ "operationId": format!("o{index}"), "security": security });
    }
    document
}

/// The ids of the routes, and the paths that are closed.
fn became(document: &Value) -> (Vec<String>, Value) {
    let Imported { policy, .. } = made(document);
    let routes = policy["routes"].as_array().unwrap().iter();
    let ids = routes.map(|route| route["id"].as_str().unwrap().to_owned());
    (ids.collect(), policy["closed_paths"].clone())
}

#[test]
fn the_path_of_an_operation_that_is_left_out_is_closed() {
    for (listed, ids, closed) in [
        (
            &[("get", "/users/{id}", false)][..],
            &["o0"][..],
            json!(null),
        ),
        (
            &[("get", "/users/{id}", false), ("get", "/users/me", true)],
            &["o0"],
            json!(["/users/me"]),
        ),
        // Another method of it is routed all the same.
        (
            &[("get", "/users/me", true), ("post", "/users/me", false)],
            &["o1"],
            json!(["/users/me"]),
        ),
        // The gateway passes no TRACE.
        (
            &[("trace", "/users/me", false), ("get", "/users/{id}", false)],
            &["o1"],
            json!(["/users/me"]),
        ),
        // What takes more than the path is closed, where no template takes as much.
        (
            &[("get", "/a/{b}.json", false), ("get", "/{x}/{y}", false)],
            &["o1"],
            json!(["/a/{p1}"]),
        ),
        (
            &[("get", "/a/b?c=d", false), ("get", "/a/{x}", false)],
            &["o1"],
            json!(["/a/b"]),
        ),
        // No request is for it.
        (
            &[("get", "/a//b", false), ("get", "/a/{x}/b", false)],
            &["o1"],
            json!(null),
        ),
    ] {
        let (routes, paths) = became(&operations(listed));
        assert_eq!(routes, ids, "{listed:?}");
        assert_eq!(paths, closed, "{listed:?}");
    }
}

#[test]
fn an_operation_that_cannot_be_told_from_one_that_is_left_out_is_left_out_too() {
    for (listed, ids) in [
        (
            &[("get", "/a/{b}", false), ("get", "/a/{b}.json", false)][..],
            &[][..],
        ),
        (&[("get", "/a/{b}", false), ("get", "/a/{c}", true)], &[]),
        (&[("get", "/a/{b}", false), ("get", "/a/{c}", false)], &[]),
        (&[("get", "/a", false), ("get", "/a#b", false)], &[]),
        (
            &[("post", "/a/{b}", false), ("get", "/a/{b}.json", false)],
            &["o0"],
        ),
        (&[("get", "/a/b", false), ("get", "/a/{b}", true)], &["o0"]),
    ] {
        let (routes, _) = became(&operations(listed));
        assert_eq!(routes, ids, "{listed:?}");
    }
}

#[test]
fn a_policy_may_say_that_the_path_is_meant() {
    let document = operations(&[("get", "/a/{b}", false), ("get", "/a/{b}.json", false)]);
    let routes = |own: Value| {
        let policy = policy(json!({ "routes": [own] }));
        let made = run(&policy, &json!({ "api.json": &document }))
            .unwrap()
            .policy;
        let auths = made["routes"].as_array().unwrap().iter();
        auths.map(|route| route["auth"].clone()).collect::<Vec<_>>()
    };
    let placed = json!({ "id": "o0", "match": { "methods": ["GET"], "path": "/a/{b}" } });
    assert_eq!(
        routes(placed),
        [json!(["keys"])],
        "the document's, at its place"
    );
    let elsewhere = json!({ "id": "own", "origin": "api", "auth": ["keys"], "match": { "methods": ["GET"], "path": "/a/{x}" } });
    assert_eq!(routes(elsewhere), [json!(["keys"])]);
}

#[test]
fn a_path_item_that_leads_nowhere_is_closed_for_every_method() {
    let mut document = operations(&[("get", "/a/{b}", false), ("get", "/c/{b}", false)]);
    document["servers"] = json!([{ "url": "https://api.example/v1" }]);
    document["paths"]["/a/me"] = json!({ "$ref": "#/nowhere" });
    document["paths"]["/c/{d}x"] = json!({ "$ref": "#/nowhere" });
    let (routes, paths) = became(&document);
    assert_eq!(routes, ["o0"]);
    assert_eq!(paths, json!(["/v1/a/me", "/v1/c/{p1}"]));
}

#[test]
fn what_cannot_be_closed_keeps_the_policy_from_being_made() {
    let told = |count: usize| {
        let path = "/{a}x".repeat(count);
        run(
            &policy(json!({})),
            &json!({ "api.json": operations(&[("get", &path, false)]) }),
        )
    };
    assert!(told(PARAMETERS_MAX).is_ok());
    let faults = told(PARAMETERS_MAX + 1).unwrap_err();
    assert!(
        faults[0].contains("cannot be left out: it has more than 16 parameters"),
        "{faults:?}"
    );
    let long = |bytes: usize| {
        let path = format!("/{}{{x}}{{y}}/z", "a".repeat(bytes - "//{p1}/z".len()));
        let path = path.replacen("{x}", "/{x}", 1);
        run(
            &policy(json!({})),
            &json!({ "api.json": operations(&[("get", &path, false)]) }),
        )
    };
    assert!(long(TEMPLATE_BYTES_MAX).is_ok());
    let faults = long(TEMPLATE_BYTES_MAX + 1).unwrap_err();
    assert!(faults[0].contains("longer than 1024 bytes"), "{faults:?}");
}

#[test]
fn paths_that_a_policy_closes_itself_stay_closed() {
    let document = operations(&[("get", "/users/{id}", false), ("get", "/users/me", true)]);
    let policy = policy(json!({ "closed_paths": ["/users/none", "/users/me"] }));
    let made = run(&policy, &json!({ "api.json": document }))
        .unwrap()
        .policy;
    assert_eq!(made["closed_paths"], json!(["/users/none", "/users/me"]));
}

/// The table of a policy, as it is made when one loads.
fn table_of(policy: &Value) -> RouteTable {
    let mut table = RouteTable::default();
    let parsed = |path: &Value| Template::parse(path.as_str().unwrap()).unwrap();
    for (index, route) in policy["routes"].as_array().unwrap().iter().enumerate() {
        let methods = route["match"]["methods"].as_array().unwrap().iter();
        let methods: Vec<Method> = methods
            .filter_map(|one| Method::parse(one.as_str()?))
            .collect();
        table
            .add(&parsed(&route["match"]["path"]), &methods, index)
            .unwrap();
    }
    for path in policy["closed_paths"].as_array().into_iter().flatten() {
        table.close(&parsed(path)).unwrap();
    }
    table
}

/// Every path of one to three of some segments.
fn every_path(segments: &[&str]) -> Vec<String> {
    let longer = |paths: &[String]| -> Vec<String> {
        let each = paths.iter();
        each.flat_map(|path| segments.iter().map(move |one| format!("{path}/{one}")))
            .collect()
    };
    let one = longer(&[String::new()]);
    let two = longer(&one);
    let three = longer(&two);
    [one, two, three].concat()
}

proptest::proptest! {
    /// Who would be asked if all were routed is asked, or nobody is.
    #[test]
    fn no_request_for_one_that_is_left_out_reaches_another(
        chosen in proptest::collection::btree_map((proptest::bool::ANY, 0_usize..84), proptest::bool::ANY, 1..12)
    ) {
        let templates = every_path(&["a", "b", "{x}", "{x}c"]);
        let listed: Vec<(&str, String, bool)> = chosen
            .into_iter()
            .map(|((is_get, at), left_out)| {
                // Each parameter of a path has a name of its own.
                let named: Vec<String> = templates[at].split('/').enumerate().map(|(index, one)| one.replace("{x}", &format!("{{x{index}}}"))).collect();
                (if is_get { "get" } else { "post" }, named.join("/"), left_out)
            })
            .collect();
        let borrowed: Vec<(&str, &str, bool)> = listed.iter().map(|(method, path, left)| (*method, path.as_str(), *left)).collect();
        let policy = made(&operations(&borrowed)).policy;
        let table = table_of(&policy);
        // What is asked of an operation, whatever became of it: by its own path alone, whole segments before parts of them.
        let is_for = |path: &str, template: &str| {
            let (asked, said): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
            asked.len() == said.len() && asked.iter().zip(&said).all(|(asked, said)| match said.split_once('}') {
                Some((_, tail)) => asked.ends_with(tail) && asked.len() > tail.len(),
                None => asked == said,
            })
        };
        for method in [Method::Get, Method::Post] {
            for path in every_path(&["a", "b", "d", "dc"]) {
                let found = table.find(&CanonicalPath::parse(&path).unwrap(), Some(method));
                let Match::Route { index, .. } = found else { continue };
                let route = policy["routes"][index]["match"]["path"].as_str().unwrap();
                for (name, template, _) in &borrowed {
                    let is_left_out = !policy["routes"].as_array().unwrap().iter().any(|one| {
                        one["match"]["path"] == **template && one["match"]["methods"][0].as_str().unwrap().eq_ignore_ascii_case(name)
                    });
                    let is_method = name.eq_ignore_ascii_case(method.as_str());
                    if !is_left_out || !is_method || !is_for(&path, template) {
                        continue;
                    }
                    // The route says more of the path where the two first differ.
                    let (of_route, of_other) = (route.split('/'), template.split('/'));
                    let differ = of_route.zip(of_other).find(|(one, other)| one.contains('{') != other.contains('{'));
                    proptest::prop_assert!(differ.is_some_and(|(one, _)| !one.contains('{')), "{method:?} {path} is for {template}, and {route} answers");
                }
            }
        }
    }
}
