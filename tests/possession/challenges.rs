//! `WWW-Authenticate`: WA-01 to WA-04, BR-05 to BR-07, PR-05, X-04.

use edgeward::challenge::{Asking, Challenge};
use edgeward::credential::dpop::ProofFault;
use edgeward::credential::jwt::TokenFault;
use edgeward::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{bindings, told::Told};
use crate::{ask, gate, key, policy, request, token, with_bearer};

/// Reads a challenge as RFC 9110 §11.6.1 has it: the scheme, and names with their values.
fn read(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let (scheme, mut rest) = text.split_once(' ')?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(letters.next()?.1),
                (_, letter @ ' '..='~') => value.push(letter),
                _ => return None,
            }
        };
        parameters.push((name.to_owned(), value));
        rest = &after[end..];
        match rest.strip_prefix(", ") {
            Some(next) => rest = next,
            None if rest.is_empty() => return Some((scheme.to_owned(), parameters)),
            None => return None,
        }
    }
}

fn told(facts: edgeward::facts::Facts) -> Told {
    let mut policy = policy();
    policy["routes"][0]["require"] = json!({ "scopes": ["a:read", "a:write"] });
    ask(&gate(&policy), facts)
}

/// The value of `name` in the challenge of `scheme`.
fn parameter(told: &Told, scheme: &str, name: &str) -> Option<String> {
    let challenges: Vec<_> = told
        .challenges
        .iter()
        .map(|one| read(one).unwrap())
        .collect();
    let (_, parameters) = challenges.into_iter().find(|(one, _)| one == scheme)?;
    parameters
        .into_iter()
        .find(|(one, _)| one == name)
        .map(|(_, value)| value)
}

#[test]
fn br_05_who_showed_nothing_is_told_of_no_error() {
    let told = told(request("GET", "/orders", &[], ""));
    assert_eq!(told.line(), "401 credential-missing no_credential");
    let schemes: Vec<_> = told
        .challenges
        .iter()
        .map(|one| read(one).unwrap().0)
        .collect();
    assert_eq!(
        schemes,
        ["Bearer", "DPoP", "ApiKey"],
        "WA-03, X-04: one a line"
    );
    for scheme in ["Bearer", "DPoP"] {
        assert_eq!(parameter(&told, scheme, "error"), None, "BR-05 {scheme}");
        assert_eq!(
            parameter(&told, scheme, "realm").as_deref(),
            Some("orders"),
            "BR-05 {scheme}"
        );
        let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
        let found = parameter(&told, scheme, "resource_metadata");
        assert_eq!(found.as_deref(), Some(metadata), "PR-05 {scheme}");
    }
}

#[test]
fn br_06_an_error_has_its_status() {
    let expired = token(json!({ "exp": 1 }));
    let (good, key) = (token(json!({})), key("good"));
    let twice = format!("Bearer {good}, Bearer {good}");
    for (id, facts, status, bearer, dpop) in [
        (
            "invalid_token",
            with_bearer("/orders", &expired),
            401,
            Some("invalid_token"),
            Some("invalid_token"),
        ),
        (
            "insufficient_scope",
            with_bearer("/orders", &good),
            403,
            Some("insufficient_scope"),
            Some("insufficient_scope"),
        ),
        (
            "no proof",
            request(
                "GET",
                "/orders",
                &[("authorization", &format!("DPoP {good}"))],
                "",
            ),
            401,
            None,
            Some("invalid_dpop_proof"),
        ),
        (
            "two tokens",
            request("GET", "/orders", &[("authorization", &twice)], ""),
            400,
            None,
            None,
        ),
        (
            "in the query",
            request("GET", "/orders?access_token=x", &[], ""),
            400,
            None,
            None,
        ),
        (
            "a bad key",
            request("GET", "/orders", &[("x-api-key", "x")], ""),
            401,
            Some("invalid_token"),
            Some("invalid_token"),
        ),
        (
            "a key without scopes",
            request("GET", "/orders", &[("x-api-key", &key)], ""),
            403,
            Some("insufficient_scope"),
            Some("insufficient_scope"),
        ),
    ] {
        let told = told(facts);
        assert_eq!(told.status, status, "BR-06 {id}");
        assert_eq!(
            parameter(&told, "Bearer", "error").as_deref(),
            bearer,
            "BR-06 {id}"
        );
        assert_eq!(
            parameter(&told, "DPoP", "error").as_deref(),
            dpop,
            "BR-06 {id}"
        );
    }
    let told = told(with_bearer("/orders", &good));
    assert_eq!(
        parameter(&told, "Bearer", "scope").as_deref(),
        Some("a:read a:write"),
        "BR-06"
    );
    assert!(
        told.challenges.iter().all(|one| !one.starts_with("ApiKey")),
        "a scope is a token's"
    );
}

#[test]
fn wa_01_a_name_stands_once() {
    for told in [
        told(request("GET", "/orders", &[], "")),
        told(with_bearer("/orders", &token(json!({ "exp": 1 })))),
        told(with_bearer("/orders", &token(json!({})))),
    ] {
        for challenge in &told.challenges {
            let (_, parameters) = read(challenge).unwrap();
            let mut names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
            assert!(
                names.iter().all(|name| *name == &name.to_ascii_lowercase()),
                "{challenge}"
            );
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), parameters.len(), "WA-01 {challenge}");
        }
    }
}

/// RFC 9110 §11.6.1 would let them share one, parted by the commas that part their parameters.
#[test]
fn wa_03_each_challenge_is_its_own_field() {
    let mut policy = policy();
    for (names, schemes) in [
        (json!(["accounts"]), vec!["Bearer", "DPoP"]),
        (json!(["loose"]), vec!["Bearer"]),
        (json!(["accounts", "noncing"]), vec!["Bearer", "DPoP"]),
        (json!(["keys"]), vec!["ApiKey"]),
        (json!(["devices"]), vec!["ClientCertificate"]),
        (
            json!(["accounts", "devices", "keys"]),
            vec!["ApiKey", "Bearer", "ClientCertificate", "DPoP"],
        ),
    ] {
        policy["routes"][0]["auth"] = names.clone();
        let bad = format!("Bearer {}", token(json!({ "exp": 1 })));
        for fields in [vec![], vec![("authorization", bad.as_str())]] {
            let told = ask(&gate(&policy), request("GET", "/orders", &fields, ""));
            assert_eq!(told.status, 401, "WA-03 {names}");
            // What follows a challenge in its field would not be read.
            let each = told.challenges.iter().map(|one| read(one).unwrap().0);
            let mut found: Vec<_> = each.collect();
            found.sort_unstable();
            assert_eq!(found, schemes, "WA-03 {names}");
        }
    }
}

#[test]
fn pr_05_every_challenge_for_a_token_names_the_metadata() {
    let here = "https://api.example.com/.well-known/oauth-protected-resource";
    let public = "https://public.example/.well-known/oauth-protected-resource";
    for (public_url, expected) in [(None, here), (Some("https://public.example"), public)] {
        let mut policy = policy();
        policy["routes"][0]["require"] = json!({ "scopes": ["a:read"], "acr": ["aal2"] });
        if let Some(url) = public_url {
            policy["public_url"] = json!(url);
        }
        let gate = gate(&policy);
        let (good, scoped) = (token(json!({})), token(json!({ "scope": "a:read" })));
        let unproven = format!("DPoP {good}");
        for (id, facts, status) in [
            ("no credential", request("GET", "/orders", &[], ""), 401),
            ("a bad token", with_bearer("/orders", "x"), 401),
            (
                "no proof",
                request("GET", "/orders", &[("authorization", &unproven)], ""),
                401,
            ),
            ("no scope", with_bearer("/orders", &good), 403),
            ("another login", with_bearer("/orders", &scoped), 401),
        ] {
            let told = ask(&gate, facts);
            assert_eq!(told.status, status, "PR-05 {id}: {}", told.line());
            for scheme in ["Bearer", "DPoP"] {
                let found = parameter(&told, scheme, "resource_metadata");
                assert_eq!(found.as_deref(), Some(expected), "PR-05 {id} {scheme}");
            }
            let found = parameter(&told, "ApiKey", "resource_metadata");
            assert_eq!(found, None, "PR-05 {id}: a key is not asked for there");
        }
    }
}

/// What stands in a challenge and comes from a policy cannot end its quotes.
#[test]
fn wa_04_a_policy_with_a_quote_in_a_name_does_not_load() {
    let loads = |change: &dyn Fn(&mut Value)| {
        let mut policy = policy();
        change(&mut policy);
        edgeward::policy::load::load(policy.to_string().as_bytes(), &bindings()).is_ok()
    };
    for odd in [
        "a\"b", "a\\b", "a\r\nb", "a\u{e9}", "a b", "", "a\0", "a\u{7f}",
    ] {
        assert!(
            !loads(&|policy| policy["name"] = json!(odd)),
            "name {odd:?}"
        );
        let set = |field: &'static str| {
            move |policy: &mut Value| policy["routes"][0]["require"] = json!({ field: [odd] })
        };
        assert!(!loads(&set("scopes")), "scopes {odd:?}");
        assert!(!loads(&set("acr")), "acr {odd:?}");
        assert!(
            !loads(&|policy| policy["authenticators"]["keys"]["header"] = json!(odd)),
            "{odd:?}"
        );
        let url = format!("https://{odd}.example");
        assert!(
            !loads(&|policy| policy["public_url"] = json!(url)) || odd.is_empty(),
            "{odd:?}"
        );
    }
    for fine in ["orders", "Orders-2_b"] {
        assert!(loads(&|policy| policy["name"] = json!(fine)), "{fine}");
    }
    for fine in ["orders:write", "https://a.example/x?y=z", "a'b!"] {
        assert!(
            loads(&|policy| policy["routes"][0]["require"] = json!({ "scopes": [fine] })),
            "{fine}"
        );
        assert!(
            loads(&|policy| policy["routes"][0]["require"] = json!({ "acr": [fine] })),
            "{fine}"
        );
    }
}

proptest! {
    /// Whatever text a challenge is made of, it reads as one challenge, and says the same.
    #[test]
    fn wa_02_and_04_no_text_ends_its_quotes(text in "[ -~\u{0}-\u{1f}\u{7f}\u{e9}]{0,24}") {
        let visible: String = text.chars().filter(|letter| (' '..='~').contains(letter)).collect();
        let asking = Asking { realm: &text, metadata: &text };
        let step_up = Refusal::StepUp { acr: vec![text.clone()], max_auth_age_s: Some(1) };
        let scopes = Refusal::MissingScopes { missing: vec![text.clone()] };
        let token = Refusal::TokenRefused { fault: TokenFault::Expired };
        let proof = Refusal::ProofRefused { fault: ProofFault::Time };
        let header = text.clone();
        for refusal in [step_up, scopes, token, proof, Refusal::NonceNeeded] {
            for challenge in [
                Challenge::Bearer,
                Challenge::Dpop,
                Challenge::ApiKey { header: header.clone() },
                Challenge::ClientCertificate,
            ] {
                let told = challenge.value(&asking, &refusal);
                let (_, parameters) = read(&told).ok_or_else(|| TestCaseError::fail(told.clone()))?;
                let realm = parameters.iter().find(|(name, _)| name == "realm");
                prop_assert_eq!(realm.map(|(_, value)| value), Some(&visible));
            }
        }
    }
}
