use base64ct::Base64UrlUnpadded;
use ed25519_dalek::{Signer, SigningKey};

use super::*;
use crate::policy::gate::Secrets;
use crate::secret::Secret;
use proptest::prelude::*;

/// RFC 9421, Appendix B.1.4.
const KEY: &str = r#"{
    "kty": "OKP", "crv": "Ed25519", "kid": "test-key-ed25519",
    "d": "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU",
    "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
}"#;
const NOW_MS: u64 = 1_618_884_473_999;

struct Held;

impl Secrets for Held {
    fn secret(&self, binding: &str) -> Option<Secret> {
        (binding == "IDENTITY_KEY").then(|| Secret::new(KEY.into()))
    }

    fn has_fetcher(&self, _binding: &str) -> bool {
        false
    }
}

fn keys() -> IdentityKeys {
    IdentityKeys::from_secrets(&Held).unwrap().unwrap()
}

fn sign(text: &str) -> String {
    let seed = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
    let seed = Base64UrlUnpadded::decode_vec(seed).unwrap();
    let key = SigningKey::from_bytes(&seed.try_into().unwrap());
    Base64::encode_string(&key.sign(text.as_bytes()).to_bytes())
}

#[test]
fn sg_06_the_ed25519_signature_of_appendix_b_2_6_is_made() {
    let components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@method", "POST"),
        ("@path", "/foo"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ];
    let parameters = Parameters {
        created: 1_618_884_473,
        expires: None,
        key_id: "test-key-ed25519",
        algorithm: None,
        tag: None,
    };
    let input = parameters.with(&components).unwrap();
    let expected = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    assert_eq!(input, expected);
    assert_eq!(
        sign(&base(&components, &input)),
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    );
}

#[test]
fn sg_07_digests_are_those_of_rfc_9530() {
    for (content, digest) in [
        // §2 and Appendix B.1: with a line feed.
        (
            "{\"hello\": \"world\"}\n",
            "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
        ),
        // The content of RFC 9421, Appendix B.2: without.
        (
            "{\"hello\": \"world\"}",
            "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
        ),
        ("", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ] {
        let expected = format!("sha-256=:{digest}:");
        assert_eq!(content_digest(content.as_bytes()), expected);
    }
}

#[test]
fn sg_01_and_sg_02_what_is_signed_is_all_of_it_a_line_each_in_order() {
    let rule = MessageRule {
        reads: true,
        ttl_s: 60,
        tag: "a \"tag\"".into(),
    };
    let mut outgoing = Outgoing {
        method: "POST",
        url: "https://Origin.Example:443/v1/orders?b=2&a=%201",
        content: Some(b"{\"hello\": \"world\"}"),
        field: ("edgeward-identity", "a.b.c"),
    };
    let message = Message::new(&keys(), &rule, &outgoing, NOW_MS).unwrap();
    let names = r#"("@method" "@authority" "@path" "@query" "content-digest" "edgeward-identity")"#;
    let about = r#";created=1618884473;expires=1618884533;keyid="test-key-ed25519";alg="ed25519";tag="a \"tag\"""#;
    let lines = [
        r#""@method": POST"#.to_owned(),
        r#""@authority": origin.example"#.into(),
        r#""@path": /v1/orders"#.into(),
        r#""@query": ?b=2&a=%201"#.into(),
        r#""content-digest": sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"#.into(),
        r#""edgeward-identity": a.b.c"#.into(),
        format!(r#""@signature-params": {names}{about}"#),
    ];
    assert_eq!(message.signing_input(), lines.join("\n"));
    let fields = message.signed(&[255, 0]);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    assert_eq!(
        fields,
        [
            ("content-digest", digest),
            ("signature-input", &format!("edgeward={names}{about}")),
            ("signature", "edgeward=:/wA=:"),
        ]
    );

    outgoing.content = None;
    let unread = Message::new(&keys(), &rule, &outgoing, NOW_MS).unwrap();
    assert!(!unread.signing_input().contains("content-digest"));
    assert_eq!(unread.signed(&[]).len(), 2);
}

#[test]
fn sg_03_the_target_is_in_its_normal_form() {
    for (url, expected) in [
        ("https://a.example/", ("a.example", "/", "?")),
        ("https://a.example/?", ("a.example", "/", "?")),
        ("https://A.Example:443/x", ("a.example", "/x", "?")),
        ("https://a.example:0443/x", ("a.example", "/x", "?")),
        ("https://a.example:80/x", ("a.example:80", "/x", "?")),
        ("http://a.example:80/x", ("a.example", "/x", "?")),
        (
            "http://a.example:8080/x?q=a?b",
            ("a.example:8080", "/x", "?q=a?b"),
        ),
        ("http://[::1]/x", ("[::1]", "/x", "?")),
        ("http://[::1]:80/x", ("[::1]", "/x", "?")),
        ("http://[::1]:81/x", ("[::1]:81", "/x", "?")),
    ] {
        let (authority, path, query) = target(url).unwrap();
        assert_eq!(
            (authority.as_str(), path, query.as_str()),
            expected,
            "{url}"
        );
    }
}

#[test]
fn what_cannot_stand_in_a_field_is_not_signed() {
    for (text, expected) in [
        ("edgeward", true),
        ("", true),
        ("ключ", false),
        ("a\nb", false),
    ] {
        assert_eq!(is_sayable(text), expected, "{text:?}");
    }
}

#[test]
fn sg_08_a_callers_digest_holds_for_its_content_or_does_not() {
    let content = b"{\"hello\": \"world\"}\n";
    // RFC 9530, Appendix D.
    let long = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
    let short = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let both = format!("{short},  {long}");
    let one_wrong = both.replace(":YM", ":ZM");
    for (field, expected) in [
        (short, Some(true)),
        (long, Some(true)),
        (&both, Some(true)),
        (&one_wrong, Some(false)),
        ("sha-256=:AAAA:", Some(false)),
        ("sha-256=::", Some(false)),
        ("sha-512=:AAAA:", Some(false)),
        // A digest that nobody should rely on (RFC 9530 §5) is as good as none.
        ("md5=:AAAA:", Some(true)),
        ("", Some(true)),
        ("sha-256=AAAA", None),
        ("sha-256=(:AAAA:)", None),
        ("sha-256=:AAAA", None),
        ("sha-256", None),
        ("x", None),
    ] {
        assert_eq!(is_digest_of(field, content), expected, "{field}");
    }
}

proptest! {
    #[test]
    fn no_field_and_no_url_panics(text in ".{0,80}", content in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = is_digest_of(&text, &content);
        let _ = target(&format!("https://{text}"));
        let _ = is_sayable(&text);
    }

    #[test]
    fn a_digest_is_of_its_content_and_of_no_other(
        content in prop::collection::vec(any::<u8>(), 0..40),
        other in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let digest = content_digest(&content);
        prop_assert_eq!(is_digest_of(&digest, &other), Some(content == other));
    }
}
