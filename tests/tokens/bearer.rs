//! How a token is presented, and what is answered (RFC 6750).

use edgeward::challenge::{Asking, Challenge};
use edgeward::credential::jwt::TokenFault;
use edgeward::credential::possession::Scheme;
use edgeward::credential::presented::{Carrier, PresentFault, Presented, find};
use edgeward::facts::Headers;
use edgeward::path::CanonicalQuery;
use edgeward::problem::slug_of;
use edgeward::refusal::Refusal;

/// What is found in these header fields and this query, where tokens and keys are taken.
fn found(fields: &[(&str, &str)], query: &str) -> Result<Option<(Scheme, String)>, PresentFault> {
    let header = Carrier::Header {
        name: "x-api-key".into(),
        prefix: "ew".into(),
    };
    let known = [("keys".into(), header), ("tokens".into(), Carrier::Token)];
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let query = CanonicalQuery::parse(Some(query)).unwrap();
    match find(&Headers::new(fields.collect()), &query, &known)? {
        Presented::Token { text, scheme } => Ok(Some((scheme, text.expose().to_owned()))),
        Presented::Absent | Presented::Key { .. } => Ok(None),
    }
}

fn authorization(value: &str) -> Result<Option<(Scheme, String)>, PresentFault> {
    found(&[("authorization", value)], "")
}

fn challenge(refusal: &Refusal) -> String {
    let asking = Asking {
        realm: "orders",
        metadata: "https://api.example/m",
    };
    Challenge::Bearer.value(&asking, refusal)
}

/// One space exactly: two readers of several could part the field elsewhere.
#[test]
fn br_01_a_bearer_token_is_a_scheme_one_space_and_b64token() {
    let token = |text: &str| Ok(Some((Scheme::Bearer, text.to_owned())));
    for (value, expected) in [
        ("Bearer a.b-c_d~e+f/g", token("a.b-c_d~e+f/g")),
        ("Bearer a==", token("a==")),
        ("bEARER a", token("a")),
        ("BEARER a", token("a")),
        ("Bearer", Err(PresentFault::Malformed)),
        ("Bearer ", Err(PresentFault::Malformed)),
        ("Bearer  a", Err(PresentFault::Malformed)),
        ("Bearer a ", Err(PresentFault::Malformed)),
        ("Bearer a b", Err(PresentFault::Malformed)),
        ("Bearer a=b", Err(PresentFault::Malformed)),
        ("Bearer =", Err(PresentFault::Malformed)),
        ("Bearer \"a\"", Err(PresentFault::Malformed)),
        ("Bearer {\"payload\":1}", Err(PresentFault::Malformed)),
        ("Bearer a\u{a0}", Err(PresentFault::Malformed)),
        ("Bearer é", Err(PresentFault::Malformed)),
    ] {
        assert_eq!(authorization(value), expected, "{value:?}");
    }
}

#[test]
fn br_02_another_scheme_is_not_read_as_bearer() {
    for value in [
        "Basic YTpi",
        "Bearer\ta",
        "Bearera",
        "a.b.c",
        "Token a",
        "Negotiate a",
        "",
        " Bearer a",
    ] {
        assert_eq!(authorization(value), Err(PresentFault::Scheme), "{value:?}");
    }
    let proven = authorization("DPoP a.b.c").unwrap();
    assert_eq!(proven, Some((Scheme::Dpop, "a.b.c".into())));
}

#[test]
fn br_03_there_is_one_credential() {
    let bearer = ("authorization", "Bearer a");
    for (fields, query) in [
        (vec![("authorization", "Bearer a, Bearer b")], ""),
        (vec![("authorization", "Bearer a, DPoP a")], ""),
        (vec![bearer, ("x-api-key", "k")], ""),
    ] {
        assert_eq!(
            found(&fields, query),
            Err(PresentFault::Repeated),
            "{fields:?} {query}"
        );
    }
    let fault = PresentFault::Repeated;
    assert_eq!(slug_of(&Refusal::NotSingle { fault }).status(), 400);
    assert_eq!(
        found(&[bearer], "access_token=a"),
        Err(PresentFault::InQuery)
    );
}

#[test]
fn br_04_a_token_stands_in_no_query_and_no_content() {
    for query in ["access_token=a", "x=1&access_token=", "acc%65ss_token=a"] {
        assert_eq!(found(&[], query), Err(PresentFault::InQuery), "{query}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(found(&form, ""), Ok(None), "content is not looked into");
}

#[test]
fn br_05_without_a_credential_the_challenge_names_no_error() {
    let told = challenge(&Refusal::NoCredential);
    assert_eq!(
        told,
        "Bearer realm=\"orders\", resource_metadata=\"https://api.example/m\""
    );
    assert_eq!(slug_of(&Refusal::NoCredential).status(), 401);
}

#[test]
fn br_06_each_error_has_its_status() {
    let token = Refusal::TokenRefused {
        fault: TokenFault::Expired,
    };
    let scopes = Refusal::MissingScopes {
        missing: vec!["read".into(), "write".into()],
    };
    let fault = PresentFault::Repeated;
    for (refusal, status, error) in [
        (Refusal::NotSingle { fault }, 400, ""),
        (token, 401, ", error=\"invalid_token\""),
        (
            scopes,
            403,
            ", error=\"insufficient_scope\", scope=\"read write\"",
        ),
    ] {
        assert_eq!(slug_of(&refusal).status(), status, "{refusal:?}");
        let told = challenge(&refusal);
        assert!(
            told.starts_with(&format!("Bearer realm=\"orders\"{error}, res")),
            "{told}"
        );
    }
}

#[test]
fn br_07_a_challenge_has_each_attribute_once_and_plain_characters() {
    let refusals = [
        Refusal::NoCredential,
        Refusal::TokenRefused {
            fault: TokenFault::Signature,
        },
        Refusal::MissingScopes {
            missing: vec!["read".into()],
        },
        Refusal::StepUp {
            acr: vec!["aal2".into()],
            max_auth_age_s: Some(60),
        },
    ];
    for refusal in refusals {
        let told = challenge(&refusal);
        let attributes = told.trim_start_matches("Bearer ").split(", ");
        let mut names: Vec<_> = attributes
            .map(|one| one.split('=').next().unwrap())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{told}");
        let plain = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e | b'"');
        assert!(told.bytes().all(plain), "{told}");
        assert!(
            !told.contains("error_description"),
            "callers learn nothing more: {told}"
        );
    }
}
