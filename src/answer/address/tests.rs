use super::*;

fn told(name: &str, value: &str) -> Told {
    let origins = [
        "https://orders.example".to_owned(),
        "http://10.1.2.3:8080".to_owned(),
        "http://127.0.0.1:3000".to_owned(),
    ];
    let known = Known {
        base: "https://api.example.com",
        origins: &origins,
    };
    known.field(name, value)
}

fn instead(text: &str) -> Told {
    Told::Instead(text.to_owned())
}

#[test]
fn an_origin_s_own_address_becomes_the_gateway_s() {
    for (given, public) in [
        (
            "https://orders.example/a?b#c",
            "https://api.example.com/a?b#c",
        ),
        ("http://orders.example/a", "https://api.example.com/a"),
        ("HTTPS://Orders.Example./a", "https://api.example.com/a"),
        ("https://orders.example:443/a", "https://api.example.com/a"),
        ("https://orders.example", "https://api.example.com"),
        ("https://orders.example?b", "https://api.example.com?b"),
        ("//orders.example/a", "https://api.example.com/a"),
        ("\\\\orders.example/a", "https://api.example.com/a"),
        ("https:\\\\orders.example/a", "https://api.example.com/a"),
        (" \thttps://orders.ex\tample/a", "https://api.example.com/a"),
        ("http://10.1.2.3:8080/a", "https://api.example.com/a"),
        ("http://127.0.0.1:3000/", "https://api.example.com/"),
    ] {
        assert_eq!(told("location", given), instead(public), "{given}");
        assert_eq!(told("content-location", given), instead(public), "{given}");
    }
}

#[test]
fn what_leads_elsewhere_or_nowhere_else_passes() {
    for given in [
        "/orders/7",
        "7",
        "",
        "?page=2",
        "../a",
        "/login?next=http://10.0.0.1/",
        "https://api.example.com/orders",
        "https://login.example.net/authorize?client_id=1",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "mailto:a@example.com",
        "myapp:/callback",
        "myapp:callback",
        "myapp://callback?code=1",
        "a/b:c",
        "/a?to=b,https://c.example/",
        "/a, b",
    ] {
        assert_eq!(told("location", given), Told::AsItCame, "{given}");
    }
}

#[test]
fn a_private_place_and_what_can_be_read_in_two_ways_is_not_told() {
    for given in [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://10.1.2.3:9090/",
        "https://orders.example:8443/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://127.0.0.1:3001/admin",
        "http://localhost:9000/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://orders/",
        "http://orders.internal/",
        "http://printer.local/",
        "//10.0.0.1/a",
        "/\\10.0.0.1/a",
        "\\/10.0.0.1/a",
        "http:/10.0.0.1/",
        "http:10.0.0.1",
        "https:///10.0.0.1/",
        "http://user@10.0.0.1/",
        "https://orders.example@evil.example/",
        "https://b\u{fc}cher.example/",
        "https://%6frders.example/",
        "ftp://10.0.0.1/",
        "ws://orders/",
        // Two lines, as the platform joins them.
        "https://login.example.net/, http://10.0.0.1/",
        "/a, https://orders.example/b",
        "/a, //orders.example/b",
    ] {
        assert_eq!(told("location", given), Told::Nothing, "{given}");
    }
}

#[test]
fn links_are_judged_one_by_one_and_told_whole() {
    for (given, expected) in [
        (
            "</orders?page=2>; rel=\"next\", <https://docs.example.com/>; rel=help",
            Told::AsItCame,
        ),
        (
            "<https://orders.example/orders?page=2>; rel=next, </a>; rel=last",
            instead("<https://api.example.com/orders?page=2>; rel=next, </a>; rel=last"),
        ),
        (
            "</a>; title=\"<http://10.0.0.1/> \\\" <http://10.0.0.1/>\"; rel=next",
            Told::AsItCame,
        ),
        (
            "</a>; rel=next, <http://10.0.0.1/>; rel=last",
            Told::Nothing,
        ),
        ("<http://10.0.0.1/", Told::Nothing),
        (
            "</a>; title=\"b, <http://10.0.0.1/>; rel=next",
            Told::Nothing,
        ),
        ("", Told::AsItCame),
    ] {
        assert_eq!(told("link", given), expected, "{given}");
    }
}

#[test]
fn a_refresh_is_judged_by_its_reference() {
    for (given, expected) in [
        ("5", Told::AsItCame),
        ("5; url=/a", Told::AsItCame),
        (
            "5; URL='https://orders.example/a'",
            instead("5; url=https://api.example.com/a"),
        ),
        ("0;url=http://10.0.0.1/", Told::Nothing),
        ("0;http://10.0.0.1/", Told::Nothing),
        ("0;http://10.0.0.1/?url=/a", Told::Nothing),
        ("0;http://curl.internal/url=/a", Told::Nothing),
        (
            "0.5, https://orders.example/?url=/a",
            instead("0.5, url=https://api.example.com/?url=/a"),
        ),
        ("0 url = \"http://10.0.0.1/\"/a", Told::Nothing),
        ("0; url='//10.0.0.1/", Told::Nothing),
        (
            "0; url=\"https://orders.example/a\" b",
            instead("0; url=https://api.example.com/a"),
        ),
        ("5;", Told::AsItCame),
        ("0; url", Told::AsItCame),
        ("0; /a?url=http://10.0.0.1/", Told::AsItCame),
    ] {
        assert_eq!(told("refresh", given), expected, "{given}");
    }
}
