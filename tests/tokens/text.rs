//! Text that only looks like a token, and signatures that belong to another.

use edgeward::credential::jwt::{TOKEN_BYTES_MAX, TokenFault, UnverifiedToken};
use serde_json::json;

use crate::support::NOW_MS;
use crate::support::signer::{Issuer, base64url};
use crate::{claims, ed25519, issuer, judge, with};

#[test]
fn text_that_is_no_compact_token_is_refused_before_any_key() {
    use TokenFault as F;
    let good = issuer().sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, tail) = (parts[0], parts[1], parts[2]);
    let last = good.len() - 1;
    // 64 bytes leave four bits over in the last character: setting them changes no byte.
    let malleable = format!(
        "{}{}",
        &good[..last],
        if good.ends_with('A') { 'B' } else { 'C' }
    );
    for (id, text) in [
        ("JS-01 padding", format!("{head}.{body}.{tail}=")),
        ("JS-01 a space", format!("{head} .{body}.{tail}")),
        ("JS-01 a line break", format!("{head}.{body}\n.{tail}")),
        (
            "JS-01 the other alphabet",
            format!("{head}.{body}.{}", tail.replace(['-', '_'], "+")),
        ),
        ("JS-02 trailing bits", malleable),
        ("JS-03 no signature", format!("{head}.{body}.")),
        ("#130 two parts", format!("{head}.{body}")),
        ("#130 four parts", format!("{good}.{tail}")),
        (
            "#131 five parts",
            format!("{head}.{body}.{tail}.{tail}.{tail}"),
        ),
        ("#130 an empty part", format!("{head}..{tail}")),
        ("JS-12 JSON serialization", "{\"payload\":\"x\"}".into()),
        ("", String::new()),
    ] {
        let judged = judge(&text);
        assert!(
            matches!(judged, Err(F::Malformed | F::Signature)),
            "{id}: {judged:?}"
        );
    }
    let sign = |header: &str, payload: &str| judge(&issuer().sign_text(header, payload));
    let header = issuer().header().to_string();
    let claims = claims().to_string();
    for (id, judged) in [
        (
            "JS-04 alg twice",
            sign(r#"{"alg":"none","alg":"EdDSA","kid":"one"}"#, &claims),
        ),
        (
            "JW-01 sub twice",
            sign(&header, &claims.replacen('{', "{\"sub\":\"root\",", 1)),
        ),
        (
            "#138 sub twice, escaped",
            sign(
                &header,
                &claims.replacen('{', "{\"\\u0073ub\":\"root\",", 1),
            ),
        ),
        ("JW-10 no object", sign(&header, "[]")),
        (
            "JS-10 a byte order mark",
            sign(&header, &format!("\u{feff}{claims}")),
        ),
        (
            "JS-10 text after",
            sign(&header, &format!("{claims}{claims}")),
        ),
        (
            "JW-11 too deep",
            sign(
                &header,
                &format!("{{\"a\":{}{}}}", "[".repeat(17), "]".repeat(17)),
            ),
        ),
        (
            "JW-02 1e400",
            sign(&header, &claims.replace("\"exp\":", "\"x\":1e400,\"exp\":")),
        ),
    ] {
        assert_eq!(judged, Err(F::Malformed), "{id}");
    }
    let padding = |bytes: usize| {
        let mut claims = crate::claims();
        claims["pad"] = json!("a".repeat(bytes));
        issuer().sign(&claims)
    };
    assert_eq!(judge(&padding(TOKEN_BYTES_MAX)), Err(F::TooLarge));
    assert_eq!(judge(&padding(1_000)), Ok("alice".into()));
}

#[test]
fn a_signature_belongs_to_one_token_and_one_key() {
    let good = issuer().sign(&claims());
    let other = issuer().sign(&with("sub", json!("root")));
    let (stolen, forged) = (
        good.rsplit('.').next().unwrap(),
        other.rsplit_once('.').unwrap().0,
    );
    assert_eq!(
        judge(&format!("{forged}.{stolen}")),
        Err(TokenFault::Signature)
    );
    let impostor = Issuer::new(2, "one").sign(&claims());
    assert_eq!(judge(&impostor), Err(TokenFault::Signature));
    assert_eq!(
        judge(&format!("{forged}.{}", base64url(&[0; 64]))),
        Err(TokenFault::Signature)
    );
}

#[test]
fn an_answer_to_another_question_proves_nothing() {
    let (rule, keys) = ed25519();
    let good = UnverifiedToken::parse(&issuer().sign(&claims())).unwrap();
    let forged = {
        let text = Issuer::new(2, "one").sign(&with("sub", json!("root")));
        UnverifiedToken::parse(&text).unwrap()
    };
    let question = good.questions(&rule, &keys).unwrap().remove(0);
    let answer = question.answered(true);
    let own = forged.questions(&rule, &keys).unwrap().remove(0);
    for (asked, answer) in [
        (&question, answer),
        (&own, answer),
        (&own, own.answered(false)),
    ] {
        let judged = forged.clone().verify(&rule, asked, answer, NOW_MS);
        assert_eq!(judged.err(), Some(TokenFault::Signature));
    }
}
