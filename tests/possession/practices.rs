//! Where a token goes no further: BC-05 and BC-06 (RFC 9700).

use edgeward::admit::{Outcome, admit};
use edgeward::challenge::Asking;
use edgeward::decision::{Ending, line};
use edgeward::facts::Facts;
use edgeward::policy::gate::Gate;
use edgeward::problem::{Problem, Telling};
use serde_json::json;

use crate::introspection::{TOKEN, answer};
use crate::support::holder::Holder;
use crate::support::{FakePorts, run};
use crate::{
    NOW_S, bound, gate, hash, introspection, proof, request, tell, token, with_bearer, with_proof,
};

/// Routes that take tokens read here and tokens their issuer is asked about, and one for everyone.
fn policy() -> serde_json::Value {
    let mut policy = introspection::policy(json!({}));
    policy["routes"].as_array_mut().unwrap().push(json!({
        "id": "open", "match": { "methods": ["GET"], "path": "/open" }, "origin": "orders",
        "auth": "public"
    }));
    policy
}

fn ports() -> FakePorts {
    introspection::ports(Some(answer(json!({}))))
}

#[test]
fn bc_05_no_token_goes_on_to_an_origin() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let (own, its) = (token(json!({})), bound(&holder, json!({})));
    let proven = with_proof(&its, &proof(&holder, &its, json!({})));
    for (id, facts, token) in [
        ("a token", with_bearer("/orders", &own), own.as_str()),
        ("an opaque token", with_bearer("/orders", TOKEN), TOKEN),
        ("a token with a proof", proven, &its),
        ("on a public route", with_bearer("/open", &own), &own),
        ("to a proxy", proxied(&own), &own),
    ] {
        let ports = ports();
        assert_eq!(
            tell(&gate, &ports, facts.clone()).line(),
            "200 - -",
            "BC-05 {id}"
        );
        let arrived = ports.arrived.borrow()[0].clone();
        for (name, value) in facts.headers.iter() {
            let is_gone = arrived.removed.iter().any(|removed| removed == name);
            assert!(is_gone || !value.contains(token), "BC-05 {id}: {name}");
            assert!(is_gone || name != "dpop", "BC-05 {id}: {name}");
        }
        assert!(
            !format!("{:?} {}", arrived.set, arrived.url).contains(token),
            "BC-05 {id}"
        );
    }
}

fn proxied(token: &str) -> Facts {
    let field = format!("Bearer {token}");
    request("GET", "/open", &[("proxy-authorization", &field)], "")
}

/// The line of a request in the log, and the problem document that answers it.
fn written(gate: &Gate, facts: Facts) -> (u16, String) {
    let ending = |status, refusal| Ending {
        status,
        refusal,
        policy: None,
        ms: 0,
    };
    match run(admit(gate, &ports(), facts, Vec::new())) {
        Ok(Outcome::Replayed { .. }) => panic!("nothing was kept"),
        Ok(Outcome::Released(release)) => {
            let line = json!(line(release.trail(), &ending(200, None)));
            (200, json!(line).to_string())
        }
        Ok(Outcome::Switched(_)) => panic!("nobody switched"),
        Ok(Outcome::Preflight { .. }) => panic!("a preflight"),
        Err(refused) => {
            let trail = &refused.trail;
            let telling = Telling {
                request_id: &trail.facts.request_id,
                asking: Asking {
                    realm: "orders",
                    metadata: "",
                },
                challenges: &trail.challenges,
            };
            let problem = Problem::of(&refused.refusal, &telling);
            let status = problem.slug.status();
            let why = Some((&refused.refusal, problem.slug));
            let line = json!(line(trail, &ending(status, why)));
            let document = problem.document("", telling.request_id);
            (status, format!("{line} {document} {:?}", problem.fields))
        }
    }
}

#[test]
fn bc_06_no_token_stands_in_the_log_or_an_answer() {
    let gate = gate(&policy());
    let holder = Holder::new("Ed25519", 5);
    let (own, its) = (token(json!({})), bound(&holder, json!({})));
    let expired = token(json!({ "exp": NOW_S - 100 }));
    let odd = token(json!({ "sub": ["alice"] }));
    let (text, _) = own.rsplit_once('.').unwrap();
    let forged = format!("{text}.{}", "A".repeat(86));
    let (first, late) = (
        proof(&holder, &its, json!({})),
        proof(&holder, &its, json!({ "iat": 1 })),
    );
    let twice = request(
        "GET",
        "/orders",
        &[("authorization", &format!("Bearer {own}, Bearer {own}"))],
        "",
    );
    let query = format!("/orders?access_token={own}");
    for (id, facts, status, token, proof) in [
        ("good", with_bearer("/orders", &own), 200, &own, None),
        (
            "expired",
            with_bearer("/orders", &expired),
            401,
            &expired,
            None,
        ),
        (
            "a claim of another type",
            with_bearer("/orders", &odd),
            401,
            &odd,
            None,
        ),
        (
            "forged",
            with_bearer("/orders", &forged),
            401,
            &forged,
            None,
        ),
        (
            "opaque",
            with_bearer("/orders", TOKEN),
            200,
            &TOKEN.into(),
            None,
        ),
        (
            "no scope",
            with_bearer("/scoped", TOKEN),
            403,
            &TOKEN.into(),
            None,
        ),
        (
            "of one issuer or the other",
            with_bearer("/open", TOKEN),
            401,
            &TOKEN.into(),
            None,
        ),
        (
            "proven",
            with_proof(&its, &first),
            200,
            &its,
            Some(first.clone()),
        ),
        (
            "proven too late",
            with_proof(&its, &late),
            401,
            &its,
            Some(late.clone()),
        ),
        (
            "bound, as bearer",
            with_bearer("/orders", &its),
            401,
            &its,
            None,
        ),
        ("twice", twice, 400, &own, None),
        (
            "in the query",
            request("GET", &query, &[], ""),
            400,
            &own,
            None,
        ),
    ] {
        let (found, written) = written(&gate, facts);
        assert_eq!(found, status, "BC-06 {id}: {written}");
        let hidden = [token.clone(), hash(token)];
        // Nor a part of it that would let someone put it together again.
        let texts: Vec<&str> = hidden.iter().chain(&proof).map(String::as_str).collect();
        for part in texts.iter().flat_map(|text| text.split('.')) {
            assert!(
                part.len() < 9 || !written.contains(part),
                "BC-06 {id}: {part} in {written}"
            );
        }
    }
}
