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
    let header = "x-api-key".to_owned();
    let challenges = [
        Challenge::Bearer,
        Challenge::Dpop,
        Challenge::ApiKey { header },
    ];
    Problem::of(
        refusal,
        &Telling {
            request_id: &request_id,
            asking: Asking {
                realm: "demo",
                metadata: "https://api.example.com/m",
            },
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
    let fields = |refusal| -> Vec<String> {
        let fields = told(&refusal, 0).fields.into_iter();
        let fields = fields.filter(|(name, _)| *name == "www-authenticate");
        fields.map(|(_, value)| value).collect()
    };
    let rest = "resource_metadata=\"https://api.example.com/m\"";
    let algorithms = "algs=\"ES256 Ed25519 ES384 PS256 RS256\"";
    let told = |bearer: &str, dpop: &str| {
        vec![
            format!("Bearer realm=\"demo\"{bearer}, {rest}"),
            format!("DPoP realm=\"demo\"{dpop}, {algorithms}, {rest}"),
            "ApiKey realm=\"demo\", header=\"x-api-key\"".to_owned(),
        ]
    };
    let key = crate::credential::api_key::KeyFault::Revoked;
    let token = crate::credential::jwt::TokenFault::Expired;
    let proof = crate::credential::dpop::ProofFault::Replayed;
    let invalid = ", error=\"invalid_token\"";
    let step_up =
        ", error=\"insufficient_user_authentication\", acr_values=\"aal2 aal3\", max_age=\"600\"";
    for (refusal, bearer, dpop) in [
        (Refusal::NoCredential, "", ""),
        (Refusal::KeyRefused { fault: key }, invalid, invalid),
        (Refusal::TokenRefused { fault: token }, invalid, invalid),
        (
            Refusal::ProofRefused { fault: proof },
            "",
            ", error=\"invalid_dpop_proof\"",
        ),
        (Refusal::NonceNeeded, "", ", error=\"use_dpop_nonce\""),
        (
            Refusal::StepUp {
                acr: vec!["aal2".into(), "aal3".into()],
                max_auth_age_s: Some(600),
            },
            step_up,
            step_up,
        ),
    ] {
        assert_eq!(fields(refusal), told(bearer, dpop));
    }
    let missing = vec!["a".to_owned(), "b".to_owned()];
    let scope = ", error=\"insufficient_scope\", scope=\"a b\"";
    let fields = fields(Refusal::MissingScopes { missing });
    assert_eq!(
        fields,
        told(scope, scope)[..2],
        "a key cannot ask for a scope"
    );
}
