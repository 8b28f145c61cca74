use super::*;

#[test]
fn every_type_stands_in_the_registry_as_it_is_answered() {
    let registry: Value =
        serde_json::from_str(include_str!("../../schemas/problems.json")).unwrap();
    for slug in Slug::ALL {
        let entry = &registry[slug.as_str()];
        assert_eq!(entry["status"], slug.status(), "{slug:?}");
        assert_eq!(entry["title"], slug.title(), "{slug:?}");
    }
}

fn told(refusal: &Refusal, fraction: u8) -> Problem {
    let request_id = RequestId::from_random([fraction; 16]);
    let challenges = [Challenge::Bearer, Challenge::ApiKey];
    Problem::of(
        refusal,
        &Telling {
            request_id: &request_id,
            realm: "demo",
            challenges: &challenges,
        },
    )
}

#[test]
fn a_wait_is_never_shorter_than_the_first_instant_that_passes() {
    for (retry_after_ms, fraction, expected) in [
        (1, 0, "1"),
        (1_000, 0, "1"),
        (1_001, 0, "2"),
        (60_000, 0, "60"),
        (60_000, 255, "66"),
    ] {
        let refusal = Refusal::OverLimit {
            limits: vec!["minute".into()],
            retry_after_ms,
        };
        let problem = told(&refusal, fraction);
        assert_eq!(problem.fields, [("retry-after", expected.to_owned())]);
        assert_eq!(problem.violated, ["minute"]);
    }
}

#[test]
fn a_challenge_names_every_way_in_and_an_error_only_where_one_was_made() {
    let fields = |refusal| told(&refusal, 0).fields;
    assert_eq!(
        fields(Refusal::NoCredential),
        [
            ("www-authenticate", "Bearer realm=\"demo\"".to_owned()),
            ("www-authenticate", "ApiKey realm=\"demo\"".to_owned()),
        ]
    );
    let bad = Refusal::KeyRefused {
        fault: crate::credential::api_key::KeyFault::Revoked,
    };
    assert_eq!(
        fields(bad)[0].1,
        "Bearer realm=\"demo\", error=\"invalid_token\""
    );
    let missing = vec!["a".to_owned(), "b".to_owned()];
    let scope = fields(Refusal::MissingScopes { missing });
    assert_eq!(
        scope[0].1,
        "Bearer realm=\"demo\", error=\"insufficient_scope\", scope=\"a b\""
    );
}
