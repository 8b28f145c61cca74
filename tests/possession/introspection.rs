//! What an issuer says of a token: IN-01 to IN-04, IN-07, IN-08, MT-08, BC-04.

use edgeward::credential::introspection::{IntrospectionRule, NotAnAnswer};
use edgeward::policy::gate::{AuthenticatorKind, Gate};
use edgeward::secret::Secret;
use serde_json::{Value, json};

use crate::support::FakePorts;
use crate::support::holder::Holder;
use crate::support::told::Told;
use crate::{
    NOW_MS, NOW_S, change_to, gate, key, proof, request, showing, tell, token, with_bearer,
    with_proof,
};

pub(crate) const TOKEN: &str = "an-opaque.token~of_16+bytes/==";

/// What comes of an issuer that answers nothing.
const NO_ANSWER: &str = "503 policy-unavailable introspection_down";

/// Two issuers that are asked, each on a route of its own, and one beside API keys and JWTs.
pub(crate) fn policy(change: Value) -> Value {
    let asked = |endpoint: &str| {
        let mut entry = json!({
            "kind": "introspection", "endpoint": endpoint, "client_id": "gate",
            "client_secret_binding": "INTROSPECTION_SECRET", "audiences": ["https://api.example"],
            "cache_s": 30, "claims": { "version": "ver" }
        });
        change_to(&mut entry, &change);
        entry
    };
    let route = |id: &str, auth: Value| {
        json!({
            "id": id, "match": { "methods": ["GET"], "path": format!("/{id}") },
            "origin": "orders", "auth": auth
        })
    };
    let mut policy = crate::policy();
    policy["authenticators"]["opaque"] = asked("https://issuer.example/introspect");
    policy["authenticators"]["other"] = asked("https://other.example/introspect");
    let mut scoped = route("scoped", json!(["opaque"]));
    scoped["require"] = json!({ "scopes": ["orders:write"] });
    policy["routes"] = json!([
        route("orders", json!(["opaque", "accounts", "keys"])),
        route("other", json!(["other"])),
        scoped
    ]);
    policy
}

fn rule(gate: &Gate) -> &IntrospectionRule {
    match &gate.authenticator("opaque").unwrap().kind {
        AuthenticatorKind::Introspection(rule) => rule,
        _ => panic!("another kind"),
    }
}

pub(crate) fn answer(change: Value) -> Value {
    let mut answer = json!({
        "active": true, "sub": "alice", "client_id": "app", "aud": "https://api.example",
        "exp": NOW_S + 600, "scope": "orders:read", "jti": "token-1"
    });
    change_to(&mut answer, &change);
    answer
}

pub(crate) fn ports(answer: Option<Value>) -> FakePorts {
    let ports = crate::ports();
    *ports.introspected.borrow_mut() = answer;
    ports
}

pub(crate) fn at(gate: &Gate, ports: &FakePorts, path: &str, now_ms: u64) -> Told {
    ports.clock_ms.set(now_ms);
    let mut facts = with_bearer(path, TOKEN);
    facts.received_at_ms = now_ms;
    tell(gate, ports, facts)
}

#[test]
fn in_01_a_token_adds_nothing_to_the_question_about_it() {
    let gate = gate(&policy(json!({})));
    for (token, expected) in [
        ("plain", "plain"),
        ("a&client_id=x", "a%26client_id%3Dx"),
        ("a&token=b", "a%26token%3Db"),
        ("a+b c", "a%2Bb%20c"),
        ("100%26", "100%2526"),
        ("a\r\nx: y", "a%0D%0Ax%3A%20y"),
        ("a;b#c?d/e", "a%3Bb%23c%3Fd%2Fe"),
        ("\u{e9}\0", "%C3%A9%00"),
        ("-._*~", "-._*%7E"),
        ("", ""),
    ] {
        let form = rule(&gate).form(&Secret::new(token.into()));
        let form = form.expose();
        assert_eq!(
            form,
            format!("token={expected}&token_type_hint=access_token"),
            "IN-01"
        );
        let value = form
            .strip_prefix("token=")
            .unwrap()
            .split('&')
            .next()
            .unwrap();
        let read = percent_encoding::percent_decode_str(value)
            .decode_utf8()
            .unwrap();
        assert_eq!(read, token, "IN-01");
    }
}

/// RFC 6749 §2.3.1: id and secret are form values before they are a pair.
#[test]
fn in_01_id_and_secret_are_coded_before_they_are_joined() {
    let text = |client_id: &str| {
        let gate = gate(&policy(json!({ "client_id": client_id })));
        let authorization = rule(&gate).authorization();
        let coded = authorization
            .expose()
            .strip_prefix("Basic ")
            .unwrap()
            .to_owned();
        let bytes = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&coded).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    // The secret of the tests has what would be read as structure: `s:p ä+&=`.
    assert_eq!(text("gate"), "gate:s%3Ap%20%C3%A4%2B%26%3D");
    assert_eq!(text("a:b c%"), "a%3Ab%20c%25:s%3Ap%20%C3%A4%2B%26%3D");
}

#[test]
fn in_02_and_03_only_true_is_active_and_only_false_is_not() {
    let gate = gate(&policy(json!({})));
    for (id, answer, expected) in [
        ("active", answer(json!({})), "200 - -"),
        (
            "inactive",
            json!({ "active": false }),
            "401 credential-invalid token_inactive",
        ),
        (
            "inactive, and all else in order",
            answer(json!({ "active": false })),
            "401 credential-invalid token_inactive",
        ),
        ("text", answer(json!({ "active": "true" })), NO_ANSWER),
        ("a number", answer(json!({ "active": 1 })), NO_ANSWER),
        ("a list", answer(json!({ "active": [true] })), NO_ANSWER),
        ("missing", answer(json!({ "active": null })), NO_ANSWER),
        ("an error", json!({ "error": "invalid_client" }), NO_ANSWER),
        ("a list of answers", json!([{ "active": true }]), NO_ANSWER),
        ("true", json!(true), NO_ANSWER),
    ] {
        let ports = ports(Some(answer));
        let told = tell(&gate, &ports, with_bearer("/orders", TOKEN));
        assert_eq!(told.line(), expected, "IN-02 {id}");
        assert_eq!(
            told.asked_for("origin"),
            usize::from(told.status == 200),
            "IN-02 {id}"
        );
        // What is no answer is not remembered: the next request asks again.
        let again = tell(&gate, &ports, with_bearer("/orders", TOKEN));
        assert_eq!(
            again.asked_for("introspection"),
            usize::from(told.status == 503),
            "IN-02 {id}"
        );
    }
    for bytes in [
        &b"<html>active</html>"[..],
        b"",
        b"{\"active\":true,\"active\":false}",
        b"{\"active\":false,\"active\":true}",
        b"{\"active\":true}{}",
        b"\xef\xbb\xbf{\"active\":true}",
        b"{\"active\":true,\"sub\":\"\xff\"}",
        &[b' '; 65_537],
    ] {
        assert_eq!(
            rule(&gate).judge(bytes).err(),
            Some(NotAnAnswer),
            "IN-02 {bytes:?}"
        );
    }
}

#[test]
fn in_04_what_the_answer_says_is_held_against_the_token() {
    let gate = gate(&policy(json!({ "issuer": "https://issuer.example" })));
    let with = |change: Value| {
        let mut answer = answer(json!({ "iss": "https://issuer.example" }));
        change_to(&mut answer, &change);
        answer
    };
    for (id, change, expected) in [
        ("as it should be", json!({}), "-"),
        ("no exp", json!({ "exp": null }), "-"),
        ("exp in the leeway", json!({ "exp": NOW_S - 4 }), "-"),
        ("exp past", json!({ "exp": NOW_S - 5 }), "token_expired"),
        ("exp as text", json!({ "exp": "9999999999" }), "token_claim"),
        ("exp 0", json!({ "exp": 0 }), "token_expired"),
        ("nbf in the leeway", json!({ "nbf": NOW_S + 5 }), "-"),
        (
            "nbf ahead",
            json!({ "nbf": NOW_S + 6 }),
            "token_not_yet_valid",
        ),
        (
            "iat ahead",
            json!({ "iat": NOW_S + 6 }),
            "token_not_yet_valid",
        ),
        ("nbf as text", json!({ "nbf": "0" }), "token_claim"),
        ("no aud", json!({ "aud": null }), "token_audience"),
        (
            "another aud",
            json!({ "aud": "https://api.example/" }),
            "token_audience",
        ),
        (
            "aud in a list",
            json!({ "aud": ["x", "https://api.example"] }),
            "-",
        ),
        ("aud of numbers", json!({ "aud": [1] }), "token_claim"),
        ("no iss", json!({ "iss": null }), "token_issuer"),
        (
            "another iss",
            json!({ "iss": "https://issuer.example/" }),
            "token_issuer",
        ),
        (
            "iss in a list",
            json!({ "iss": ["https://issuer.example"] }),
            "token_issuer",
        ),
        (
            "bound to a key nobody showed",
            json!({ "cnf": { "jkt": "A".repeat(43) } }),
            "token_bound",
        ),
        (
            "bound in a way not known",
            json!({ "cnf": { "kid": "A".repeat(43) } }),
            "token_bound",
        ),
        ("cnf of another type", json!({ "cnf": "x" }), "token_claim"),
        (
            "scope in a list",
            json!({ "scope": ["orders:read"] }),
            "token_claim",
        ),
        ("sub of another type", json!({ "sub": 7 }), "token_claim"),
        ("empty sub", json!({ "sub": "" }), "token_claim"),
        (
            "nobody",
            json!({ "sub": null, "client_id": null }),
            "token_claim",
        ),
    ] {
        let told = tell(
            &gate,
            &ports(Some(with(change))),
            with_bearer("/orders", TOKEN),
        );
        assert_eq!(told.reason, expected, "IN-04 {id}");
        assert_eq!(
            told.status,
            if expected == "-" { 200 } else { 401 },
            "IN-04 {id}"
        );
    }
    // Without a configured issuer, an `iss` has to be text at least.
    let gate = crate::gate(&policy(json!({})));
    for (iss, expected) in [
        (json!("https://any.example"), "-"),
        (json!(7), "token_claim"),
    ] {
        let answer = answer(json!({ "iss": iss }));
        let told = tell(&gate, &ports(Some(answer)), with_bearer("/orders", TOKEN));
        assert_eq!(told.reason, expected, "IN-04 {iss}");
    }
}

#[test]
fn in_07_a_silent_issuer_admits_nobody_and_hinders_no_one_else() {
    let gate = gate(&policy(json!({})));
    let silent = ports(None);
    let told = tell(&gate, &silent, with_bearer("/orders", TOKEN));
    assert_eq!(told.line(), NO_ANSWER);
    assert!(told.retry_after_s.is_some());
    let told = tell(&gate, &silent, with_bearer("/orders", &token(json!({}))));
    assert_eq!(
        (told.status, told.asked_for("introspection")),
        (200, 0),
        "a token checked here"
    );
    let key = key("good");
    let told = tell(
        &gate,
        &silent,
        request("GET", "/orders", &[("x-api-key", &key)], ""),
    );
    assert_eq!(told.status, 200, "an API key");
    // A token of our own issuer that is not good is not asked about elsewhere.
    let asked = ports(Some(answer(json!({}))));
    let told = tell(
        &gate,
        &asked,
        with_bearer("/orders", &token(json!({ "exp": 1 }))),
    );
    assert_eq!(
        (told.reason, told.asked_for("introspection")),
        ("token_expired", 0)
    );
}

/// RFC 9701 §5: such an answer is a JWT, which this gateway does not ask for.
#[test]
fn in_08_a_signed_answer_is_no_answer() {
    let gate = gate(&policy(json!({})));
    let signed = token(json!({ "token_introspection": answer(json!({})) }));
    for text in [signed.clone(), json!(signed).to_string()] {
        let judged = rule(&gate).judge(text.as_bytes());
        assert_eq!(judged.err(), Some(NotAnAnswer), "IN-08 {text}");
    }
    let plain = answer(json!({})).to_string();
    assert!(rule(&gate).judge(plain.as_bytes()).is_ok());
}

#[test]
fn mt_08_and_dp_13_an_opaque_token_is_bound_by_its_answer() {
    let gate = gate(&policy(json!({})));
    let holder = Holder::new("ES256", 5);
    let cnf = json!({ "jkt": holder.thumbprint() });
    let bearer = || with_bearer("/orders", TOKEN);
    let proven = || with_proof(TOKEN, &proof(&holder, TOKEN, json!({})));
    for (id, cnf, facts, expected) in [
        (
            "DP-15 to a key, as bearer",
            cnf.clone(),
            bearer(),
            "token_bound",
        ),
        ("to a key, proven", cnf.clone(), proven(), "-"),
        (
            "MT-02 to a certificate, none",
            json!({ "x5t#S256": crate::base64url(&[13; 32]) }),
            bearer(),
            "token_bound",
        ),
        (
            "MT-08 to a certificate, shown",
            json!({ "x5t#S256": crate::base64url(&[13; 32]) }),
            showing(bearer(), 13, true),
            "-",
        ),
    ] {
        let told = tell(&gate, &ports(Some(answer(json!({ "cnf": cnf })))), facts);
        assert_eq!(told.reason, expected, "{id}");
    }
}

#[test]
fn bc_04_a_client_is_never_taken_for_a_user_of_its_name() {
    let gate = gate(&policy(json!({})));
    let who = |change: Value| {
        let told = tell(
            &gate,
            &ports(Some(answer(change))),
            with_bearer("/orders", TOKEN),
        );
        told.caller
            .map(|[_, _, subject]| subject)
            .ok_or(told.reason)
    };
    assert_eq!(who(json!({ "sub": "app" })), Ok("app".into()));
    assert_eq!(who(json!({ "sub": null })), Ok("client:app".into()));
    for sub in ["client:app", "client:"] {
        assert_eq!(
            who(json!({ "sub": sub })),
            Err("token_claim"),
            "BC-04 {sub}"
        );
    }
    assert_eq!(who(json!({ "sub": "client" })), Ok("client".into()));
    // The same subject of two issuers: two callers, whose marks and counters are not shared.
    let ports = ports(Some(answer(json!({}))));
    let callers = ["/orders", "/other"].map(|path| at(&gate, &ports, path, NOW_MS).caller.unwrap());
    let [one, other] = callers;
    assert_eq!(one[2], other[2]);
    assert_ne!(one[..2], other[..2], "BC-04");
}
