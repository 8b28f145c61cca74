//! Client certificates: MT-02 to MT-07, and certificates that are credentials of their own.

use edgeward::credential::certificate::parse_fingerprint;
use edgeward::facts::Facts;
use serde_json::{Value, json};

use crate::support::holder::Holder;
use crate::{
    ask, base64url, gate, key, policy, proof, request, showing, token, with_bearer, with_proof,
};

fn get(target: &str) -> Facts {
    request("GET", target, &[], "")
}

#[test]
fn a_listed_certificate_that_was_verified_is_its_caller() {
    let gate = gate(&policy());
    for (id, facts, expected, subject) in [
        (
            "listed",
            showing(get("/devices"), 13, true),
            "200 - -",
            Some("device-13"),
        ),
        (
            "MT-05 not verified",
            showing(get("/devices"), 13, false),
            "401 credential-invalid certificate_unverified",
            None,
        ),
        (
            "MT-05 neither verified nor listed",
            showing(get("/devices"), 99, false),
            "401 credential-invalid certificate_unverified",
            None,
        ),
        (
            "not listed",
            showing(get("/devices"), 99, true),
            "401 credential-invalid certificate_unknown",
            None,
        ),
        (
            "listed for another route",
            showing(get("/devices"), 14, true),
            "401 credential-invalid certificate_unknown",
            None,
        ),
        (
            "none",
            get("/devices"),
            "401 credential-missing no_credential",
            None,
        ),
        (
            "the second authenticator",
            showing(get("/robots"), 15, true),
            "200 - -",
            Some("robot-15"),
        ),
        (
            "the first of two",
            showing(get("/either"), 13, true),
            "200 - -",
            Some("device-13"),
        ),
        (
            "the second of two",
            showing(get("/either"), 14, true),
            "200 - -",
            Some("robot-14"),
        ),
        (
            "where none is taken",
            showing(get("/orders"), 13, true),
            "401 credential-missing no_credential",
            None,
        ),
        (
            "on a public route",
            showing(get("/open"), 13, true),
            "200 - -",
            None,
        ),
        (
            "unverified on a public route",
            showing(get("/open"), 99, false),
            "200 - -",
            None,
        ),
    ] {
        let told = ask(&gate, facts);
        assert_eq!(told.line(), expected, "{id}");
        let known = told.caller.map(|[_, _, subject]| subject);
        assert_eq!(known.as_deref(), subject, "{id}");
    }
    let told = ask(&gate, get("/devices"));
    assert_eq!(
        told.challenges,
        ["ClientCertificate realm=\"orders\""],
        "a 401 has a challenge"
    );
}

#[test]
fn two_authenticators_of_one_certificate_are_two_callers() {
    let mut policy = policy();
    policy["authenticators"]["robots"]["subjects"][0]["fingerprint_sha256"] =
        json!("0d".repeat(32));
    let gate = gate(&policy);
    let who = |path| ask(&gate, showing(get(path), 13, true)).caller.unwrap();
    assert_eq!(who("/devices")[..2], ["devices".to_owned(), String::new()]);
    assert_eq!(
        who("/robots"),
        ["robots".to_owned(), String::new(), "robot-14".into()]
    );
}

#[test]
fn beside_another_credential_a_certificate_is_none() {
    let gate = gate(&policy());
    let (good, bad) = (token(json!({})), token(json!({ "exp": 1 })));
    let key = key("good");
    let with_key = || request("GET", "/either", &[("x-api-key", &key)], "");
    for (id, facts, expected, authenticator) in [
        (
            "a good token",
            with_bearer("/either", &good),
            "-",
            Some("accounts"),
        ),
        (
            "a bad token",
            with_bearer("/either", &bad),
            "token_expired",
            None,
        ),
        ("a good key", with_key(), "-", Some("keys")),
        (
            "a bad key",
            request("GET", "/either", &[("x-api-key", "ew_live_x")], ""),
            "key_malformed",
            None,
        ),
        (
            "a scheme of no one",
            request("GET", "/either", &[("authorization", "Basic YTpi")], ""),
            "scheme_unknown",
            None,
        ),
        (
            "a token that the route does not take",
            with_bearer("/devices", &good),
            "credential_not_taken",
            None,
        ),
        (
            "a token in the query",
            get("/devices?access_token=x"),
            "credential_in_query",
            None,
        ),
    ] {
        let told = ask(&gate, showing(facts, 13, true));
        assert_eq!(told.reason, expected, "{id}");
        let known = told.caller.map(|[authenticator, _, _]| authenticator);
        assert_eq!(known.as_deref(), authenticator, "{id}");
    }
    let not_ours = showing(with_bearer("/either", &good), 99, false);
    assert_eq!(
        ask(&gate, not_ours).status,
        200,
        "an unbound token needs no certificate"
    );
}

#[test]
fn mt_02_to_04_a_token_is_for_the_certificate_it_names() {
    let gate = gate(&policy());
    let bound = |text: &str| token(json!({ "cnf": { "x5t#S256": text } }));
    let own = base64url(&[13; 32]);
    let hex: String = "0d".repeat(32);
    let mut near = [13; 32];
    near[31] = 12;
    let bearer = |text: &str| with_bearer("/orders", &bound(text));
    for (id, facts, expected) in [
        ("its own", showing(bearer(&own), 13, true), "-"),
        ("MT-02 none", bearer(&own), "token_bound"),
        (
            "MT-03 another",
            showing(bearer(&own), 14, true),
            "token_bound",
        ),
        (
            "MT-04 another in its last byte",
            showing(bearer(&base64url(&near)), 13, true),
            "token_bound",
        ),
        (
            "MT-05 not verified",
            showing(bearer(&own), 13, false),
            "token_bound",
        ),
        (
            "MT-01 padded",
            showing(bearer(&format!("{own}=")), 13, true),
            "token_claim",
        ),
        (
            "MT-01 in hexadecimal",
            showing(bearer(&hex), 13, true),
            "token_claim",
        ),
        (
            "MT-01 a SHA-1",
            showing(bearer(&base64url(&[13; 20])), 13, true),
            "token_claim",
        ),
        (
            "MT-01 trailing bits",
            showing(bearer(&format!("{}1", &own[..42])), 13, true),
            "token_claim",
        ),
    ] {
        let told = ask(&gate, facts);
        assert_eq!(told.reason, expected, "{id}");
        assert_eq!(told.status, if expected == "-" { 200 } else { 401 }, "{id}");
    }
    for (iss, expected) in [("strict", "-"), ("loose", "token_bound")] {
        let claims = json!({
            "iss": format!("https://{iss}.example"), "cnf": { "x5t#S256": own }
        });
        let facts = showing(with_bearer("/orders", &token(claims)), 13, true);
        assert_eq!(ask(&gate, facts).reason, expected, "{iss}");
    }
}

#[test]
fn a_token_bound_to_both_needs_both() {
    let gate = gate(&policy());
    let (holder, thief) = (Holder::new("ES256", 5), Holder::new("ES256", 6));
    let token = token(json!({
        "cnf": { "jkt": holder.thumbprint(), "x5t#S256": base64url(&[13; 32]) }
    }));
    let by = |holder: &Holder| with_proof(&token, &proof(holder, &token, json!({})));
    for (id, facts, expected) in [
        ("both", showing(by(&holder), 13, true), "-"),
        ("the key alone", by(&holder), "token_bound"),
        (
            "the certificate alone",
            showing(with_bearer("/orders", &token), 13, true),
            "token_bound",
        ),
        (
            "another certificate",
            showing(by(&holder), 14, true),
            "token_bound",
        ),
        (
            "an unverified certificate",
            showing(by(&holder), 13, false),
            "token_bound",
        ),
        ("another key", showing(by(&thief), 13, true), "token_bound"),
        ("neither", with_bearer("/orders", &token), "token_bound"),
    ] {
        assert_eq!(ask(&gate, facts).reason, expected, "{id}");
    }
}

#[test]
fn mt_06_a_header_is_no_certificate() {
    let gate = gate(&policy());
    let fields = [
        ("client-cert", ":AAAA:"),
        ("x-client-cert", "0d0d"),
        ("cf-client-cert-sha256", &"0d".repeat(32)),
        ("x-ssl-client-verify", "SUCCESS"),
        ("x-forwarded-client-cert", "Hash=0d0d"),
    ];
    let told = ask(&gate, request("GET", "/devices", &fields, ""));
    assert_eq!(told.line(), "401 credential-missing no_credential", "MT-06");
    let ports = crate::ports();
    assert_eq!(
        crate::tell(&gate, &ports, request("GET", "/open", &fields, "")).status,
        200
    );
    let removed = ports.arrived.borrow()[0].removed.clone();
    for (name, _) in fields.iter().filter(|(name, _)| !name.starts_with("cf-")) {
        assert!(
            removed.iter().any(|one| one == name),
            "MT-06 {name} reached the origin"
        );
    }
}

#[test]
fn mt_07_a_fingerprint_is_no_token() {
    let gate = gate(&policy());
    for text in ["0d".repeat(32), base64url(&[13; 32])] {
        for (path, facts) in [
            ("/either", with_bearer("/either", &text)),
            ("/devices", with_bearer("/devices", &text)),
            (
                "/either",
                request("GET", "/either", &[("x-api-key", &text)], ""),
            ),
        ] {
            let told = ask(&gate, facts);
            assert_eq!(
                (told.status, told.caller),
                (401, None),
                "MT-07 {path} {text}"
            );
        }
    }
}

#[test]
fn mt_05_a_fingerprint_in_another_form_is_none() {
    let digits = "0D".repeat(32);
    assert_eq!(parse_fingerprint(&digits), Some([13; 32]));
    for wrong in [
        format!("{}:0d", "0d".repeat(31)),
        format!(" {}", "0d".repeat(32)),
        format!("+d{}", "0d".repeat(31)),
        "\u{ff10}d".repeat(32),
        base64url(&[13; 32]),
    ] {
        assert_eq!(parse_fingerprint(&wrong), None, "MT-05 {wrong}");
    }
}

#[test]
fn two_callers_of_one_certificate_do_not_load() {
    let mut policy = policy();
    let one = policy["authenticators"]["robots"]["subjects"][0]["fingerprint_sha256"].clone();
    policy["authenticators"]["robots"]["subjects"][1]["fingerprint_sha256"] = one;
    let load = |policy: &Value| {
        let bindings = crate::support::bindings();
        edgeward::policy::load::load(policy.to_string().as_bytes(), &bindings).is_ok()
    };
    assert!(!load(&policy));
    assert!(load(&crate::policy()));
}
