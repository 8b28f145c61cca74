use super::*;

/// Whether a URL loads in production, and in development.
fn loads(url: &str) -> (bool, bool) {
    (judge(url, true).is_ok(), judge(url, false).is_ok())
}

const EVERYWHERE: (bool, bool) = (true, true);
const FOR_A_TRIAL: (bool, bool) = (false, true);
const NOWHERE: (bool, bool) = (false, false);

#[test]
fn b_11_the_gateway_asks_public_https_addresses_alone() {
    for (url, expected) in [
        ("https://issuer.example/keys", EVERYWHERE),
        ("https://issuer.example:8443/keys?v=1", EVERYWHERE),
        ("https://localhost.example.com", EVERYWHERE),
        ("https://internal.example.com", EVERYWHERE),
        ("https://127.0.0.1.example.com", EVERYWHERE),
        ("https://0x7f.example", EVERYWHERE),
        ("https://8.8.8.8/keys", EVERYWHERE),
        ("https://[2606:4700::1]:443/keys", EVERYWHERE),
        ("http://issuer.example/keys", NOWHERE),
        ("http://8.8.8.8/keys", NOWHERE),
        ("http://127.0.0.1:8789/keys", FOR_A_TRIAL),
        ("https://127.0.0.1/keys", FOR_A_TRIAL),
        ("http://127.8.9.1", FOR_A_TRIAL),
        ("http://[::1]:1/keys", FOR_A_TRIAL),
        ("http://localhost:8789/keys", FOR_A_TRIAL),
        ("https://LOCALHOST", FOR_A_TRIAL),
        ("https://localhost.", FOR_A_TRIAL),
        ("https://issuer.localhost", FOR_A_TRIAL),
        ("https://issuer.local", FOR_A_TRIAL),
        ("https://issuer.Internal:8443/", FOR_A_TRIAL),
        ("https://metadata.google.internal", FOR_A_TRIAL),
        ("http://issuer.internal", NOWHERE),
        ("ftp://issuer.example", NOWHERE),
        ("HTTPS://issuer.example", NOWHERE),
        ("https://user@issuer.example", NOWHERE),
        ("https://user:secret@10.0.0.1", NOWHERE),
        ("https://issuer.example\\@10.0.0.1", EVERYWHERE),
        ("https://10.0.0.1\\@issuer.example", NOWHERE),
        ("https:///keys", NOWHERE),
        ("https://", NOWHERE),
        ("issuer.example/keys", NOWHERE),
        ("https://[::1", NOWHERE),
        ("https://[::1]x", NOWHERE),
        ("https://[fe80::1%25eth0]", NOWHERE),
    ] {
        assert_eq!(loads(url), expected, "{url}");
    }
}

#[test]
fn b_11_an_address_of_no_public_network_is_not_asked() {
    for host in [
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::a00:1]",
        "[2002:a00:1::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001:db8::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        assert_eq!(loads(&format!("https://{host}/keys")), NOWHERE, "{host}");
    }
    for host in [
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "223.255.255.255",
        "[2001:200::1]",
        "[2003::1]",
    ] {
        assert_eq!(loads(&format!("https://{host}/keys")), EVERYWHERE, "{host}");
    }
}

/// Fetch reads these as addresses (WHATWG URL, "IPv4 parser"); a check by name would let them by.
#[test]
fn b_11_an_address_has_one_spelling() {
    for host in [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "10.0.1",
        "256.256.256.256",
        "1.2.3.4.5",
        "10.0.0.0x1",
        "127.1.",
        "0x",
    ] {
        assert_eq!(loads(&format!("https://{host}/keys")), NOWHERE, "{host}");
    }
}

#[test]
fn only_this_machine_is_loopback() {
    for (url, expected) in [
        ("http://localhost:8787", true),
        ("http://127.0.0.1", true),
        ("http://127.8.9.1:1/x", true),
        ("http://[::1]:80", true),
        ("http://localhost.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("http://example.com/127.0.0.1", false),
        ("http://10.0.0.1", false),
    ] {
        assert_eq!(is_loopback(url), expected, "{url}");
    }
}
