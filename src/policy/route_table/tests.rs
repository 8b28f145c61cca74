use super::*;

fn table(routes: &[(&str, &[Method])]) -> Result<RouteTable, Ambiguity> {
    let mut table = RouteTable::default();
    for (index, (template, methods)) in routes.iter().enumerate() {
        table.add(&Template::parse(template).unwrap(), methods, index)?;
    }
    Ok(table)
}

fn find(table: &RouteTable, method: Method, path: &str) -> Match {
    table.find(&CanonicalPath::parse(path).unwrap(), Some(method))
}

fn route(index: usize, parameters: &[&str]) -> Match {
    Match::Route {
        index,
        parameters: parameters.iter().map(|text| (*text).into()).collect(),
    }
}

use Method::{Delete, Get, Head, Post};

#[test]
fn static_segments_come_before_parameters() {
    let table = table(&[
        ("/users/{id}", &[Get]),
        ("/users/me", &[Get]),
        ("/users/{id}/orders", &[Get]),
        ("/users/me/{what}", &[Get]),
        ("/files/{*path}", &[Get]),
        ("/", &[Get]),
        ("/slash/", &[Get]),
        ("/caf%C3%A9", &[Get]),
    ])
    .unwrap();
    for (path, expected) in [
        ("/users/7", route(0, &["7"])),
        ("/users/me", route(1, &[])),
        ("/users/m%65", route(1, &[])),
        ("/users/me/orders", route(3, &["orders"])),
        ("/users/7/orders", route(2, &["7"])),
        ("/users/a%20b", route(0, &["a b"])),
        ("/files/a/b", route(4, &["a/b"])),
        ("/", route(5, &[])),
        ("/slash/", route(6, &[])),
        ("/slash", Match::Nothing),
        ("/users/", Match::Nothing),
        ("/users/7/", Match::Nothing),
        ("/USERS/7", Match::Nothing),
        ("/caf%c3%a9", route(7, &[])),
    ] {
        assert_eq!(find(&table, Get, path), expected, "{path}");
    }
}

#[test]
fn methods_share_a_path_and_head_goes_where_get_goes() {
    let table = table(&[
        ("/a/{x}", &[Get]),
        ("/a/{y}", &[Post]),
        ("/b", &[Head]),
        ("/b", &[Get]),
    ])
    .unwrap();
    assert_eq!(find(&table, Get, "/a/1"), route(0, &["1"]));
    assert_eq!(find(&table, Head, "/a/1"), route(0, &["1"]));
    assert_eq!(find(&table, Post, "/a/1"), route(1, &["1"]));
    assert_eq!(find(&table, Head, "/b"), route(2, &[]));
    assert_eq!(
        find(&table, Delete, "/a/1"),
        Match::OtherMethods(vec![Get, Head, Post])
    );
    let path = CanonicalPath::parse("/a/1").unwrap();
    assert_eq!(
        table.find(&path, None),
        Match::OtherMethods(vec![Get, Head, Post])
    );
}

#[test]
fn two_routes_for_one_request_are_refused() {
    for routes in [
        [("/a", &[Get][..]), ("/a", &[Post, Get])],
        [("/a/{x}", &[Get]), ("/a/{y}", &[Get])],
    ] {
        let ambiguity = table(&routes).err();
        assert_eq!(
            ambiguity,
            Some(Ambiguity::Route {
                other: 0,
                method: Get
            }),
            "{routes:?}"
        );
    }
    assert_eq!(
        table(&[("/a/{*x}", &[Get]), ("/a/{*y}", &[Get])]).err(),
        Some(Ambiguity::Route {
            other: 0,
            method: Get
        })
    );
}

#[test]
fn a_template_that_no_request_can_match_is_refused() {
    for bad in [
        "", "a", "/a//b", "/{", "/a{b}", "/{b}c", "/{}", "/{1}", "/{a}/{a}", "/{*a}/b", "/a/../b",
        "/a%2fb", "/a b", "/a;b",
    ] {
        assert!(Template::parse(bad).is_err(), "{bad}");
    }
    let with = |count: usize| {
        (0..count)
            .map(|index| format!("/{{p{index}}}"))
            .collect::<String>()
    };
    assert!(Template::parse(&with(PARAMETERS_MAX)).is_ok());
    assert!(Template::parse(&with(PARAMETERS_MAX + 1)).is_err());
    assert!(Template::parse(&format!("/{}", "a".repeat(TEMPLATE_BYTES_MAX - 1))).is_ok());
    assert!(Template::parse(&format!("/{}", "a".repeat(TEMPLATE_BYTES_MAX))).is_err());
}

#[test]
fn matrix_parameters_are_taken_where_the_template_has_a_parameter_that_reads_them() {
    let template = Template::parse("/a/{m}/b/{p}/{*rest}").unwrap();
    for (path, taken) in [
        ("/a/;m=1/b/2/3", true),
        ("/a/1/b/;p=1/3", false),
        ("/a/;m=1/b/;p=1/3", false),
        ("/a/;m=1/b/2/;rest=1", false),
        ("/a/;m=1/b/2/3/;m=1", false),
        ("/;a/1", false),
    ] {
        let path = CanonicalPath::parse_with_matrix(path).unwrap();
        let takes = template.takes_matrix(&path, |name| matches!(name, "m" | "*rest"));
        assert_eq!(takes, taken, "{}", path.as_str());
    }
}

#[test]
fn a_closed_path_leads_nowhere_unless_a_route_has_it() {
    for close_first in [true, false] {
        let mut table = match close_first {
            true => RouteTable::default(),
            false => table(&[
                ("/users/{id}", &[Get]),
                ("/users/open", &[Get]),
                ("/{*rest}", &[Post]),
            ])
            .unwrap(),
        };
        for closed in ["/users/me", "/users/open", "/users/{who}/keys"] {
            table.close(&Template::parse(closed).unwrap()).unwrap();
        }
        if close_first {
            for (index, (path, method)) in [
                ("/users/{id}", Get),
                ("/users/open", Get),
                ("/{*rest}", Post),
            ]
            .into_iter()
            .enumerate()
            {
                table
                    .add(&Template::parse(path).unwrap(), &[method], index)
                    .unwrap();
            }
        }
        for (method, path, expected) in [
            (Get, "/users/7", route(0, &["7"])),
            (Get, "/users/me", Match::Nothing),
            (Get, "/users/m%65", Match::Nothing),
            (Head, "/users/me", Match::Nothing),
            (Post, "/users/me", Match::Nothing),
            (Get, "/users/open", route(1, &[])),
            (Get, "/users/7/keys", Match::Nothing),
            (Post, "/users/7/keys", Match::Nothing),
            (Post, "/users/7/other", route(2, &["users/7/other"])),
        ] {
            assert_eq!(find(&table, method, path), expected, "{method:?} {path}");
        }
    }
}
